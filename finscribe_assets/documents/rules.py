"""The arithmetic that a financial document keeps: EN 16931's calculation rules, each stated once under its code.

A rule looks at amounts by field path (``totals.amount_due``, ``lines[3].net_amount``), so that the same statement
serves a whole document, a partial ground truth and a model's prediction. Source: EN 16931-1, table of business rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any

from finscribe_assets.documents.elements import ValueKind, kind_of
from finscribe_assets.documents.locales import minor_unit
from finscribe_assets.documents.schema import flatten

Amounts = Mapping[str, Decimal]


@dataclass(frozen=True)
class Outcome:
    """One rule applied to one place of a document."""

    code: str
    path: str  # of the amount that the rule determines
    expected: Decimal
    actual: Decimal

    @property
    def holds(self) -> bool:
        """Tell whether the amount is exactly what the rule says."""
        return self.expected == self.actual


def round_to(value: Decimal, unit: Decimal) -> Decimal:
    """Round half up to a multiple of a currency's smallest amount, as invoices do."""
    return value.quantize(unit, rounding=ROUND_HALF_UP)


MAX_DIGITS = 18  # beyond it a number is no amount of money, and exact arithmetic on it would have no bound
EXACT_DIGITS = 100  # holds any product of two such numbers, 18 digits on either side of the point each


def amount_of(value: Any) -> Decimal | None:
    """Return a plain decimal as a number; None for anything else, as predictions hold anything."""
    if not isinstance(value, str | int | float | Decimal) or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    if not number.is_finite() or number.adjusted() >= MAX_DIGITS:
        return None
    return number if int(number.as_tuple().exponent) > -MAX_DIGITS else None


def amounts_of_leaves(leaves: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return the amounts among values by path; values that are no plain decimal are left out."""
    found = ((path, amount_of(value)) for path, value in leaves.items() if kind_of(path) is ValueKind.AMOUNT)
    return {path: amount for path, amount in found if amount is not None}


def amounts_of(document: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return a JSON document's amounts by path."""
    return amounts_of_leaves(flatten(document))


def check(amounts: Amounts, currency: str) -> list[Outcome]:
    """Apply every rule wherever all of its amounts are present."""
    unit = minor_unit(currency)
    # The usual 28 digits would round a prediction's absurd amounts, or refuse to.
    with localcontext(prec=EXACT_DIGITS):
        return [outcome for rule in RULES for outcome in rule(amounts, unit)]


def _indices(amounts: Amounts, group: str) -> list[int]:
    found = (re.match(rf"{group}\[(\d+)\]", path) for path in amounts)
    return sorted({int(match[1]) for match in found if match})


def _column(amounts: Amounts, group: str, name: str) -> list[Decimal] | None:
    """Return one amount of every member of a group, or None unless each member has it."""
    indices = _indices(amounts, group)
    values = [amounts.get(f"{group}[{index}].{name}") for index in indices]
    return [value for value in values if value is not None] if values and None not in values else None


def line_amount(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BT-131 = BT-129 × BT-146, rounded: a line's amount is its quantity times its price."""
    for index in _indices(amounts, "lines"):
        quantity, price, amount = (
            amounts.get(f"lines[{index}].{name}") for name in ("quantity", "net_price", "net_amount")
        )
        if quantity is not None and price is not None and amount is not None:
            yield Outcome("LINE-AMOUNT", f"lines[{index}].net_amount", round_to(quantity * price, unit), amount)


def sum_of_lines(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-10: BT-106 = Σ BT-131."""
    lines, total = _column(amounts, "lines", "net_amount"), amounts.get("totals.sum_of_line_net_amounts")
    if lines is not None and total is not None:
        yield Outcome("BR-CO-10", "totals.sum_of_line_net_amounts", sum(lines, Decimal(0)), total)


def total_without_vat(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-13: BT-109 = BT-106 - BT-107 (there are no document charges here)."""
    lines, total = amounts.get("totals.sum_of_line_net_amounts"), amounts.get("totals.total_without_vat")
    if lines is not None and total is not None:
        yield Outcome("BR-CO-13", "totals.total_without_vat",
                      lines - amounts.get("totals.allowance_total", Decimal(0)), total)  # fmt: skip


def total_vat(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-14: BT-110 = Σ BT-117."""
    taxes, total = _column(amounts, "vat_breakdown", "tax_amount"), amounts.get("totals.total_vat")
    if taxes is not None and total is not None:
        yield Outcome("BR-CO-14", "totals.total_vat", sum(taxes, Decimal(0)), total)


def total_with_vat(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-15: BT-112 = BT-109 + BT-110; the tax is summed from the breakdown where its total is not given."""
    net, total, tax = (amounts.get(f"totals.{name}") for name in ("total_without_vat", "total_with_vat", "total_vat"))
    if tax is None and (taxes := _column(amounts, "vat_breakdown", "tax_amount")) is not None:
        tax = sum(taxes, Decimal(0))
    if net is not None and total is not None and tax is not None:
        yield Outcome("BR-CO-15", "totals.total_with_vat", net + tax, total)


def amount_due(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-16: BT-115 = BT-112 - BT-113."""
    total, due = amounts.get("totals.total_with_vat"), amounts.get("totals.amount_due")
    if total is not None and due is not None:
        yield Outcome("BR-CO-16", "totals.amount_due", total - amounts.get("totals.paid_amount", Decimal(0)), due)


def tax_by_rate(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-17: BT-117 = BT-116 × BT-119 / 100, rounded for each rate."""
    for index in _indices(amounts, "vat_breakdown"):
        rate, base, tax = (amounts.get(f"vat_breakdown[{index}].{name}")
                           for name in ("rate", "taxable_amount", "tax_amount"))  # fmt: skip
        if rate is not None and base is not None and tax is not None:
            yield Outcome("BR-CO-17", f"vat_breakdown[{index}].tax_amount", round_to(base * rate / 100, unit), tax)


RULES = (line_amount, sum_of_lines, total_without_vat, total_vat, total_with_vat, amount_due, tax_by_rate)
