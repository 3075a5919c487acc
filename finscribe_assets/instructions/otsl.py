"""OTSL, the table language of PaddleOCR-VL: a token for each cell, row by row.

Tokens, as PaddleX's parser reads them: ``<fcel>`` a cell with text, ``<ecel>`` an empty one, ``<lcel>`` merged with the
cell on its left, ``<ucel>`` merged with the one above, ``<xcel>`` merged both ways, ``<nl>`` the end of a row.
"""

from __future__ import annotations

import re

FILLED, EMPTY, LEFT, UP, BOTH, ROW_END = "<fcel>", "<ecel>", "<lcel>", "<ucel>", "<xcel>", "<nl>"
MERGED = (LEFT, UP, BOTH)
_TOKEN = re.compile("(<fcel>|<ecel>|<lcel>|<ucel>|<xcel>|<nl>)")

Grid = list[list[str | None]]
"""Rows of cell texts; None continues the cell on the left (a column span)."""


def to_otsl(grid: Grid) -> str:
    """Write a grid as OTSL: its texts verbatim, an empty text as an empty cell."""
    return "".join(
        "".join(LEFT if text is None else f"{FILLED}{text}" if text else EMPTY for text in row) + ROW_END
        for row in grid
    )


def from_otsl(text: str) -> Grid:
    """Read OTSL that a model wrote; malformed text gives the cells that can be made out, never an error.

    Text before the first token is dropped; a last row without its end is kept; cells merged upward take None.
    """
    grid: Grid = []
    row: list[str | None] = []
    parts = _TOKEN.split(text)
    for token, content in zip(parts[1::2], parts[2::2], strict=True):
        if token == ROW_END:
            grid.append(row)
            row = []
        elif token == FILLED:
            row.append(content.strip())
        else:
            row.append(None if token in MERGED else "")
    if row:
        grid.append(row)
    return grid
