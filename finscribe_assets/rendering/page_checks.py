"""What is provable of every page.

Of a layout, before anything damages it: each printed value has a box of its own, stands in its place and over nothing
else, in letters that its font has. Of a stored page: each value has a box on it, with ink in it while it can be read.
Both engines run over and out of places silently, so a layout that does is refused here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.rendering.font_faces import missing_glyphs
from finscribe_assets.rendering.mark_boxes import LaidOutDocument
from finscribe_assets.rendering.pages import Box, Mark, MarkType, RenderedDocument

TOLERANCE = 1.5  # pixels that a box may reach over an edge, from rounding
MIN_CONTRAST = 40  # grey levels between the darkest and the lightest pixel of a box that shows something
CELL_BORDER = 3  # pixels inside a cell's box that may be its rules rather than its text
MAX_OVERLAP = 0.1  # share of the smaller of two texts
LETTERS = 0.25  # of a text's box above and below, where an engine has room for accents: lines set tight share it


class RenderError(ValueError):
    """A page that does not show what its document says."""


def layout_problems(drawn: DrawnDocument, laid_out: LaidOutDocument) -> list[str]:
    """Return what is wrong with a document's layout, each naming the field; an empty list for a sound one."""
    fields = [mark for mark in laid_out.marks if mark.type is MarkType.FIELD]
    there = {mark.name for mark in fields}
    problems = [f"{name}: printed, but without a box" for name in drawn.printed if name not in there]
    problems += [
        f"{mark.name}: the page shows {mark.text!r} instead of {drawn.printed.get(mark.name)!r}"
        for mark in fields
        if _squeezed(mark.text) != _squeezed(drawn.printed.get(mark.name, ""))
    ]
    texts = "".join((*drawn.printed.values(), *drawn.presentation.labels.values(), *drawn.presentation.remarks))
    if missing := missing_glyphs(texts, drawn.presentation.font):
        problems.append(f"{drawn.presentation.font} has no letters for {missing!r}")
    for number, page in enumerate(laid_out.pages):
        problems += _off_the_page(fields, number, page.shape[1], page.shape[0])
        problems += _over_each_other(fields, number)
        cells = [mark for mark in laid_out.marks if mark.type is MarkType.CELL]
        regions = [mark for mark in laid_out.marks if mark.type is MarkType.REGION]
        problems += _out_of_their_place(fields, cells, number) + _out_of_their_place(fields, regions, number)
    return problems


def page_problems(drawn: DrawnDocument, rendered: RenderedDocument) -> list[str]:
    """Return what is wrong with a document's stored pages, each naming the field; an empty list for sound pages."""
    fields = rendered.of_type(MarkType.FIELD)
    there = {mark.name for mark in fields}
    problems = [f"{name}: printed, but without a box" for name in drawn.printed if name not in there]
    for number, page in enumerate(rendered.pages):
        pixels = np.asarray(page.open())
        problems += _off_the_page(fields, number, page.width, page.height)
        for mark in fields:
            problems += [
                f"{mark.name}: no ink in its box {part.box} on page {number}"
                for part in mark.fragments
                if part.page == number and part.visible and not _has_ink(pixels, part.box)
            ]
        for mark in rendered.of_type(MarkType.CELL):
            problems += [
                f"cell {mark.name}: {part.text!r} cannot be seen on page {number}"
                for part in mark.fragments
                if part.page == number
                and part.visible
                and part.text
                and not _has_ink(pixels, part.box.padded(-CELL_BORDER))
            ]
    return problems


def _placed(marks: Sequence[Mark], page: int) -> tuple[list[str], np.ndarray]:
    """Return names and boxes (n × 4: x0, y0, x1, y1) of the fragments on a page."""
    found = [(mark.name, part.box) for mark in marks for part in mark.fragments if part.page == page]
    boxes = np.array([(box.x0, box.y0, box.x1, box.y1) for _, box in found], dtype=float).reshape(-1, 4)
    return [name for name, _ in found], boxes


def _off_the_page(fields: Sequence[Mark], page: int, width: int, height: int) -> list[str]:
    names, boxes = _placed(fields, page)
    outside = (boxes[:, :2] < -TOLERANCE).any(axis=1) | (boxes[:, 2:] > (width + TOLERANCE, height + TOLERANCE)).any(1)
    return [
        f"{names[at]}: its box {tuple(boxes[at].round(1).tolist())} reaches over page {page} ({width} × {height})"
        for at in np.flatnonzero(outside)
    ]


def _over_each_other(fields: Sequence[Mark], page: int) -> list[str]:
    names, boxes = _placed(fields, page)
    x0, top, x1, bottom = boxes.T
    y0, y1 = top + LETTERS * (bottom - top), bottom - LETTERS * (bottom - top)
    across = np.minimum.outer(x1, x1) - np.maximum.outer(x0, x0)
    down = np.minimum.outer(y1, y1) - np.maximum.outer(y0, y0)
    area = (x1 - x0) * (y1 - y0)
    shared = np.clip(across, 0, None) * np.clip(down, 0, None)
    over = np.triu(shared > MAX_OVERLAP * np.minimum.outer(area, area), 1)
    return [
        f"{names[one]} and {names[other]}: printed over each other on page {page}"
        for one, other in np.argwhere(over)
        if names[one] != names[other]
    ]


def _out_of_their_place(fields: Sequence[Mark], places: Sequence[Mark], page: int) -> list[str]:
    """Tell of values that begin in a cell or region and run out of its sides."""
    names, boxes = _placed(fields, page)
    holders, around = _placed(places, page)
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    level = (around[:, 1] <= middle[:, None]) & (middle[:, None] <= around[:, 3])
    shared = np.minimum(boxes[:, None, 2], around[:, 2]) - np.maximum(boxes[:, None, 0], around[:, 0])
    held = level & (shared > (boxes[:, 2] - boxes[:, 0])[:, None] / 2)
    out = (boxes[:, None, 0] < around[:, 0] - TOLERANCE) | (boxes[:, None, 2] > around[:, 2] + TOLERANCE)
    return [f"{names[field]}: runs out of {holders[place]} on page {page}" for field, place in np.argwhere(held & out)]


def _has_ink(pixels: np.ndarray, box: Box) -> bool:
    inside = pixels[max(0, int(box.y0)) : int(box.y1) + 1, max(0, int(box.x0)) : int(box.x1) + 1]
    return inside.size > 0 and int(inside.max()) - int(inside.min()) >= MIN_CONTRAST


def _squeezed(text: str) -> str:
    return "".join(text.split())


def require_sound(drawn: DrawnDocument, problems: list[str]) -> None:
    """Raise RenderError, naming the document, when its layout or its pages have problems."""
    if problems:
        look = drawn.presentation
        raise RenderError(
            f"{drawn.id} ({look.layout}, {drawn.document.locale}, {look.engine}): " + "; ".join(problems[:5])
        )
