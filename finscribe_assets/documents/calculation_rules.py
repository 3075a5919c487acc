"""The calculation rules that the amounts of a financial document obey, each stated once under its code.

A rule reads amounts by field path (``totals.amount_due``, ``lines[3].net_amount``), so one statement of it checks a
whole document, the visible part of one, and a model's prediction. Sources: EN 16931-1 (business rules BR-…), PEPPOL BIS
Billing 3.0 (R…), and rules of our own for extensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any

from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.documents.locales import minor_unit
from finscribe_assets.documents.schema import flatten

Amounts = Mapping[str, Decimal]
"""Amounts by field path."""


@dataclass(frozen=True)
class Outcome:
    """The result of applying one rule to one amount of a document."""

    code: str
    path: str  # of the amount that the rule determines
    expected: Decimal
    actual: Decimal

    @property
    def holds(self) -> bool:
        """Tell whether the amount equals exactly what the rule gives."""
        return self.expected == self.actual


CalculationRule = Callable[[Amounts, Decimal], Iterator[Outcome]]
"""A function of the amounts and the currency's minor unit; yields an outcome wherever all its amounts are present."""


def round_to(value: Decimal, unit: Decimal) -> Decimal:
    """Round half up to a multiple of a currency's minor unit, as invoices do."""
    return value.quantize(unit, rounding=ROUND_HALF_UP) + 0  # adding 0 turns -0 into 0


# Limits for predictions, which may hold any number.
MAX_ROWS = 10_000  # rows that are summed for one subtotal
MAX_DIGITS = 18  # on either side of the decimal point; longer numbers are not taken for amounts of money
EXACT_DIGITS = 100  # precision of arithmetic: any product of two such numbers is exact


def amount_of(value: Any) -> Decimal | None:
    """Return a plain decimal number, given as a number or text, or None for any other value.

    Numbers of more than `MAX_DIGITS` digits before or after the decimal point also give None.
    """
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
    """Return the amounts among values by path, without those that are not plain decimal numbers."""
    amounts = {path: amount_of(value) for path, value in leaves.items() if value_type_of(path) is ValueType.AMOUNT}
    return {path: amount for path, amount in amounts.items() if amount is not None}


def amounts_of(document: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return the amounts of a JSON document by path."""
    return amounts_of_leaves(flatten(document))


def check_calculations(
    amounts: Amounts, currency: str, rules: Sequence[CalculationRule] | None = None
) -> list[Outcome]:
    """Apply calculation rules wherever all the amounts that they need are present.

    Args:
        amounts: amounts by field path.
        currency: ISO 4217 code; determines what amounts are rounded to.
        rules: the rules to apply; all of `CALCULATION_RULES` if not given.
    """
    unit = minor_unit(currency)
    # Python's default precision of 28 digits would round, or reject, the absurd amounts of some predictions.
    with localcontext(prec=EXACT_DIGITS):
        return [outcome for rule in rules or CALCULATION_RULES for outcome in rule(amounts, unit)]


def _indices(amounts: Amounts, group: str) -> list[int]:
    """Return the positions of a group's items that have an amount, in ascending order."""
    start = f"{group}["
    indices = {path[len(start) :].partition("]")[0] for path in amounts if path.startswith(start)}
    return sorted(int(index) for index in indices if index.isdecimal())


def _column(amounts: Amounts, group: str, name: str) -> list[Decimal] | None:
    """Return one amount of every item of a group, or None if any item lacks it."""
    indices = _indices(amounts, group)
    values = [amounts.get(f"{group}[{index}].{name}") for index in indices]
    return [value for value in values if value is not None] if values and None not in values else None


def _sum(amounts: Amounts, *paths: str) -> Decimal:
    """Return the sum of some amounts; absent ones count as 0."""
    return sum((amounts.get(path, Decimal(0)) for path in paths), Decimal(0))


def line_amount(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BT-131 = BT-129 × BT-146 / BT-149 - BT-136 + BT-141: quantity times price, less discount, plus charge.

    This is PEPPOL's rule R120; EN 16931 has none. If prices include tax, the same holds for price and amount with tax.
    """
    for index in _indices(amounts, "lines"):
        line = f"lines[{index}]"
        base_quantity = amounts.get(f"{line}.price_base_quantity", Decimal(1))
        for price_name, amount_name in (("net_price", "net_amount"), ("price_with_vat", "gross_amount")):
            quantity, price, amount = (amounts.get(f"{line}.{name}") for name in ("quantity", price_name, amount_name))
            if quantity is None or price is None or amount is None or base_quantity <= 0:
                continue
            expected = round_to(quantity * price / base_quantity, unit)
            expected += _sum(amounts, f"{line}.charge_amount") - _sum(amounts, f"{line}.allowance_amount")
            yield Outcome("LINE-AMOUNT", f"{line}.{amount_name}", expected, amount)


def net_price(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BT-146 = BT-148 - BT-147: the net price is the list price less its discount (PEPPOL R046)."""
    for index in _indices(amounts, "lines"):
        gross, discount, net = (
            amounts.get(f"lines[{index}].{name}") for name in ("gross_price", "price_discount", "net_price")
        )
        if gross is not None and discount is not None and net is not None:
            yield Outcome("NET-PRICE", f"lines[{index}].net_price", gross - discount, net)


def line_with_vat(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Our own: a line's amount with tax is its net amount plus the rounded tax on it."""
    for index in _indices(amounts, "lines"):
        line = f"lines[{index}]."
        net, rate, gross = (amounts.get(line + name) for name in ("net_amount", "vat_rate", "gross_amount"))
        if net is not None and rate is not None and gross is not None:
            yield Outcome("LINE-WITH-VAT", f"{line}gross_amount", net + round_to(net * rate / 100, unit), gross)


def sum_of_lines(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-10: BT-106 = Σ BT-131."""
    lines, total = _column(amounts, "lines", "net_amount"), amounts.get("totals.sum_of_line_net_amounts")
    if lines is not None and total is not None:
        yield Outcome("BR-CO-10", "totals.sum_of_line_net_amounts", sum(lines, Decimal(0)), total)


def sum_of_allowances(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-11: BT-107 = Σ BT-92."""
    parts, total = _column(amounts, "allowances", "amount"), amounts.get("totals.allowance_total")
    if parts is not None and total is not None:
        yield Outcome("BR-CO-11", "totals.allowance_total", sum(parts, Decimal(0)), total)


def sum_of_charges(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-12: BT-108 = Σ BT-99."""
    parts, total = _column(amounts, "charges", "amount"), amounts.get("totals.charge_total")
    if parts is not None and total is not None:
        yield Outcome("BR-CO-12", "totals.charge_total", sum(parts, Decimal(0)), total)


def total_without_vat(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-13: BT-109 = BT-106 - BT-107 + BT-108; allowances and charges are summed if their total is absent."""
    lines, total = amounts.get("totals.sum_of_line_net_amounts"), amounts.get("totals.total_without_vat")
    if lines is not None and total is not None:
        allowance, charge = _total_of(amounts, "allowances", "allowance"), _total_of(amounts, "charges", "charge")
        yield Outcome("BR-CO-13", "totals.total_without_vat", lines - allowance + charge, total)


def _total_of(amounts: Amounts, group: str, name: str) -> Decimal:
    given = amounts.get(f"totals.{name}_total")
    return given if given is not None else sum(_column(amounts, group, "amount") or (), Decimal(0))


def total_vat(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-14: BT-110 = Σ BT-117."""
    taxes, total = _column(amounts, "vat_breakdown", "tax_amount"), amounts.get("totals.total_vat")
    if taxes is not None and total is not None:
        yield Outcome("BR-CO-14", "totals.total_vat", sum(taxes, Decimal(0)), total)


def total_with_vat(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-15: BT-112 = BT-109 + BT-110; the tax is summed from the breakdown if its total is absent."""
    net, total, tax = (amounts.get(f"totals.{name}") for name in ("total_without_vat", "total_with_vat", "total_vat"))
    if tax is None and (taxes := _column(amounts, "vat_breakdown", "tax_amount")) is not None:
        tax = sum(taxes, Decimal(0))
    if net is not None and total is not None and tax is not None:
        yield Outcome("BR-CO-15", "totals.total_with_vat", net + tax, total)


def sum_of_lines_with_vat(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Our own: if prices include tax, BT-112 is the sum of the lines' amounts with tax."""
    lines, total = _column(amounts, "lines", "gross_amount"), amounts.get("totals.total_with_vat")
    inclusive = _column(amounts, "lines", "price_with_vat") is not None
    if lines is not None and total is not None and inclusive:
        yield Outcome("LINES-WITH-VAT", "totals.total_with_vat", sum(lines, Decimal(0)), total)


def amount_due(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-16: BT-115 = BT-112 - BT-113 + BT-114."""
    total, due = amounts.get("totals.total_with_vat"), amounts.get("totals.amount_due")
    if total is not None and due is not None:
        expected = total - _sum(amounts, "totals.paid_amount") + _sum(amounts, "totals.rounding_amount")
        yield Outcome("BR-CO-16", "totals.amount_due", expected, due)


def tax_by_rate(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-17: BT-117 = BT-116 × BT-119 / 100, rounded for each category and rate."""
    for index in _indices(amounts, "vat_breakdown"):
        rate, base, tax = (
            amounts.get(f"vat_breakdown[{index}].{name}") for name in ("rate", "taxable_amount", "tax_amount")
        )
        if rate is not None and base is not None and tax is not None:
            yield Outcome("BR-CO-17", f"vat_breakdown[{index}].tax_amount", round_to(base * rate / 100, unit), tax)


def taxable_by_rate(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-S-08 and the same rule of other categories: BT-116 = Σ BT-131 - Σ BT-92 + Σ BT-99 of the same rate.

    Not applicable if several authorities, or several categories, have the same rate.
    """
    rates, lines = _column(amounts, "lines", "vat_rate"), _column(amounts, "lines", "net_amount")
    shares = {index: amounts.get(f"vat_breakdown[{index}].rate") for index in _indices(amounts, "vat_breakdown")}
    parts = [
        (sign, _column(amounts, group, "vat_rate"), _column(amounts, group, "amount"))
        for sign, group in ((-1, "allowances"), (1, "charges"))
        if _indices(amounts, group)
    ]
    shared = sorted(rate for rate in shares.values() if rate is not None)
    if rates is None or lines is None or sorted(set(rates)) != shared:
        return
    if any(part_rates is None or part_amounts is None for _, part_rates, part_amounts in parts):
        return
    for index, rate in shares.items():
        base = amounts.get(f"vat_breakdown[{index}].taxable_amount")
        if base is None:
            continue
        expected = _sum_at(rate, rates, lines)
        for sign, part_rates, part_amounts in parts:
            expected += sign * _sum_at(rate, part_rates or (), part_amounts or ())
        yield Outcome("BR-S-08", f"vat_breakdown[{index}].taxable_amount", expected, base)


def _sum_at(rate: Decimal | None, rates: Sequence[Decimal], amounts: Sequence[Decimal]) -> Decimal:
    """Return the sum of the amounts that have a tax rate."""
    return sum((amount for other, amount in zip(rates, amounts, strict=True) if other == rate), Decimal(0))


def vat_in_accounting_currency(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Our own: BT-111 is BT-110 times the printed exchange rate, rounded to the decimals that BT-111 has."""
    names = ("totals.total_vat", "exchange_rate", "totals.total_vat_accounting")
    tax, rate, converted = (amounts.get(name) for name in names)
    if tax is not None and rate is not None and converted is not None:
        unit_of_total = Decimal(1).scaleb(int(converted.as_tuple().exponent))
        yield Outcome("VAT-ACCOUNTING", "totals.total_vat_accounting", round_to(tax * rate, unit_of_total), converted)


def account_balance(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Our own: the new balance is the previous balance plus the amount due."""
    names = ("previous_balance", "amount_due", "account_balance")
    previous, due, balance = (amounts.get(f"totals.{name}") for name in names)
    if previous is not None and due is not None and balance is not None:
        yield Outcome("ACCOUNT-BALANCE", "totals.account_balance", previous + due, balance)


def change(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Our own: the change is the amount tendered, less the amount due and the tip."""
    names = ("tendered_amount", "amount_due", "change_amount")
    tendered, due, returned = (amounts.get(f"totals.{name}") for name in names)
    if tendered is not None and due is not None and returned is not None:
        yield Outcome("CHANGE", "totals.change_amount", tendered - due - _sum(amounts, "totals.tip_amount"), returned)


def cash_discount(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Our own: the discount for early payment is its percentage of the amount due."""
    names = ("cash_discount.percentage", "totals.amount_due", "cash_discount.amount")
    percentage, due, discount = (amounts.get(name) for name in names)
    if percentage is not None and due is not None and discount is not None:
        yield Outcome("CASH-DISCOUNT", "cash_discount.amount", round_to(due * percentage / 100, unit), discount)


def _moved(amounts: Amounts, index: int) -> Decimal | None:
    """Return what a row of a statement adds to the balance, by its signed amount or its debit and credit columns."""
    row = f"entries[{index}]"
    if f"{row}.amount" in amounts:
        return amounts[f"{row}.amount"]
    if f"{row}.debit" in amounts or f"{row}.credit" in amounts:
        return _sum(amounts, f"{row}.credit") - _sum(amounts, f"{row}.debit")
    return None


def balances_chain(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Our own: each balance of a statement is the one before it plus the row's amount, up to the closing balance."""
    balance = amounts.get("statement.opening_balance")
    for index in _indices(amounts, "entries"):
        moved, stated = _moved(amounts, index), amounts.get(f"entries[{index}].balance")
        expected = balance + moved if balance is not None and moved is not None else None
        if expected is not None and stated is not None:
            yield Outcome("BALANCE", f"entries[{index}].balance", expected, stated)
        balance = stated if stated is not None else expected
    closing = amounts.get("statement.closing_balance")
    if balance is not None and closing is not None and _indices(amounts, "entries"):
        yield Outcome("CLOSING-BALANCE", "statement.closing_balance", balance, closing)


def statement_totals(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Our own: the totals of a statement are the sums of what is paid out and of what is paid in."""
    moved = [_moved(amounts, index) for index in _indices(amounts, "entries")]
    known = [amount for amount in moved if amount is not None]
    if not known or len(known) < len(moved):
        return
    for name, sign in (("total_debits", -1), ("total_credits", 1)):
        total = amounts.get(f"statement.{name}")
        if total is not None:
            expected = sum((sign * amount for amount in known if sign * amount > 0), Decimal(0))
            yield Outcome("STATEMENT-TOTALS", f"statement.{name}", expected, total)


def carried_forward(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Our own: a page carries forward the sum of the lines so far, or the balance so far."""
    for index in _indices(amounts, "page_subtotals"):
        after, carried = (amounts.get(f"page_subtotals[{index}].{name}") for name in ("after", "amount"))
        if after is None or carried is None or not 0 < after < MAX_ROWS:
            continue
        expected = _subtotal(amounts, int(after))
        if expected is not None:
            yield Outcome("CARRIED-FORWARD", f"page_subtotals[{index}].amount", expected, carried)


def _subtotal(amounts: Amounts, count: int) -> Decimal | None:
    """Return the balance after ``count`` entries, or the sum of as many lines; None if an amount is absent."""
    if _indices(amounts, "entries"):
        return amounts.get(f"entries[{count - 1}].balance")
    for name in ("net_amount", "gross_amount"):
        lines = [amounts.get(f"lines[{index}].{name}") for index in range(count)]
        known = [amount for amount in lines if amount is not None]
        if known and len(known) == count:
            return sum(known, Decimal(0))
    return None


OPTIONAL_AMOUNTS = {
    "LINE-AMOUNT": ("lines.price_base_quantity", "lines.allowance_amount", "lines.charge_amount"),
    "BR-CO-13": ("totals.allowance_total", "allowances.amount", "totals.charge_total", "charges.amount"),
    "BR-CO-16": ("totals.paid_amount", "totals.rounding_amount"),
    "BR-S-08": ("allowances.amount", "charges.amount"),
    "CHANGE": ("totals.tip_amount",),
}
"""Fields that a rule takes for absent where a document lacks them, so that it needs to know that they are."""

CALCULATION_RULES = (
    line_amount,
    net_price,
    line_with_vat,
    sum_of_lines,
    sum_of_allowances,
    sum_of_charges,
    total_without_vat,
    total_vat,
    total_with_vat,
    sum_of_lines_with_vat,
    amount_due,
    tax_by_rate,
    taxable_by_rate,
    vat_in_accounting_currency,
    account_balance,
    change,
    cash_discount,
    balances_chain,
    statement_totals,
    carried_forward,
)
