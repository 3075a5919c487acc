"""Find the lines of a tax breakdown: a tax, its rate and the taxed amount in one line, and the tax amount beside it.

All languages print them alike, such as ``VAT 20% on 100.00 | 20.00`` and ``inkl. MwSt. 7 % auf 50,00 | 3,27``, so that
the words are not interpreted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from finscribe_assets.inference.line_neighbours import right_neighbours
from finscribe_assets.inference.text_spans import LineSpan, TextLine, whole
from finscribe_assets.inference.value_forms import AMOUNT_PATTERN

_TAX_LINE = re.compile(
    r"[^\d%]{2,60}?\s(?P<rate>\d{1,2}(?:[.,]\d{1,3})?\s?%)\s[^\d%]{2,40}?\s(?P<taxable>-?\d[\d.,'’\s]*)"
)

TAX_FIELDS = ("rate", "taxable_amount", "tax_amount")
"""Fields of an entry of ``vat_breakdown`` that a line of a tax breakdown has."""


def find_tax_lines(lines: Sequence[TextLine], used: Collection[int] = ()) -> dict[str, LineSpan]:
    """Find rates, taxed amounts and tax amounts.

    Args:
        lines: the lines of one document, in reading order.
        used: indices of lines that are something else, such as rows of tables.

    Returns:
        The span of each value by field path, such as ``vat_breakdown[0].rate``.
    """
    right_of = right_neighbours(lines)
    found: dict[str, LineSpan] = {}
    count = 0
    for index, line in enumerate(lines):
        match = _TAX_LINE.fullmatch(line.text.rstrip())
        right = right_of.get(index)
        if match is None or right is None or index in used or right in used:
            continue
        amount = whole(lines, right)
        if AMOUNT_PATTERN.fullmatch(amount.text(lines)) is None:
            continue
        row = f"vat_breakdown[{count}]"
        found[f"{row}.rate"] = LineSpan(index, *match.span("rate"))
        found[f"{row}.taxable_amount"] = LineSpan(index, *match.span("taxable"))
        found[f"{row}.tax_amount"] = amount
        count += 1
    return found
