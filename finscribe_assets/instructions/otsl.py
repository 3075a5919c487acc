"""OTSL, the table language of PaddleOCR-VL: a token for each cell, row by row.

Tokens, as PaddleX's parser reads them: ``<fcel>`` a cell with text, ``<ecel>`` an empty one, ``<lcel>`` merged with the
cell on its left, ``<ucel>`` merged with the one above, ``<xcel>`` merged both ways, ``<nl>`` the end of a row.

Texts are verbatim. OTSL has no escape: a text that holds a token would be read as one, so its ``<`` is written
``&lt;``, and a text that holds what was so written has one ``amp;`` more. All other texts stand as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

FILLED_CELL, EMPTY_CELL, MERGED_LEFT, MERGED_UP, MERGED_BOTH, ROW_END = (
    "<fcel>",
    "<ecel>",
    "<lcel>",
    "<ucel>",
    "<xcel>",
    "<nl>",
)
MERGED_CELLS = (MERGED_LEFT, MERGED_UP, MERGED_BOTH)
_TOKEN = re.compile("(<fcel>|<ecel>|<lcel>|<ucel>|<xcel>|<nl>)")
_ESCAPED = re.compile(r"&((?:amp;)*)lt;(?=(?:[felux]cel|nl)>)")

Grid = list[list[str | None]]
"""Rows of cell texts; None continues the cell on the left (a column span)."""

OtslCell = tuple[str, str]
"""A token and its text, which only ``<fcel>`` has."""


def to_otsl(grid: Grid) -> str:
    """Write a grid as OTSL: an empty text as an empty cell."""
    return write_cells(
        [(MERGED_LEFT, "") if text is None else (FILLED_CELL if text else EMPTY_CELL, text) for text in row]
        for row in grid
    )


def from_otsl(text: str) -> Grid:
    """Read OTSL that a model wrote, as ``read_slots`` does; cells merged upward take None."""
    return [[None if token in MERGED_CELLS else content for token, content in row] for row in read_cells(text)]


def write_cells(rows: Iterable[Iterable[OtslCell]]) -> str:
    """Write rows of tokens and their texts."""
    return "".join("".join(token + _escaped(text) for token, text in row) + ROW_END for row in rows)


def read_cells(text: str) -> list[list[OtslCell]]:
    """Read rows of tokens and their texts; malformed OTSL gives those that can be made out, never an error.

    Text before the first token, and after any but ``<fcel>``, is dropped; a last row without its end is kept.
    """
    rows: list[list[OtslCell]] = []
    row: list[OtslCell] = []
    parts = _TOKEN.split(text)
    for token, content in zip(parts[1::2], parts[2::2], strict=True):
        if token == ROW_END:
            rows.append(row)
            row = []
        else:
            row.append((token, _unescaped(content.strip()) if token == FILLED_CELL else ""))
    if row:
        rows.append(row)
    return rows


def _escaped(text: str) -> str:
    return _TOKEN.sub(lambda token: f"&lt;{token[0][1:]}", _ESCAPED.sub(r"&amp;\1lt;", text))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"&{found[1][4:]}lt;" if found[1] else "<", text)
