"""Read an export of Label Studio (format JSON) as what people marked.

The export is untrusted: whatever is not a region of the configuration is a problem that names document and region.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finscribe_assets.documents.elements import FIELDS, field_of
from finscribe_assets.errors import UserError
from finscribe_assets.opening.input_limits import escape_unprintable
from finscribe_assets.rendering.located_boxes import LocatedBox
from finscribe_assets.rendering.pages import Box
from finscribe_assets.review.label_studio_config import FIELD_TAG, TEXT_TAG, UNPLACED_TAG
from finscribe_assets.review.label_studio_tasks import ID_KEY, PERCENT_OF_UNIT
from finscribe_assets.review.marked_values import Answer, AnswerState, DocumentAnswers, MarkedValue
from finscribe_assets.review.review_fields import FIELD_CHOICES
from finscribe_assets.review.review_set import ReviewDocument, ReviewSet
from finscribe_assets.review.value_lines import parse_value_line


def read_label_studio(path: Path, review: ReviewSet) -> dict[str, DocumentAnswers]:
    """Return what people marked in the documents of an export, by document id.

    Args:
        path: the file that Label Studio's export as JSON gives.
        review: what was exported to Label Studio.

    Raises:
        UserError: the file is not such an export, or has none of the documents.
    """
    try:
        tasks = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON ({error}); export from Label Studio as JSON") from error
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise UserError(f"{path}: not a list of tasks; export from Label Studio as JSON")
    if tasks and not any("annotations" in task for task in tasks):
        raise UserError(f"{path}: its tasks have no `annotations`; export from Label Studio as JSON, not as JSON-MIN")
    documents, found = review.by_id(), dict[str, DocumentAnswers]()
    for task in tasks:
        data = task.get("data")
        id_ = data.get(ID_KEY) if isinstance(data, dict) else None
        if isinstance(id_, str) and id_ in documents:
            merged = found.setdefault(id_, DocumentAnswers(AnswerState.OPEN))
            _add_task(task, documents[id_], merged)
    if not found:
        raise UserError(f"{path}: none of its {len(tasks)} tasks is a document of this review")
    for answers in found.values():
        answers.answers.sort(key=lambda answer: (answer.submitted, answer.annotator))
    return found


def _add_task(task: dict[str, Any], document: ReviewDocument, merged: DocumentAnswers) -> None:
    given = task.get("annotations")
    annotations = [entry for entry in given if isinstance(entry, dict)] if isinstance(given, list) else []
    states = {AnswerState.SKIPPED if entry.get("was_cancelled") else AnswerState.DONE for entry in annotations}
    if task.get("drafts"):
        states.add(AnswerState.DRAFT)
    for state in (AnswerState.DONE, AnswerState.SKIPPED, AnswerState.DRAFT):  # the first that applies
        if state in states | {merged.state}:
            merged.state = state
            break
    merged.answers += [_answer(entry, document) for entry in annotations if not entry.get("was_cancelled")]


def _answer(entry: dict[str, Any], document: ReviewDocument) -> Answer:
    reading = _AnswerReading(document)
    results = entry.get("result")
    for result in results if isinstance(results, list) else ():
        reading.add(result)
    values = tuple(reading.values())
    seconds = entry.get("lead_time")
    is_time = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < math.inf
    by = entry.get("completed_by")
    by = by.get("email", by.get("id", "")) if isinstance(by, dict) else by
    # Of a person's answers, the one that the project marks as ground truth is the last word.
    submitted = f"{int(bool(entry.get('ground_truth')))} {entry.get('updated_at') or entry.get('created_at') or ''}"
    return Answer(
        values,
        tuple(map(escape_unprintable, reading.problems)),
        frozenset(reading.unreadable),
        "" if by is None else escape_unprintable(str(by))[:80],
        submitted,
        float(seconds) if is_time and isinstance(seconds, int | float) else None,
    )


class _AnswerReading:
    """Collects the results of one annotation: those of one id are one region."""

    def __init__(self, document: ReviewDocument) -> None:
        self._document = document
        self._known = document.by_key
        self._regions: dict[str, dict[str, dict[str, Any]]] = {}
        self._values: list[MarkedValue] = []
        self.problems: list[str] = []
        self.unreadable: set[str] = set()

    def add(self, result: Any) -> None:
        """Add a result: a region's label or text, a choice, or values without a region."""
        value = result.get("value") if isinstance(result, dict) else None
        if not isinstance(result, dict) or not isinstance(value, dict):
            self.problems.append("a result is not an object with a value")
            return
        tag = str(result.get("from_name"))
        # Label Studio appends "#" and a number to the ids of regions that a prediction shares with other annotations.
        key = str(result.get("id", "")).partition("#")[0]
        if tag in (FIELD_TAG, TEXT_TAG):
            self._regions.setdefault(key, {})[tag] = result
        elif tag in FIELD_CHOICES:
            self._add_choice(tag, value)
        elif tag == UNPLACED_TAG:
            for line in _texts(value):
                self._add_line(line)
        else:
            self.problems.append(f"a result of {tag!r}, which is no tag of this configuration, is left out")

    def values(self) -> Iterator[MarkedValue]:
        """Yield all values; problems of regions are noted on the way."""
        yield from self._values
        for key, results in self._regions.items():
            if (value := self._region(key, results)) is not None:
                yield value

    def _add_choice(self, tag: str, value: dict[str, Any]) -> None:
        chosen = value.get("choices")
        if isinstance(chosen, list) and len(chosen) == 1 and chosen[0] in FIELD_CHOICES[tag]:
            self._values.append(MarkedValue(tag, chosen[0]))
        elif chosen:
            self.problems.append(f"{tag}: {chosen!r} is not one of the choices")

    def _add_line(self, line: str) -> None:
        try:
            field, row, text = parse_value_line(line)
        except UserError as error:
            self.problems.append(str(error))
            return
        self._values.append(MarkedValue(field, text, None, "", row))

    def _region(self, key: str, results: dict[str, dict[str, Any]]) -> MarkedValue | None:
        predicted = self._known.get(key)
        where = f"region {escape_unprintable(key)[:40]!r}"
        labels: Any = results.get(FIELD_TAG, {}).get("value", {}).get("rectanglelabels")
        if FIELD_TAG not in results and predicted is not None:
            labels = [field_of(predicted.path)]
        if not isinstance(labels, list) or len(labels) != 1 or str(labels[0]) not in FIELDS:
            self.problems.append(f"{where}: {labels!r} is not one field of the schema; give the region one label")
            return None
        field = str(labels[0])
        texts = _texts(results.get(TEXT_TAG, {}).get("value", {}))
        frame = results.get(FIELD_TAG) or results[TEXT_TAG]
        box = self._box(frame, f"{where} ({field})")
        return MarkedValue(field, "\n".join(texts), box, key)

    def _box(self, result: dict[str, Any], where: str) -> LocatedBox | None:
        value, page = result["value"], result.get("item_index", 0)
        numbers = [value.get(name) for name in ("x", "y", "width", "height")] + [value.get("rotation", 0)]
        if not all(
            isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
            for number in numbers
        ):
            self.problems.append(f"{where}: its box is not four numbers; the value is taken without a box")
            return None
        if not isinstance(page, int) or isinstance(page, bool) or not 0 <= page < len(self._document.pages):
            self.problems.append(f"{where}: the document has no page {page!r}; the value is taken without a box")
            return None
        if result.get("image_rotation"):
            self.problems.append(f"{where}: it was drawn on a turned page; the value is taken without a box")
            return None
        x, y, width, height, degrees = map(float, numbers)
        box = upright_box(x, y, width, height, degrees, self._document.size_of(page + 1))
        if box is None:
            self.problems.append(f"{where}: its box is empty or off the page; the value is taken without a box")
            return None
        return LocatedBox(page + 1, box)


def upright_box(x: float, y: float, width: float, height: float, degrees: float, size: tuple[int, int]) -> Box | None:
    """Return the upright box, in thousandths of the page, around a box of Label Studio.

    Args:
        x: left side, in per cent of the page, as the other lengths.
        y: upper side.
        width: may be negative where a box was drawn to the left.
        height: likewise.
        degrees: by which the box is turned clockwise about its top left corner.
        size: width and height of the page in pixels: turning keeps pixels square, not per cents.

    Returns:
        The box, clipped to the page; None if nothing of it is left.
    """
    across, down = size
    turn = math.radians(degrees % 360)
    cos, sin = math.cos(turn), math.sin(turn)
    corners = [
        (x + (dx * across * cos - dy * down * sin) / across, y + (dx * across * sin + dy * down * cos) / down)
        for dx, dy in ((0.0, 0.0), (width, 0.0), (0.0, height), (width, height))
    ]
    columns, rows = zip(*corners, strict=True)
    sides = [min(columns), min(rows), max(columns), max(rows)]
    x0, y0, x1, y1 = (min(max(side, 0.0), 100.0) / PERCENT_OF_UNIT for side in sides)
    return Box(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _texts(value: Any) -> list[str]:
    texts = value.get("text") if isinstance(value, dict) else None
    if isinstance(texts, str):
        texts = [texts]
    return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []
