"""How wide the columns of the line table are: no word or number of a cell may break inside.

A word that breaks is read as two, and its truth would be wrong. Each layout has widths that look right; a document
whose texts need more gets what they need, and a table that still lacks room is set in smaller type.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache

from PIL import ImageFont

from finscribe_assets.documents.drawn import DrawnDocument
from finscribe_assets.documents.locales import LOCALE_FACTS

POINTS_PER_MM = 72 / 25.4
PAPER_WIDTH_MM = {"A4": 210.0, "Letter": 215.9}
SMALLEST_SCALE = 0.7  # smaller type could not be read at 144 dpi
SLACK = 1.04  # the layout engine shapes and rounds text a little otherwise than it is measured here
UNITS = 1000  # size at which faces are measured


@dataclass(frozen=True)
class TableStyle:
    """What a layout gives its line table. Widths are in em of the table's type, cell padding on each side included."""

    outside_mm: float  # of the paper's width, what the table does not have
    page_scale: float  # type of the page, as a share of the document's font size
    table_scale: float  # type of the table, as a share of the page's
    padding: float  # of a cell on the left and on the right, the border included
    widths: dict[str, float]  # usual width of each column; the item's name gets the rest
    paper_mm: float | None = None  # width of the roll; None for sheets


_WIDE = {"line_id": 3.6, "quantity": 5.4, "unit_code": 5.4, "net_price": 9.4, "vat_rate": 6.0, "net_amount": 10.4}
_NARROW = {"line_id": 2.8, "quantity": 4.6, "unit_code": 4.6, "net_price": 7.4, "vat_rate": 4.6, "net_amount": 8.6}

STYLES = {
    "invoice_classic": TableStyle(32, 1, 1, 0.5, _WIDE),
    "invoice_sidebar": TableStyle(82, 1, 0.92, 0.25, _NARROW),  # margins, the side, the rule and its padding
    "order_form": TableStyle(32, 1, 1, 0.6, _WIDE),
    "order_letter": TableStyle(32, 1, 1, 0.5, _WIDE),
    "receipt_till": TableStyle(8, 0.78, 1, 0.2, _WIDE | {"quantity": 4.8, "net_price": 7.4, "net_amount": 8.2}, 80),
    "receipt_slip": TableStyle(8, 0.88, 1, 0.45, _WIDE | {"quantity": 5.2, "net_price": 8.0, "net_amount": 9.0}, 105),
}


@dataclass(frozen=True)
class TableWidths:
    """The columns of one document's line table but the item's name, in em, and the size of its type."""

    columns: dict[str, float]
    page_scale: float
    table_scale: float


@cache
def _face(family: str, bold: bool) -> ImageFont.FreeTypeFont:
    pattern = f"{family}:bold" if bold else family
    file = subprocess.run(["fc-match", "-f", "%{file}", pattern], check=True, capture_output=True, text=True).stdout  # noqa: S603, S607
    return ImageFont.truetype(file, UNITS)


def _needed(text: str, family: str, bold: bool) -> float:
    return _face(family, bold).getlength(text) / UNITS * SLACK


def table_widths(drawn: DrawnDocument) -> TableWidths:
    """Return the widths of a document's line table, a function of its texts and its font."""
    look = drawn.presentation
    style = STYLES[look.layout]
    paper = style.paper_mm or PAPER_WIDTH_MM[LOCALE_FACTS[drawn.document.locale].paper]
    type_size = look.font_size * style.page_scale * style.table_scale
    room = (paper - style.outside_mm) * POINTS_PER_MM / type_size
    needed = {}
    for column in look.columns:
        cells = {drawn.printed.get(f"lines[{index}].{column}", "") for index in range(len(drawn.document.lines))}
        unbroken = {word for text in cells for word in text.split()} if column == "item_name" else cells
        head = max(_needed(word, look.font, bold=True) for word in look.labels[f"columns.{column}"].split())
        needed[column] = max(head, *(_needed(text, look.font, bold=False) for text in unbroken)) + 2 * style.padding
    name = needed.pop("item_name")
    usual = {column: max(style.widths[column], width) for column, width in needed.items()}
    if name + sum(usual.values()) <= room:
        return TableWidths(usual, style.page_scale, style.table_scale)
    scale = max(SMALLEST_SCALE, min(1.0, room / (name + sum(needed.values()))))
    return TableWidths(needed, style.page_scale, style.table_scale * scale)
