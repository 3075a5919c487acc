"""Render one document: layout, checks and damage, from a drawn document to page images and marks."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from finscribe_assets.documents.drawn_document import Colours, DrawnDocument
from finscribe_assets.rendering.damage import degrade, encode
from finscribe_assets.rendering.mark_boxes import LaidOutDocument, lay_out
from finscribe_assets.rendering.page_checks import layout_problems, require_sound
from finscribe_assets.rendering.page_html import to_markup
from finscribe_assets.rendering.pages import Box, Fragment, MarkType, Page, RenderedDocument
from finscribe_assets.rendering.sheet_size import sheet_of
from finscribe_assets.rendering.slip_placing import PLACING_DPI, place_slip


def render(drawn: DrawnDocument, dpi: int = 144) -> RenderedDocument:
    """Render a document to page images and the marks on them; the same arguments give the same bytes.

    Args:
        drawn: the document.
        dpi: resolution of the pages before damage, unless the document has its own; a simulated photograph is larger
            than its page.

    Raises:
        RenderError: the layout does not show what the document contains; the message names the document and the field.
    """
    dpi = drawn.presentation.dpi or dpi
    laid_out = _lay_out(drawn, dpi)
    require_sound(drawn, layout_problems(drawn, laid_out))
    look = drawn.presentation
    if look.stretch != 1:
        laid_out = _stretched(laid_out, look.stretch)
    images, marks = degrade(laid_out.pages, laid_out.marks, look, dpi, _neighbour_page(drawn, dpi))
    pages = tuple(Page(encode(pixels, look), pixels.shape[1], pixels.shape[0]) for pixels in images)
    return RenderedDocument(drawn.id, dpi, pages, tuple(marks))


def _stretched(laid_out: LaidOutDocument, factor: float) -> LaidOutDocument:
    """Return the pages higher by a factor, as fixed-pitch printers set letters that are higher than wide."""
    pages, factors = [], []
    for page in laid_out.pages:
        height = max(1, round(page.shape[0] * factor))
        pages.append(np.asarray(cv2.resize(page, (page.shape[1], height), interpolation=cv2.INTER_CUBIC), np.uint8))
        factors.append(height / page.shape[0])

    def moved(part: Fragment) -> Fragment:
        box, by = part.box, factors[part.page]
        return replace(part, box=Box(box.x0, box.y0 * by, box.x1, box.y1 * by))

    marks = [replace(mark, fragments=tuple(map(moved, mark.fragments))) for mark in laid_out.marks]
    return LaidOutDocument(pages, marks)


def _neighbour_page(drawn: DrawnDocument, dpi: int) -> np.ndarray | None:
    """Return the page in grey of the document beside this one; None if there is none."""
    other = drawn.presentation.neighbour
    if other is None:
        return None
    parts = {"document": other.document, "printed": other.printed, "presentation": other.presentation}
    laid_out = lay_out(to_markup(drawn.model_copy(update=parts)), dpi, in_colour=False)
    if drawn.presentation.stretch != 1:
        laid_out = _stretched(laid_out, drawn.presentation.stretch)
    return laid_out.pages[0]


def _lay_out(drawn: DrawnDocument, dpi: int) -> LaidOutDocument:
    """Lay out a document, without its remarks if these alone would take another sheet."""
    in_colour = drawn.presentation.colours is Colours.COLOUR
    if drawn.presentation.payment_slip:
        first = lay_out(to_markup(drawn), PLACING_DPI, in_colour=False)
        place = place_slip(first.marks, first.pages[0].shape[0], sheet_of(drawn))
        return lay_out(to_markup(drawn, slip_place=place), dpi, in_colour=in_colour)
    laid_out = lay_out(to_markup(drawn), dpi, in_colour=in_colour)
    terms = {part.page for mark in laid_out.marks if mark.name == "terms_1" for part in mark.fragments}
    last = min(terms, default=len(laid_out.pages)) - 1
    with_field = {part.page for mark in laid_out.marks if mark.type is MarkType.FIELD for part in mark.fragments}
    if last == 0 or last in with_field or not drawn.presentation.closing_lines:
        return laid_out
    silent = drawn.presentation.model_copy(update={"remarks": (), "legal_notices": (), "notices": ()})
    return lay_out(to_markup(drawn.model_copy(update={"presentation": silent})), dpi, in_colour=in_colour)
