"""The arithmetic that a financial document keeps: EN 16931's calculation rules, each stated once under its code.

A rule looks at amounts by field path (``totals.amount_due``, ``lines[3].net_amount``), so that the same statement
serves a whole document, a partial ground truth and a model's prediction. Source: EN 16931-1, table of business rules.
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


CalculationRule = Callable[[Amounts, Decimal], Iterator[Outcome]]
"""A rule: amounts and the currency's smallest one → what it says of each place that has all it needs."""


def round_to(value: Decimal, unit: Decimal) -> Decimal:
    """Round half up to a multiple of a currency's smallest amount, as invoices do."""
    return value.quantize(unit, rounding=ROUND_HALF_UP) + 0


MAX_ROWS = 10_000  # of a prediction's table: nothing is counted up to a number that a model made up
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
    found = ((path, amount_of(value)) for path, value in leaves.items() if value_type_of(path) is ValueType.AMOUNT)
    return {path: amount for path, amount in found if amount is not None}


def amounts_of(document: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return a JSON document's amounts by path."""
    return amounts_of_leaves(flatten(document))


def check_calculations(
    amounts: Amounts, currency: str, rules: Sequence[CalculationRule] | None = None
) -> list[Outcome]:
    """Apply every rule, or some, wherever all of its amounts are present."""
    unit = minor_unit(currency)
    # The usual 28 digits would round a prediction's absurd amounts, or refuse to.
    with localcontext(prec=EXACT_DIGITS):
        return [outcome for rule in rules or CALCULATION_RULES for outcome in rule(amounts, unit)]


def _indices(amounts: Amounts, group: str) -> list[int]:
    start = f"{group}["
    found = {path[len(start) :].partition("]")[0] for path in amounts if path.startswith(start)}
    return sorted(int(index) for index in found if index.isdecimal())


def _column(amounts: Amounts, group: str, name: str) -> list[Decimal] | None:
    """Return one amount of every member of a group, or None unless each member has it."""
    indices = _indices(amounts, group)
    values = [amounts.get(f"{group}[{index}].{name}") for index in indices]
    return [value for value in values if value is not None] if values and None not in values else None


def _sum(amounts: Amounts, names: tuple[str, ...]) -> Decimal:
    return sum((amounts.get(name, Decimal(0)) for name in names), Decimal(0))


def line_amount(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BT-131 = BT-129 × BT-146 - BT-136 + BT-141: quantity times price, less discount, plus charge (PEPPOL R120).

    Where prices include tax, the same of price and amount with tax.
    """
    for index in _indices(amounts, "lines"):
        line = f"lines[{index}]"
        for price_name, amount_name in (("net_price", "net_amount"), ("price_with_vat", "gross_amount")):
            quantity, price, amount = (amounts.get(f"{line}.{name}") for name in ("quantity", price_name, amount_name))
            if quantity is None or price is None or amount is None:
                continue
            expected = round_to(quantity * price, unit)
            expected += _sum(amounts, (f"{line}.charge_amount",)) - _sum(amounts, (f"{line}.allowance_amount",))
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
    """Ours: a line's amount with tax is its net amount and the rounded tax on it."""
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
    """BR-CO-13: BT-109 = BT-106 - BT-107 + BT-108; their members are summed where a total is not given."""
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
    """BR-CO-15: BT-112 = BT-109 + BT-110; the tax is summed from the breakdown where its total is not given."""
    net, total, tax = (amounts.get(f"totals.{name}") for name in ("total_without_vat", "total_with_vat", "total_vat"))
    if tax is None and (taxes := _column(amounts, "vat_breakdown", "tax_amount")) is not None:
        tax = sum(taxes, Decimal(0))
    if net is not None and total is not None and tax is not None:
        yield Outcome("BR-CO-15", "totals.total_with_vat", net + tax, total)


def sum_of_lines_with_vat(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Ours: where prices include tax, BT-112 is the sum of the lines' amounts with tax."""
    lines, total = _column(amounts, "lines", "gross_amount"), amounts.get("totals.total_with_vat")
    inclusive = _column(amounts, "lines", "price_with_vat") is not None
    if lines is not None and total is not None and inclusive:
        yield Outcome("LINES-WITH-VAT", "totals.total_with_vat", sum(lines, Decimal(0)), total)


def amount_due(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-16: BT-115 = BT-112 - BT-113 + BT-114."""
    total, due = amounts.get("totals.total_with_vat"), amounts.get("totals.amount_due")
    if total is not None and due is not None:
        expected = total - _sum(amounts, ("totals.paid_amount",)) + _sum(amounts, ("totals.rounding_amount",))
        yield Outcome("BR-CO-16", "totals.amount_due", expected, due)


def tax_by_rate(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-CO-17: BT-117 = BT-116 × BT-119 / 100, rounded for each rate."""
    for index in _indices(amounts, "vat_breakdown"):
        rate, base, tax = (
            amounts.get(f"vat_breakdown[{index}].{name}") for name in ("rate", "taxable_amount", "tax_amount")
        )
        if rate is not None and base is not None and tax is not None:
            yield Outcome("BR-CO-17", f"vat_breakdown[{index}].tax_amount", round_to(base * rate / 100, unit), tax)


def taxable_by_rate(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """BR-S-08 and its likes: BT-116 = Σ BT-131 - Σ BT-92 + Σ BT-99 of the same rate.

    It says nothing where authorities share a rate, or where categories do.
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
        expected = sum((amount for one, amount in zip(rates, lines, strict=True) if one == rate), Decimal(0))
        for sign, part_rates, part_amounts in parts:
            expected += sign * sum(
                (amount for one, amount in zip(part_rates or (), part_amounts or (), strict=True) if one == rate),
                Decimal(0),
            )
        yield Outcome("BR-S-08", f"vat_breakdown[{index}].taxable_amount", expected, base)


def vat_in_accounting_currency(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Ours: BT-111 is BT-110 at the printed rate of exchange, in as many decimals as BT-111 has."""
    names = ("totals.total_vat", "exchange_rate", "totals.total_vat_accounting")
    tax, rate, said = (amounts.get(name) for name in names)
    if tax is not None and rate is not None and said is not None:
        exponent = Decimal(1).scaleb(int(said.as_tuple().exponent))
        yield Outcome("VAT-ACCOUNTING", "totals.total_vat_accounting", round_to(tax * rate, exponent), said)


def account_balance(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Ours: the new balance is the previous one and the amount due."""
    names = ("previous_balance", "amount_due", "account_balance")
    earlier, due, now = (amounts.get(f"totals.{name}") for name in names)
    if earlier is not None and due is not None and now is not None:
        yield Outcome("ACCOUNT-BALANCE", "totals.account_balance", earlier + due, now)


def change(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Ours: the change is what was handed over, less what was due and the tip."""
    given, due, back = (amounts.get(f"totals.{name}") for name in ("tendered_amount", "amount_due", "change_amount"))
    if given is not None and due is not None and back is not None:
        yield Outcome("CHANGE", "totals.change_amount", given - due - _sum(amounts, ("totals.tip_amount",)), back)


def cash_discount(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Ours: the discount for early payment is its percentage of the amount due."""
    share, due, said = (
        amounts.get(name) for name in ("cash_discount.percentage", "totals.amount_due", "cash_discount.amount")
    )
    if share is not None and due is not None and said is not None:
        yield Outcome("CASH-DISCOUNT", "cash_discount.amount", round_to(due * share / 100, unit), said)


def _moved(amounts: Amounts, index: int) -> Decimal | None:
    """Return what a row of a statement adds to the balance, from its signed amount or from its two columns."""
    row = f"entries[{index}]"
    if f"{row}.amount" in amounts:
        return amounts[f"{row}.amount"]
    if f"{row}.debit" in amounts or f"{row}.credit" in amounts:
        return _sum(amounts, (f"{row}.credit",)) - _sum(amounts, (f"{row}.debit",))
    return None


def balances_chain(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Ours: each balance of a statement is the one before it and its row's amount, to the closing one."""
    balance = amounts.get("statement.opening_balance")
    for index in _indices(amounts, "entries"):
        moved, said = _moved(amounts, index), amounts.get(f"entries[{index}].balance")
        expected = balance + moved if balance is not None and moved is not None else None
        if expected is not None and said is not None:
            yield Outcome("BALANCE", f"entries[{index}].balance", expected, said)
        balance = said if said is not None else expected
    closing = amounts.get("statement.closing_balance")
    if balance is not None and closing is not None and _indices(amounts, "entries"):
        yield Outcome("CLOSING-BALANCE", "statement.closing_balance", balance, closing)


def statement_totals(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Ours: a statement's totals are the sums of what is paid out and paid in."""
    moved = [_moved(amounts, index) for index in _indices(amounts, "entries")]
    known = [amount for amount in moved if amount is not None]
    if not known or len(known) < len(moved):
        return
    for name, sign in (("total_debits", -1), ("total_credits", 1)):
        said = amounts.get(f"statement.{name}")
        if said is not None:
            expected = sum((sign * amount for amount in known if sign * amount > 0), Decimal(0))
            yield Outcome("STATEMENT-TOTALS", f"statement.{name}", expected, said)


def carried_forward(amounts: Amounts, unit: Decimal) -> Iterator[Outcome]:
    """Ours: what a page carries forward is the sum of the lines so far, or the balance so far."""
    for index in _indices(amounts, "page_subtotals"):
        after, said = (amounts.get(f"page_subtotals[{index}].{name}") for name in ("after", "amount"))
        if after is None or said is None or not 0 < after < MAX_ROWS:
            continue
        expected = _carried(amounts, int(after))
        if expected is not None:
            yield Outcome("CARRIED-FORWARD", f"page_subtotals[{index}].amount", expected, said)


def _carried(amounts: Amounts, count: int) -> Decimal | None:
    if _indices(amounts, "entries"):
        return amounts.get(f"entries[{count - 1}].balance")
    for name in ("net_amount", "gross_amount"):
        lines = [amounts.get(f"lines[{index}].{name}") for index in range(count)]
        known = [amount for amount in lines if amount is not None]
        if known and len(known) == count:
            return sum(known, Decimal(0))
    return None


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
