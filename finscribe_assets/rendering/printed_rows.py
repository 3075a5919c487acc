"""The printed rows of a document's table: its head, lines or entries, subtotals carried over pages, and notes.

Rows are numbered from 0 in printed order, heads and rows of subtotals included. Templates print these rows, and
`column_widths` measures them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from finscribe_assets.documents.drawn_document import DrawnDocument, Presentation
from finscribe_assets.documents.printed_values import quantity_row_fields
from finscribe_assets.documents.receipt_drawing import tax_code_key
from finscribe_assets.documents.schema import Document
from finscribe_assets.rendering.page_blocks import TextAndField

# Columns of numbers: aligned at the end of the line, so that digits stand below each other.
MONEY_COLUMNS = (
    "quantity",
    "gross_price",
    "price_discount",
    "net_price",
    "price_with_vat",
    "allowance_amount",
    "charge_amount",
    "vat_rate",
    "net_amount",
    "gross_amount",
    "debit",
    "credit",
    "amount",
    "balance",
)
# A subtotal carried forward stands in the first of these columns that the table has.
_SUBTOTAL_COLUMNS = ("balance", "net_amount", "gross_amount", "amount", "credit")
WRAPPING_COLUMNS = ("item_name", "description")  # columns of text; every table has one of them
SPANNING_STYLE = "spanning"  # style of a row whose only cell spans all columns
STACKING_LAYOUTS = ("receipt_till", "receipt_restaurant")  # layouts whose items may take two printed rows

CellContent = tuple[str, str | None, str]  # a text, the path of the field printed after it, and the text after that

_Row = tuple[str, str, dict[str, CellContent], tuple[TextAndField, ...]]  # a `TableRow` without its number


@dataclass(frozen=True)
class TableRow:
    """One printed row."""

    number: int
    cell_tag: str  # HTML element of its cells: th in the head, td below
    style: str  # CSS class, may be empty; SPANNING_STYLE is one
    cells: dict[str, CellContent]  # by column; columns that are absent are blank
    pieces: tuple[TextAndField, ...] = ()  # content of the only cell of a row that prints several fields


def is_stacked(look: Presentation) -> bool:
    """Return whether an item's text has a printed row of its own, above the row of its numbers."""
    return look.layout in STACKING_LAYOUTS and look.style.stacked and not look.quantity_rows


def item_group_span(columns: tuple[str, ...]) -> int:
    """Return how many columns the first cell of a merged head spans: all up to the text, its quantity and unit."""
    span = next(index for index, name in enumerate(columns) if name in WRAPPING_COLUMNS) + 1
    while span < len(columns) - 1 and columns[span] in ("quantity", "unit"):
        span += 1
    return span


def table_rows(drawn: DrawnDocument) -> list[TableRow]:
    """Return the rows of a document's table, without the row of a merged head, which is number 0 where there is one."""
    first = 1 if drawn.presentation.merged_head else 0
    return [TableRow(number, *row) for number, row in enumerate(_rows(drawn), first)]


def rows_by_sheet(rows: list[TableRow]) -> list[list[TableRow]]:
    """Return the rows below the head, split before each row of a subtotal brought forward, which begins a page."""
    sheets: list[list[TableRow]] = [[]]
    for row in rows:
        if "brought" in row.style:
            sheets.append([])
        if row.cell_tag == "td":
            sheets[-1].append(row)
    return sheets


def _rows(drawn: DrawnDocument) -> Iterator[_Row]:
    """Yield the cell tag, the style, the cells and the pieces of each row."""
    look, document = drawn.presentation, drawn.document
    group = "entries" if document.entries else "lines"
    text_column = next(name for name in look.columns if name in WRAPPING_COLUMNS)
    yield from _stacked(look, "th", {column: (look.labels[f"{group}.{column}"], None, "") for column in look.columns})
    breaks = {index: number for number, index in enumerate(look.page_breaks)}
    for index in range(len(document.entries or document.lines)):
        if index in breaks:
            path = f"page_subtotals[{breaks[index]}].amount"
            amount_column = next(name for name in _SUBTOTAL_COLUMNS if name in look.columns)
            carried: dict[str, CellContent] = {
                text_column: (look.labels["carried_forward"], None, ""),
                amount_column: ("", path, ""),
            }
            # The amount is marked as a field once, where it is carried forward; where it is brought forward it is only
            # printed.
            brought: dict[str, CellContent] = {
                text_column: (look.labels["brought_forward"], None, ""),
                amount_column: (drawn.printed[path], None, ""),
            }
            yield "td", "carried", carried, ()
            yield "td", "carried brought", brought, ()
        if f"{group}[{index}].heading" in drawn.printed:
            yield "td", "group", {}, (("", f"{group}[{index}].heading"),)
        tax_code = ""
        if look.tax_codes and (rate := document.lines[index].vat_rate) is not None:
            tax_code = f" {look.tax_codes[tax_code_key(rate)]}"
        rate_mark = f" {look.rate_mark}" if index in look.marked_lines else ""
        yield from _stacked(
            look,
            "td",
            {
                column: (
                    "",
                    f"{group}[{index}].{column}",
                    rate_mark if column == text_column else tax_code if column == look.columns[-1] else "",
                )
                for column in look.columns
            },
        )
        if look.quantity_rows and (names := quantity_row_fields(document.lines[index])):
            yield "td", "sub", {}, _quantity_pieces(f"lines[{index}]", names, document)
        if f"{group}[{index}].note" in drawn.printed:
            yield "td", "sub", {text_column: ("", f"{group}[{index}].note", "")}, ()
        for text in look.sub_rows.get(index, ()):
            yield "td", "sub", {text_column: (text, None, "")}, ()
        if index in look.group_subtotals:
            subtotal = look.group_subtotals[index]
            column = next(name for name in _SUBTOTAL_COLUMNS if name in look.columns)
            cells: dict[str, CellContent] = {
                text_column: (subtotal.label, None, ""),
                column: (subtotal.amount, None, ""),
            }
            yield "td", "carried subtotal", cells, ()


def _quantity_pieces(path: str, names: tuple[str, ...], document: Document) -> tuple[TextAndField, ...]:
    """Return the row below an item: ``2 x 1.29``, or for goods sold by weight ``0.352 kg x 12.90 EUR/kg``."""
    *quantity, price = names
    pieces: list[TextAndField] = [("" if name == "quantity" else " ", f"{path}.{name}") for name in quantity]
    pieces.append((" x ", f"{path}.{price}"))
    if "unit" in quantity:
        pieces.append((f" {document.currency_code}/{document.lines[int(path[6:-1])].unit}", None))
    return tuple(pieces)


def _stacked(look: Presentation, tag: str, cells: dict[str, CellContent]) -> Iterator[_Row]:
    """Yield the cells of a line as one row, or as two where rows are stacked."""
    if not is_stacked(look):
        yield tag, "", cells, ()
        return
    yield tag, SPANNING_STYLE, {column: cell for column, cell in cells.items() if column in WRAPPING_COLUMNS}, ()
    yield tag, "figures", {column: cell for column, cell in cells.items() if column not in WRAPPING_COLUMNS}, ()
