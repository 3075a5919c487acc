"""Assemble a table from its printed lines, each of which was read as one row of OTSL.

What belongs here: from the OTSL of the lines to that of the table. A text that wraps makes one row out of several
printed lines, of which all but the first have a text in the wrapped cell alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from finscribe_assets.instructions.otsl import Grid, from_otsl, to_otsl

_GridRow = list[str | None]


def assemble_table(lines: Iterable[str]) -> str:
    """Assemble a table's OTSL from the OTSL of its printed lines.

    A line with a text in one cell only continues this cell of the row above, as wrapped text does. Lines of the table's
    head always continue each other; the head ends before the first digit, because heads have none and the first row
    has amounts. All rows get the width that most lines have: longer ones are cut, shorter ones filled with empty cells.

    Args:
        lines: what was read of each printed line, top to bottom; anything that a model may write.

    Returns:
        OTSL, empty if no line has a cell.
    """
    read = [row for line in lines for row in from_otsl(line)[:1] if row]
    if not read:
        return ""
    widths = [len(row) for row in read]
    width = max(set(widths), key=lambda candidate: (widths.count(candidate), candidate))
    grid: Grid = []
    in_head = True
    for row in read:
        fitted = (row + [""] * width)[:width]
        in_head = in_head and not _has_digit(fitted)
        if grid and _continues(fitted, grid[-1], in_head):
            grid[-1] = _joined(grid[-1], fitted)
        else:
            grid.append(fitted)
    return to_otsl(grid)


def _has_digit(row: Sequence[str | None]) -> bool:
    return any(character.isdigit() for text in row if text for character in text)


def _continues(row: _GridRow, above: _GridRow, in_head: bool) -> bool:
    """Return whether a printed line goes on with the row above it."""
    # None is a cell that another one spans. A row with spans, such as an item's name above its amounts, is only
    # continued by a line with the same spans.
    if [text is None for text in row] != [text is None for text in above]:
        return False
    filled = [column for column, text in enumerate(row) if text]
    return in_head or (len(filled) == 1 and bool(above[filled[0]]))


def _joined(above: _GridRow, below: _GridRow) -> _GridRow:
    return [None if text is None else f"{text} {more or ''}".strip() for text, more in zip(above, below, strict=True)]
