"""Divide the rows of a table between its columns, whose places the header shows.

What belongs here: rows and columns of lines on a page, and which column a line or a word of it belongs to.
`line_tables` finds the header and the end of a table, and joins rows to items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from finscribe_assets.inference.region_layout import group_into_rows
from finscribe_assets.inference.text_spans import LineSpan, TextLine, whole, words_of
from finscribe_assets.rendering.pages import Box

Cells = dict[str, list[LineSpan]]
"""The spans of a row by field."""


@dataclass
class TableColumn:
    """A column of a table."""

    box: Box  # of the header cell
    field: str  # empty if its label is unknown
    similarity: float = 1.0  # of the header cell to the label of the field


@dataclass
class LineRow:
    """The spans of one printed row of a page, from left to right."""

    spans: list[LineSpan]
    boxes: list[Box]

    @property
    def top(self) -> float:
        """Return the upper edge in pixels."""
        return min(box.y0 for box in self.boxes)

    @property
    def bottom(self) -> float:
        """Return the lower edge in pixels."""
        return max(box.y1 for box in self.boxes)

    @property
    def height(self) -> float:
        """Return the median height of the lines in pixels."""
        return sorted(box.height for box in self.boxes)[len(self.boxes) // 2]


def page_rows(
    lines: Sequence[TextLine], page: int, is_wanted: Callable[[Box], bool] = lambda box: True
) -> list[LineRow]:
    """Return the printed rows of a page from top to bottom, without empty lines and those that are not wanted."""
    by_box: dict[Box, list[int]] = {}
    for index, line in enumerate(lines):
        if line.page == page and line.text.strip() and is_wanted(line.box):
            by_box.setdefault(line.box, []).append(index)
    rows = group_into_rows([lines[index].box for indices in by_box.values() for index in indices[:1]])
    return [LineRow([whole(lines, by_box[box][0]) for box in row], list(row)) for row in rows]


def divide_rows(lines: Sequence[TextLine], body: Sequence[LineRow], columns: Sequence[TableColumn]) -> list[Cells]:
    """Return the spans of each row by column, with lines divided that cover several columns."""
    reach = [column.box for column in columns]
    assigned: list[list[tuple[int, LineSpan]]] = []
    for row in body:  # first what is beyond doubt, which shows how far each column reaches
        assigned.append([])
        for span, box in zip(row.spans, row.boxes, strict=True):
            over = _columns_under(box, columns)
            if len(over) == 1:
                at = over[0]
                assigned[-1].append((at, span))
                others = (other.box for number, other in enumerate(columns) if number != at)
                if not any(shared_width(box, other) > 0 for other in others):
                    reach[at] = Box(min(reach[at].x0, box.x0), reach[at].y0, max(reach[at].x1, box.x1), reach[at].y1)
    divided: list[Cells] = []
    for row, sure in zip(body, assigned, strict=True):
        cells: Cells = {}
        known = {span for _, span in sure}
        parts = list(sure)
        for span, box in zip(row.spans, row.boxes, strict=True):
            if span not in known:
                parts += _split(lines, span, _columns_under(box, columns), reach)
        for at, span in sorted(parts, key=lambda part: part[1].box(lines).x0):
            if columns[at].field:
                cells.setdefault(columns[at].field, []).append(span)
        divided.append(cells)
    return divided


def _columns_under(box: Box, columns: Sequence[TableColumn]) -> list[int]:
    """Return the columns whose header a box overlaps, or the nearest one."""
    over = [
        at
        for at, column in enumerate(columns)
        if shared_width(column.box, box) > 0.25 * min(column.box.width, box.width)
    ]
    if over:
        return over
    return [min(range(len(columns)), key=lambda at: _distance(columns[at].box, box))]


def _split(
    lines: Sequence[TextLine], span: LineSpan, over: Sequence[int], reach: Sequence[Box]
) -> list[tuple[int, LineSpan]]:
    """Divide a span between the columns that it covers: each word goes to the column that it is nearest to."""
    parts: list[tuple[int, LineSpan]] = []
    first = over[0]
    for word in words_of(lines, span):
        box = word.box(lines)
        at = min((at for at in over if at >= first), key=lambda at: _distance(reach[at], box))
        first = at
        if parts and parts[-1][0] == at:
            parts[-1] = at, LineSpan(span.line, parts[-1][1].start, word.end)
        else:
            parts.append((at, word))
    return parts


def shared_width(first: Box, second: Box) -> float:
    """Return the width that two boxes share; negative by their distance."""
    return min(first.x1, second.x1) - max(first.x0, second.x0)


def narrower_width(first: Box, second: Box) -> float:
    """Return the width of the narrower box."""
    return min(first.width, second.width)


def _distance(column: Box, box: Box) -> float:
    """Return how far a box is from a column; negative by the share of it that lies inside."""
    return -shared_width(column, box) / max(box.width, 1.0)
