"""Hold what the pages of a document contain, whether they come from a PDF or from images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finscribe_assets.importing.rejects import InputLimits, rejection
from finscribe_assets.rendering.page_colours import without_empty_colour
from finscribe_assets.rendering.pages import Page
from finscribe_assets.rendering.png_encoding import to_png


@dataclass(frozen=True)
class PageContent:
    """A document's pages as PNG files, and what a PDF holds beside them."""

    pages: tuple[Page, ...]
    dpi: int
    texts: tuple[str, ...] | None = None  # text layer of each page; None if the pages are images
    blank: tuple[bool, ...] = ()  # whether each page of a PDF is empty
    embedded: tuple[tuple[str, bytes], ...] = ()  # name and content of embedded invoices, the preferred one first


def page_from_pixels(pixels: np.ndarray) -> Page:
    """Encode pixels (height × width, or × 3 in colour; uint8) as a page, with nothing else of the file they came from.

    Pixels that are all grey become a grey page: most scanners store grey pages in colour files.
    """
    height, width = pixels.shape[:2]
    return Page(to_png(np.ascontiguousarray(without_empty_colour(pixels))), width, height)


def check_page_sizes(sizes: list[tuple[int, int]], limits: InputLimits) -> None:
    """Check page sizes, given as width and height in pixels, against the limits.

    Raises:
        RejectedDocumentError: There are no pages, too many pages, or too many pixels.
    """
    if not sizes:
        raise rejection("it has no pages")
    if len(sizes) > limits.pages:
        raise rejection(f"{len(sizes):,} pages; at most {limits.pages} are read")
    for number, (width, height) in enumerate(sizes, 1):
        if width < 1 or height < 1 or width * height > limits.page_pixels:
            raise rejection(
                f"page {number} has {width:,} × {height:,} pixels; at most {limits.page_pixels:,} pixels are read"
            )
    if (total := sum(width * height for width, height in sizes)) > limits.document_pixels:
        raise rejection(f"its pages have {total:,} pixels; at most {limits.document_pixels:,} are read")
