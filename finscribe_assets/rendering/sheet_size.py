"""The paper of a document: its size, its margins and the area between them, in millimetres."""

from __future__ import annotations

from dataclasses import dataclass

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType

PAPER_SIZES_MM = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}  # width, height
SLIP_WIDTH_MM = 105.0  # of the layout receipt_slip; a till roll's width is its vendor's
NARROW_ROLL_MM = 58  # rolls up to this width have narrower side margins
RECEIPT_HEIGHT_MM = 4000.0  # taller than any receipt; the page is cut to its content after layout


@dataclass(frozen=True)
class Sheet:
    """A document's paper; all lengths in millimetres."""

    size: str  # CSS `size`; by name where the size has one, since inches converted to millimetres are rounded
    width: float
    height: float
    side: float  # left and right margin
    top: float  # top margin
    bottom: float  # bottom margin

    @property
    def content_width(self) -> float:
        """Return the width between the margins."""
        return self.width - 2 * self.side

    @property
    def content_height(self) -> float:
        """Return the height between the margins."""
        return self.height - self.top - self.bottom


def fits_content(drawn: DrawnDocument) -> bool:
    """Return whether the page is only as tall as its content, as a receipt is."""
    return drawn.document.document_type is DocumentType.RECEIPT


def sheet_of(drawn: DrawnDocument) -> Sheet:
    """Return a document's paper: a receipt's roll or slip, else its country's paper, in landscape for some layouts."""
    look = drawn.presentation
    style = look.style
    if fits_content(drawn):
        width = SLIP_WIDTH_MM if look.layout == "receipt_slip" else float(style.roll)
        side = 3.0 if width <= NARROW_ROLL_MM else 4.0
        return Sheet(f"{width}mm {RECEIPT_HEIGHT_MM}mm", width, RECEIPT_HEIGHT_MM, side, 5.0, 5.0)
    size = LOCALE_FACTS[drawn.document.locale].paper
    width, height = PAPER_SIZES_MM[size]
    if LAYOUT_FACTS[look.layout].landscape:
        size, width, height = f"{size} landscape", height, width
    return Sheet(size, width, height, style.side_margin, style.top_margin, style.bottom_margin)
