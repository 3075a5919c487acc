"""Predict documents, and write the predictions file that evaluation and mining read.

What belongs here: prediction records, and predicting a batch in parts, so that a killed run continues where it stopped.
Records depend only on the page images and the reader; how long reading took is written to a file of its own. Reading
files of unknown origin belongs to `extraction`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
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
from finscribe_assets.inference.assignment_confidence import COEFFICIENTS_ID
from finscribe_assets.inference.currency_reading import find_currencies
from finscribe_assets.inference.image_reader import ImageReader, ReadRequest
from finscribe_assets.inference.line_items import extract_line_items
from finscribe_assets.inference.page_reading import read_regions
from finscribe_assets.inference.prediction_parts import PARTS_FOLDER, Part, plan_parts
from finscribe_assets.inference.prediction_record import PredictionRecord
from finscribe_assets.inference.region_layout import DetectedLines, Layout, Region, RegionType, RendererBoxes
from finscribe_assets.inference.value_spans import value_spans
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT
from finscribe_assets.instructions.prompt_wordings import full_extraction_prompt
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.model.decoded_text import DecodedText, joint_probabilities, lowest_confidence, rounded_confidence
from finscribe_assets.ocr.rapidocr_engine import RapidOcrFinder
from finscribe_assets.rendering.pages import NO_MARKS, RenderedDocument
from finscribe_assets.shards import ShardPool, shard_files

PREDICTIONS_FILE, TIMING_FILE, PREDICTED_BY_FILE = "predictions.jsonl", "timing.json", "predicted_by.json"
NOT_IN_REGIONS = frozenset({"document_type", "vat_breakdown.tax_name"})
"""Fields that only titles and labels determine, which a reader of the regions of values is never shown."""


class Mode(StrEnum):
    """How a document is read."""

    REGIONS = "regions"  # region by region, at the boxes of a layout, as PaddleOCR-VL itself works
    PAGE = "page"  # all pages in one request, to JSON


@dataclass(frozen=True)
class PredictionSummary:
    """What `predict_batch` did."""

    documents: int
    mode: Mode
    layout: str  # name of the layout; empty in page mode
    device: str
    parts: int
    skipped: int  # parts that the same reader had already read from the same images
    seconds_per_document: float | None  # wall time without loading the model; None if no document was requested


def predict_document(reader: ImageReader, document: RenderedDocument, mode: Mode, layout: Layout) -> dict[str, Any]:
    """Return one document's prediction record; see `predict_documents`."""
    return predict_documents(reader, [document], mode, layout)[0]


def predict_documents(
    reader: ImageReader, documents: Sequence[RenderedDocument], mode: Mode, layout: Layout, prompt: str = ""
) -> list[dict[str, Any]]:
    """Read documents, all of them in the same batches, and return their prediction records.

    Args:
        reader: The loaded model.
        documents: Documents with their pages.
        mode: How documents are read.
        layout: Finds the regions; used in regions mode.
        prompt: What is asked in page mode; the stock prompt of full extraction unless given.

    Returns:
        For each document the JSON form of a `PredictionRecord`: ``id``, ``response`` and ``confidence``, and ``boxes``
        where the reader has found the boxes of values itself: never at the renderer's boxes.
        In regions mode ``response`` is a nested object of printed values, with null where a field's region was read as
        empty; in page mode it is the model's raw text.
        ``confidence`` maps each field path to the geometric mean of the probabilities of its tokens; where the layout
        does not know the fields, to the probability that the value is right (`assignment_confidence`). A value from a
        table has the confidence of the whole table. The currency follows from the amounts that were read.
    """
    if mode is Mode.PAGE:
        asked = prompt or full_extraction_prompt()
        requests = [ReadRequest(tuple(page.open() for page in document.pages), asked) for document in documents]
        return [
            page_record(reader, document.id, decoded).to_json()
            for document, decoded in zip(documents, reader.read(requests), strict=True)
        ]
    if not layout.names_fields:
        return [_identified_record(reader, document, layout) for document in documents]
    requests, regions = [], list[tuple[str, Region]]()
    for document in documents:
        pages = [page.open() for page in document.pages]
        for region in layout.regions(document):
            prompt = TABLE_PROMPT if region.type is RegionType.TABLE else OCR_PROMPT
            for index, box in region.lines:
                requests.append(ReadRequest((crop(pages[index], box, layout.margin),), prompt))
                regions.append((document.id, region))
    fields: dict[str, dict[str, list[DecodedText]]] = {document.id: {} for document in documents}
    tables: dict[str, list[DecodedText]] = {document.id: [] for document in documents}
    for (document_id, region), decoded in zip(regions, reader.read(requests), strict=True):
        if region.type is RegionType.TABLE:
            tables[document_id].append(decoded)
        else:
            fields[document_id].setdefault(region.path, []).append(decoded)
    return [_regions_record(document.id, fields[document.id], tables[document.id]).to_json() for document in documents]


def _identified_record(reader: ImageReader, document: RenderedDocument, layout: Layout) -> dict[str, Any]:
    fields = read_regions(reader, document.id, document.pages, layout).fields().fields
    return PredictionRecord(
        document.id,
        unflatten({path: field.text for path, field in fields.items()}),
        {path: field.confidence for path, field in fields.items()},
        {path: field.boxes for path, field in fields.items() if field.boxes},
        reading_confidence={path: field.reading_confidence for path, field in fields.items()},
    ).to_json()


def _regions_record(
    document_id: str, fields: dict[str, list[DecodedText]], tables: list[DecodedText]
) -> PredictionRecord:
    values = {path: " ".join(line.text for line in lines if line.text) or None for path, lines in fields.items()}
    confidence: dict[str, float | None] = {}
    for path, lines in fields.items():
        if values[path]:
            confidence[path] = rounded_confidence(joint_probabilities(lines))
    for path, cell in extract_line_items(table.text for table in tables).items():
        values[path] = cell.text
        # Tokens are not assigned to the cells of a table.
        confidence[path] = rounded_confidence(tables[cell.table].probabilities)
    for path, currency in find_currencies(values).items():
        values[path] = currency.code
        confidence[path] = lowest_confidence(confidence[source] for source in currency.sources)
    return PredictionRecord(document_id, unflatten(values), confidence)


def page_record(reader: ImageReader, document_id: str, decoded: DecodedText) -> PredictionRecord:
    """Return the record of a document whose pages were read whole, with the confidence of each value of the response.

    Args:
        reader: The model that has read the pages.
        document_id: The document's id.
        decoded: What it generated.
    """
    ends = reader.token_ends(decoded)
    if ends is None or decoded.probabilities is None:
        return PredictionRecord(document_id, decoded.text, truncated=decoded.truncated)
    starts = [0, *ends[:-1]]
    confidence: dict[str, float | None] = {}
    for path, (start, end) in value_spans(decoded.text).items():
        probabilities = [
            probability
            for probability, token_start, token_end in zip(decoded.probabilities, starts, ends, strict=True)
            if token_start < end and token_end > start
        ]
        confidence[path] = rounded_confidence(probabilities)
    return PredictionRecord(document_id, decoded.text, confidence, truncated=decoded.truncated)


def predict_batch(
    image_folders: Sequence[AnyPath],
    document_ids: Collection[str],
    folder: AnyPath,
    *,
    reader: ImageReader | None = None,
    base: str = EMBEDDED,
    adapter: AnyPath | None = None,
    mode: Mode | None = None,
    layout: Layout | None = None,
    prompt: str = "",
    device: str = "auto",
    threads: int = 1,
    pool: ShardPool | None = None,
    on_documents: Callable[[int], None] | None = None,
) -> PredictionSummary:
    """Predict documents from folders of page images.

    Writes ``predictions.jsonl`` with the records in the order of the images, ``timing.json``, and, last,
    ``predicted_by.json`` with the reader. A killed run continues after its finished parts. If the same reader has
    already predicted the same documents from the same images, the files are kept.

    Args:
        image_folders: Folders with shards of rendered pages.
        document_ids: The documents to predict.
        folder: The folder to write to.
        reader: Reads the documents, such as a `ServerReader`; unless given, a `Reader` is loaded in this process.
        base: Of that `Reader`.
        adapter: Of that `Reader`.
        mode: Regions for a base that reads lines, page for others, unless given.
        layout: Finds the regions in regions mode. Unless given, the renderer's boxes, or a text detector's lines for
            imported pages, which have none.
        prompt: What is asked in page mode; the stock prompt of full extraction unless given.
        device: Of that `Reader`.
        threads: Of that `Reader`.
        pool: Reads parts at once, each with a `Reader` of its own, if no reader is given.
        on_documents: Called after each part with its number of documents.

    Raises:
        MissingInputError: The base or the adapter does not exist.
        UserError: Documents have no pages, base, adapter and mode do not fit together, or the layout takes the
            renderer's boxes and there are none.
    """
    loaded = reader is None
    if reader is None:
        from finscribe_assets.inference.reader import Reader

        reader = Reader(base, adapter, device=device, threads=threads)
    mode = mode or (Mode.REGIONS if reader.reads_lines else Mode.PAGE)
    if mode is Mode.PAGE and reader.reads_lines:
        raise UserError(
            f"mode: {reader.name} reads single printed lines, not pages; use mode regions, or a base that reads pages"
        )
    if mode is Mode.REGIONS:
        layout = _layout_for(image_folders, document_ids, layout, reader.threads)
    layout = layout or RendererBoxes()
    layout_name = layout.name if mode is Mode.REGIONS else ""
    asked = f":{prompt}" if prompt and mode is Mode.PAGE else ""
    if mode is Mode.REGIONS and not layout.names_fields:
        asked = f":{COEFFICIENTS_ID}"
    parts = plan_parts(image_folders, document_ids, f"{reader.identity}:{mode}:{layout_name}{asked}")
    fingerprint = sha256_of("\n".join(part.fingerprint for part in parts))
    report = on_documents or (lambda count: None)
    if _is_finished(folder, fingerprint):
        skipped = len(parts)
        report(len(set(document_ids)))
    else:
        skipped = 0
        read_parts = []
        if pool is not None and loaded:
            load = (base, adapter, reader.device_name, threads)
            missing = [part for part in parts if not part.stored(folder)]
            for _ in pool.run(_store_part, [_PartJob(part, folder, load, mode, layout, prompt) for part in missing]):
                pass
        for part in parts:
            content = part.stored(folder)
            if content:
                skipped += 1
            else:
                content = _read_part(reader, part, mode, layout, prompt)
                write_json_lines(part.file(folder), content)
            read_parts.append(content)
            report(len(part.documents))
        write_json_lines(folder / PREDICTIONS_FILE, (record for _, *records in read_parts for record in records))
        write_json(folder / TIMING_FILE, _total_timing([timing for timing, *_ in read_parts], reader))
        predicted_by = {
            "fingerprint": fingerprint,
            "predictions": sha256_of_file(folder / PREDICTIONS_FILE),
            "mode": mode,
            "layout": layout_name,
            **reader.record,
        }
        write_json(folder / PREDICTED_BY_FILE, predicted_by)
        remove_folder(folder / PARTS_FOLDER)
    timing = read_json(folder / TIMING_FILE) if (folder / TIMING_FILE).exists() else {}
    return PredictionSummary(
        len(set(document_ids)),
        mode,
        layout_name,
        reader.device_name,
        len(parts),
        skipped,
        timing.get("wall_seconds_per_document"),
    )


def _layout_for(
    image_folders: Sequence[AnyPath], document_ids: Collection[str], layout: Layout | None, threads: int
) -> Layout:
    """Return the layout for documents that may lack the renderer's boxes, because they were imported.

    Raises:
        UserError: The layout takes these boxes, or only some documents have them and no layout is given.
    """
    if layout is not None and not layout.names_fields:
        return layout
    requested, boxed = set(document_ids), dict[str, bool]()
    for shard in (shard for folder in image_folders for shard in shard_files(folder)):
        for row in read_table(shard, ["document_id", "marks"]).to_pylist():
            if (name := row["document_id"]) in requested:
                boxed[name] = boxed.get(name, False) or row["marks"] != NO_MARKS
    without = sorted(name for name, has_boxes in boxed.items() if not has_boxes)
    if not without:
        return layout or RendererBoxes()
    if layout is None and len(without) == len(boxed):
        return DetectedLines(RapidOcrFinder(threads))
    raise UserError(
        f"{len(without)} of {len(boxed)} documents have no boxes of a renderer, such as {without[0]}: imported "
        "pages are read at the lines that a text detector finds (--lines), or by a base that reads pages"
    )


def _is_finished(folder: AnyPath, fingerprint: str) -> bool:
    """Tell whether a folder holds the complete and unchanged predictions of a fingerprint."""
    if not (folder / PREDICTED_BY_FILE).exists() or not (folder / PREDICTIONS_FILE).exists():
        return False
    by = read_json(folder / PREDICTED_BY_FILE)
    return bool(by["fingerprint"] == fingerprint and by["predictions"] == sha256_of_file(folder / PREDICTIONS_FILE))


def _read_part(reader: ImageReader, part: Part, mode: Mode, layout: Layout, prompt: str) -> list[dict[str, Any]]:
    """Read a part's documents; return the part's timing and then its records."""
    documents = part.load()
    wall, cpu = time.perf_counter(), time.process_time()
    records = predict_documents(reader, documents, mode, layout, prompt)
    timing = {
        "fingerprint": part.fingerprint,
        "documents": len(documents),
        "pages": sum(len(document.pages) for document in documents),
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
    }
    return [timing, *records]


@dataclass(frozen=True)
class _PartJob:
    """A part to read and to store in a process of its own."""

    part: Part
    folder: AnyPath
    load: tuple[str, AnyPath | None, str, int]  # what `_kept_reader` loads
    mode: Mode
    layout: Layout
    prompt: str


def _store_part(job: _PartJob) -> int:
    content = _read_part(_kept_reader(*job.load), job.part, job.mode, job.layout, job.prompt)
    write_json_lines(job.part.file(job.folder), content)
    return len(job.part.documents)


@lru_cache(maxsize=1)
def _kept_reader(base: str, adapter: AnyPath | None, device: str, threads: int) -> ImageReader:
    """Return a reader that this process keeps from part to part."""
    from finscribe_assets.inference.reader import Reader

    return Reader(base, adapter, device=device, threads=threads)


def _total_timing(parts: Sequence[dict[str, Any]], reader: ImageReader) -> dict[str, Any]:
    """Sum the parts' timings: from decoded shards to records, without loading the model."""
    documents, pages, wall, cpu = (
        sum(part[name] for part in parts) for name in ("documents", "pages", "wall_seconds", "cpu_seconds")
    )
    return {
        "documents": documents,
        "pages": pages,
        "device": reader.device_name,
        "threads": reader.threads,
        "wall_seconds": round(wall, 3),
        "cpu_seconds": round(cpu, 3),
        "wall_seconds_per_document": round(wall / documents, 4) if documents else None,
        "cpu_seconds_per_document": round(cpu / documents, 4) if documents else None,
    }
