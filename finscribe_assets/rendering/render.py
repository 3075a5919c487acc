"""One document → its pages and marks."""

from __future__ import annotations

from finscribe_assets.documents.drawn import DrawnDocument
from finscribe_assets.rendering.degradation import degrade, encode
from finscribe_assets.rendering.markup import fits_content, to_html
from finscribe_assets.rendering.pages import Page, RenderedDocument
from finscribe_assets.rendering.weasy import content_height_mm, lay_out

BOTTOM_MARGIN_MM = 6


def render(drawn: DrawnDocument, dpi: int = 144) -> RenderedDocument:
    """Return a document's page images, grey, and the boxes of all they print; a function of its arguments alone."""
    html = to_html(drawn)
    if fits_content(drawn):
        html = to_html(drawn, content_height_mm(html) + BOTTOM_MARGIN_MM)
    laid_out = lay_out(html, dpi)
    look = drawn.presentation
    images, marks = degrade(laid_out.pages, laid_out.marks, look.degradation, look.noise_seed)
    pages = tuple(Page(encode(pixels, look.degradation), pixels.shape[1], pixels.shape[0]) for pixels in images)
    return RenderedDocument(drawn.id, dpi, pages, tuple(marks))
