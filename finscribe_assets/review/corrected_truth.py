"""Turn what a person marked into ground truth: rows, canonical values, and what differs from the prediction.

What belongs here: the rules by which a value counts. A value that is not of its field's type, or could mean two things,
is not guessed: it is a problem, and its field does not count as labelled.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel.numbers import get_decimal_symbol

from finscribe_assets.documents.elements import LIST_FIELDS, ValueType, value_type_of
from finscribe_assets.evaluation.normalise import CanonicalValue, Note, ValueContext, canonical_value
from finscribe_assets.importing.printed_lines import LabelledLine, lines_to_json
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.opening.input_limits import escape_unprintable
from finscribe_assets.rendering.located_boxes import LocatedBox
from finscribe_assets.review.marked_values import Answer, MarkedValue
from finscribe_assets.review.review_fields import FIELD_CHOICES
from finscribe_assets.review.review_set import ReviewDocument, ReviewValue
from finscribe_assets.review.row_grouping import MarkedRow, group_rows
from finscribe_assets.review.value_lines import split_path

_TYPES_IN_CANONICAL_FORM = frozenset({ValueType.AMOUNT, ValueType.DATE, ValueType.TIME})
_PLAIN_DECIMAL = re.compile(r"-?(\d+)\.\d+")  # as a mend asks for it
_DIGITS_OF_GROUP = 3
_SAME_PLACE = 0.5  # thousandths of the page that a side of a box may differ by and be unmoved: the tool's rounding


@dataclass(frozen=True)
class CorrectedTruth:
    """The ground truth that a person's answer states.

    Attributes:
        values: canonical values by path.
        lines: where they are printed, each with its text where that is known.
        labelled: fields that were labelled, whether they have a value or not.
        locale: the locale whose formats the values were read in; None if nobody stated one.
        problems: values that could not be taken, with the mend.
    """

    values: dict[str, str]
    lines: tuple[LabelledLine, ...]
    labelled: frozenset[str]
    locale: str | None
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the record that `finscribe import` reads as the ground truth of a document."""
        document, located = unflatten(self.values), {line.path for line in self.lines}
        if self.locale is not None:
            document["locale"] = self.locale
        return {
            "document": document,
            "printed": [
                path for path in self.values if path in located or path not in FIELD_CHOICES or _is_shown(path)
            ],
            "labelled": sorted(self.labelled),
            "boxes": lines_to_json(self.lines),
        }


def _is_shown(path: str) -> bool:
    """Tell whether a page shows a choice: its currency, which a person chose because it does."""
    return path == "currency_code"


@dataclass(frozen=True)
class _Slot:
    """The values of one path: several where a text is on several lines, or a value is printed twice."""

    path: str
    members: tuple[MarkedValue, ...]


def truth_of(
    document: ReviewDocument, fields: Sequence[str], answer: Answer, locale: str | None = None
) -> CorrectedTruth:
    """Return the ground truth that an answer states.

    Args:
        document: the document, with what was predicted.
        fields: the fields that had a label.
        answer: what a person submitted.
        locale: locale of documents for which nobody chose one.
    """
    slots, dropped = _slots(document, answer)
    problems = [*answer.problems, *dropped]
    unreadable = set(answer.unreadable)
    raw = {slot.path: slot.members[0].text for slot in slots}
    chosen = raw.pop("locale", None) or document.locale or locale
    context = ValueContext.of(raw | {"locale": chosen}).with_decimal_mark_of(raw)
    values: dict[str, str] = {}
    lines: list[LabelledLine] = []
    for slot in slots:
        if slot.path == "locale":
            continue
        field = slot.members[0].field
        taken, problem = _value_of(slot, context)
        if taken is None:
            unreadable.add(field)
            problems.append(f"{slot.path}: {problem}")
            continue
        values[slot.path] = taken
        lines += _lines_of(document, slot, taken, chosen)
    labelled = {*fields, *(slot.members[0].field for slot in slots)} - unreadable - {"locale"}
    kept = {path: value for path, value in values.items() if _field_of_path(path) in labelled}
    return CorrectedTruth(
        kept, tuple(line for line in lines if line.path in kept), frozenset(labelled), chosen, tuple(problems)
    )


def _field_of_path(path: str) -> str:
    return split_path(path)[0]


def _slots(document: ReviewDocument, answer: Answer) -> tuple[list[_Slot], list[str]]:
    """Return the values by path, and a problem for each row that is only left without its boxes."""
    by_group: dict[str, list[MarkedValue]] = defaultdict(list)
    for value in answer.values:
        group = value.field.partition(".")[0]
        by_group[group if group in LIST_FIELDS else value.field].append(value)
    slots: list[_Slot] = []
    problems: list[str] = []
    for name, values in by_group.items():
        if name not in LIST_FIELDS:
            slots.append(_Slot(name, tuple(values)))
            continue
        position = 0
        for row in group_rows(values, _predicted_rows(document, name)):
            if _lost_its_boxes(row, document, name):
                problems.append(f"{name}[{row.predicted}]: all its boxes were deleted, so its other values are, too")
                continue
            slots += _slots_of_row(name, position, row)
            position += 1
    return slots, problems


def _predicted_rows(document: ReviewDocument, group: str) -> dict[str, tuple[int, LocatedBox | None]]:
    rows = {}
    for key, value in document.by_key.items():
        field, row = split_path(value.path)
        if row is not None and field.partition(".")[0] == group:
            rows[key] = row, value.region
    return rows


def _lost_its_boxes(row: MarkedRow, document: ReviewDocument, group: str) -> bool:
    """Tell whether a predicted row had boxes, all of which a person deleted, and has only what nobody touched."""
    if row.predicted is None or any(member.box is not None for member in row.members):
        return False
    prefix = f"{group}[{row.predicted}]."
    predicted = {value.path: value for value in document.values if value.path.startswith(prefix)}
    return any(value.boxes for value in predicted.values()) and all(
        (value := predicted.get(prefix + member.field.partition(".")[2])) is not None and value.text == member.text
        for member in row.members
    )


def _slots_of_row(group: str, position: int, row: MarkedRow) -> Iterable[_Slot]:
    members: dict[str, list[MarkedValue]] = defaultdict(list)
    for value in row.members:
        members[value.field].append(value)
    for field, values in members.items():
        yield _Slot(f"{group}[{position}].{field.partition('.')[2]}", tuple(values))


def _value_of(slot: _Slot, context: ValueContext) -> tuple[str | None, str]:
    """Return the value of a path, or None and why there is none."""
    members = sorted((member for member in slot.members if member.text.strip()), key=_reading_order)
    if not members:
        return None, "the region has no text; type what is printed, or delete the region"
    texts = [" ".join(member.text.split()) for member in members]
    forms = [canonical_value(slot.path, text, context) or CanonicalValue("") for text in texts]
    value_type = value_type_of(slot.path)
    if len({form.text for form in forms}) > 1:
        if value_type is not ValueType.TEXT:
            shown = " and ".join(repr(escape_unprintable(text)[:40]) for text in texts)
            return None, f"two values, {shown}; keep one"
        texts = [" ".join(texts)]  # each line of a text was drawn by itself
    text, form = texts[0], forms[0]
    if form.note is not None and value_type in _TYPES_IN_CANONICAL_FORM:
        shown = repr(escape_unprintable(text)[:60])
        if form.note is Note.AMBIGUOUS:
            return None, f"{shown} could be two values; choose the locale, or write {_unambiguous(value_type)}"
        return None, f"{shown} is not {_A_TYPE[value_type]}; write {_unambiguous(value_type)}"
    return (form.text if value_type in _TYPES_IN_CANONICAL_FORM else text), ""


_A_TYPE = {ValueType.AMOUNT: "an amount", ValueType.DATE: "a date", ValueType.TIME: "a time of day"}


def _unambiguous(value_type: ValueType | None) -> str:
    return {ValueType.DATE: "2024-12-31", ValueType.TIME: "17:30"}.get(value_type or ValueType.AMOUNT, "1234.50")


def _reading_order(value: MarkedValue) -> tuple[int, float, float]:
    return (value.box.page, value.box.box.y0, value.box.box.x0) if value.box else (0, 0.0, 0.0)


def _lines_of(document: ReviewDocument, slot: _Slot, canonical: str, locale: str | None) -> Iterable[LabelledLine]:
    """Yield the boxes of a value, each with its text: those of its lines where its region was not moved, else it."""
    predicted: Mapping[str, ReviewValue] = document.by_key
    for member in sorted(slot.members, key=_reading_order):
        if member.box is None:
            continue
        value = predicted.get(member.key)
        unmoved = value is not None and is_same_place(value.region, member.box)
        places = value.boxes if unmoved and value is not None else (member.box,)
        text = " ".join(member.text.split())
        # People see one text for all lines of a value, so that it is unknown which words are on which line.
        is_printed = (
            slot.path not in FIELD_CHOICES
            and len(places) == 1
            and not (_may_be_rewritten(slot.path, text, canonical, locale) and (value is None or text != value.text))
        )
        yield from (LabelledLine(slot.path, place, text if is_printed else "") for place in places)


def _may_be_rewritten(path: str, text: str, canonical: str, locale: str | None) -> bool:
    """Tell whether a text that a person typed may be the value in its canonical form, and not as it is printed."""
    value_type = value_type_of(path)
    if value_type is ValueType.AMOUNT and (plain := _PLAIN_DECIMAL.fullmatch(text)):
        # Where the decimal mark is a point, 12.50 is printed so, and 1234.50 seldom is.
        return locale is None or get_decimal_symbol(locale) != "." or len(plain[1]) > _DIGITS_OF_GROUP
    return value_type is ValueType.DATE and text == canonical


def is_same_place(first: LocatedBox | None, second: LocatedBox | None) -> bool:
    """Tell whether two boxes are the same but for rounding."""
    if first is None or second is None:
        return first is second
    return first.page == second.page and all(
        abs(one - other) <= _SAME_PLACE for one, other in zip(first.box, second.box, strict=True)
    )
