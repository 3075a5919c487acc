"""Tables as PaddleOCR-VL writes them, in OTSL, and as TEDS compares them, in HTML: from each to the other.

Any table whose cells cover a rectangle without overlaps comes back from either as it was: its texts, its spans, rows
that hold no cell of their own. OTSL has no word for the rest: ``th`` comes back as ``td``, and ``thead``, ``tbody``,
captions and tags in cells are gone, but for ``<br>``, which is a line's end in a text; other white space is one space,
and none at a text's ends. Compare with ``teds(..., normalise=True)`` where that should not count.

What is no such table is repaired, and each repair counted, so that any text gives a table:

- short rows end in empty cells;
- a merged slot (``<lcel>``, ``<ucel>``, ``<xcel>``) with no cell to continue is an empty cell; one that continues a
  cell by another token than it should, continues it;
- a span that runs into another cell, or out of the table, ends there; one that is no positive number is 1;
- of text longer than ``MAX_CHARACTERS`` OTSL is read up to there, and HTML not at all.

Well-formed OTSL is read as PaddleX and docling-core read it. Of malformed OTSL PaddleX cuts the empty ends of rows that
are longer than most, and lets cells overlap; here nothing is cut.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from finscribe_assets.evaluation.teds import MAX_CHARACTERS, first_table, pieces
from finscribe_assets.instructions.otsl import (
    EMPTY_CELL,
    FILLED_CELL,
    MERGED_BOTH,
    MERGED_CELLS,
    MERGED_LEFT,
    MERGED_UP,
    OtslCell,
    read_cells,
    write_cells,
)

MAX_COLUMNS = 1_000  # a span's, as HTML has it
MAX_SLOTS = 100_000  # beyond them spans are 1, and short rows stay short
_SPAN = re.compile(r"\s*\+?(\d{1,9})")


class Converted(NamedTuple):
    """A table in the other language, and how many repairs it took."""

    text: str
    repairs: int


class TableCell(NamedTuple):
    """A cell, in the row where it starts."""

    text: str
    columns: int = 1
    rows: int = 1


def html_to_otsl(text: str) -> Converted:
    """Return the first table of an HTML text as OTSL; where there is none, nothing, and one repair."""
    table = first_table(text)
    if table is None:
        return Converted("", 1)
    rows, repairs = _read_html(table)
    slots, more = _laid_out(rows)
    return Converted(write_cells(slots), repairs + more)


def otsl_to_html(text: str) -> Converted:
    """Return OTSL, however malformed, as an HTML table in a document of its own."""
    slots = read_cells(text[:MAX_CHARACTERS])
    repairs = _pad(slots) + (len(text) > MAX_CHARACTERS)
    rows, more = _picked_up(slots)
    return Converted(_write_html(rows), repairs + more)


def _read_html(table: Any) -> tuple[list[list[TableCell]], int]:
    rows: list[list[TableCell]] = []
    repairs = 0
    for element in table.iter("tr", "td", "th"):
        if next(element.iterancestors("table")) is not table:
            continue  # a table in a cell is its text
        if element.tag == "tr" or not rows:
            rows.append([])
        if element.tag != "tr":
            spans = [_span(element.get(name, "1")) for name in ("colspan", "rowspan")]
            repairs += spans.count(None)
            columns, depth = (1 if span is None else span for span in spans)
            rows[-1].append(TableCell(_text(element), columns or 1, depth))
    return rows, repairs


def _span(value: str) -> int | None:
    """Return a span as HTML reads it, which takes the digits at the front; None where there are none."""
    found = _SPAN.match(value)
    return int(found[1]) if found else None


def _text(cell: Any) -> str:
    text = "".join(
        "\n" if piece == "<br>" else "" if is_tag else re.sub(r"\s+", " ", piece) for piece, is_tag in pieces(cell)
    )
    return "\n".join(" ".join(line.split()) for line in text.strip().split("\n"))


def _laid_out(rows: Sequence[Sequence[TableCell]]) -> tuple[list[list[OtslCell]], int]:
    """Return the slots that cells take, each the first that is free in its row, and the repairs."""
    taken: list[dict[int, OtslCell]] = [{} for _ in rows]
    repairs, slots = 0, 0
    for number, row in enumerate(rows):
        column = 0
        for cell in row:
            while column in taken[number]:
                column += 1
            depth = cell.rows or len(rows) - number  # HTML: 0 reaches to the end
            width, height = min(cell.columns, MAX_COLUMNS), min(depth, len(rows) - number)
            if slots + width * height > MAX_SLOTS:
                width = height = 1
            slots += width * height
            width = next((wide for wide in range(1, width) if column + wide in taken[number]), width)
            height = next(
                (
                    high
                    for high in range(1, height)
                    if any(column + wide in taken[number + high] for wide in range(width))
                ),
                height,
            )
            repairs += (width, height) != (cell.columns, depth)
            for high in range(height):
                for wide in range(width):
                    token = (
                        MERGED_BOTH
                        if high and wide
                        else MERGED_UP
                        if high
                        else MERGED_LEFT
                        if wide
                        else FILLED_CELL
                        if cell.text
                        else EMPTY_CELL
                    )
                    taken[number + high][column + wide] = (token, cell.text if token == FILLED_CELL else "")
            column += width
    grid = [[row.get(column, (EMPTY_CELL, "")) for column in range(max(row, default=-1) + 1)] for row in taken]
    repairs += sum(map(len, grid)) - sum(map(len, taken))
    return grid, repairs + _pad(grid)


def _pad(rows: list[list[OtslCell]]) -> int:
    """End short rows in empty cells, and return how many rows were short."""
    width = max(map(len, rows), default=0)
    short = sum(len(row) < width for row in rows)
    if width * len(rows) <= MAX_SLOTS:
        for row in rows:
            row.extend([(EMPTY_CELL, "")] * (width - len(row)))
    return short


def _picked_up(rows: Sequence[Sequence[OtslCell]]) -> tuple[list[list[TableCell]], int]:
    """Return the cells that slots make, and the repairs."""
    free = [[token in MERGED_CELLS for token, _ in row] for row in rows]
    cells: list[list[TableCell]] = []
    repairs = 0
    for number, row in enumerate(rows):
        cells.append([])
        for column, (token, text) in enumerate(row):
            if token in MERGED_CELLS:
                if free[number][column]:
                    free[number][column] = False
                    cells[-1].append(TableCell(""))
                    repairs += 1
                continue
            end = column + 1
            while end < len(row) and free[number][end] and row[end][0] != MERGED_UP:
                end += 1
            below = number + 1
            while below < len(rows) and rows[below][column : column + 1] and _continues(rows, free, below, column, end):
                below += 1
            for high in range(number, below):
                for wide in range(column, end):
                    right = (
                        MERGED_BOTH if high > number and wide > column else MERGED_UP if high > number else MERGED_LEFT
                    )
                    repairs += (high, wide) != (number, column) and rows[high][wide][0] != right
                    free[high][wide] = False
            cells[-1].append(TableCell(text, end - column, below - number))
    return cells, repairs


def _continues(rows: Sequence[Sequence[OtslCell]], free: list[list[bool]], number: int, start: int, end: int) -> bool:
    """Return whether a row's slots continue the cell above."""
    return rows[number][start][0] != MERGED_LEFT and end <= len(rows[number]) and all(free[number][start:end])


def _write_html(rows: Sequence[Sequence[TableCell]]) -> str:
    body = []
    for row in rows:
        body.append("<tr>")
        for cell in row:
            spans = "".join(
                f' {name}="{span}"' for name, span in (("rowspan", cell.rows), ("colspan", cell.columns)) if span > 1
            )
            body.append(f"<td{spans}>{escape(cell.text, quote=False).replace(chr(10), '<br>')}</td>")
        body.append("</tr>")
    return f"<html><body><table>{''.join(body)}</table></body></html>"
