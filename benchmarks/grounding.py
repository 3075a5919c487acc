"""Grounding of the embedded base on pages whose lines a detector finds: correct values with the box of where they are.

Documents are frozen: the embedded recipe with a key and a seed of their own, without damage and with light damage.

- the reader: lines by RapidOCR's detector, texts by the embedded base, fields by labels and tables
- beside it, on the same lines: each value with the box of its whole line (what estimating the part of a line is worth),
  and with --ocr the texts of RapidOCR's own recogniser (what misread texts cost)
- page grounding (the right page is enough) and value F1 (no box needed) of the same predictions: upper bounds
- why values are not grounded, counted over all documents

    python benchmarks/grounding.py
    python benchmarks/grounding.py --documents 60 --ocr
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from finscribe_assets.documents.batch_keys import EXAM_KEY
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.evaluation.document_scoring import ScoredDocument, score
from finscribe_assets.evaluation.field_comparison import FieldStatus
from finscribe_assets.evaluation.grounding import matches
from finscribe_assets.evaluation.grounding_scores import score_grounding
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.inference.field_identification import IdentifiedField
from finscribe_assets.inference.page_reading import PageText, read_regions
from finscribe_assets.inference.reader import Reader
from finscribe_assets.inference.region_layout import DetectedLines
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.ocr.rapidocr_engine import RapidOcrReader
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE, MAX_LIGHT_DAMAGE
from finscribe_assets.rendering.located_boxes import field_boxes, locate
from finscribe_assets.rendering.pages import MarkType, RenderedDocument
from finscribe_assets.rendering.render import render

SEED = 20_261_201
DAMAGE = {"undamaged": 0.0, "light damage": MAX_LIGHT_DAMAGE}


def documents(count: int, damage: float) -> list[tuple[DrawnDocument, RenderedDocument]]:
    knobs = EMBEDDED_RECIPE.knobs.model_copy(update={"degradation": damage})
    plan = seed_plan(EXAM_KEY, count, SEED, EMBEDDED_RECIPE.model_copy(update={"knobs": knobs}))
    drawn = [draw_document(plan, index) for index in range(count)]
    return [(document, render(document)) for document in drawn]


def truth_of(drawn: DrawnDocument, rendered: RenderedDocument) -> Truth:
    destroyed = {mark.name for mark in rendered.of_type(MarkType.FIELD) if not mark.visible}
    return Truth(drawn.id, drawn.document.to_json(), frozenset(drawn.printed) - destroyed, field_boxes(rendered))


def prediction_of(name: str, read: PageText, *, whole_lines: bool = False) -> Prediction:
    fields = read.fields().fields
    boxes = {path: line_boxes(field, read) if whole_lines else field.boxes for path, field in fields.items()}
    return Prediction(name, unflatten({path: field.text for path, field in fields.items()}), boxes=boxes)


def line_boxes(field: IdentifiedField, read: PageText):
    line = read.texts[field.source]
    return [locate(line.page, line.box, read.sizes[line.page]), *field.boxes[1:]] if field.boxes else ()


def read_by_ocr(read: PageText, rendered: RenderedDocument, ocr: RapidOcrReader) -> PageText:
    pages = [page.open().convert("L") for page in rendered.pages]
    texts = ocr.read([np.asarray(crop(pages[line.page], line.box, 0)) for line in read.texts])
    return replace(read, texts=[replace(line, text=text) for line, text in zip(read.texts, texts, strict=True)])


def causes(scored: Sequence[ScoredDocument], predictions: dict[str, Prediction]) -> dict[str, float]:
    """Return the share of the values with a true box by what became of them."""
    counts: Counter[str] = Counter()
    for document in scored:
        claims = {
            document.comparison.true_path(path): boxes for path, boxes in predictions[document.truth.id].boxes.items()
        }
        for outcome in document.outcomes:
            true = document.truth.boxes.get(outcome.path, ())
            if outcome.truth is None or not true:
                continue
            in_place = matches(true, claims.get(outcome.path, ()))
            right = outcome.status is FieldStatus.CORRECT
            if outcome.predicted is None:
                counts["not assigned"] += 1
            else:
                counts[f"{'right' if right else 'wrong'} value, box {'right' if in_place else 'off'}"] += 1
    return {name: round(count / counts.total(), 4) for name, count in counts.most_common()}


def result(truths: dict[str, Truth], predictions: dict[str, Prediction]) -> dict[str, object]:
    scored = score(truths, predictions)
    scores, reason = score_grounding(scored, "detected lines")
    if scores is None:
        raise SystemExit(reason)
    metrics = {name: [estimate.value, estimate.low, estimate.high] for name, estimate in scores.metrics.items()}
    by_element = {tally.name: [tally.expected, tally.precision, tally.recall, tally.f1] for tally in scores.by_element}
    return {
        "documents": scores.documents,
        **metrics,
        "causes": causes(scored, predictions),
        "by element: expected, precision, recall, F1": by_element,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=30, help="of each damage")
    parser.add_argument("--ocr", action="store_true", help="also with the texts of RapidOCR's recogniser")
    arguments = parser.parse_args()
    reader, layout = Reader(), DetectedLines()
    ocr = RapidOcrReader() if arguments.ocr else None
    report: dict[str, object] = {}
    for name, damage in DAMAGE.items():
        truths: dict[str, Truth] = {}
        ways: dict[str, dict[str, Prediction]] = {"embedded base": {}, "boxes of whole lines": {}}
        seconds = []
        for drawn, rendered in documents(arguments.documents, damage):
            truths[drawn.id] = truth_of(drawn, rendered)
            before = time.process_time()
            read = read_regions(reader, drawn.id, rendered.pages, layout)
            ways["embedded base"][drawn.id] = prediction_of(drawn.id, read)
            seconds.append(time.process_time() - before)
            ways["boxes of whole lines"][drawn.id] = prediction_of(drawn.id, read, whole_lines=True)
            if ocr:
                other = prediction_of(drawn.id, read_by_ocr(read, rendered, ocr))
                ways.setdefault("texts of RapidOCR", {})[drawn.id] = other
        report[name] = {
            "CPU seconds a document, median": round(float(np.median(seconds)), 2),
            **{way: result(truths, predictions) for way, predictions in ways.items()},
        }
    print(json.dumps(report, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
