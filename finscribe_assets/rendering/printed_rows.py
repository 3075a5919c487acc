"""The rows of a document's table as they are printed: head, lines or entries, and what stands between them.

Rows are numbered from 0 in printed order, heads included; a row that begins a page because a subtotal was brought
forward counts like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from finscribe_assets.documents.drawn_document import DrawnDocument, Presentation

# Columns of numbers: their digits stand below each other.
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
# What is carried forward stands in the first of these that the table has.
_CARRYING = ("balance", "net_amount", "gross_amount", "amount", "credit")
TEXTS = ("item_name", "description")  # columns whose cells wrap
SPANNING = "spanning"  # style of a row whose one text stands over the whole width
STACKING = ("receipt_till", "receipt_restaurant")  # layouts whose items may take two printed rows

Cell = tuple[str, str | None, str]  # text, path of the field after it, text after that


@dataclass(frozen=True)
class TableRow:
    """One printed row."""

    number: int
    kind: str  # th or td
    style: str  # CSS class, may be empty; SPANNING is one
    cells: dict[str, Cell]  # by column; a column that is not here is blank


def is_stacked(look: Presentation) -> bool:
    """Tell whether an item's text stands in a printed row of its own, above its figures."""
    return look.layout in STACKING and look.style.stacked


def merged_at(columns: tuple[str, ...]) -> int:
    """Return how many columns the first of two merged heads spans: up to the text and what tells how much."""
    place = next(index for index, name in enumerate(columns) if name in TEXTS) + 1
    while place < len(columns) - 1 and columns[place] in ("quantity", "unit"):
        place += 1
    return place


def table_rows(drawn: DrawnDocument) -> list[TableRow]:
    """Return the rows of a document's table below a merged head."""
    first = 1 if drawn.presentation.merged_head else 0
    return [TableRow(number, kind, style, cells) for number, (kind, style, cells) in enumerate(_rows(drawn), first)]


def sheets_of(rows: list[TableRow]) -> list[list[TableRow]]:
    """Return the rows below the head, divided where a page begins with what was brought forward."""
    sheets: list[list[TableRow]] = [[]]
    for row in rows:
        if "brought" in row.style:
            sheets.append([])
        if row.kind == "td":
            sheets[-1].append(row)
    return sheets


def _rows(drawn: DrawnDocument) -> Iterator[tuple[str, str, dict[str, Cell]]]:
    look, document = drawn.presentation, drawn.document
    group = "entries" if document.entries else "lines"
    text = next(name for name in look.columns if name in TEXTS)
    yield from _stacked(look, "th", {column: (look.labels[f"{group}.{column}"], None, "") for column in look.columns})
    breaks = {index: number for number, index in enumerate(look.page_breaks)}
    for index in range(len(document.entries or document.lines)):
        if index in breaks:
            path = f"page_subtotals[{breaks[index]}].amount"
            carrying = next(name for name in _CARRYING if name in look.columns)
            yield "td", "carried", {text: (look.labels["carried_forward"], None, ""), carrying: ("", path, "")}
            # The figure is a field once, where it is carried; brought forward it is print only.
            again: dict[str, Cell] = {
                text: (look.labels["brought_forward"], None, ""),
                carrying: (drawn.printed[path], None, ""),
            }
            yield "td", "carried brought", again
        mark = f" {look.rate_mark}" if index in look.marked_lines else ""
        yield from _stacked(
            look,
            "td",
            {column: ("", f"{group}[{index}].{column}", mark if column == text else "") for column in look.columns},
        )
        if f"{group}[{index}].note" in drawn.printed:
            yield "td", "sub", {text: ("", f"{group}[{index}].note", "")}
        for below in look.sub_rows.get(index, ()):
            yield "td", "sub", {text: (below, None, "")}


def _stacked(look: Presentation, kind: str, cells: dict[str, Cell]) -> Iterator[tuple[str, str, dict[str, Cell]]]:
    """Yield the cells of a line as one row, or as two."""
    if not is_stacked(look):
        yield kind, "", cells
        return
    yield kind, SPANNING, {column: cell for column, cell in cells.items() if column in TEXTS}
    yield kind, "figures", {column: cell for column, cell in cells.items() if column not in TEXTS}
