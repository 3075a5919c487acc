"""What reading a document's pages gives, whichever kind of file they are in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finscribe_assets.importing.rejects import Limits, reject
from finscribe_assets.rendering.pages import Page
from finscribe_assets.rendering.png_encoding import to_png


@dataclass(frozen=True)
class PageContent:
    """A document's pages as grey PNG files, and what a PDF tells beside them."""

    pages: tuple[Page, ...]
    dpi: int
    texts: tuple[str, ...] | None = None  # each page's text layer; None where the pages are images
    blank: tuple[bool, ...] = ()  # whether a page has nothing on it
    embedded: tuple[tuple[str, bytes], ...] = ()  # name and bytes of the invoices embedded in a PDF, best first


def page_of(pixels: np.ndarray) -> Page:
    """Return grey pixels (height × width, uint8) as a stored page; nothing of the file that they came from is kept."""
    height, width = pixels.shape
    return Page(to_png(np.ascontiguousarray(pixels)), width, height)


def check_sizes(sizes: list[tuple[int, int]], limits: Limits) -> None:
    """See to it that pages, as width and height in pixels, keep their bounds.

    Raises:
        Rejected: there are none, too many, or too large ones.
    """
    if not sizes:
        raise reject("it has no pages")
    if len(sizes) > limits.pages:
        raise reject(f"{len(sizes):,} pages; at most {limits.pages} are read")
    for number, (width, height) in enumerate(sizes, 1):
        if width < 1 or height < 1 or width * height > limits.page_pixels:
            raise reject(f"page {number} has {width:,} × {height:,} pixels; at most {limits.page_pixels:,} are read")
    if (total := sum(width * height for width, height in sizes)) > limits.document_pixels:
        raise reject(f"its pages have {total:,} pixels; at most {limits.document_pixels:,} are read")
