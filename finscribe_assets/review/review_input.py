"""Collect the documents to correct: predictions of `extract` or `predict`, with the images of their pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finscribe_assets.documents.elements import FIELDS
from finscribe_assets.documents.locales import is_known_locale
from finscribe_assets.documents.schema import flatten
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.evaluation.response_parsing import parse_response
from finscribe_assets.exporting.file_names import file_name_for
from finscribe_assets.files import sha256_of, sha256_of_file, write_bytes
from finscribe_assets.opening.input_limits import InputLimits, escape_unprintable
from finscribe_assets.opening.page_reader import PageReader
from finscribe_assets.rendering.located_boxes import boxes_from_json
from finscribe_assets.rendering.page_batch import pages_by_id
from finscribe_assets.rendering.pages import Page
from finscribe_assets.review.review_set import ReviewDocument, ReviewPage, ReviewValue
from finscribe_assets.review.value_lines import split_path

REVIEW_IMAGES = "images"  # folder of the pages' images in an export


@dataclass
class ReviewInput:
    """What was collected: the documents, and the records that are none, with the reason."""

    documents: list[ReviewDocument] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    unknown_keys: int = 0  # predicted values of no field of the schema, which have no label


def collect_documents(
    predictions: Path,
    out: Path,
    *,
    workspace: Path | None = None,
    dpi: int = 144,
    locale: str | None = None,
    on_document: Callable[[int], None] | None = None,
) -> ReviewInput:
    """Read predictions and write the images of their pages.

    Args:
        predictions: JSON lines of `extract` or `predict`.
        out: folder of the export; images are written below it.
        workspace: where the documents' pages are; None for records of `extract`, which name their files.
        dpi: resolution of the pages of PDFs, in pixels per inch.
        locale: locale of documents of which none is known.
        on_document: called after each document with 1.

    Raises:
        UserError: the file has no record with a document.
    """
    collected, seen = ReviewInput(), set[str]()
    records = list(_records(predictions, collected))
    for record, pages, file in _with_pages(records, workspace, dpi, collected):
        sha256 = None if file is None else sha256_of_file(file)
        id_ = _id_of(record, file, sha256)
        if id_ in seen:
            collected.left_out.append(f"{escape_unprintable(id_)}: a second record with this id")
            continue
        seen.add(id_)
        names = []
        for number, page in enumerate(pages, 1):
            suffix = "png" if page.image.startswith(b"\x89PNG") else "jpg"
            names.append(ReviewPage(f"{REVIEW_IMAGES}/{file_name_for(id_)}-{number}.{suffix}", page.width, page.height))
            write_bytes(out / names[-1].image, page.image)
        values = tuple(_values(record, len(pages), collected))
        labels = record.get("labels")
        known = labels if isinstance(labels, str) and is_known_locale(labels) else locale
        name = None if file is None else str(file)
        collected.documents.append(ReviewDocument(id_, tuple(names), values, known, name, sha256))
        if on_document:
            on_document(1)
    if not collected.documents:
        reasons = "; ".join(collected.left_out[:3])
        raise UserError(f"{predictions}: no document to correct{': ' + reasons if reasons else ''}")
    collected.documents.sort(key=lambda document: document.id)
    return collected


def _records(path: Path, collected: ReviewInput) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        raise MissingInputError(f"{path}: no such file; `finscribe extract` and `finscribe predict` write predictions")
    for number, line in enumerate(path.read_bytes().decode("utf-8-sig", errors="replace").split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            as_written = json.loads(line, parse_float=str)  # amounts keep their decimals
        except (ValueError, RecursionError) as error:
            collected.left_out.append(f"line {number}: not JSON ({error})")
            continue
        if not isinstance(record, dict) or not isinstance(record.get("response", record.get("text")), dict | str):
            reason = record.get("error") if isinstance(record, dict) else None
            shown = f"not read: {escape_unprintable(str(reason))[:120]}" if reason else "no `response`"
            collected.left_out.append(f"line {number}: {shown}")
            continue
        yield record | {"response": as_written.get("response", as_written.get("text"))}


def _with_pages(
    records: list[dict[str, Any]], workspace: Path | None, dpi: int, collected: ReviewInput
) -> Iterator[tuple[dict[str, Any], tuple[Page, ...], Path | None]]:
    """Yield the records with their pages, and with the file that they came in."""
    if workspace is not None:
        by_id = {str(record["id"]): record for record in records if "id" in record}
        for document in pages_by_id(workspace / "images", by_id):
            yield by_id.pop(document.id), document.pages, None
        collected.left_out += [f"{escape_unprintable(id_)}: the workspace has no such pages" for id_ in by_id]
        return
    with PageReader(dpi, InputLimits()) as reader:
        for record in records:
            name = record.get("file")
            if not isinstance(name, str):
                raise UserError(
                    f"{escape_unprintable(str(record.get('id')))}: the prediction names no file; give --workspace, the "
                    "folder whose documents were read"
                )
            try:
                yield record, reader.open(Path(name)).pages, Path(name)
            except UserError as error:
                collected.left_out.append(f"{escape_unprintable(name)}: {error}")


def _id_of(record: dict[str, Any], file: Path | None, sha256: str | None) -> str:
    if isinstance(id_ := record.get("id"), str) and id_:
        return id_
    return f"{file_name_for(file.stem if file else '')}-{(sha256 or sha256_of(str(record)))[:8]}"


def _values(record: dict[str, Any], page_count: int, collected: ReviewInput) -> Iterator[ReviewValue]:
    """Yield the predicted values of a record, in the order of the schema."""
    confidence = record.get("confidence")
    parsed = parse_response(record["response"])
    located = parsed.boxes | boxes_from_json(record.get("boxes"))[0]
    values = []
    for path, value in flatten(parsed.document).items():
        text = " ".join(str(value).split())
        try:
            field_name, row = split_path(path)
        except UserError:
            collected.unknown_keys += 1
            continue
        if not text or isinstance(value, bool):
            continue
        score = confidence.get(path) if isinstance(confidence, dict) else None
        try:
            score = None if score is None else min(max(float(score), 0.0), 1.0)
        except (TypeError, ValueError):
            score = None
        boxes = tuple(box for box in located.get(path, ()) if box.page <= page_count)
        values.append((_ORDER[field_name], row or 0, ReviewValue(path, text, score, boxes)))
    yield from (value for _, _, value in sorted(values, key=lambda item: item[:2]))


_ORDER = {path: number for number, path in enumerate(FIELDS)}
