"""Checks that hold for every page: each printed value has a box of its own, in its place, with ink in it.

`layout_problems` checks a layout before damage: every value has a box that shows its text, inside its cell or region,
on the page and over no other value, in a font that has its characters. Both layout engines let text overflow silently,
so such a layout is refused here. `page_problems` checks stored pages, after damage: every value has a box on the page,
and ink in it unless damage has made it unreadable.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.rendering.font_faces import missing_glyphs
from finscribe_assets.rendering.mark_boxes import LaidOutDocument
from finscribe_assets.rendering.pages import Box, Mark, MarkType, RenderedDocument

EDGE_TOLERANCE = 1.5  # pixels by which rounding may move a box over an edge
MIN_INK_CONTRAST = 40  # grey levels between the darkest and the lightest pixel of a box with visible text
CELL_BORDER = 3  # pixels inside a cell's box that may show the table's rules rather than text
MAX_OVERLAP = 0.1  # of two texts, as a share of the smaller one's area
# Share of a text's height that does not count as overlap, at the top and at the bottom each: engines leave room for
# accents there, and lines that are set tightly share it.
ACCENT_SHARE = 0.25


class RenderError(ValueError):
    """A page does not show what its document contains."""


def layout_problems(drawn: DrawnDocument, laid_out: LaidOutDocument) -> list[str]:
    """Return what is wrong with a document's layout, each problem with the field's path; empty if nothing is."""
    fields = [mark for mark in laid_out.marks if mark.type is MarkType.FIELD]
    problems = _without_box(drawn, fields)
    problems += [
        f"{mark.name}: the page shows {mark.text!r} instead of {drawn.printed.get(mark.name)!r}"
        for mark in fields
        if _without_spaces(mark.text) != _without_spaces(drawn.printed.get(mark.name, ""))
    ]
    look = drawn.presentation
    texts = "".join((*drawn.printed.values(), *look.labels.values(), *look.closing_lines, look.amount_in_capitals))
    if look.tax_form:
        texts += "".join(look.tax_form.texts)
    if look.terms_page:
        texts += "".join(clause.heading + clause.text for clause in look.terms_page.clauses)
    if missing := missing_glyphs(texts, drawn.presentation.font):
        problems.append(f"font {drawn.presentation.font} has no glyphs for {missing!r}")
    for number, page in enumerate(laid_out.pages):
        problems += _beyond_page(fields, number, page.shape[1], page.shape[0])
        problems += _overlapping(fields, number)
        for holder_type in (MarkType.CELL, MarkType.REGION):
            holders = [mark for mark in laid_out.marks if mark.type is holder_type]
            problems += _beyond_holder(fields, holders, holder_type, number)
    return problems


def page_problems(drawn: DrawnDocument, rendered: RenderedDocument) -> list[str]:
    """Return what is wrong with a document's stored pages, each problem with the field's path; empty if nothing is."""
    fields = rendered.of_type(MarkType.FIELD)
    problems = _without_box(drawn, fields)
    for number, page in enumerate(rendered.pages):
        pixels = page.grey()
        problems += _beyond_page(fields, number, page.width, page.height)
        for mark in fields:
            problems += [
                f"{mark.name}: no ink in its box {fragment.box} on page {number}"
                for fragment in mark.fragments
                if fragment.page == number and fragment.visible and not _has_ink(pixels, fragment.box)
            ]
        for mark in rendered.of_type(MarkType.CELL):
            problems += [
                f"cell {mark.name}: no ink of its text {fragment.text!r} on page {number}"
                for fragment in mark.fragments
                if fragment.page == number
                and fragment.visible
                and fragment.text
                and not _has_ink(pixels, fragment.box.padded(-CELL_BORDER))
            ]
    return problems


def require_sound(drawn: DrawnDocument, problems: list[str]) -> None:
    """Raise RenderError with the document's id and its first problems, if it has any."""
    if problems:
        look = drawn.presentation
        raise RenderError(
            f"{drawn.id} ({look.layout}, {drawn.document.locale}, {look.engine}): " + "; ".join(problems[:5])
        )


def _without_box(drawn: DrawnDocument, fields: Sequence[Mark]) -> list[str]:
    with_box = {mark.name for mark in fields}
    return [f"{path}: printed, but it has no box" for path in drawn.printed if path not in with_box]


def _boxes_on(marks: Sequence[Mark], page: int) -> tuple[list[str], np.ndarray]:
    """Return names and boxes (n × 4: x0, y0, x1, y1) of the fragments on a page."""
    on_page = [(mark.name, fragment.box) for mark in marks for fragment in mark.fragments if fragment.page == page]
    boxes = np.array([(box.x0, box.y0, box.x1, box.y1) for _, box in on_page], dtype=float).reshape(-1, 4)
    return [name for name, _ in on_page], boxes


def _beyond_page(fields: Sequence[Mark], page: int, width: int, height: int) -> list[str]:
    names, boxes = _boxes_on(fields, page)
    limit = (width + EDGE_TOLERANCE, height + EDGE_TOLERANCE)
    outside = (boxes[:, :2] < -EDGE_TOLERANCE).any(axis=1) | (boxes[:, 2:] > limit).any(axis=1)
    return [
        f"{names[index]}: its box {tuple(boxes[index].round(1).tolist())} extends beyond page {page}, which is "
        f"{width} × {height} pixels"
        for index in np.flatnonzero(outside)
    ]


def _overlapping(fields: Sequence[Mark], page: int) -> list[str]:
    names, boxes = _boxes_on(fields, page)
    x0, top, x1, bottom = boxes.T
    y0, y1 = top + ACCENT_SHARE * (bottom - top), bottom - ACCENT_SHARE * (bottom - top)
    across = np.minimum.outer(x1, x1) - np.maximum.outer(x0, x0)
    down = np.minimum.outer(y1, y1) - np.maximum.outer(y0, y0)
    area = (x1 - x0) * (y1 - y0)
    shared = np.clip(across, 0, None) * np.clip(down, 0, None)
    overlaps = np.triu(shared > MAX_OVERLAP * np.minimum.outer(area, area), 1)
    return [
        f"{names[first]} and {names[second]}: overlap on page {page}"
        for first, second in np.argwhere(overlaps)
        if names[first] != names[second]
    ]


def _beyond_holder(fields: Sequence[Mark], holders: Sequence[Mark], holder_type: MarkType, page: int) -> list[str]:
    """Return the values that begin inside a cell or region and extend beyond its left or right side."""
    names, boxes = _boxes_on(fields, page)
    holder_names, around = _boxes_on(holders, page)
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    level = (around[:, 1] <= middle[:, None]) & (middle[:, None] <= around[:, 3])
    shared = np.minimum(boxes[:, None, 2], around[:, 2]) - np.maximum(boxes[:, None, 0], around[:, 0])
    held = level & (shared > (boxes[:, 2] - boxes[:, 0])[:, None] / 2)
    beyond = (boxes[:, None, 0] < around[:, 0] - EDGE_TOLERANCE) | (boxes[:, None, 2] > around[:, 2] + EDGE_TOLERANCE)
    return [
        f"{names[field]}: extends beyond {holder_type} {holder_names[holder]} on page {page}"
        for field, holder in np.argwhere(held & beyond)
    ]


def _has_ink(pixels: np.ndarray, box: Box) -> bool:
    inside = pixels[max(0, int(box.y0)) : int(box.y1) + 1, max(0, int(box.x0)) : int(box.x1) + 1]
    return inside.size > 0 and int(inside.max()) - int(inside.min()) >= MIN_INK_CONTRAST


def _without_spaces(text: str) -> str:
    return "".join(text.split())
