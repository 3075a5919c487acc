"""Render one document: layout, checks and damage, from a drawn document to page images and marks."""

from __future__ import annotations

from finscribe_assets.documents.drawn_document import Colours, DrawnDocument
from finscribe_assets.rendering.damage import degrade, encode
from finscribe_assets.rendering.mark_boxes import LaidOutDocument, lay_out
from finscribe_assets.rendering.page_checks import layout_problems, require_sound
from finscribe_assets.rendering.page_html import to_markup
from finscribe_assets.rendering.pages import MarkType, Page, RenderedDocument


def render(drawn: DrawnDocument, dpi: int = 144) -> RenderedDocument:
    """Render a document to page images and the marks on them; the same arguments give the same bytes.

    Args:
        drawn: the document.
        dpi: resolution of the pages before damage; a simulated photograph is larger than its page.

    Raises:
        RenderError: the layout does not show what the document contains; the message names the document and the field.
    """
    laid_out = _lay_out(drawn, dpi)
    require_sound(drawn, layout_problems(drawn, laid_out))
    look = drawn.presentation
    images, marks = degrade(laid_out.pages, laid_out.marks, look, dpi)
    pages = tuple(Page(encode(pixels, look), pixels.shape[1], pixels.shape[0]) for pixels in images)
    return RenderedDocument(drawn.id, dpi, pages, tuple(marks))


def _lay_out(drawn: DrawnDocument, dpi: int) -> LaidOutDocument:
    """Lay out a document, without its remarks if these alone would take another sheet."""
    in_colour = drawn.presentation.colours is Colours.COLOUR
    laid_out = lay_out(to_markup(drawn), dpi, in_colour=in_colour)
    last = len(laid_out.pages) - 1
    with_field = {part.page for mark in laid_out.marks if mark.type is MarkType.FIELD for part in mark.fragments}
    if last == 0 or last in with_field or not drawn.presentation.closing_lines:
        return laid_out
    silent = drawn.presentation.model_copy(update={"remarks": (), "legal_notices": (), "notices": ()})
    return lay_out(to_markup(drawn.model_copy(update={"presentation": silent})), dpi, in_colour=in_colour)
