"""Turn the boxes that an engine reports into marks: fields, cells, rows, tables, lines and regions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from finscribe_assets.documents.drawn_document import Engine
from finscribe_assets.rendering.engine_output import MarkBox
from finscribe_assets.rendering.line_breaking import pieces_of, texts_of_lines
from finscribe_assets.rendering.page_colours import names_colour
from finscribe_assets.rendering.page_html import MarkedCell, MarkedElement, PageMarkup
from finscribe_assets.rendering.pages import Box, Fragment, Mark, MarkType

EMPTY_BOX_WIDTH = 0.5  # pixels; a box no wider than this shows nothing


@dataclass(frozen=True)
class LaidOutDocument:
    """The undamaged pages of a document and the marks on them."""

    pages: list[np.ndarray]  # height × width, or height × width × 3 in colour; uint8
    marks: list[Mark]  # boxes in pixels of the pages


def lay_out(markup: PageMarkup, dpi: int, *, in_colour: bool = True) -> LaidOutDocument:
    """Lay out and rasterise a document with the engine of its markup; boxes and pixels come from one layout.

    Args:
        markup: the document.
        dpi: resolution of the pages.
        in_colour: whether the pages show the colours of the markup; pages are grey if it has none.

    Raises:
        ValueError: a value has more lines than the pieces it can be broken into; the message quotes its text.
        PermissionError: the HTML requests a file or an address (PlutoPrint).
        weasyprint.urls.FatalURLFetchingError: the same (WeasyPrint).
    """
    # Imported here, so that a process loads only the engine that it uses.
    if markup.engine is Engine.PLUTOPRINT:
        from finscribe_assets.rendering.plutoprint_engine import paint
    else:
        from finscribe_assets.rendering.weasyprint_engine import paint
    output = paint(markup.html, dpi, markup.content_mark, in_colour=in_colour and names_colour(markup.html))
    return LaidOutDocument(output.pages, marks_of(markup, output.mark_boxes))


def marks_of(markup: PageMarkup, mark_boxes: Iterable[MarkBox]) -> list[Mark]:
    """Return the marks of a document with their fragments and texts, in the order of its HTML.

    Raises:
        ValueError: a value has more lines than the pieces it can be broken into; the message quotes its text.
    """
    by_number: dict[int, list[MarkBox]] = {}
    for mark_box in mark_boxes:
        # An engine may leave an empty box at the end of a line for content that it moves to the next.
        if mark_box.box.width > EMPTY_BOX_WIDTH:
            by_number.setdefault(mark_box.mark, []).append(mark_box)
    columns = [by_number[number][0].box for number in markup.column_marks if number in by_number]
    fragments: dict[tuple[MarkType, str], list[Fragment]] = {}
    rows: list[Fragment] = []
    for number, element in enumerate(markup.elements):
        boxes = by_number.get(number)
        if element.type is None or not boxes:
            continue
        if not element.repeats:
            boxes = _without_phantoms(boxes, by_number.get(number + 1, ()))
        texts = _texts(markup, element, boxes)
        new = [Fragment(mark_box.page, mark_box.box, text) for mark_box, text in zip(boxes, texts, strict=True)]
        fragments.setdefault((element.type, element.name), []).extend(new)
        if element.type is MarkType.ROW:
            rows += new
            for cell in element.cells:
                of_cell = fragments.setdefault((MarkType.CELL, name_of_cell(element, cell)), [])
                of_cell.extend(_cell_fragments(cell, new, columns))
    marks = [Mark(mark_type, name, tuple(parts)) for (mark_type, name), parts in fragments.items()]
    if rows:
        marks.append(Mark(MarkType.TABLE, markup.table, _hulls(rows)))
    return marks


def _without_phantoms(boxes: Sequence[MarkBox], following: Sequence[MarkBox] = ()) -> list[MarkBox]:
    """Drop the phantom boxes that PlutoPrint reports at page breaks.

    An element that moves to the next page is also reported in the margin of the page before, and one that just fits
    its page also in the margin of the page after. Nothing is painted there. Phantom and real boxes have the same sizes;
    the real ones are on the page where the next mark lies inside them, or else on the last page.
    """
    last = boxes[-1].page if boxes else 0
    if not boxes or boxes[0].page == last:
        return list(boxes)
    sizes: dict[int, list[float]] = {}
    for mark_box in boxes:
        sizes.setdefault(mark_box.page, []).extend((mark_box.box.width, mark_box.box.height))
    same_sizes = {
        page
        for page, on_page in sizes.items()
        if len(on_page) == len(sizes[last])
        and all(abs(size - other) < EMPTY_BOX_WIDTH for size, other in zip(on_page, sizes[last], strict=True))
    }
    inner_boxes = _without_phantoms(following)
    real = next(
        (
            mark_box.page
            for mark_box in boxes
            if mark_box.page in same_sizes
            and any(inner.page == mark_box.page and mark_box.box.holds(inner.box) for inner in inner_boxes)
        ),
        last,
    )
    return [mark_box for mark_box in boxes if mark_box.page == real or mark_box.page not in same_sizes]


def _texts(markup: PageMarkup, element: MarkedElement, boxes: Sequence[MarkBox]) -> list[str]:
    """Return the text in each box of an element: as the engine reports it, or else derived from the boxes' widths."""
    if element.type is MarkType.LINE:
        return [element.text] * len(boxes)
    if element.type is not MarkType.FIELD:
        return [""] * len(boxes)
    reported = [mark_box.text for mark_box in boxes if mark_box.text is not None]
    if len(reported) == len(boxes):
        return reported
    if len(boxes) == 1:
        return [element.text]
    pieces = pieces_of(element.text, markup.language, element.name)
    return texts_of_lines(pieces, [mark_box.box.width for mark_box in boxes], markup.font)


def name_of_cell(row: MarkedElement, cell: MarkedCell) -> str:
    """Return a cell's name: ``row:column``, or ``row:column:span`` where it spans several columns."""
    return f"{row.name}:{cell.first}" + (f":{cell.columns}" if cell.columns > 1 else "")


def _cell_fragments(cell: MarkedCell, rows: Iterable[Fragment], columns: Sequence[Box]) -> Iterator[Fragment]:
    """Yield a cell's fragment for each fragment of its row: as tall as the row and as wide as the cell's columns."""
    across = columns[cell.first].around(columns[cell.first + cell.columns - 1])
    for row in rows:
        yield Fragment(row.page, Box(across.x0, row.box.y0, across.x1, row.box.y1), cell.text)


def _hulls(fragments: Iterable[Fragment]) -> tuple[Fragment, ...]:
    """Return one fragment for each page: the smallest box around all fragments on it."""
    hulls: dict[int, Box] = {}
    for fragment in fragments:
        hull = hulls.get(fragment.page, fragment.box)
        hulls[fragment.page] = hull.around(fragment.box)
    return tuple(Fragment(page, box, "") for page, box in sorted(hulls.items()))
