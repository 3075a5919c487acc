"""From where an engine put its marks to the boxes of fields, cells, rows, regions and tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from finscribe_assets.documents.drawn_document import Engine
from finscribe_assets.rendering.engine_output import MarkBox
from finscribe_assets.rendering.line_breaking import pieces_of, texts_of_lines
from finscribe_assets.rendering.page_html import MarkedCell, MarkedElement, PageMarkup
from finscribe_assets.rendering.pages import Box, Fragment, Mark, MarkType

EMPTY = 0.5  # pixels: what is no wider shows nothing


@dataclass(frozen=True)
class LaidOutDocument:
    """Laid-out pages: grey pixels (height × width, uint8) and marks in pixels."""

    pages: list[np.ndarray]
    marks: list[Mark]


def lay_out(markup: PageMarkup, dpi: int) -> LaidOutDocument:
    """Lay a document out with its engine; boxes and pixels are of one layout."""
    # Each process loads the engine that it needs.
    if markup.engine is Engine.PLUTOPRINT:
        from finscribe_assets.rendering.plutoprint_engine import paint
    else:
        from finscribe_assets.rendering.weasyprint_engine import paint
    painted = paint(markup.html, dpi, markup.content)
    return LaidOutDocument(painted.pages, marks_of(markup, painted.placed))


def marks_of(markup: PageMarkup, placed: Iterable[MarkBox]) -> list[Mark]:
    """Return the marks of a document with their fragments and texts, in the order of its HTML.

    Raises:
        ValueError: a value stands on more lines than it can be divided into; the message names its text.
    """
    boxes: dict[int, list[MarkBox]] = {}
    for one in placed:
        # Where a line ends, an engine may leave an empty box of what it moves to the next.
        if one.box.width > EMPTY:
            boxes.setdefault(one.mark, []).append(one)
    columns = [boxes[number][0].box for number in markup.columns if number in boxes]
    found: dict[tuple[MarkType, str], list[Fragment]] = {}
    rows: list[Fragment] = []
    for number, marked in enumerate(markup.marked):
        places = boxes.get(number)
        if marked.type is None or not places:
            continue
        if not marked.repeats:
            places = _without_ghosts(places, boxes.get(number + 1, ()))
        texts = _texts(markup, marked, places)
        parts = [Fragment(one.page, one.box, text) for one, text in zip(places, texts, strict=True)]
        found.setdefault((marked.type, marked.name), []).extend(parts)
        if marked.type is MarkType.ROW:
            rows += parts
            for cell in marked.cells:
                found.setdefault((MarkType.CELL, name_of_cell(marked, cell)), []).extend(_cell(cell, parts, columns))
    marks = [Mark(kind, name, tuple(parts)) for (kind, name), parts in found.items()]
    if rows:
        marks.append(Mark(MarkType.TABLE, markup.table, _hulls(rows)))
    return marks


def _without_ghosts(places: Sequence[MarkBox], following: Sequence[MarkBox] = ()) -> list[MarkBox]:
    """Leave out where something would have stood that stands on another page as it is.

    PlutoPrint tells of that too, in the margin of a page, where it paints nothing: of the page before what moves to the
    next, and of the page after what just fits. Which one is real, the mark that follows tells if it lies inside.
    """
    last = places[-1].page if places else 0
    if not places or places[0].page == last:
        return list(places)
    sizes: dict[int, list[float]] = {}
    for one in places:
        sizes.setdefault(one.page, []).extend((one.box.width, one.box.height))
    alike = {
        page
        for page, found in sizes.items()
        if len(found) == len(sizes[last])
        and all(abs(size - other) < EMPTY for size, other in zip(found, sizes[last], strict=True))
    }
    inside = _without_ghosts(following)
    real = next(
        (
            one.page
            for one in places
            if one.page in alike and any(inner.page == one.page and one.box.holds(inner.box) for inner in inside)
        ),
        last,
    )
    return [one for one in places if one.page == real or one.page not in alike]


def _texts(markup: PageMarkup, marked: MarkedElement, places: Sequence[MarkBox]) -> list[str]:
    """Return what stands in each box of a mark, as the engine tells it or its widths do."""
    if marked.type is MarkType.LINE:
        return [marked.text] * len(places)
    if marked.type is not MarkType.FIELD:
        return [""] * len(places)
    told = [one.text for one in places if one.text is not None]
    if len(told) == len(places):
        return told
    if len(places) == 1:
        return [marked.text]
    pieces = pieces_of(marked.text, markup.language, marked.name)
    return texts_of_lines(pieces, [one.box.width for one in places], markup.font)


def name_of_cell(row: MarkedElement, cell: MarkedCell) -> str:
    """Return a cell's name, ``row:column``, or ``row:column:columns`` where it spans several."""
    return f"{row.name}:{cell.first}" + (f":{cell.columns}" if cell.columns > 1 else "")


def _cell(cell: MarkedCell, rows: Iterable[Fragment], columns: Sequence[Box]) -> Iterator[Fragment]:
    """Yield a cell on each page that its row stands on: as tall as the row and as wide as its columns."""
    across = columns[cell.first].around(columns[cell.first + cell.columns - 1])
    for row in rows:
        yield Fragment(row.page, Box(across.x0, row.box.y0, across.x1, row.box.y1), cell.text)


def _hulls(parts: Iterable[Fragment]) -> tuple[Fragment, ...]:
    hulls: dict[int, Box] = {}
    for part in parts:
        hulls[part.page] = hulls[part.page].around(part.box) if part.page in hulls else part.box
    return tuple(Fragment(page, box, "") for page, box in sorted(hulls.items()))
