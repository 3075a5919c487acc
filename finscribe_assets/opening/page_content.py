"""Hold what the pages of a document contain, whether they come from a PDF or from images."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from finscribe_assets.opening.input_limits import InputLimits, rejection
from finscribe_assets.rendering.pages import Page


@dataclass(frozen=True)
class PageTurn:
    """How a page was turned upright. Boxes of the document are in pixels of the page after the turn."""

    page: int  # from 1
    rotation: int  # degrees clockwise: 0, 90, 180 or 270
    skew: float  # further degrees clockwise, about the middle
    width: int  # of the page before the turn, in pixels
    height: int

    def to_json(self) -> dict[str, float]:
        """Return the turn as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class PageContent:
    """A document's pages as PNG files, and what a PDF holds beside them."""

    pages: tuple[Page, ...]
    dpi: int
    texts: tuple[str, ...] | None = None  # text layer of each page; None if the pages are images, or it is forbidden
    blank: tuple[bool, ...] = ()  # whether each page of a PDF is empty
    embedded: tuple[tuple[str, bytes], ...] = ()  # name and content of a PDF's XML files, if they were wanted
    text_angles: tuple[
        float | None, ...
    ] = ()  # clockwise degrees that turn the text of each PDF page upright, if known
    turns: tuple[PageTurn, ...] = ()  # of the pages that were turned
    notes: tuple[str, ...] = ()  # what was left out, and why

    @property
    def is_pdf(self) -> bool:
        """Return whether the pages come from a PDF, so that they had no pixels before."""
        return bool(self.blank)


def check_page_count(count: int, limits: InputLimits) -> None:
    """Check the number of a document's pages.

    Raises:
        RejectedDocumentError: There are no pages, or too many.
    """
    if count < 1:
        raise rejection("it has no pages")
    if count > limits.pages:
        raise rejection(f"{count:,} pages; at most {limits.pages} are read; split it")


def check_page_sizes(sizes: list[tuple[int, int]], limits: InputLimits) -> None:
    """Check page sizes, given as width and height in pixels, against the limits.

    Raises:
        RejectedDocumentError: There are no pages, too many pages, or too many pixels.
    """
    check_page_count(len(sizes), limits)
    for number, (width, height) in enumerate(sizes, 1):
        if width < 1 or height < 1 or width * height > limits.page_pixels:
            raise rejection(
                f"page {number} has {width:,} × {height:,} pixels; at most {limits.page_pixels:,} pixels are read; "
                "scale it down"
            )
    if (total := sum(width * height for width, height in sizes)) > limits.document_pixels:
        raise rejection(
            f"its pages have {total:,} pixels; at most {limits.document_pixels:,} are read; split it or scale it down"
        )
