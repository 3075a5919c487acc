"""Extract line items from tables: the header of a table determines the field of each column.

What belongs here: from the OTSL of tables, as a model read them, to fields by path, with the labels of
`documents.languages`. A misread header cell is matched to the most similar label. A column whose header matches no
label is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from rapidfuzz import fuzz, process

from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.wordings import labels_of, readable_labels
from finscribe_assets.inference.label_assignment import fold_text
from finscribe_assets.instructions.otsl import Grid, from_otsl

_LINE_COLUMNS = (
    "line_id sku gtin classification purchase_order_line item_name quantity unit gross_price price_discount net_price "
    "price_with_vat allowance_amount charge_amount vat_rate net_amount gross_amount"
)
_ENTRY_COLUMNS = "entry_date value_date description reference debit credit amount balance"
TABLE_COLUMNS = {"lines": tuple(_LINE_COLUMNS.split()), "entries": tuple(_ENTRY_COLUMNS.split())}
"""Fields that a column may hold, by the list they belong to."""

CARRIED_SUM_LABELS = ("carried_forward", "brought_forward")
_QUANTITY_ROW = re.compile(
    r"(?P<quantity>-?\d[\d.,]*)(?: (?P<unit>[^\W\d]+))? [x×*] (?P<price>\d[\d .,'’]*?)(?: \S+/\S+)?"
)
_TAX_CODE = re.compile(r"(?<=[.,]\d\d) [A-Z1-9]$")
MIN_RECOGNISED_COLUMNS = 2  # of a header row: the name of an item may look like a single label
MIN_HEADER_SIMILARITY = 0.78  # of a header cell to its label: twice the longest common subsequence over both lengths


class ExtractedCell(NamedTuple):
    """The value of a field in a table."""

    text: str  # as printed
    table: int  # index of the table, from 0


class MatchedColumn(NamedTuple):
    """A column whose header cell is the label of a field."""

    field: str
    similarity: float  # of the header cell to the field's label


def extract_line_items(tables: Iterable[str], locale: str | None = None) -> dict[str, ExtractedCell]:
    """Extract the line items of one document's tables.

    A table without a header row continues the table before it, as on the next page of a document; if it is the first,
    its rows are dropped. Rows with sums that are carried or brought forward are not items.

    Args:
        tables: Each table as OTSL, in reading order.
        locale: Locale of the header labels; for each table, the one with the best matches unless given.

    Returns:
        The cells of recognised columns by field path, such as ``lines[0].item_name``.
    """
    cells: dict[str, ExtractedCell] = {}
    row_counts = dict.fromkeys(TABLE_COLUMNS, 0)
    list_name, columns = "lines", dict[int, str]()
    for table, grid in enumerate(_join_stacked_rows(from_otsl(otsl)) for otsl in tables):
        matched, recognised = match_header(grid[0], locale) if grid else ("", {})
        if len(recognised) >= MIN_RECOGNISED_COLUMNS:
            list_name, columns = matched, {index: column.field for index, column in recognised.items()}
            del grid[0]
        for row in grid:
            if any(label_key(text) in carried_sum_labels() for text in row if text):
                continue
            values = {columns[column]: text for column, text in enumerate(row) if text and column in columns}
            if (below := _quantity_row(row, columns)) and row_counts[list_name]:
                for name, text in below.items():
                    cells[f"{list_name}[{row_counts[list_name] - 1}].{name}"] = ExtractedCell(text, table)
                continue
            if list_name == "lines":
                values = {name: _without_tax_code(name, text) for name, text in values.items()}
            for name, text in values.items():
                cells[f"{list_name}[{row_counts[list_name]}].{name}"] = ExtractedCell(text, table)
            row_counts[list_name] += bool(values)
    return cells


def _join_stacked_rows(grid: Grid) -> Grid:
    """Join each row that is a single item name across the table, as on till receipts, with the amounts below it."""
    rows: Grid = []
    for row in grid:
        above = rows[-1] if rows else []
        if len(above) == len(row) > 1 and above[0] and above[1:] == [None] * (len(row) - 1) and row[0] == "":
            rows[-1] = [above[0], *row[1:]]
        else:
            rows.append(row)
    return rows


def _quantity_row(row: Sequence[str | None], columns: Mapping[int, str]) -> dict[str, str]:
    """Return quantity, unit and price of a row such as ``0.352 kg x 12.90 EUR/kg`` below an item; empty for others."""
    if not row[0] or any(row[1:]) or "quantity" in columns.values():
        return {}
    found = _QUANTITY_ROW.fullmatch(row[0].strip())
    if found is None:
        return {}
    price = "price_with_vat" if "gross_amount" in columns.values() else "net_price"
    unit = {"unit": found["unit"]} if found["unit"] else {}
    return {"quantity": found["quantity"], **unit, price: found["price"]}


def _without_tax_code(name: str, text: str) -> str:
    """Return the text of an amount without the letter or digit beside it that stands for a tax rate."""
    return _TAX_CODE.sub("", text) if name in ("net_amount", "gross_amount") else text


def match_header(header: Sequence[str | None], locale: str | None) -> tuple[str, dict[int, MatchedColumn]]:
    """Return the list that a header row matches best, and its recognised columns by index."""
    keys = tuple(tuple(label_key(part) for part in (text or "").split("/")) for text in header)  # "Menge / Quantity"
    locales = [locale] if locale else LOCALE_FACTS
    matches = [(name, _match_columns(keys, locale, name)) for locale in locales for name in TABLE_COLUMNS]
    list_name, columns = max(matches, key=lambda match: sum(column.similarity for column in match[1].values()))
    return list_name, columns


@cache
def _match_columns(header: tuple[tuple[str, ...], ...], locale: str, list_name: str) -> dict[int, MatchedColumn]:
    """Match header cells to the labels of a list's fields, most similar first, of equals the usual labels."""
    fields, keys, ranks = _column_labels(locale, list_name)
    # A label means the field that has it as the more usual one. A cell that is only similar to it has its first letter.
    usual = set({keys[at]: at for at in sorted(range(len(keys)), key=lambda at: (-ranks[at], -at))}.values())
    candidates = [
        (-score, ranks[at], index, fields[at])
        for index, parts in enumerate(header)
        for part in parts
        if part
        for _, score, at in process.extract(
            part, keys, scorer=fuzz.ratio, processor=None, score_cutoff=100 * MIN_HEADER_SIMILARITY, limit=None
        )
        if at in usual and (score == 100 or part[0] == keys[at][0])
    ]
    columns: dict[int, MatchedColumn] = {}
    matched_fields: set[str] = set()
    for distance, _, index, name in sorted(candidates):
        if index not in columns and name not in matched_fields:
            columns[index] = MatchedColumn(name, -distance / 100)
            matched_fields.add(name)
    return columns


@cache
def _column_labels(locale: str, list_name: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...]]:
    """Return the field, the folded text and the rank of each label of a list's columns; usual ones have low ranks."""
    words = readable_labels(locale)
    labels = [
        (name, label_key(label), rank)
        for name in TABLE_COLUMNS[list_name]
        for rank, label in enumerate(words.get(f"columns.{name}", ()))
    ]
    fields, keys, ranks = zip(*labels, strict=True)
    return fields, keys, ranks


def label_key(text: str) -> str:
    """Return a label's letters and digits in lower case without accents; of a label such as #, the label itself."""
    return fold_text(text) or text.strip()  # a label such as # has no letters to fold


@cache
def carried_sum_labels() -> frozenset[str]:
    """Return the labels of sums that are carried or brought forward, in every language."""
    words = [labels_of(locale) for locale in LOCALE_FACTS]
    return frozenset(label_key(label) for labels in words for key in CARRIED_SUM_LABELS for label in labels[key])
