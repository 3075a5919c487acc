"""A table from its printed lines: each was read as a row of OTSL, and some go on with the row above.

What belongs here: from the strips' OTSL to the table's. A description that wraps makes a row of several printed lines;
only its own cell is filled below the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from finscribe_assets.instructions.otsl import Grid, from_otsl, to_otsl

Row = list[str | None]


def assemble(strips: Iterable[str]) -> str:
    """Return a table's OTSL from that of its printed lines, top to bottom.

    A line whose one cell is filled goes on with that cell of the row above, as wrapped text does. So do lines of the
    head, which are all before the first digit: heads have none, and the first row of figures has. Rows take the width
    that most lines have: what a model wrote is cut, or filled up with empty cells.
    """
    lines = [row for strip in strips for row in from_otsl(strip)[:1] if row]
    if not lines:
        return ""
    widths = [len(row) for row in lines]
    width = max(set(widths), key=lambda one: (widths.count(one), one))
    grid: Grid = []
    in_head = True
    for row in lines:
        fitted = (row + [""] * width)[:width]
        in_head = in_head and not _has_digit(fitted)
        if grid and _continues(fitted, grid[-1], in_head):
            grid[-1] = _merged(grid[-1], fitted)
        else:
            grid.append(fitted)
    return to_otsl(grid)


def _has_digit(row: Sequence[str | None]) -> bool:
    return any(character.isdigit() for text in row if text for character in text)


def _continues(row: Row, above: Row, in_head: bool) -> bool:
    # Cells that span others, as an item's name above its figures does, only go on with cells that do so too.
    if [text is None for text in row] != [text is None for text in above]:
        return False
    filled = [place for place, text in enumerate(row) if text]
    return in_head or (len(filled) == 1 and bool(above[filled[0]]))


def _merged(above: Row, below: Row) -> Row:
    return [None if text is None else f"{text} {more or ''}".strip() for text, more in zip(above, below, strict=True)]
