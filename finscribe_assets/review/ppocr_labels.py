"""Write and read PPOCRLabel's ``Label.txt``: a line for each page image, with its boxes, texts and fields.

A line is ``FOLDER/IMAGE⇥[{"transcription": …, "points": [[x, y], …], "difficult": false, "key_cls": FIELD}, …]`` in
pixels. ``fileState.txt`` beside it lists the images that a person confirmed. Values without a box cannot be shown.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from finscribe_assets.documents.elements import FIELDS, field_of
from finscribe_assets.errors import UserError
from finscribe_assets.files import write_text
from finscribe_assets.opening.input_limits import escape_unprintable
from finscribe_assets.rendering.located_boxes import LocatedBox, locate, to_pixels
from finscribe_assets.rendering.pages import Box
from finscribe_assets.review.corrected_truth import is_same_place
from finscribe_assets.review.marked_values import Answer, AnswerState, DocumentAnswers, MarkedValue
from finscribe_assets.review.review_fields import FIELD_CHOICES
from finscribe_assets.review.review_input import REVIEW_IMAGES
from finscribe_assets.review.review_set import ReviewDocument, ReviewSet, ReviewValue
from finscribe_assets.review.value_lines import split_path

LABEL_FILE, FILE_STATE_FILE = "Label.txt", "fileState.txt"
NO_FIELD = "None"  # PPOCRLabel's key of a text that belongs to no field
_MIN_IOU = 0.3  # of a marked box and the predicted one that it may be
_DECIMALS = 2


def write_ppocr_labels(review: ReviewSet, out: Path) -> None:
    """Write ``Label.txt`` beside the images of an export, for PPOCRLabel to open with ``--kie True``."""
    lines = [
        f"{page.image}\t{json.dumps(list(_page_marks(document, number)), ensure_ascii=False)}\n"
        for document in review.documents
        for number, page in enumerate(document.pages, 1)
    ]
    write_text(out / REVIEW_IMAGES / LABEL_FILE, "".join(lines))


def _page_marks(document: ReviewDocument, page: int) -> Iterator[dict[str, Any]]:
    for value in document.values:
        region = value.region
        if region is not None and region.page == page:
            box = Box(*(round(side, _DECIMALS) for side in to_pixels(region.box, document.size_of(page))))
            corners = [[box.x0, box.y0], [box.x1, box.y0], [box.x1, box.y1], [box.x0, box.y1]]
            yield {
                "transcription": value.text,
                "points": corners,
                "difficult": False,
                "key_cls": field_of(value.path),
            }


def read_ppocr_labels(path: Path, review: ReviewSet) -> dict[str, DocumentAnswers]:
    """Return what people marked, by document id.

    Where ``fileState.txt`` is beside the labels, a document is done when all its pages are confirmed in it, else when
    all its pages are in ``Label.txt``.

    Raises:
        UserError: the file is not PPOCRLabel's, or has none of the documents' pages.
    """
    marks = _marks_by_image(path)
    state = path.with_name(FILE_STATE_FILE)
    confirmed = _confirmed_images(state) if state.is_file() else set(marks)
    answers: dict[str, DocumentAnswers] = {}
    for document in review.documents:
        names = [PurePosixPath(page.image).name for page in document.pages]
        if not any(name in marks for name in names):
            continue
        done = all(name in marks and name in confirmed for name in names)
        answers[document.id] = DocumentAnswers(AnswerState.DONE if done else AnswerState.OPEN)
        if done:
            answers[document.id].answers.append(_answer(document, [marks[name] for name in names]))
    if not answers:
        raise UserError(f"{path}: has none of the pages of this review")
    return answers


def _marks_by_image(path: Path) -> dict[str, list[Any]]:
    marks: dict[str, list[Any]] = {}
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8; PPOCRLabel writes UTF-8") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name, tab, content = line.rstrip("\r").partition("\t")
        try:
            value = json.loads(content) if tab else None
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, list):
            raise UserError(
                f"{path}: line {number}: not an image, a tab and a JSON list; is it PPOCRLabel's Label.txt?"
            )
        marks[_image_name(name)] = value  # a later line of an image replaces an earlier one
    return marks


def _image_name(name: str) -> str:
    """Return the last part of a path of any system. It is compared with names of this review, and never opened."""
    return name.strip().replace("\\", "/").rpartition("/")[2]


def _confirmed_images(path: Path) -> set[str]:
    lines = path.read_bytes().decode("utf-8-sig", errors="replace").splitlines()
    parts = (line.rpartition("\t") for line in lines)
    return {_image_name(name) for name, _, state in parts if state.strip() == "1"}


def _answer(document: ReviewDocument, pages: list[list[Any]]) -> Answer:
    left = {key: value for key, value in document.by_key.items() if value.region is not None}
    values: list[MarkedValue] = []
    problems: list[str] = []
    unreadable: set[str] = set()
    # Values that PPOCRLabel cannot show are neither confirmed nor corrected, so they are no truth.
    for number, marks in enumerate(pages, 1):
        for index, mark in enumerate(marks):
            where = f"page {number}, box {index + 1}"
            key_cls = mark.get("key_cls") if isinstance(mark, dict) else None
            if not isinstance(mark, dict) or not isinstance(mark.get("transcription"), str):
                problems.append(f"{where}: has no transcription")
                continue
            if key_cls in (None, "", NO_FIELD):
                continue  # a text of no field
            field, row = _field_of_key(key_cls)
            if field is None:
                problems.append(f"{where}: {escape_unprintable(str(key_cls))[:40]!r} is no field of the schema")
                continue
            if mark.get("difficult") is True:
                unreadable.add(field)
                problems.append(f"{where} ({field}): marked as difficult, so the field does not count as labelled")
                continue
            box = _box(mark.get("points"), number, document.size_of(number))
            if box is None:
                problems.append(f"{where} ({field}): its points enclose no area; the value is taken without a box")
            key = _predicted_key(field, mark["transcription"], box, left)
            left.pop(key, None)
            values.append(MarkedValue(field, mark["transcription"], box, key, row))
    return Answer(tuple(values), tuple(problems), frozenset(unreadable))


def _field_of_key(key: Any) -> tuple[str | None, int | None]:
    """Return field and row of a key: ``lines.net_amount``, or ``lines[2].net_amount`` where a person says the row."""
    if isinstance(key, str) and key in FIELDS and key not in FIELD_CHOICES:
        return key, None
    try:
        return split_path(str(key))
    except UserError:
        return None, None


def _box(points: Any, page: int, size: tuple[int, int]) -> LocatedBox | None:
    """Return the upright box around points in pixels, clipped to the page."""
    try:
        across, down = zip(*((float(x), float(y)) for x, y in points), strict=True)
    except (TypeError, ValueError, OverflowError):
        return None
    if not all(map(math.isfinite, (*across, *down))):
        return None
    x0, x1 = (min(max(side, 0.0), float(size[0])) for side in (min(across), max(across)))
    y0, y1 = (min(max(side, 0.0), float(size[1])) for side in (min(down), max(down)))
    return locate(page - 1, Box(x0, y0, x1, y1), size) if x1 > x0 and y1 > y0 else None


def _predicted_key(field: str, text: str, box: LocatedBox | None, left: dict[str, ReviewValue]) -> str:
    """Return the key of the predicted value that a mark was; regions have no ids here, but places and fields."""
    if box is None:
        return ""
    best = (0.0, False, "")
    for key, value in left.items():
        region = value.region
        if region is None or region.page != box.page or field_of(value.path) != field:
            continue
        overlap = 1.0 if is_same_place(region, box) else _iou(region.box, box.box)
        best = max(best, (overlap, value.text == text, key))
    return best[2] if best[0] >= _MIN_IOU else ""


def _iou(first: Box, second: Box) -> float:
    across = min(first.x1, second.x1) - max(first.x0, second.x0)
    down = min(first.y1, second.y1) - max(first.y0, second.y0)
    common = max(across, 0.0) * max(down, 0.0)
    return common / (first.width * first.height + second.width * second.height - common)
