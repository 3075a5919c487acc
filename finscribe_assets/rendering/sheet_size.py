"""The paper of a document: its size, its margins, and the room between them."""

from __future__ import annotations

from dataclasses import dataclass

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType

PAPERS_MM = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}
ACROSS = ("invoice_continued",)  # layouts on sheets that lie on their long side
SLIP_MM = 105.0  # width of a slip; a till's roll is its vendor's
NARROWEST_ROLL_MM = 58
FIT_MM = 4000.0  # taller than any receipt; the page is then cut to its content


@dataclass(frozen=True)
class Sheet:
    """What a document is printed on, in millimetres."""

    size: str  # in CSS; by name where it has one, as inches in millimetres are rounded
    width: float
    height: float
    side: float  # margin left and right
    top: float
    bottom: float

    @property
    def room(self) -> float:
        """Return the width between the margins."""
        return self.width - 2 * self.side

    @property
    def tall(self) -> float:
        """Return the height between the margins."""
        return self.height - self.top - self.bottom


def fits_content(drawn: DrawnDocument) -> bool:
    """Tell whether the page is as tall as what it prints, as a receipt is."""
    return drawn.document.document_type is DocumentType.RECEIPT


def sheet_of(drawn: DrawnDocument) -> Sheet:
    """Return the paper of a document: its country's, on its long side for some layouts, or a receipt's roll."""
    look = drawn.presentation
    style = look.style
    if fits_content(drawn):
        width = SLIP_MM if look.layout == "receipt_slip" else float(style.roll)
        return Sheet(f"{width}mm {FIT_MM}mm", width, FIT_MM, 3.0 if width <= NARROWEST_ROLL_MM else 4.0, 5.0, 5.0)
    size = LOCALE_FACTS[drawn.document.locale].paper
    width, height = PAPERS_MM[size]
    if look.layout in ACROSS:
        size, width, height = f"{size} landscape", height, width
    return Sheet(size, width, height, style.side_margin, style.top_margin, style.bottom_margin)
