"""How fast lines and documents are read, and how well the lines of a page are found.

- crops a CPU second: our batched reader, one crop at a time with our reader, and with transformers' own `generate`;
  the ways take turns on the same crops, and must read the same
- seconds a document over all its fields, at the boxes that the renderer knows
- with --pages: how many of the printed lines a detector finds, what is read in its boxes and in the renderer's, and
  which fields labels settle

    python benchmarks/inference.py
    python benchmarks/inference.py --pages 60
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np
import torch

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.inference.extraction import Extractor
from finscribe_assets.inference.label_assignment import assign_fields
from finscribe_assets.inference.prediction import Mode, predict_document
from finscribe_assets.inference.reader import Reader, ReadRequest
from finscribe_assets.inference.region_layout import DetectedLines, RendererBoxes
from finscribe_assets.inference.text_spans import TextLine
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import OCR_PROMPT
from finscribe_assets.model.line_images import fit_line
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
from finscribe_assets.rendering.pages import Box, MarkType, RenderedDocument
from finscribe_assets.rendering.render import render

SEED = 77
AT_ONCE = 64
FOUND = 0.5  # intersection over union
COVERED = 0.7  # share of a box


def documents(count: int) -> list[tuple[DrawnDocument, RenderedDocument]]:
    plan = seed_plan("batch-000", count, SEED, EMBEDDED_RECIPE)
    drawn = [draw_document(plan, index) for index in range(count)]
    return [(one, render(one)) for one in drawn]


def crops_of(document: RenderedDocument) -> list[ReadRequest]:
    pages = [page.open() for page in document.pages]
    return [
        ReadRequest((crop(pages[number], box),), OCR_PROMPT)
        for region in RendererBoxes().regions(document)
        for number, box in region.lines
    ]


@torch.no_grad()
def generated(reader: Reader, requests: Sequence[ReadRequest]) -> list[str]:
    """Read one crop after the other as transformers' documentation shows it."""
    texts = []
    for request in requests:
        turn = [
            {"type": "image", "image": fit_line(request.images[0]).convert("RGB")},
            {"type": "text", "text": request.prompt},
        ]
        inputs = reader.encoder.processor.apply_chat_template(
            [[{"role": "user", "content": turn}]],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        output = reader.model.generate(**inputs, max_new_tokens=96, do_sample=False)
        texts.append(reader.tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
    return texts


def speed(reader: Reader, requests: list[ReadRequest]) -> dict[str, object]:
    ways: dict[str, Callable[[list[ReadRequest]], list[str]]] = {
        "batched": lambda some: [one.text for one in reader.read(some)],
        "one by one": lambda some: [one.text for one in reader.read(some, batch_size=1)],
        "one by one, generate": lambda some: generated(reader, some),
    }
    seconds, texts = Counter[str](), {name: list[str]() for name in ways}
    for start in range(0, len(requests), AT_ONCE):
        for name, way in ways.items():
            before = time.process_time()
            texts[name] += way(requests[start : start + AT_ONCE])
            seconds[name] += time.process_time() - before
    rates = {name: round(len(requests) / took, 1) for name, took in seconds.items()}
    same = [sum(map(str.__eq__, texts["batched"], texts[name])) / len(requests) for name in ways]
    return {
        "crops": len(requests),
        "crops a CPU second": rates,
        "times generate": {name: round(rate / rates["one by one, generate"], 1) for name, rate in rates.items()},
        "read the same as batched": dict(zip(ways, same, strict=True)),
    }


def seconds_a_document(reader: Reader, made: list[tuple[DrawnDocument, RenderedDocument]]) -> dict[str, float]:
    took = []
    for _, document in made:
        before = time.process_time()
        predict_document(reader, document, Mode.REGIONS, RendererBoxes())
        took.append(time.process_time() - before)
    return {"median": round(median(took), 3), "mean": round(float(np.mean(took)), 3), "longest": round(max(took), 3)}


def overlap(one: Box, other: Box) -> float:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.width * one.height + other.width * other.height - shared)


def covered(box: Box, by: Box) -> float:
    width = min(box.x1, by.x1) - max(box.x0, by.x0)
    height = min(box.y1, by.y1) - max(box.y0, by.y0)
    return max(0.0, width) * max(0.0, height) / (box.width * box.height)


def same(one: str, other: str) -> bool:
    return "".join(one.split()) == "".join(other.split())


def printed_lines(document: RenderedDocument, page: int) -> list[tuple[Box, str, bool]]:
    """Return box, text and whether it is a field's of all that may be a line of its own."""
    return [
        (part.box, part.text.replace("\u00a0", " ").replace("\u202f", " "), mark.type is MarkType.FIELD)
        for mark in document.marks
        if mark.type in (MarkType.FIELD, MarkType.LINE, MarkType.CELL)
        for part in mark.fragments
        if part.page == page and part.visible and part.text
    ]


def holds(outer: Box, inner: Box) -> bool:
    middle = (inner.x0 + inner.x1) / 2, (inner.y0 + inner.y1) / 2
    return outer.x0 <= middle[0] <= outer.x1 and outer.y0 <= middle[1] <= outer.y1


def pages(reader: Reader, made: list[tuple[DrawnDocument, RenderedDocument]]) -> dict[str, object]:
    """Measure detection, reading and labels on documents whose boxes are not told."""
    count, by_field, wall = Counter[str](), Counter[str](), []
    extractor = Extractor(reader, DetectedLines())
    for drawn, document in made:
        before = time.process_time()
        record = extractor.read_pages(document.id, document.pages)
        wall.append(time.process_time() - before)
        lines = [(line["page"] - 1, Box(*line["box"]), line["text"]) for line in record["lines"]]
        matched: list[tuple[int, Box, str, str]] = []
        for number in range(len(document.pages)):
            truth = printed_lines(document, number)
            boxes = [(box, text) for page, box, text in lines if page == number]
            for box, _, is_field in truth:
                if is_field:
                    around = [other for other, _, _ in truth if holds(other, box)]
                    count["field lines"] += 1
                    count["found"] += any(overlap(one, other) >= FOUND for one, _ in boxes for other in around)
                    count["covered"] += any(covered(box, one) >= COVERED for one, _ in boxes)
            for box, text in boxes:
                best = max(truth, key=lambda one: overlap(one[0], box), default=None)
                count["detected"] += 1
                if best and overlap(best[0], box) >= FOUND:
                    matched.append((number, best[0], best[1], text))
        opened = [page.open() for page in document.pages]
        oracle = reader.read([ReadRequest((crop(opened[number], box),), OCR_PROMPT) for number, box, _, _ in matched])
        count["matched"] += len(matched)
        count["exact, detected box"] += sum(same(text, read) for _, _, text, read in matched)
        count["exact, renderer's box"] += sum(
            same(text, read.text) for (_, _, text, _), read in zip(matched, oracle, strict=True)
        )
        read = [TextLine(page, box, text, 1.0, truncated=False) for page, box, text in lines]
        written = [
            TextLine(part.page, part.box, part.text, 1.0, truncated=False)
            for mark in document.of_type(MarkType.LINE)
            for part in mark.fragments
            if part.text
        ]
        for name, some in (("read", read), ("as printed", written)):
            for one in assign_fields(some).fields:
                kind = str(drawn.document.document_type)
                right = same(one.text, kind if one.path == "document_type" else drawn.printed.get(one.path, ""))
                count[f"assigned, {name}"] += 1
                count[f"assigned, {name}, right"] += right
                by_field[f"{one.path}: {name}, {'right' if right else 'wrong'}"] += 1
        count["labels' language right"] += record["labels"].split("_")[0] == drawn.document.locale.split("_")[0]
    ratio = lambda part, whole: round(count[part] / max(1, count[whole]), 3)  # noqa: E731
    return {
        "documents": len(made),
        "pages": sum(len(document.pages) for _, document in made),
        "CPU seconds a document": {"median": round(median(wall), 2), "longest": round(max(wall), 2)},
        f"field lines found, IoU {FOUND}": ratio("found", "field lines"),
        f"field lines of which {COVERED:.0%} lie in one detected box": ratio("covered", "field lines"),
        f"detected lines that are a printed line, IoU {FOUND}": ratio("matched", "detected"),
        "read exactly, detected box": ratio("exact, detected box", "matched"),
        "read exactly, renderer's box": ratio("exact, renderer's box", "matched"),
        "assigned fields that are right": {
            name: ratio(f"assigned, {name}, right", f"assigned, {name}") for name in ("read", "as printed")
        },
        "counts": dict(sorted(count.items())),
        "assigned": dict(sorted(by_field.items())),
    }


def main() -> None:
    """Print rates and shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=12, help="documents that are read at known boxes (default 12)")
    parser.add_argument("--pages", type=int, default=0, help="then find and read the lines of so many documents")
    parser.add_argument("--base", default="embedded", help="base (default embedded)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    reader = Reader(arguments.base, threads=1)
    made = documents(max(arguments.documents, arguments.pages))
    chosen = made[: arguments.documents]
    requests = [request for _, document in chosen for request in crops_of(document)]
    reader.read(requests[:AT_ONCE])  # warm
    report: dict[str, object] = {}
    if chosen:
        report["speed"] = speed(reader, requests)
        report["CPU seconds a document, all fields"] = seconds_a_document(reader, chosen)
    if arguments.pages:
        report["pages"] = pages(reader, made[: arguments.pages])
    sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
