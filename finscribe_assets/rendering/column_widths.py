"""How wide the columns of the line table are: no word or number of a cell may break inside.

A word that breaks is read as two, and its truth would be wrong. Each layout has widths that look right; a document
whose texts need more gets what they need, and a table that still lacks room is set in smaller type.
"""

from __future__ import annotations

from dataclasses import dataclass

from finscribe_assets.documents.drawn_document import DrawnDocument, Presentation
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.rendering.font_faces import text_width
from finscribe_assets.rendering.line_breaking import UNSPACED_LANGUAGES, unbroken
from finscribe_assets.rendering.printed_rows import TEXTS, TableRow, is_stacked, table_rows
from finscribe_assets.rendering.sheet_size import sheet_of

POINTS_PER_MM = 72 / 25.4
SMALLEST_POINTS = 6.2  # of a page's type: layouts in smaller type than others stop here
TIGHT = 0.5  # share of a cell's padding that is left where columns lack room, before type is made smaller
SLACK = 1.04  # the layout engine shapes and rounds text a little otherwise than it is measured here
INDENT = 1.6  # em before the text of a row below an item
BLANK = 1.0  # em that a column without texts has at the least
SHORTEST_TEXT = 7.0  # em that a wrapping column has at the least


@dataclass(frozen=True)
class TableStyle:
    """What a layout gives its line table. Widths are in em of the table's type, cell padding on each side included."""

    beside_mm: float  # what stands beside the table between the margins
    page_scale: float  # type of the page, as a share of the document's font size
    table_scale: float  # type of the table, as a share of the page's
    padding: float  # of a cell on the left and on the right, the border included
    leading: float  # of a cell above and below; times the vendor's own
    widths: dict[str, float]  # usual width of columns, others get what they need; the text's column gets the rest


_WIDE = {
    "line_id": 3.6,
    "quantity": 5.4,
    "unit": 5.4,
    "net_price": 9.4,
    "vat_rate": 6.0,
    "net_amount": 10.4,
    "entry_date": 7.0,
    "amount": 9.4,
    "debit": 9.4,
    "credit": 9.4,
    "balance": 10.0,
}
_NARROW = {"line_id": 2.8, "quantity": 4.6, "unit": 4.6, "net_price": 7.4, "vat_rate": 4.6, "net_amount": 8.6}
_TILL = {"quantity": 4.8, "net_price": 7.4, "net_amount": 8.2}
_SLIP = {"quantity": 5.2, "net_price": 8.0, "net_amount": 9.0}

STYLES = {
    "invoice_classic": TableStyle(0, 1, 1, 0.5, 0.34, _WIDE),
    "invoice_sidebar": TableStyle(50, 1, 0.92, 0.25, 0.3, _NARROW),  # the side, the rule and its padding
    "invoice_boxed": TableStyle(0, 0.96, 0.96, 0.5, 0.32, _WIDE),
    "invoice_open": TableStyle(0, 1, 1, 0.4, 0.5, _WIDE),
    "invoice_ledger": TableStyle(0, 0.84, 0.96, 0.4, 0.18, _NARROW),
    "invoice_letter": TableStyle(0, 1, 0.96, 0.4, 0.3, _WIDE),
    "invoice_columns": TableStyle(0, 0.94, 1, 0.5, 0.34, _WIDE),
    "invoice_continued": TableStyle(0, 0.94, 0.96, 0.5, 0.24, _WIDE),
    "order_form": TableStyle(0, 1, 1, 0.6, 0.34, _WIDE),
    "order_letter": TableStyle(0, 1, 1, 0.5, 0.5, _WIDE),
    "order_grid": TableStyle(0, 0.92, 1, 0.5, 0.3, _WIDE),
    "statement_plain": TableStyle(0, 1, 1, 0.5, 0.34, _WIDE),
    "statement_boxed": TableStyle(0, 1, 0.95, 0.5, 0.34, _WIDE),
    "statement_ledger": TableStyle(0, 0.9, 0.92, 0.4, 0.14, _WIDE),
    "receipt_till": TableStyle(0, 0.78, 1, 0.2, 0.16, _TILL),
    "receipt_slip": TableStyle(0, 0.88, 1, 0.45, 0.22, _SLIP),
    "receipt_restaurant": TableStyle(0, 0.84, 1, 0.2, 0.22, _TILL),
}


@dataclass(frozen=True)
class TableWidths:
    """The columns of one document's table but its text, in em, and the size of its type."""

    columns: dict[str, float]
    page_scale: float
    table_scale: float
    padding: str  # of a cell, in em of the table's type


def page_scale(look: Presentation) -> float:
    """Return the size of a page's type as a share of the document's."""
    return max(STYLES[look.layout].page_scale, min(1.0, SMALLEST_POINTS / look.font_size))


def table_widths(drawn: DrawnDocument) -> TableWidths:
    """Return the widths of a document's table, a function of its texts and its font."""
    look, language = drawn.presentation, LOCALE_FACTS[drawn.document.locale].language
    style, of_page = STYLES[look.layout], page_scale(look)
    room = (sheet_of(drawn).room - style.beside_mm) * POINTS_PER_MM / (look.font_size * of_page * style.table_scale)
    needed: dict[str, float] = {}
    texts: dict[str, float] = {}
    rows = table_rows(drawn)
    for column in look.columns:
        is_text = column in TEXTS
        cells = [row for row in rows if column in row.cells]
        width = max(
            _width(text, look.font, bold=_is_bold(row)) + (INDENT if row.style == "sub" else 0)
            for row in cells
            for text in _parts(_text_of(row.cells[column], drawn), language, row.kind, wraps=is_text)
        )
        (texts if is_text else needed)[column] = width
    # Beside the figures of stacked rows the text's column is blank, but there.
    beside = (
        dict.fromkeys(texts, BLANK)
        if is_stacked(look)
        else {column: max(width + 2 * style.padding, SHORTEST_TEXT) for column, width in texts.items()}
    )

    def lacking(padding: float) -> float:
        """Return what share of the width that the columns need there is."""
        all_needed = sum(beside.values()) + sum(width + 2 * padding for width in needed.values())
        return room / max(all_needed, *(width + 2 * padding for width in texts.values()))

    def widths(padding: float, scale: float, *, usual: bool) -> TableWidths:
        columns = {
            column: max(style.widths.get(column, 0.0) if usual else 0.0, width + 2 * padding)
            for column, width in needed.items()
        }
        leading = round(style.leading * look.style.row_height, 3)
        return TableWidths(columns, of_page, style.table_scale * scale, f"{leading}em {padding}em")

    roomy = widths(style.padding, 1.0, usual=True)
    if lacking(style.padding) >= 1:
        fits = sum(roomy.columns.values()) + sum(beside.values()) <= room
        return roomy if fits else widths(style.padding, 1.0, usual=False)
    tight = style.padding * TIGHT
    return widths(tight, min(1.0, lacking(tight)), usual=False)


def _width(text: str, family: str, *, bold: bool) -> float:
    return text_width(text, family, bold=bold) * SLACK


def _is_bold(row: TableRow) -> bool:
    return row.kind == "th" or row.style.startswith("carried")


def _parts(text: str, language: str, kind: str, *, wraps: bool) -> list[str]:
    """Return what of a cell stands on one line; heads without spaces take two lines, not one a letter."""
    if kind == "th" and language in UNSPACED_LANGUAGES:
        half = (len(text) + 1) // 2
        return [*(text[:half], text[half:]), *unbroken(text, language)]
    return unbroken(text, language) if wraps or kind == "th" else [text]


def _text_of(cell: tuple[str, str | None, str], drawn: DrawnDocument) -> str:
    text, path, after = cell
    return text + (drawn.printed.get(path, "") if path else "") + after
