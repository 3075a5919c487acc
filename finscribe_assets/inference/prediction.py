"""Predictions for many documents, as the file that evaluation and mining read.

What belongs here: documents to records, in parts that survive being killed. A part's records depend on its documents'
images and the reader alone; how long reading took stands beside them, never in them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from finscribe_assets.errors import UserError
from finscribe_assets.files import (
    AnyPath,
    read_json,
    read_table,
    remove_folder,
    sha256_of,
    sha256_of_file,
    write_json,
    write_json_lines,
)
from finscribe_assets.inference.line_items import line_items
from finscribe_assets.inference.reader import Reader, ReadRequest
from finscribe_assets.inference.region_layout import TABLE, Layout, RendererBoxes
from finscribe_assets.inference.value_spans import value_spans
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT, Task
from finscribe_assets.instructions.prompt_wordings import training_wordings
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.model.decoding import DecodedText, geometric_mean
from finscribe_assets.rendering.pages import RenderedDocument, pages_from_table
from finscribe_assets.shards import read_fingerprint, shard_files

PREDICTIONS_FILE, TIMING_FILE, PREDICTED_BY_FILE = "predictions.jsonl", "timing.json", "predicted_by.json"
PARTS_FOLDER = "parts"
PART_DOCUMENTS = 20


class Mode(StrEnum):
    """How a document is read."""

    REGIONS = "regions"  # each field's lines, one by one, at the places that a layout gives: as PaddleOCR-VL works
    PAGE = "page"  # all pages at once, to JSON


@dataclass(frozen=True)
class PredictionSummary:
    """What predicting did."""

    documents: int
    mode: Mode
    layout: str  # what gave the regions; empty in page mode
    device: str
    parts: int
    skipped: int  # parts that were there already, read from the same images by the same reader
    seconds_per_document: float | None  # wall clock, loading the model aside; None where no document was asked for


def predict_document(reader: Reader, document: RenderedDocument, mode: Mode, layout: Layout) -> dict[str, Any]:
    """Return one document's prediction record."""
    return predict_documents(reader, [document], mode, layout)[0]


def predict_documents(
    reader: Reader, documents: Sequence[RenderedDocument], mode: Mode, layout: Layout
) -> list[dict[str, Any]]:
    """Return documents' prediction records ``{"id", "response", "confidence"}``, reading all of them together.

    In regions mode the response is a nested object of the texts as they are printed; in page mode it is the model's raw
    text. Confidence is, by field path, the geometric mean of the probabilities of the field's tokens.
    """
    if mode is Mode.PAGE:
        prompt = training_wordings(Task.FULL_EXTRACTION)[0]
        requests = [ReadRequest(tuple(page.open() for page in document.pages), prompt) for document in documents]
        return [
            _page_record(reader, document.id, reading)
            for document, reading in zip(documents, reader.read(requests), strict=True)
        ]
    requests, places = [], []
    for document in documents:
        pages = [page.open() for page in document.pages]
        for region in layout.regions(document):
            prompt = TABLE_PROMPT if region.kind == TABLE else OCR_PROMPT
            for number, box in region.lines:
                requests.append(ReadRequest((crop(pages[number], box, layout.margin),), prompt))
                places.append((document.id, region))
    read: dict[str, dict[str, list[DecodedText]]] = {document.id: {} for document in documents}
    tables: dict[str, list[DecodedText]] = {document.id: [] for document in documents}
    for (document_id, region), reading in zip(places, reader.read(requests), strict=True):
        of_region = tables[document_id] if region.kind == TABLE else read[document_id].setdefault(region.path, [])
        of_region.append(reading)
    return [_regions_record(name, fields, tables[name]) for name, fields in read.items()]


def _regions_record(
    document_id: str, fields: dict[str, list[DecodedText]], tables: list[DecodedText]
) -> dict[str, Any]:
    # Null, for absent, where nothing was read.
    texts = {path: " ".join(line.text for line in lines if line.text) or None for path, lines in fields.items()}
    confidence = {}
    for path, lines in fields.items():
        if texts[path]:
            chances = [chance for line in lines for chance in line.probabilities]
            confidence[path] = round(geometric_mean(chances), 4)
    for path, cell in line_items(table.text for table in tables).items():
        texts[path] = cell.text
        confidence[path] = round(tables[cell.table].confidence, 4)  # of the whole table: cells have none of their own
    return {"id": document_id, "response": unflatten(texts), "confidence": confidence}


def _page_record(reader: Reader, document_id: str, reading: DecodedText) -> dict[str, Any]:
    ends = reader.token_ends(reading)
    starts = [0, *ends[:-1]]
    confidence = {}
    for path, (start, end) in value_spans(reading.text).items():
        chances = [
            chance
            for chance, first, last in zip(reading.probabilities, starts, ends, strict=True)
            if first < end and last > start
        ]
        confidence[path] = round(geometric_mean(chances), 4)
    return {"id": document_id, "response": reading.text, "confidence": confidence}


@dataclass(frozen=True)
class _Part:
    """Some of the asked documents, and the image shards that they lie in."""

    number: int
    documents: tuple[tuple[str, AnyPath], ...]  # id and shard
    fingerprint: str  # of the reader, the documents and what their pages were made from

    def load(self) -> list[RenderedDocument]:
        found: dict[str, RenderedDocument] = {}
        for shard in dict.fromkeys(shard for _, shard in self.documents):
            found |= {document.id: document for document in pages_from_table(read_table(shard))}
        return [found[name] for name, _ in self.documents]


def _parts(images: Sequence[AnyPath], asked: Collection[str], setting: str) -> list[_Part]:
    wanted = set(asked)
    places: list[tuple[str, AnyPath]] = []
    made_from: dict[AnyPath, str] = {}
    for folder in images:
        for shard in shard_files(folder):
            names = dict.fromkeys(read_table(shard, ["document_id"])["document_id"].to_pylist())
            places += [(name, shard) for name in names if name in wanted]
            made_from[shard] = read_fingerprint(shard)
    missing = sorted(wanted - {name for name, _ in places})
    if missing:
        raise UserError(
            f"{len(missing)} of {len(wanted)} asked documents have no pages in "
            f"{', '.join(map(str, images))}: {', '.join(missing[:5])}; render them first"
        )
    parts = []
    for number, start in enumerate(range(0, len(places), PART_DOCUMENTS)):
        chosen = tuple(places[start : start + PART_DOCUMENTS])
        content = [f"{name} {made_from[shard]}" for name, shard in chosen]
        parts.append(_Part(number, chosen, sha256_of("\n".join([setting, *content]))))
    return parts


def predict_batch(
    images: Sequence[AnyPath],
    asked: Collection[str],
    folder: AnyPath,
    *,
    base: str = EMBEDDED,
    adapter: AnyPath | None = None,
    mode: Mode | None = None,
    layout: Layout | None = None,
    device: str = "auto",
    threads: int = 1,
    on_documents: Callable[[int], None] | None = None,
) -> PredictionSummary:
    """Read the asked documents from folders of page images.

    ``folder`` gets predictions.jsonl in the images' order, predicted_by.json (who read, written last) and timing.json.
    ``mode`` is regions for a base that reads lines and page for others, unless said otherwise. A killed run goes on
    after the parts that it has; what the same reader has read from the same images is left as it is. ``on_documents``
    is told how many documents were done since it was last told.

    Raises:
        UserError: asked documents have no pages, or base, adapter and mode do not fit together.
        FileNotFoundError: base or adapter are not there.
    """
    reader = Reader(base, adapter, device=device, threads=threads)
    mode = mode or (Mode.REGIONS if reader.reads_lines else Mode.PAGE)
    if mode is Mode.PAGE and reader.reads_lines:
        raise UserError(
            f"mode: {reader.base.name} reads single printed lines, not pages; take regions, or the real model"
        )
    layout = layout or RendererBoxes()
    layout_name = layout.name if mode is Mode.REGIONS else ""
    parts = _parts(images, asked, f"{reader.identity}:{mode}:{layout_name}")
    fingerprint = sha256_of("\n".join(part.fingerprint for part in parts))
    report = on_documents or (lambda done: None)
    done = _finished(folder, fingerprint)
    skipped = len(parts) if done else 0
    if done:
        report(len(set(asked)))
    else:
        made = []
        for part in parts:
            place = folder / PARTS_FOLDER / f"part-{part.number:05d}.jsonl"
            found = _read_json_lines(place)
            if found and found[0]["fingerprint"] == part.fingerprint:
                skipped += 1
            else:
                found = _read_part(reader, part, mode, layout)
                write_json_lines(place, found)
            made.append(found)
            report(len(part.documents))
        write_json_lines(folder / PREDICTIONS_FILE, (record for _, *records in made for record in records))
        write_json(folder / TIMING_FILE, _timing([took for took, *_ in made], reader))
        write_json(
            folder / PREDICTED_BY_FILE,
            {
                "fingerprint": fingerprint,
                "predictions": sha256_of_file(folder / PREDICTIONS_FILE),
                "mode": mode,
                "layout": layout_name,
                "base": reader.base.identity,
                "adapter": reader.adapter,
                "device": reader.device.type,
            },
        )
        remove_folder(folder / PARTS_FOLDER)
    timing = read_json(folder / TIMING_FILE) if (folder / TIMING_FILE).exists() else {}
    return PredictionSummary(
        len(set(asked)),
        mode,
        layout_name,
        reader.device.type,
        len(parts),
        skipped,
        timing.get("wall_seconds_per_document"),
    )


def _finished(folder: AnyPath, fingerprint: str) -> bool:
    if not (folder / PREDICTED_BY_FILE).exists() or not (folder / PREDICTIONS_FILE).exists():
        return False
    by = read_json(folder / PREDICTED_BY_FILE)
    return bool(by["fingerprint"] == fingerprint and by["predictions"] == sha256_of_file(folder / PREDICTIONS_FILE))


def _read_json_lines(path: AnyPath) -> list[dict[str, Any]]:
    # Split at \n alone: a text may hold other characters that count as line ends.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line] if path.exists() else []


def _read_part(reader: Reader, part: _Part, mode: Mode, layout: Layout) -> list[dict[str, Any]]:
    """Return what reading a part took, and then its records."""
    documents = part.load()
    wall, cpu = time.perf_counter(), time.process_time()
    records = predict_documents(reader, documents, mode, layout)
    took = {
        "fingerprint": part.fingerprint,
        "documents": len(documents),
        "pages": sum(len(one.pages) for one in documents),
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
    }
    return [took, *records]


def _timing(parts: Sequence[dict[str, Any]], reader: Reader) -> dict[str, Any]:
    """Return what reading took, from decoded shards to records; loading the model is not in it."""
    documents, pages, wall, cpu = (
        sum(part[name] for part in parts) for name in ("documents", "pages", "wall_seconds", "cpu_seconds")
    )
    return {
        "documents": documents,
        "pages": pages,
        "device": reader.device.type,
        "threads": reader.threads,
        "wall_seconds": round(wall, 3),
        "cpu_seconds": round(cpu, 3),
        "wall_seconds_per_document": round(wall / documents, 4) if documents else None,
        "cpu_seconds_per_document": round(cpu / documents, 4) if documents else None,
    }
