"""Find the items of till receipts, which have no header: a name, and its amount at the right edge.

What belongs here: rows above the total of a receipt whose amounts add up to it. The sum is what makes them items: a
narrow page has many other rows with a text and a number. Tables with headers belong to `line_tables`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from decimal import Decimal

from finscribe_assets.inference.table_columns import Cells, LineRow, page_rows
from finscribe_assets.inference.text_spans import LineSpan, TextLine, words_of
from finscribe_assets.inference.value_forms import plain_amount

_PRICE = re.compile(
    r"(?:[€$£]\s?)?(?P<amount>-?\d[\d.,'’]*[.,]\d{2}(?:\s?-)?)(?:\s?(?:€|EUR))?(?:\s?(?:[A-Z]{1,2}|\d|\*))?"
)
_TAX_CODE = re.compile(r"[A-Z]{1,2}|\d|\*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_COLUMN_REACH = 0.15  # of the page's print, that right edges of amounts may differ: tax codes stand beside some
_MIN_LETTERS = 3  # of a name
_MAX_ROWS_BETWEEN = 2  # rows without an amount from an item to the next one, such as its number and its quantity


def find_till_items(
    lines: Sequence[TextLine], total: LineSpan, labels: Collection[int], used: Collection[int]
) -> list[Cells]:
    """Return the items above a receipt's total; empty unless their amounts add up to it.

    Args:
        lines: the lines of one document, in any order.
        total: the amount of the total.
        labels: indices of lines that begin with the label of a total, whose amounts are no items.
        used: indices of lines of the seller's name and address, above which no item stands.
    """
    expected = plain_amount(total.text(lines))
    if expected is None:
        return []
    printed = lines[total.line]
    rows = page_rows(lines, printed.page)
    edges = [line.box for line in lines if line.page == printed.page]
    left, right = min(box.x0 for box in edges), max(box.x1 for box in edges)
    items: list[Cells] = []
    rest, skipped = expected, 0
    total_box = total.box(lines)
    above = [row for row in rows if row.bottom < (total_box.y0 + total_box.y1) / 2]
    for index in range(len(above) - 1, -1, -1):
        row = above[index]
        if any(span.line in used for span in row.spans):
            break
        price = _price(lines, row)
        box = price.box(lines) if price else None
        if price is None or box is None or total_box.x1 - box.x1 > _COLUMN_REACH * (right - left):
            skipped += bool(items)
            if skipped > _MAX_ROWS_BETWEEN:
                break
            continue
        amount = plain_amount(price.text(lines)) or Decimal(0)
        if amount > 0 and any(span.line in labels for span in row.spans):
            continue  # a subtotal; a discount, whose label is that of a total too, is negative
        skipped = 0
        item = _item(lines, above, index, price)
        if item is None:
            break
        items.insert(0, item)
        rest -= amount
        if rest == 0:
            return items
    return []


def _price(lines: Sequence[TextLine], row: LineRow) -> LineSpan | None:
    """Return the amount that ends a row, without the code of its tax rate."""
    spans = list(row.spans)
    while len(spans) > 1 and _TAX_CODE.fullmatch(spans[-1].text(lines)):
        spans.pop()
    match = _PRICE.fullmatch(spans[-1].text(lines))
    if match is None:
        return None
    start = spans[-1].start
    return LineSpan(spans[-1].line, start + match.start("amount"), start + match.end("amount"))


def _item(lines: Sequence[TextLine], rows: Sequence[LineRow], index: int, price: LineSpan) -> Cells | None:
    """Return the fields of the item in a row: its name may stand in the row above, its quantity as well."""
    row, above = rows[index], rows[index - 1] if index else None
    if above is not None and _price(lines, above) and _name(lines, above, None):
        amount_above = _price(lines, above).box(lines)  # type: ignore[union-attr]
        if price.box(lines).x1 - amount_above.x1 < price.box(lines).width / 2:
            above = None  # an item of its own
    name = _name(lines, row, price)
    if name is None and above is not None:
        name = _name(lines, above, None)
    if name is None:
        return None
    cells: Cells = {"item_name": [name], "gross_amount": [price]}
    near = [span for span in row.spans if span.line not in (price.line, name.line)]
    near += above.spans if above is not None else []
    if quantity := _quantity(lines, near, plain_amount(price.text(lines))):
        cells["quantity"], cells["price_with_vat"] = [quantity[0]], [quantity[1]]
    return cells


def _name(lines: Sequence[TextLine], row: LineRow, price: LineSpan | None) -> LineSpan | None:
    spans = [span for span in row.spans if price is None or span.line != price.line]
    return next((span for span in spans if sum(map(str.isalpha, span.text(lines))) >= _MIN_LETTERS), None)


def _quantity(
    lines: Sequence[TextLine], spans: Sequence[LineSpan], amount: Decimal | None
) -> tuple[LineSpan, LineSpan] | None:
    """Return the quantity and the price among spans, which together make the amount."""
    numbers = [
        (word, value)
        for span in spans
        for word in words_of(lines, span)
        if _NUMBER.fullmatch(word.text(lines)) and (value := plain_amount(word.text(lines))) is not None
    ]
    for quantity, count in numbers:
        for price, each in numbers:
            has_decimals = any(mark in price.text(lines) for mark in ".,")
            if quantity != price and has_decimals and count * each == amount:
                return quantity, price
    return None
