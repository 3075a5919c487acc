"""Group the marked values of a list, such as an invoice's lines, by the printed rows that they stand in.

A value that was predicted keeps its row unless a person moved it away from it; a value that a person drew joins the row
at its height, or begins a new one. Rows are ordered by their place on the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.rendering.located_boxes import LocatedBox
from finscribe_assets.review.marked_values import MarkedValue

_MIN_OVERLAP = 0.5  # share of the smaller height that two values of one row have in common
_MAX_LINE_GAP = 1.0  # heights of a value between it and the next line of the same text


@dataclass
class MarkedRow:
    """A row, with its members in any order.

    Attributes:
        predicted: its position in the prediction; None if a person added it.
    """

    members: list[MarkedValue] = field(default_factory=list)
    predicted: int | None = None

    def fields(self) -> set[str]:
        """Return the fields that it has a value of."""
        return {member.field for member in self.members}

    def extent(self, page: int) -> tuple[float, float] | None:
        """Return the top and the bottom of its members on a page; None if it has none there."""
        boxes = [member.box.box for member in self.members if member.box is not None and member.box.page == page]
        return (min(box.y0 for box in boxes), max(box.y1 for box in boxes)) if boxes else None

    def place(self) -> tuple[int, float]:
        """Return the page and the middle height of its first member; rows without boxes come last."""
        places = [
            (member.box.page, (member.box.box.y0 + member.box.box.y1) / 2)
            for member in self.members
            if member.box is not None
        ]
        return min(places, default=(1 << 30, 0.0))


def group_rows(
    values: Sequence[MarkedValue], predicted: Mapping[str, tuple[int, LocatedBox | None]]
) -> list[MarkedRow]:
    """Group the values of one list by row.

    Args:
        values: all its marked values.
        predicted: position in the list, and box, of predicted values by the key of their region.

    Returns:
        The rows in their order on the page.
    """
    rows: dict[int, MarkedRow] = {}
    unknown: list[MarkedValue] = []
    for value in values:
        position = value.row if value.row is not None else _kept_position(value, predicted)
        if position is None:
            unknown.append(value)
        else:
            rows.setdefault(position, MarkedRow(predicted=position)).members.append(value)
    grouped = [rows[position] for position in sorted(rows)]
    added: list[MarkedRow] = []
    for value in sorted(unknown, key=_reading_order):
        row = _row_at(value, grouped) or _row_at(value, added)
        if row is None:
            row = MarkedRow()
            added.append(row)
        row.members.append(value)
    return _in_order(_join_second_lines(grouped, added))


def _kept_position(value: MarkedValue, predicted: Mapping[str, tuple[int, LocatedBox | None]]) -> int | None:
    """Return the predicted row of a value that is still there."""
    if value.key not in predicted:
        return None
    position, box = predicted[value.key]
    moved = box is not None and value.box is not None and (box.page != value.box.page or _overlap(box, value.box) <= 0)
    return None if moved else position


def _reading_order(value: MarkedValue) -> tuple[int, float, float]:
    return (value.box.page, value.box.box.y0, value.box.box.x0) if value.box else (1 << 30, 0.0, 0.0)


def _overlap(first: LocatedBox, second: LocatedBox) -> float:
    """Return the common height of two boxes in shares of the smaller one; below zero is a gap."""
    return _common(first.box.y0, first.box.y1, second.box.y0, second.box.y1)


def _common(top: float, bottom: float, other_top: float, other_bottom: float) -> float:
    smaller = min(bottom - top, other_bottom - other_top)
    return (min(bottom, other_bottom) - max(top, other_top)) / smaller if smaller > 0 else 0.0


def _row_at(value: MarkedValue, rows: Sequence[MarkedRow]) -> MarkedRow | None:
    """Return the row at the height of a value: one that lacks its field rather than another, then the nearest."""
    if value.box is None:
        return None
    box = value.box.box
    candidates: list[tuple[bool, float, int]] = []
    for number, row in enumerate(rows):
        extent = row.extent(value.box.page)
        if extent is not None and _common(box.y0, box.y1, *extent) >= _MIN_OVERLAP:
            distance = abs(box.y0 + box.y1 - extent[0] - extent[1])
            candidates.append((value.field in row.fields(), distance, number))
    return rows[min(candidates)[2]] if candidates else None


def _join_second_lines(rows: list[MarkedRow], added: list[MarkedRow]) -> list[MarkedRow]:
    """Join what was drawn as a row of its own, but is the next line of a text of the row above."""
    joined = list(rows)
    for row in sorted(added, key=MarkedRow.place):
        above = _row_above(row, joined)
        if above is None:
            joined.append(row)
        else:
            above.members += row.members
    return joined


def _row_above(row: MarkedRow, rows: Sequence[MarkedRow]) -> MarkedRow | None:
    fields, boxes = row.fields(), [member.box for member in row.members if member.box is not None]
    if len(fields) != 1 or not boxes or any(value_type_of(name) is not ValueType.TEXT for name in fields):
        return None
    top, height = min(box.box.y0 for box in boxes), min(box.box.height for box in boxes)
    for other in rows:
        same = [
            member.box.box
            for member in other.members
            if member.box is not None and member.box.page == boxes[0].page and member.field in fields
        ]
        if same and -height / 2 <= top - max(box.y1 for box in same) <= _MAX_LINE_GAP * height:
            return other
    return None


def _in_order(rows: list[MarkedRow]) -> list[MarkedRow]:
    """Order rows: predicted ones stay in the order of the prediction, an added one follows the last row above it."""
    known = sorted((row for row in rows if row.predicted is not None), key=lambda row: row.predicted or 0)
    for row in sorted((row for row in rows if row.predicted is None), key=MarkedRow.place):
        above = [number for number, other in enumerate(known) if other.place() <= row.place()]
        known.insert(above[-1] + 1 if above else 0, row)
    return known
