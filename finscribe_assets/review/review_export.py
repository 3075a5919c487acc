"""Write the folder that a labelling tool is given: images, tasks and ``review.json``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from finscribe_assets.errors import UserError
from finscribe_assets.files import write_json, write_text
from finscribe_assets.opening.input_limits import escape_unprintable
from finscribe_assets.review.label_studio_config import labelling_config
from finscribe_assets.review.label_studio_tasks import image_data_uri, review_task
from finscribe_assets.review.ppocr_labels import write_ppocr_labels
from finscribe_assets.review.review_fields import fields_to_label
from finscribe_assets.review.review_input import REVIEW_IMAGES, ReviewInput, collect_documents
from finscribe_assets.review.review_set import REVIEW_SET_FILE, ReviewDocument, ReviewSet

CONFIG_FILE, TASKS_PATTERN = "config.xml", "tasks-*.json"
MAX_TASKS_BYTES = 64 << 20  # of a file of tasks: Label Studio takes 250 MB in one upload


class ReviewTool(StrEnum):
    """A labelling tool."""

    LABEL_STUDIO = "label-studio"
    PPOCRLABEL = "ppocrlabel"


@dataclass(frozen=True)
class ReviewExport:
    """What was written."""

    review: ReviewSet
    collected: ReviewInput
    task_files: int


def export_review(
    predictions: Path,
    out: Path,
    tool: ReviewTool,
    *,
    workspace: Path | None = None,
    fields: Iterable[str] = (),
    image_prefix: str | None = None,
    model_version: str = "finscribe",
    dpi: int = 144,
    locale: str | None = None,
    on_document: Callable[[int], None] | None = None,
) -> ReviewExport:
    """Export predictions for correction by people; an earlier export in the same folder is replaced.

    Args:
        predictions: JSON lines of `extract` or `predict`.
        out: folder to write.
        tool: who reads it.
        workspace: where the documents' pages are; None for records of `extract`, which name their files.
        fields: fields and groups that get a label; see `fields_to_label`.
        image_prefix: URL that the images of Label Studio's tasks are below; None puts them into the tasks.
        model_version: shown beside the predicted values.
        dpi: resolution of the pages of PDFs, in pixels per inch.
        locale: locale of documents of which none is known.
        on_document: called after each document with 1.

    Raises:
        UserError: the folder holds something else, or there is nothing to correct.
    """
    _claim(out)
    collected = collect_documents(
        predictions, out, workspace=workspace, dpi=dpi, locale=locale, on_document=on_document
    )
    predicted = (value.path for document in collected.documents for value in document.values)
    review = ReviewSet(fields_to_label(predicted, fields), tuple(collected.documents))
    task_files = 0
    if tool is ReviewTool.PPOCRLABEL:
        write_ppocr_labels(review, out)
    else:
        write_text(out / CONFIG_FILE, labelling_config(review.fields))
        task_files = _write_tasks(review, out, image_prefix, model_version)
    review.write(out)  # last: a folder without it is no complete export
    return ReviewExport(review, collected, task_files)


def _claim(out: Path) -> None:
    """Remove an earlier export; refuse a folder that holds anything else."""
    if not out.exists():
        return
    if not out.is_dir() or (any(out.iterdir()) and not (out / REVIEW_SET_FILE).is_file()):
        raise UserError(f"{out}: holds files that are not an export for review; give --out an empty or a new folder")
    (out / REVIEW_SET_FILE).unlink(missing_ok=True)
    shutil.rmtree(out / REVIEW_IMAGES, ignore_errors=True)
    for file in (out / CONFIG_FILE, *out.glob(TASKS_PATTERN)):
        file.unlink(missing_ok=True)


def _write_tasks(review: ReviewSet, out: Path, image_prefix: str | None, model_version: str) -> int:
    """Write the tasks in files that Label Studio accepts; return their number."""
    batch: list[dict[str, Any]] = []
    size = files = 0
    for document in review.documents:
        task = _task(document, out, image_prefix, model_version)
        length = len(json.dumps(task))
        if batch and size + length > MAX_TASKS_BYTES:
            files += 1
            write_json(out / TASKS_PATTERN.replace("*", str(files)), batch)
            batch, size = [], 0
        batch.append(task)
        size += length
    files += 1
    write_json(out / TASKS_PATTERN.replace("*", str(files)), batch)
    return files


def _task(document: ReviewDocument, out: Path, image_prefix: str | None, model_version: str) -> dict[str, Any]:
    if image_prefix is None:
        pages = [image_data_uri((out / page.image).read_bytes()) for page in document.pages]
    else:
        pages = [image_prefix.rstrip("/") + "/" + PurePosixPath(page.image).name for page in document.pages]
    # A name that looks like the address of a storage would be fetched; it is text.
    name = Path(document.file).name if document.file else document.id
    return review_task(document, pages, f"document {escape_unprintable(name)}", model_version)
