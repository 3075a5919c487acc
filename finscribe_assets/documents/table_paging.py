"""What tables have besides lines and entries: subtotals that pages carry forward, and indented sub-rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random

from finscribe_assets.documents.schema import Document, Entry, Line, PageSubtotal
from finscribe_assets.documents.trades import trade_table
from finscribe_assets.documents.wordings import phrases

# Trades whose goods are put up or connected where they are used; others' are delivered and packed.
_FITTED_TRADES = frozenset(
    [
        "electronics",
        "household",
        "furniture",
        "it_hardware",
        "building",
        "electrical",
        "plumbing",
        "machinery",
        "industrial",
        "medical",
        "laboratory",
        "automotive",
        "bicycles",
        "garden",
    ]
)
# Number of rows on the first page, which also holds the header, and on each further page, with room for rows that wrap.
FIRST_PAGE_ROWS, NEXT_PAGE_ROWS = 9, 15


def page_subtotals(
    rows: Sequence[Line | Entry], knobs: Mapping[str, float], page_rows: tuple[int, int] | None
) -> tuple[PageSubtotal, ...]:
    """Return the subtotals that pages carry forward: the sum of the lines so far, or the balance so far.

    Args:
        rows: the lines or entries.
        knobs: the knob values that were drawn for the document.
        page_rows: number of rows on the first and on each further page, if the layout always carries subtotals forward.
    """
    if not (knobs["carried_forward"] or page_rows):
        return ()
    first, further = page_rows or (FIRST_PAGE_ROWS, NEXT_PAGE_ROWS)
    return tuple(
        PageSubtotal(after=Decimal(stop), amount=_subtotal(rows[:stop])) for stop in range(first, len(rows), further)
    )


def _subtotal(rows: Sequence[Line | Entry]) -> Decimal:
    """Return the balance after the last entry, or the sum of the rows."""
    last = rows[-1]
    if isinstance(last, Entry):
        if last.balance is not None:
            return last.balance
        return sum((row.amount for row in rows if isinstance(row, Entry)), Decimal(0))
    amounts = [
        row.net_amount if row.net_amount is not None else row.gross_amount for row in rows if isinstance(row, Line)
    ]
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def page_breaks(document: Document) -> tuple[int, ...]:
    """Return the indices of the rows that start a page because a subtotal is carried forward to it."""
    return tuple(int(subtotal.after) for subtotal in document.page_subtotals)


def sub_rows(random: Random, document: Document, trade: str, knobs: Mapping[str, float]) -> dict[int, tuple[str, ...]]:
    """Draw indented rows without amounts below some lines, by line index.

    Their texts fit what the seller's trade sells: bread is not fitted, and advice has no packaging.
    """
    if not knobs["sub_items"]:
        return {}
    words = phrases(document.locale, _sub_items_key(trade))
    below = {
        index: tuple(random.sample(words, random.randint(1, min(3, len(words)))))
        for index in range(len(document.lines))
        if random.random() < 0.5
    }
    return below or {0: tuple(random.sample(words, 1))}


def _sub_items_key(trade: str) -> str:
    if trade_table()[trade].kind == "service":
        return "sub_items.service"
    return "sub_items" if trade in _FITTED_TRADES else "sub_items.consumable"
