"""Column widths of the table of lines, such that no word or number of a cell breaks inside.

A broken word would be read as two, and the ground truth would be wrong. Each layout has usual widths. A document whose
texts need more gets it, and a table that then lacks width gets less padding first and smaller type next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from finscribe_assets.documents.drawn_document import DrawnDocument, Presentation
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.rendering.font_faces import text_width
from finscribe_assets.rendering.line_breaking import UNSPACED_LANGUAGES, unbroken
from finscribe_assets.rendering.printed_rows import WRAPPING_COLUMNS, CellContent, TableRow, is_stacked, table_rows
from finscribe_assets.rendering.sheet_size import sheet_of

POINTS_PER_MM = 72 / 25.4
MIN_PAGE_FONT_SIZE = 6.2  # points; the page scale of layouts in small type goes no lower
TIGHT_PADDING_SHARE = 0.5  # of the usual cell padding, kept where columns lack width
WIDTH_SLACK = 1.04  # factor on measured widths: the engines shape and round text slightly differently
SUB_ROW_INDENT = 1.6  # em before the text of a row below an item
MIN_BLANK_COLUMN = 1.0  # em, of a column without texts
MIN_TEXT_COLUMN = 7.0  # em, of a column that wraps


@dataclass(frozen=True)
class TableStyle:
    """How a layout sets its table of lines. Widths are in em of the table's type, cell padding included."""

    beside_mm: float  # width of what stands beside the table between the margins
    page_scale: float  # type size of the page, as a share of the document's font size
    table_scale: float  # type size of the table, as a share of the page's
    padding: float  # em on the left and on the right of a cell, border included
    leading: float  # em above and below a cell, to be multiplied by the vendor's row height
    widths: dict[str, float]  # usual widths; other columns get what they need, and the text's column the rest


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

TABLE_STYLES = {
    "invoice_classic": TableStyle(0, 1, 1, 0.5, 0.34, _WIDE),
    "invoice_sidebar": TableStyle(50, 1, 0.92, 0.25, 0.3, _NARROW),  # the side column, its rule and padding
    "invoice_boxed": TableStyle(0, 0.96, 0.96, 0.5, 0.32, _WIDE),
    "invoice_open": TableStyle(0, 1, 1, 0.4, 0.5, _WIDE),
    "invoice_ledger": TableStyle(0, 0.84, 0.96, 0.4, 0.18, _NARROW),
    "invoice_letter": TableStyle(0, 1, 0.96, 0.4, 0.3, _WIDE),
    "invoice_columns": TableStyle(0, 0.94, 1, 0.5, 0.34, _WIDE),
    "invoice_continued": TableStyle(0, 0.94, 0.96, 0.5, 0.24, _WIDE),
    "invoice_summary": TableStyle(0, 0.96, 1, 0.45, 0.3, _WIDE),
    "invoice_terms": TableStyle(0, 1, 0.98, 0.5, 0.38, _WIDE),
    "invoice_dense": TableStyle(0, 0.86, 0.96, 0.35, 0.14, _NARROW),
    "order_form": TableStyle(0, 1, 1, 0.6, 0.34, _WIDE),
    "order_letter": TableStyle(0, 1, 1, 0.5, 0.5, _WIDE),
    "order_grid": TableStyle(0, 0.92, 1, 0.5, 0.3, _WIDE),
    "order_terms": TableStyle(0, 0.98, 1, 0.45, 0.3, _WIDE),
    "order_dense": TableStyle(0, 0.88, 0.96, 0.4, 0.16, _NARROW),
    "statement_plain": TableStyle(0, 1, 1, 0.5, 0.34, _WIDE),
    "statement_boxed": TableStyle(0, 1, 0.95, 0.5, 0.34, _WIDE),
    "statement_ledger": TableStyle(0, 0.9, 0.92, 0.4, 0.14, _WIDE),
    "statement_strip": TableStyle(0, 0.94, 0.94, 0.45, 0.24, _WIDE),
    "statement_dense": TableStyle(0, 0.88, 0.92, 0.4, 0.14, _WIDE),
    "receipt_till": TableStyle(0, 0.78, 1, 0.2, 0.16, _TILL),
    "receipt_slip": TableStyle(0, 0.88, 1, 0.45, 0.22, _SLIP),
    "receipt_restaurant": TableStyle(0, 0.84, 1, 0.2, 0.22, _TILL),
}


@dataclass(frozen=True)
class TableWidths:
    """Column widths and type sizes of one document's table."""

    columns: dict[str, float]  # em, padding included; without the text's column, which gets the rest
    page_scale: float  # type size of the page, as a share of the document's font size
    table_scale: float  # type size of the table, as a share of the page's
    padding: str  # CSS padding of a cell, in em of the table's type


def page_scale(look: Presentation) -> float:
    """Return the type size of a page as a share of the document's font size."""
    return max(TABLE_STYLES[look.layout].page_scale, min(1.0, MIN_PAGE_FONT_SIZE / look.font_size))


def table_widths(drawn: DrawnDocument) -> TableWidths:
    """Compute column widths and type sizes of a document's table from its texts and its font."""
    look, language = drawn.presentation, LOCALE_FACTS[drawn.document.locale].language
    style, of_page = TABLE_STYLES[look.layout], page_scale(look)
    em = look.font_size * of_page * style.table_scale  # of the table's type, in points
    available = (sheet_of(drawn).content_width - style.beside_mm) * POINTS_PER_MM / em
    number_widths: dict[str, float] = {}  # by column, in em, without padding
    text_widths: dict[str, float] = {}
    rows = table_rows(drawn)
    for column in look.columns:
        wraps = column in WRAPPING_COLUMNS
        with_column = [row for row in rows if column in row.cells]
        width = max(
            _width(text, look.font, bold=_is_bold(row)) + (SUB_ROW_INDENT if row.style == "sub" else 0)
            for row in with_column
            for text in _unbroken_texts(_text_of(row.cells[column], drawn), language, row.cell_tag, wraps=wraps)
        )
        (text_widths if wraps else number_widths)[column] = width
    # In stacked rows, the text's column is blank beside the numbers, but it still has a width.
    text_columns = (
        dict.fromkeys(text_widths, MIN_BLANK_COLUMN)
        if is_stacked(look)
        else {column: max(width + 2 * style.padding, MIN_TEXT_COLUMN) for column, width in text_widths.items()}
    )

    def available_share(padding: float) -> float:
        """Return the available width as a share of the width that the columns need."""
        needed = sum(text_columns.values()) + sum(width + 2 * padding for width in number_widths.values())
        return available / max(needed, *(width + 2 * padding for width in text_widths.values()))

    def widths(padding: float, scale: float, *, usual: bool) -> TableWidths:
        columns = {
            column: max(style.widths.get(column, 0.0) if usual else 0.0, width + 2 * padding)
            for column, width in number_widths.items()
        }
        leading = round(style.leading * look.style.row_height, 3)
        return TableWidths(columns, of_page, style.table_scale * scale, f"{leading}em {padding}em")

    if available_share(style.padding) >= 1:
        roomy, narrow = widths(style.padding, 1.0, usual=True), widths(style.padding, 1.0, usual=False)
        # Text wraps only where the numbers need the width: its column gets what they have beyond that.
        whole = sum(text_columns.values()) if is_stacked(look) else _whole_texts(drawn, rows, style.padding)
        spare = sum(roomy.columns.values()) - sum(narrow.columns.values())
        lacking = min(max(sum(roomy.columns.values()) + whole - available, 0.0), spare)
        kept = 1 - lacking / spare if spare else 1.0
        columns = {name: width + kept * (roomy.columns[name] - width) for name, width in narrow.columns.items()}
        return replace(roomy, columns=columns)
    tight = style.padding * TIGHT_PADDING_SHARE
    return widths(tight, min(1.0, available_share(tight)), usual=False)


def _whole_texts(drawn: DrawnDocument, rows: list[TableRow], padding: float) -> float:
    """Return the width of the columns of text if no text wraps, but not less than a column of text has."""
    font, columns = drawn.presentation.font, [name for name in drawn.presentation.columns if name in WRAPPING_COLUMNS]
    widest = {
        column: max(
            _width(_text_of(row.cells[column], drawn), font, bold=_is_bold(row))
            + (SUB_ROW_INDENT if row.style == "sub" else 0)
            for row in rows
            if column in row.cells
        )
        for column in columns
    }
    return sum(max(width + 2 * padding, MIN_TEXT_COLUMN) for width in widest.values())


def _width(text: str, family: str, *, bold: bool) -> float:
    return text_width(text, family, bold=bold) * WIDTH_SLACK


def _is_bold(row: TableRow) -> bool:
    return row.cell_tag == "th" or row.style.startswith("carried")


def _unbroken_texts(text: str, language: str, cell_tag: str, *, wraps: bool) -> list[str]:
    """Return the parts of a cell's text that must each stand on one line.

    A head in a language without spaces is given two lines: otherwise it would take a line for each letter.
    """
    if cell_tag == "th" and language in UNSPACED_LANGUAGES:
        half = (len(text) + 1) // 2
        return [*(text[:half], text[half:]), *unbroken(text, language)]
    return unbroken(text, language) if wraps or cell_tag == "th" else [text]


def _text_of(cell: CellContent, drawn: DrawnDocument) -> str:
    before, path, after = cell
    return before + (drawn.printed.get(path, "") if path else "") + after
