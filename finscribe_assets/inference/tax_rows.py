"""Find the rows of a tax breakdown that is printed as a table, as at the foot of till receipts.

What belongs here: rows such as ``A 7 % | 0,47 | 6,69 | 7,16`` with a rate, a taxed amount and its tax. The amounts of a
row determine their meaning, since only the tax is the rate's share of another one, so that headers are not needed:
they differ in words and order, and have the words of totals and of item tables. `tax_lines` finds breakdowns that are
printed as sentences.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import permutations

from finscribe_assets.inference.table_columns import LineRow, page_rows
from finscribe_assets.inference.text_spans import LineSpan, TextLine, words_of
from finscribe_assets.inference.value_forms import plain_amount

_AMOUNT = re.compile(r"-?\d[\d.,'’]*[.,]\d{2,3}-?")
_RATE = re.compile(r"(?P<rate>\d{1,2}(?:[.,]\d{1,3})?)(?P<sign>\s?%)")
_MAX_LETTERS = 10  # of the name of a rate; items have longer names
_ROUNDING = Decimal("0.02")  # of a tax that is the sum of the taxes of items
_SUM_GAP = 1.5  # line heights between the last row and the row of sums


@dataclass
class TaxRows:
    """The rows of a document's tax breakdowns.

    Attributes:
        cells: span of each value by field path.
        lines: indices of the lines of the rows, their header and the row of their sums.
    """

    cells: dict[str, LineSpan] = field(default_factory=dict)
    lines: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class _TaxRow:
    rate: LineSpan
    taxable: LineSpan
    tax: LineSpan
    gross: LineSpan | None


def find_tax_rows(lines: Sequence[TextLine], used: Collection[int] = (), first: int = 0) -> TaxRows:
    """Find rates, taxed amounts and tax amounts in rows, and the sums of taxed amounts and taxes below them.

    Args:
        lines: the lines of one document, in any order.
        used: indices of lines that are something else, such as rows of items.
        first: index of the first entry of ``vat_breakdown``.
    """
    found = TaxRows()
    for page in sorted({line.page for line in lines}):
        rows = page_rows(lines, page)
        read: list[_TaxRow] = []
        for index, row in enumerate(rows):
            tax_row = None if any(span.line in used for span in row.spans) else read_tax_row(lines, row)
            if tax_row is not None:
                if not read and index and not _has_digits(lines, rows[index - 1]):
                    found.lines.update(span.line for span in rows[index - 1].spans)
                entry = f"vat_breakdown[{first + len(read)}]"
                found.cells[f"{entry}.rate"] = tax_row.rate
                found.cells[f"{entry}.taxable_amount"] = tax_row.taxable
                found.cells[f"{entry}.tax_amount"] = tax_row.tax
                found.lines.update(span.line for span in row.spans)
                read.append(tax_row)
            elif read:
                if row.top - rows[index - 1].bottom <= _SUM_GAP * row.height:
                    _add_sums(found, lines, row, read)
                break
        first += len(read)
    return found


def read_tax_row(lines: Sequence[TextLine], row: LineRow) -> _TaxRow | None:
    """Return the values of a row that has a rate, an amount, the rate's share of it and, perhaps, their sum.

    A row with further numbers, or with as many letters as the name of an item, is none.
    """
    rates, amounts, letters = [], [], 0
    for span in row.spans:
        text = span.text(lines)
        match = _RATE.search(text)
        if match:
            rates.append(LineSpan(span.line, span.start + match.start(), span.start + match.end()))
        for word in words_of(lines, span):
            printed = word.text(lines)
            if match and rates[-1].start < word.end and word.start < rates[-1].end:
                continue
            if _AMOUNT.fullmatch(printed):
                amounts.append(word)
            elif any(map(str.isdigit, printed)):
                return None
            else:
                letters += sum(map(str.isalpha, printed))
    if len(rates) != 1 or len(amounts) not in (2, 3) or letters > _MAX_LETTERS:
        return None
    rate = plain_amount(rates[0].text(lines))
    for taxable, tax, *rest in permutations(amounts):
        values = [plain_amount(span.text(lines)) for span in (taxable, tax, *rest)]
        if rate is None or None in values:
            continue
        net, share = values[0], values[1]
        is_share = net and abs(net * rate / 100 - share) <= _ROUNDING  # type: ignore[operator]
        if is_share and (not rest or net + share == values[2]):  # type: ignore[operator]
            return _TaxRow(rates[0], taxable, tax, rest[0] if rest else None)
    return None


def _has_digits(lines: Sequence[TextLine], row: LineRow) -> bool:
    return any(any(map(str.isdigit, span.text(lines))) for span in row.spans)


def _add_sums(found: TaxRows, lines: Sequence[TextLine], row: LineRow, above: Sequence[_TaxRow]) -> None:
    """Take the sums of taxed amounts and taxes from the row below a breakdown, which are totals of the document."""
    words = [word for span in row.spans for word in words_of(lines, span) if _AMOUNT.fullmatch(word.text(lines))]
    amounts = {plain_amount(word.text(lines)): word for word in reversed(words)}
    net = sum((plain_amount(tax_row.taxable.text(lines)) or Decimal(0) for tax_row in above), Decimal(0))
    tax = sum((plain_amount(tax_row.tax.text(lines)) or Decimal(0) for tax_row in above), Decimal(0))
    if net in amounts and tax in amounts and net != tax:
        found.cells["totals.total_without_vat"] = amounts[net]
        found.cells["totals.total_vat"] = amounts[tax]
        found.lines.update(span.line for span in row.spans)
