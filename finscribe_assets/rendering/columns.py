"""How wide the columns of the line table are: no word or number of a cell may break inside.

A word that breaks is read as two, and its truth would be wrong. Each layout has widths that look right; a document
whose texts need more gets what they need, and a table that still lacks room is set in smaller type.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cache

from PIL import ImageFont

from finscribe_assets.documents.drawn import DrawnDocument
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.rendering.rows import table_rows

POINTS_PER_MM = 72 / 25.4
PAPER_WIDTH_MM = {"A4": 210.0, "Letter": 215.9}
SMALLEST_SCALE = 0.7  # smaller type could not be read at 144 dpi
SLACK = 1.04  # the layout engine shapes and rounds text a little otherwise than it is measured here
UNITS = 1000  # size at which faces are measured
TEXTS = ("item_name", "description")  # columns whose cells wrap
SHORTEST_TEXT = 7.0  # em that a wrapping column has at the least
UNSPACED_LANGUAGES = ("ja", "zh")
_RUNS = re.compile(r"[!-~]+|[^\s!-~]")


@dataclass(frozen=True)
class TableStyle:
    """What a layout gives its line table. Widths are in em of the table's type, cell padding on each side included."""

    outside_mm: float  # of the paper's width, what the table does not have
    page_scale: float  # type of the page, as a share of the document's font size
    table_scale: float  # type of the table, as a share of the page's
    padding: float  # of a cell on the left and on the right, the border included
    leading: float  # of a cell above and below
    widths: dict[str, float]  # usual width of columns, others get what they need; the text's column gets the rest
    paper_mm: float | None = None  # width of the roll; None for sheets


_WIDE = {"line_id": 3.6, "quantity": 5.4, "unit": 5.4, "net_price": 9.4, "vat_rate": 6.0, "net_amount": 10.4,
         "entry_date": 7.0, "amount": 9.4, "debit": 9.4, "credit": 9.4, "balance": 10.0}  # fmt: skip
_NARROW = {"line_id": 2.8, "quantity": 4.6, "unit": 4.6, "net_price": 7.4, "vat_rate": 4.6, "net_amount": 8.6}

STYLES = {
    "invoice_classic": TableStyle(32, 1, 1, 0.5, 0.34, _WIDE),
    "invoice_sidebar": TableStyle(82, 1, 0.92, 0.25, 0.3, _NARROW),  # margins, the side, the rule and its padding
    "order_form": TableStyle(32, 1, 1, 0.6, 0.34, _WIDE),
    "order_letter": TableStyle(32, 1, 1, 0.5, 0.5, _WIDE),
    "statement_plain": TableStyle(32, 1, 1, 0.5, 0.34, _WIDE),
    "statement_boxed": TableStyle(32, 1, 0.95, 0.5, 0.34, _WIDE),
    "receipt_till": TableStyle(8, 0.78, 1, 0.2, 0.16, _WIDE | {"quantity": 4.8, "net_price": 7.4, "net_amount": 8.2}, 80),
    "receipt_slip": TableStyle(8, 0.88, 1, 0.45, 0.22, _WIDE | {"quantity": 5.2, "net_price": 8.0, "net_amount": 9.0}, 105),
}


@dataclass(frozen=True)
class TableWidths:
    """The columns of one document's table but its text, in em, and the size of its type."""

    columns: dict[str, float]
    page_scale: float
    table_scale: float
    padding: str  # of a cell, in em of the table's type


@cache
def _face(family: str, bold: bool) -> ImageFont.FreeTypeFont:
    pattern = f"{family}:bold" if bold else family
    command = ["fc-match", "-f", "%{file}\n%{index}", pattern]
    file, index = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")  # noqa: S603
    # Above its low half, fontconfig's index names an instance of a variable font, which Pillow knows otherwise.
    return ImageFont.truetype(file, UNITS, index=int(index) & 0xFFFF)


def _needed(text: str, family: str, bold: bool) -> float:
    return _face(family, bold).getlength(text) / UNITS * SLACK


def _unbroken(text: str, language: str) -> list[str]:
    """Return what of a text stands on one line: words, or the letters of a language that breaks between any two."""
    return _RUNS.findall(text) if language in UNSPACED_LANGUAGES else text.split()


def table_widths(drawn: DrawnDocument) -> TableWidths:
    """Return the widths of a document's table, a function of its texts and its font."""
    look, facts = drawn.presentation, LOCALE_FACTS[drawn.document.locale]
    style = STYLES[look.layout]
    paper = style.paper_mm or PAPER_WIDTH_MM[facts.paper]
    type_size = look.font_size * style.page_scale * style.table_scale
    room = (paper - style.outside_mm) * POINTS_PER_MM / type_size
    rows, padding = table_rows(drawn), 2 * style.padding
    needed: dict[str, float] = {}
    texts: dict[str, float] = {}
    for column in look.columns:
        head, *cells = [_text_of(row.cells[column], drawn) for row in rows if column in row.cells]
        is_text = column in TEXTS
        unbroken = {part for text in cells for part in (_unbroken(text, facts.language) if is_text else [text])}
        heads = [_needed(word, look.font, bold=True) for word in _unbroken(head, facts.language)]
        width = max([*heads, *(_needed(text, look.font, bold=False) for text in unbroken)]) + padding
        (texts if is_text else needed)[column] = max(width, SHORTEST_TEXT) if is_text else width
    name = sum(texts.values())
    usual = {column: max(style.widths.get(column, 0.0), width) for column, width in needed.items()}
    inside = f"{style.leading}em {style.padding}em"
    if name + sum(usual.values()) <= room:
        return TableWidths(usual, style.page_scale, style.table_scale, inside)
    scale = max(SMALLEST_SCALE, min(1.0, room / (name + sum(needed.values()))))
    return TableWidths(needed, style.page_scale, style.table_scale * scale, inside)


def _text_of(cell: tuple[str, str | None, str], drawn: DrawnDocument) -> str:
    text, path, after = cell
    return text + (drawn.printed.get(path, "") if path else "") + after
