"""Write and read OTSL, PaddleOCR-VL's table format: one token for each cell, row by row.

Tokens, as PaddleX's parser defines them:

- ``<fcel>``: a cell with text, which follows the token
- ``<ecel>``: an empty cell
- ``<lcel>``: merged with the cell on its left
- ``<ucel>``: merged with the cell above
- ``<xcel>``: merged with both
- ``<nl>``: the end of a row

OTSL has no escape, so a text that contains a token would be read as one. Here the ``<`` of such a token is written as
``&lt;``; a text that contains the escaped form already gets one more ``amp;``. All other texts are written verbatim.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

FILLED_CELL, EMPTY_CELL = "<fcel>", "<ecel>"
MERGED_LEFT, MERGED_UP, MERGED_BOTH = "<lcel>", "<ucel>", "<xcel>"
MERGED_CELLS = (MERGED_LEFT, MERGED_UP, MERGED_BOTH)
ROW_END = "<nl>"
_TOKEN = re.compile("(<fcel>|<ecel>|<lcel>|<ucel>|<xcel>|<nl>)")
_ESCAPED = re.compile(r"&((?:amp;)*)lt;(?=(?:[felux]cel|nl)>)")

Grid = list[list[str | None]]
"""Rows of cell texts; None continues the cell on the left (a column span)."""

OtslCell = tuple[str, str]
"""A token and its text, which is empty unless the token is ``<fcel>``."""


def to_otsl(grid: Grid) -> str:
    """Write a grid of texts as OTSL; an empty text becomes an empty cell.

    Example:
        >>> to_otsl([["Total", None], ["1", ""]])
        '<fcel>Total<lcel><nl><fcel>1<ecel><nl>'
    """
    return write_cells(
        [(MERGED_LEFT, "") if text is None else (FILLED_CELL if text else EMPTY_CELL, text) for text in row]
        for row in grid
    )


def from_otsl(text: str) -> Grid:
    """Read OTSL as `read_cells` does, and return the texts; every merged cell becomes None."""
    return [[None if token in MERGED_CELLS else content for token, content in row] for row in read_cells(text)]


def write_cells(rows: Iterable[Iterable[OtslCell]]) -> str:
    """Write rows of tokens and texts as OTSL."""
    return "".join("".join(token + _escape(text) for token, text in row) + ROW_END for row in rows)


def read_cells(text: str) -> list[list[OtslCell]]:
    """Read OTSL as rows of tokens and texts.

    Malformed OTSL, as models write it, is never an error: text before the first token and text after any token but
    ``<fcel>`` is dropped, and a last row without ``<nl>`` is kept.
    """
    rows: list[list[OtslCell]] = []
    row: list[OtslCell] = []
    parts = _TOKEN.split(text)
    for token, content in zip(parts[1::2], parts[2::2], strict=True):
        if token == ROW_END:
            rows.append(row)
            row = []
        else:
            row.append((token, _unescape(content.strip()) if token == FILLED_CELL else ""))
    if row:
        rows.append(row)
    return rows


def _escape(text: str) -> str:
    return _TOKEN.sub(lambda token: f"&lt;{token[0][1:]}", _ESCAPED.sub(r"&amp;\1lt;", text))


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda escaped: f"&{escaped[1][4:]}lt;" if escaped[1] else "<", text)
