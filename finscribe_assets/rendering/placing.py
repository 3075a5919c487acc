"""From where an engine put its marks to the boxes of fields, cells, rows, regions and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from finscribe_assets.documents.drawn import Engine
from finscribe_assets.rendering.markup import Marked, PageMarkup
from finscribe_assets.rendering.pages import Box, Fragment, Mark, MarkKind

MARGIN_BELOW_MM = 6  # what a page that is cut to its content keeps below it
MM_PER_INCH = 25.4
EMPTY = 0.5  # pixels: what is no wider shows nothing


@dataclass(frozen=True)
class Placed:
    """One box of a mark: a mark that wraps, or crosses pages, has several."""

    mark: int  # its number
    page: int  # from 0
    box: Box
    text: str | None = None  # what stands in it, where the engine tells


@dataclass(frozen=True)
class Painted:
    """What an engine makes of a document: grey pages (height × width, uint8) and its marks' boxes in pixels."""

    pages: list[np.ndarray]
    placed: list[Placed]


@dataclass(frozen=True)
class LaidOut:
    """Laid-out pages: grey pixels (height × width, uint8) and marks in pixels."""

    pages: list[np.ndarray]
    marks: list[Mark]


def cut_below(placed: Iterable[Placed], content: int | None, dpi: int) -> dict[int, int]:
    """Return the heights in pixels, by page, that pages are cut to: the content's and a margin."""
    margin = MARGIN_BELOW_MM / MM_PER_INCH * dpi
    return {one.page: ceil(one.box.y1 + margin) for one in placed if one.mark == content}


def lay_out(markup: PageMarkup, dpi: int) -> LaidOut:
    """Lay a document out with its engine; boxes and pixels are of one layout."""
    # Each process loads the engine that it needs.
    if markup.engine is Engine.PLUTOPRINT:
        from finscribe_assets.rendering.pluto import paint
    else:
        from finscribe_assets.rendering.weasy import paint
    painted = paint(markup.html, dpi, markup.content)
    return LaidOut(painted.pages, marks_of(markup, painted.placed))


def marks_of(markup: PageMarkup, placed: Sequence[Placed]) -> list[Mark]:
    """Return the marks of a document with their fragments and texts, in the order of its HTML."""
    boxes: dict[int, list[Placed]] = {}
    for one in placed:
        # Where a line ends, an engine may leave an empty box of what it moves to the next.
        if one.box.width > EMPTY:
            boxes.setdefault(one.mark, []).append(one)
    pieces: dict[int, list[tuple[str, Placed]]] = {}
    for number, marked in enumerate(markup.marked):
        if marked.piece_of is not None and number in boxes:
            pieces.setdefault(marked.piece_of, []).append((marked.text, boxes[number][0]))
    found: dict[tuple[MarkKind, str], list[Fragment]] = {}
    for number, marked in enumerate(markup.marked):
        if marked.kind is not None and number in boxes:
            fragments = found.setdefault((marked.kind, marked.name), [])
            fragments += _fragments(marked, boxes[number], pieces.get(number))
    cells = {name: parts for (kind, name), parts in found.items() if kind is MarkKind.CELL}
    rows = _rows(cells)
    for name, parts in cells.items():
        found[MarkKind.CELL, name] = [_as_tall_as_its_row(part, rows[_row_of(name)]) for part in parts]
    marks = [Mark(kind, name, tuple(parts)) for (kind, name), parts in found.items()]
    marks += [Mark(MarkKind.ROW, str(row), tuple(parts)) for row, parts in rows.items()]
    if rows:
        marks.append(Mark(MarkKind.TABLE, markup.table, _hulls(part for parts in rows.values() for part in parts)))
    return marks


def _fragments(marked: Marked, places: list[Placed], pieces: list[tuple[str, Placed]] | None) -> list[Fragment]:
    if pieces is None:
        return [Fragment(one.page, one.box, marked.text if one.text is None else one.text) for one in places]
    texts = [""] * len(places)
    for text, piece in pieces:
        # A line's pieces lie on its box; the nearest one is meant where lines are set so tight that two overlap.
        middle = (piece.box.y0 + piece.box.y1) / 2
        away = [(one.page != piece.page, abs((one.box.y0 + one.box.y1) / 2 - middle)) for one in places]
        texts[away.index(min(away))] += text
    return [Fragment(one.page, one.box, text.strip()) for one, text in zip(places, texts, strict=True)]


def _row_of(cell: str) -> int:
    return int(cell.partition(":")[0])


def _rows(cells: dict[str, list[Fragment]]) -> dict[int, list[Fragment]]:
    """Return the rows of a table: around their cells, on each page that they stand on."""
    rows: dict[int, list[Fragment]] = {}
    for name, parts in cells.items():
        rows.setdefault(_row_of(name), []).extend(parts)
    return {row: list(_hulls(parts)) for row, parts in sorted(rows.items())}


def _hulls(parts: Iterable[Fragment]) -> tuple[Fragment, ...]:
    hulls: dict[int, Box] = {}
    for part in parts:
        hulls[part.page] = hulls[part.page].around(part.box) if part.page in hulls else part.box
    return tuple(Fragment(page, box, "") for page, box in sorted(hulls.items()))


def _as_tall_as_its_row(part: Fragment, rows: list[Fragment]) -> Fragment:
    row = next(one.box for one in rows if one.page == part.page)
    return Fragment(part.page, Box(part.box.x0, row.y0, part.box.x1, row.y1), part.text)
