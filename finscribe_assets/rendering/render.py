"""One document → its pages and marks."""

from __future__ import annotations

from finscribe_assets.documents.drawn import DrawnDocument
from finscribe_assets.rendering.degradation import degrade, encode
from finscribe_assets.rendering.markup import to_markup
from finscribe_assets.rendering.pages import Page, RenderedDocument
from finscribe_assets.rendering.placing import lay_out


def render(drawn: DrawnDocument, dpi: int = 144) -> RenderedDocument:
    """Return a document's page images, grey, and the boxes of all they print; a function of its arguments alone."""
    laid_out = lay_out(to_markup(drawn), dpi)
    look = drawn.presentation
    images, marks = degrade(laid_out.pages, laid_out.marks, look.degradation, look.noise_seed)
    pages = tuple(Page(encode(pixels, look.degradation), pixels.shape[1], pixels.shape[0]) for pixels in images)
    return RenderedDocument(drawn.id, dpi, pages, tuple(marks))
