"""What long tables have besides their rows: pages that carry a subtotal forward, and rows that are no lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random

from finscribe_assets.documents.schema import Document, Entry, Line, PageSubtotal
from finscribe_assets.documents.wordings import phrases

# Few enough to leave room for the head of the first page, and for lines that wrap.
FIRST_PAGE, NEXT_PAGE = 9, 15


def page_subtotals(
    rows: Sequence[Line | Entry], knobs: Mapping[str, float], page_rows: tuple[int, int] | None
) -> tuple[PageSubtotal, ...]:
    """Return what each page carries forward: the sum of the lines so far, or the balance so far.

    A layout of continuation sheets does so always, after so many rows of its first page and of each other.
    """
    if not (knobs["carried_forward"] or page_rows):
        return ()
    first, further = page_rows or (FIRST_PAGE, NEXT_PAGE)
    return tuple(
        PageSubtotal(after=Decimal(stop), amount=_carried(rows[:stop])) for stop in range(first, len(rows), further)
    )


def _carried(rows: Sequence[Line | Entry]) -> Decimal:
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
    """Return the numbers of rows, from 0, that begin a page because a subtotal is carried to it."""
    return tuple(int(one.after) for one in document.page_subtotals)


def sub_rows(random: Random, document: Document, knobs: Mapping[str, float]) -> dict[int, tuple[str, ...]]:
    """Return indented rows without amounts below some lines, by the line's number from 0."""
    if not knobs["sub_items"]:
        return {}
    words = phrases(document.locale, "sub_items")
    below = {
        index: tuple(random.sample(words, random.randint(1, min(3, len(words)))))
        for index in range(len(document.lines))
        if random.random() < 0.5
    }
    return below or {0: tuple(random.sample(words, 1))}
