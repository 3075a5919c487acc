"""Render one document: layout, checks and damage, from a drawn document to page images and marks."""

from __future__ import annotations

from finscribe_assets.documents.drawn_document import Colours, DrawnDocument
from finscribe_assets.rendering.damage import degrade, encode
from finscribe_assets.rendering.mark_boxes import lay_out
from finscribe_assets.rendering.page_checks import layout_problems, require_sound
from finscribe_assets.rendering.page_html import to_markup
from finscribe_assets.rendering.pages import Page, RenderedDocument


def render(drawn: DrawnDocument, dpi: int = 144) -> RenderedDocument:
    """Render a document to page images and the marks on them; the same arguments give the same bytes.

    Args:
        drawn: the document.
        dpi: resolution of the pages before damage; a simulated photograph is larger than its page.

    Raises:
        RenderError: the layout does not show what the document contains; the message names the document and the field.
    """
    laid_out = lay_out(to_markup(drawn), dpi, in_colour=drawn.presentation.colours is Colours.COLOUR)
    require_sound(drawn, layout_problems(drawn, laid_out))
    look = drawn.presentation
    images, marks = degrade(laid_out.pages, laid_out.marks, look, dpi)
    pages = tuple(Page(encode(pixels, look), pixels.shape[1], pixels.shape[0]) for pixels in images)
    return RenderedDocument(drawn.id, dpi, pages, tuple(marks))
