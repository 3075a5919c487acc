"""Convert tables between OTSL, which PaddleOCR-VL writes, and HTML, which TEDS compares.

Every table whose cells cover a rectangle without overlaps survives the conversion in either direction: its texts, its
spans, and rows without a cell of their own. OTSL cannot express the rest: ``th`` comes back as ``td``, and ``thead``,
``tbody``, captions and tags within cells are lost. ``<br>`` is kept as a line break of the text; other white space
becomes one space, and none at the ends of a text. To ignore these differences, compare with ``teds(...,
normalise=True)``.

A table that is not such a rectangle is repaired, and every repair is counted, so that any text gives a table:

- short rows are filled with empty cells;
- a merged position (``<lcel>``, ``<ucel>``, ``<xcel>``) without a cell to continue becomes an empty cell; one that
  continues a cell with the wrong token continues it;
- a span that would run into another cell, or out of the table, ends there; a span that is not a positive number is 1;
- OTSL is read up to ``MAX_TABLE_CHARACTERS``; longer HTML is not read at all.

Well-formed OTSL is read as PaddleX and docling-core read it. For malformed OTSL, PaddleX drops empty cells at the end
of rows that are longer than most, and lets cells overlap; here nothing is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from finscribe_assets.evaluation.teds import MAX_TABLE_CHARACTERS, content_pieces, first_table
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

MAX_COLUMN_SPAN = 1_000  # as in HTML
MAX_GRID_CELLS = 100_000  # beyond them spans are 1, and short rows stay short
_SPAN = re.compile(r"\s*\+?(\d{1,9})")


class ConvertedTable(NamedTuple):
    """A converted table, and the number of repairs that it needed."""

    text: str
    repairs: int


class TableCell(NamedTuple):
    """A cell of an HTML table, in the row where it starts."""

    text: str
    columns: int = 1
    rows: int = 1


def html_to_otsl(text: str) -> ConvertedTable:
    """Return the first table of an HTML text as OTSL; an empty text and one repair if there is none."""
    table = first_table(text)
    if table is None:
        return ConvertedTable("", 1)
    rows, bad_spans = _read_html(table)
    grid, repairs = _lay_out(rows)
    return ConvertedTable(write_cells(grid), bad_spans + repairs)


def otsl_to_html(text: str) -> ConvertedTable:
    """Return OTSL, well-formed or not, as an HTML document with one table."""
    grid = read_cells(text[:MAX_TABLE_CHARACTERS])
    short_rows = _fill_short_rows(grid)
    rows, repairs = _collect_cells(grid)
    return ConvertedTable(_write_html(rows), short_rows + (len(text) > MAX_TABLE_CHARACTERS) + repairs)


def _read_html(table: Any) -> tuple[list[list[TableCell]], int]:
    """Return the cells of a table by row, and the number of spans that are not numbers."""
    rows: list[list[TableCell]] = []
    bad_spans = 0
    for element in table.iter("tr", "td", "th"):
        if next(element.iterancestors("table")) is not table:
            continue  # the text of a table within a cell belongs to the cell
        if element.tag == "tr" or not rows:
            rows.append([])
        if element.tag != "tr":
            spans = [_span(element.get(name, "1")) for name in ("colspan", "rowspan")]
            bad_spans += spans.count(None)
            columns, depth = (1 if span is None else span for span in spans)
            rows[-1].append(TableCell(_text(element), columns or 1, depth))
    return rows, bad_spans


def _span(value: str) -> int | None:
    """Return a span as HTML reads it, from the digits at the front; None if there are none."""
    digits = _SPAN.match(value)
    return int(digits[1]) if digits else None


def _text(cell: Any) -> str:
    text = "".join(
        "\n" if piece == "<br>" else "" if is_tag else re.sub(r"\s+", " ", piece)
        for piece, is_tag in content_pieces(cell)
    )
    return "\n".join(" ".join(line.split()) for line in text.strip().split("\n"))


def _lay_out(rows: Sequence[Sequence[TableCell]]) -> tuple[list[list[OtslCell]], int]:
    """Place each cell at the first free column of its row; return the grid and the number of repairs."""
    taken: list[dict[int, OtslCell]] = [{} for _ in rows]
    repairs, covered = 0, 0
    for index, row in enumerate(rows):
        column = 0
        for cell in row:
            while column in taken[index]:
                column += 1
            depth = cell.rows or len(rows) - index  # in HTML, a rowspan of 0 reaches to the last row
            width, height = min(cell.columns, MAX_COLUMN_SPAN), min(depth, len(rows) - index)
            if covered + width * height > MAX_GRID_CELLS:
                width = height = 1
            covered += width * height
            width = next((right for right in range(1, width) if column + right in taken[index]), width)
            columns = range(column, column + width)
            height = next(
                (down for down in range(1, height) if not taken[index + down].keys().isdisjoint(columns)), height
            )
            repairs += (width, height) != (cell.columns, depth)
            for down in range(height):
                for right in range(width):
                    taken[index + down][column + right] = _grid_cell(cell.text, down, right)
            column += width
    grid = [[row.get(column, (EMPTY_CELL, "")) for column in range(max(row, default=-1) + 1)] for row in taken]
    holes = sum(map(len, grid)) - sum(map(len, taken))
    return grid, repairs + holes + _fill_short_rows(grid)


def _grid_cell(text: str, down: int, right: int) -> OtslCell:
    """Return what OTSL has at an offset within a cell: the cell itself, or a token that continues it."""
    if down or right:
        return (MERGED_BOTH if down and right else MERGED_UP if down else MERGED_LEFT), ""
    return (FILLED_CELL, text) if text else (EMPTY_CELL, "")


def _fill_short_rows(grid: list[list[OtslCell]]) -> int:
    """Fill short rows with empty cells, and return the number of short rows."""
    width = max(map(len, grid), default=0)
    short_rows = sum(len(row) < width for row in grid)
    if width * len(grid) <= MAX_GRID_CELLS:
        for row in grid:
            row.extend([(EMPTY_CELL, "")] * (width - len(row)))
    return short_rows


def _collect_cells(grid: Sequence[Sequence[OtslCell]]) -> tuple[list[list[TableCell]], int]:
    """Return the cells of a grid by row, and the number of repairs."""
    free = [[token in MERGED_CELLS for token, _ in row] for row in grid]  # merged positions that continue no cell yet
    cells: list[list[TableCell]] = []
    repairs = 0
    for index, row in enumerate(grid):
        cells.append([])
        for column, (token, text) in enumerate(row):
            if token in MERGED_CELLS:
                if free[index][column]:
                    free[index][column] = False
                    cells[-1].append(TableCell(""))
                    repairs += 1
                continue
            end = column + 1
            while end < len(row) and free[index][end] and row[end][0] != MERGED_UP:
                end += 1
            below = index + 1
            while below < len(grid) and _continues(grid, free, below, column, end):
                below += 1
            for covered_row in range(index, below):
                for covered in range(column, end):
                    offset = covered_row - index, covered - column
                    repairs += offset != (0, 0) and grid[covered_row][covered][0] != _grid_cell(text, *offset)[0]
                    free[covered_row][covered] = False
            cells[-1].append(TableCell(text, end - column, below - index))
    return cells, repairs


def _continues(grid: Sequence[Sequence[OtslCell]], free: list[list[bool]], row: int, start: int, end: int) -> bool:
    """Tell whether the columns from ``start`` to ``end`` of a row continue the cell above."""
    return end <= len(grid[row]) and grid[row][start][0] != MERGED_LEFT and all(free[row][start:end])


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
