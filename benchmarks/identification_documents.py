"""Frozen documents for `assignment_confidence.py`: what the embedded base reads at detected lines, with ground truth.

Reading takes seconds for each document, so it is stored: one JSON object on a line, with the lines, the sizes of pages
and the truth. Sets differ in their seeds, and `foreign` in its styles too.

    python benchmarks/identification_documents.py fit --from 0 --to 160 --out identification
    python benchmarks/identification_documents.py test --from 0 --to 100 --out identification
    python benchmarks/identification_documents.py foreign --from 0 --to 60 --out identification
    python benchmarks/identification_documents.py test --from 0 --to 100 --out identification --ocr

    python benchmarks/identification_documents.py real --workspace real --out identification --ocr

With `--ocr` the OCR engine's recogniser reads the lines, and the set is called `test-ocr`. `real` has the documents
with ground truth of a workspace that `finscribe import` wrote.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from finscribe_assets.documents.batch_keys import EXAM_KEY
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.evaluation.prediction_files import Truth, read_truths
from finscribe_assets.importing.folder_import import TRUTH_FILE
from finscribe_assets.inference.line_ink import LineInk
from finscribe_assets.inference.ocr_reader import OcrReader
from finscribe_assets.inference.page_reading import PageText, read_regions
from finscribe_assets.inference.reader import Reader
from finscribe_assets.inference.region_layout import DetectedLines
from finscribe_assets.inference.text_spans import TextLine
from finscribe_assets.ocr.rapidocr_engine import RapidOcrFinder
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE, UNSEEN_FONTS, UNSEEN_LOCALE
from finscribe_assets.rendering.page_batch import pages_by_id
from finscribe_assets.rendering.pages import Box, MarkType
from finscribe_assets.rendering.render import render

FOREIGN_RECIPE = EMBEDDED_RECIPE.model_copy(
    update={
        "layouts": {name: 1.0 for name, facts in LAYOUT_FACTS.items() if facts.held_out},
        "fonts": dict.fromkeys(UNSEEN_FONTS, 1.0),
        "locales": EMBEDDED_RECIPE.locales | {UNSEEN_LOCALE: sum(EMBEDDED_RECIPE.locales.values()) / 4},
    }
)
"""Layouts, fonts and a locale that nothing in this repository is trained or fitted on."""

SETS: dict[str, tuple[int, Recipe]] = {
    "fit": (4_101, EMBEDDED_RECIPE),
    "test": (4_102, EMBEDDED_RECIPE),
    "foreign": (4_103, FOREIGN_RECIPE),
}

LAST_DOCUMENT = 10_000


@dataclass(frozen=True)
class ReadDocument:
    """What was read on the pages of a document, and what is true of it."""

    id: str
    text: PageText
    truth: Truth


def documents(name: str, start: int, stop: int, *, ocr: bool = False, threads: int = 1) -> Iterator[dict[str, Any]]:
    """Draw, render and read documents of a set; yield their JSON form."""
    seed, recipe = SETS[name]
    plan = seed_plan(EXAM_KEY, LAST_DOCUMENT, seed, recipe)
    reader = OcrReader(threads) if ocr else Reader(threads=threads)
    layout = DetectedLines(RapidOcrFinder(threads))
    for index in range(start, stop):
        drawn = draw_document(plan, index)
        rendered = render(drawn)
        destroyed = {mark.name for mark in rendered.of_type(MarkType.FIELD) if not mark.visible}
        text = read_regions(reader, drawn.id, rendered.pages, layout)
        yield {
            "id": f"{name}-{index:05d}",
            "document": drawn.document.to_json(),
            "printed": sorted(set(drawn.printed) - destroyed),
            "reader": text.reader,
            "sizes": text.sizes,
            "lines": [asdict(line) for line in text.texts],
        }


def imported_documents(workspace: Path, *, ocr: bool = False, threads: int = 1) -> Iterator[dict[str, Any]]:
    """Read the documents of a workspace that have ground truth; yield their JSON form."""
    truths = read_truths(workspace / TRUTH_FILE)
    reader = OcrReader(threads) if ocr else Reader(threads=threads)
    layout = DetectedLines(RapidOcrFinder(threads))
    for document in pages_by_id(workspace / "images", truths):
        truth = truths[document.id]
        text = read_regions(reader, document.id, document.pages, layout)
        yield {
            "id": document.id,
            "document": truth.document,
            "printed": None if truth.printed is None else sorted(truth.printed),
            "labelled": None if truth.labelled is None else sorted(truth.labelled),
            "reader": text.reader,
            "sizes": text.sizes,
            "lines": [asdict(line) for line in text.texts],
        }


def read_document(record: dict[str, Any]) -> ReadDocument:
    """Return a document from its JSON form."""
    lines = [
        TextLine(
            **{
                **line,
                "box": Box(*line["box"]),
                "ink": line["ink"] and LineInk(**{**line["ink"], "words": tuple(map(tuple, line["ink"]["words"]))}),
            }
        )
        for line in record["lines"]
    ]
    sizes, by = [tuple(size) for size in record["sizes"]], record.get("reader", "")
    text = PageText(lines, [False] * len(lines), sizes, boxes_are_lines=True, reader=by)
    printed, labelled = (record.get(name) for name in ("printed", "labelled"))
    truth = Truth(
        record["id"],
        record["document"],
        None if printed is None else frozenset(printed),
        labelled=None if labelled is None else frozenset(labelled),
    )
    return ReadDocument(record["id"], text, truth)


def records(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the stored documents of a set in JSON."""
    files = sorted(folder.glob(f"{name}-[0-9]*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().split("\n") if line]


def load(folder: Path, name: str) -> list[ReadDocument]:
    """Return the stored documents of a set, such as `test` or `test-ocr`."""
    return [read_document(record) for record in records(folder, name)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=[*SETS, "real"])
    parser.add_argument("--from", type=int, default=0, dest="start")
    parser.add_argument("--to", type=int, default=0)
    parser.add_argument("--workspace", type=Path, help="of real documents")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ocr", action="store_true")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    name = f"{arguments.set}-ocr" if arguments.ocr else arguments.set
    target = arguments.out / f"{name}-{arguments.start:05d}.jsonl"
    if arguments.set == "real":
        found = imported_documents(arguments.workspace, ocr=arguments.ocr)
    else:
        found = documents(arguments.set, arguments.start, arguments.to, ocr=arguments.ocr)
    lines = [json.dumps(record) + "\n" for record in found]
    target.write_text("".join(lines))
    print(f"{target}: {len(lines)} documents")


if __name__ == "__main__":
    main()
