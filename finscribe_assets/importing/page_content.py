"""Hold what the pages of a document contain, whether they come from a PDF or from images."""

from __future__ import annotations

from dataclasses import dataclass

from finscribe_assets.importing.rejects import InputLimits, rejection
from finscribe_assets.rendering.pages import Page


@dataclass(frozen=True)
class PageContent:
    """A document's pages as PNG files, and what a PDF holds beside them."""

    pages: tuple[Page, ...]
    dpi: int
    texts: tuple[str, ...] | None = None  # text layer of each page; None if the pages are images
    blank: tuple[bool, ...] = ()  # whether each page of a PDF is empty
    embedded: tuple[tuple[str, bytes], ...] = ()  # name and content of embedded invoices, the preferred one first


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
