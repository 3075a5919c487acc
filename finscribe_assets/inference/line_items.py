"""Line items from tables as they were read: the words of a table's head tell which field stands in which column.

What belongs here: from tables' OTSL to fields, by the labels of `documents.languages`. A head that is not quite read
right still tells its column; one that is none of the labels tells nothing, and the column's values are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import NamedTuple

from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.wordings import labels_of
from finscribe_assets.inference.label_assignment import folded
from finscribe_assets.instructions.otsl import Grid, from_otsl

TABLE_COLUMNS = {
    "lines": (
        "line_id",
        "sku",
        "gtin",
        "classification",
        "purchase_order_line",
        "item_name",
        "quantity",
        "unit",
        "gross_price",
        "price_discount",
        "net_price",
        "price_with_vat",
        "allowance_amount",
        "charge_amount",
        "vat_rate",
        "net_amount",
        "gross_amount",
    ),
    "entries": ("entry_date", "value_date", "description", "reference", "debit", "credit", "amount", "balance"),
}
CARRIED_SUM_LABELS = ("carried_forward", "brought_forward")
MIN_RECOGNISED_COLUMNS = 2  # columns that are told: one may be an item's name that looks like a label
MIN_HEADER_SIMILARITY = 0.75  # how like a label a head must be (Ratcliff and Obershelp's ratio)


class ReadCell(NamedTuple):
    """A field's text as it is printed, and the table that it was read in."""

    text: str
    table: int  # place among the tables, from 0


def line_items(tables: Iterable[str], locale: str | None = None) -> dict[str, ReadCell]:
    """Return the fields of a document's tables, given as OTSL in reading order, by path: ``lines[0].item_name``.

    Without a locale, the one whose labels tell the most columns is taken. A table without a head goes on with the one
    before, as on the next page; if it is the first, it gives nothing. Rows that carry a sum forward are no items.
    """
    found: dict[str, ReadCell] = {}
    rows = dict.fromkeys(TABLE_COLUMNS, 0)
    group, columns = "lines", dict[int, str]()
    for number, grid in enumerate(_unstacked(from_otsl(table)) for table in tables):
        told = _columns(grid[0], locale) if grid else ("", {})
        if len(told[1]) >= MIN_RECOGNISED_COLUMNS:
            group, columns = told
            del grid[0]
        for row in grid:
            if any(_key(text) in _carried() for text in row if text):
                continue
            values = {columns[place]: text for place, text in enumerate(row) if text and place in columns}
            found |= {f"{group}[{rows[group]}].{name}": ReadCell(text, number) for name, text in values.items()}
            rows[group] += bool(values)
    return found


def _unstacked(grid: Grid) -> Grid:
    """Return rows with the name of an item that stands across the table, as on till slips, before its figures below."""
    rows: Grid = []
    for row in grid:
        above = rows[-1] if rows else []
        if len(above) == len(row) > 1 and above[0] and above[1:] == [None] * (len(row) - 1) and row[0] == "":
            rows[-1] = [above[0], *row[1:]]
        else:
            rows.append(row)
    return rows


def _columns(head: Sequence[str | None], locale: str | None) -> tuple[str, dict[int, str]]:
    """Return the list that a head is of, and the field of each place that its label tells."""
    texts = tuple(tuple(_key(part) for part in (text or "").split("/")) for text in head)  # a head in two languages
    told = [
        (group, _told(texts, one, group)) for one in ([locale] if locale else LOCALE_FACTS) for group in TABLE_COLUMNS
    ]
    group, places = max(told, key=lambda one: sum(ratio for ratio, _ in one[1].values()))
    return group, {place: name for place, (_, name) in places.items()}


@cache
def _told(head: tuple[tuple[str, ...], ...], locale: str, group: str) -> dict[int, tuple[float, str]]:
    words = labels_of(locale)
    labels = [(_key(label), name) for name in TABLE_COLUMNS[group] for label in words.get(f"columns.{name}", ())]
    alike = [
        (_ratio(part, label), place, name)
        for label, name in labels
        for place, parts in enumerate(head)
        for part in parts
        if part
    ]
    places: dict[int, tuple[float, str]] = {}
    taken: set[str] = set()
    for ratio, place, name in sorted(alike, key=lambda one: -one[0]):
        if ratio >= MIN_HEADER_SIMILARITY and place not in places and name not in taken:
            places[place] = ratio, name
            taken.add(name)
    return places


def _ratio(text: str, label: str) -> float:
    return SequenceMatcher(None, text, label, autojunk=False).ratio()


def _key(text: str) -> str:
    return folded(text) or text.strip()  # a label such as # has no letters


@cache
def _carried() -> frozenset[str]:
    return frozenset(
        _key(label) for locale in LOCALE_FACTS for key in CARRIED_SUM_LABELS for label in labels_of(locale)[key]
    )
