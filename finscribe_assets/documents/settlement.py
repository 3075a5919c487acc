"""The totals of a document: allowances, charges, taxes, the amount paid in advance and the amount due.

All amounts follow from the lines by the calculation rules (`calculation_rules.py`). Only a few things are drawn at
random: which allowances and charges a document has and how large they are, prepayments, and how a receipt is paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.line_drawing import Sale
from finscribe_assets.documents.locales import LOCALE_FACTS, PRICE_LEVELS, minor_unit
from finscribe_assets.documents.schema import AllowanceCharge, DocumentType, Line, Totals, VatBreakdown
from finscribe_assets.documents.taxation import TaxBase, bases_of, breakdown
from finscribe_assets.documents.wordings import phrases

CASH_PAYMENT_SHARE = 0.6  # of receipts that are paid in cash
EXACT_CASH_SHARE = 0.12  # of cash payments for which the customer has the exact amount
MAX_CASH_NOTES = 10  # of the largest note; what costs more is paid by card
# The notes that people carry, in the currencies of the locales.
NOTES: dict[str, tuple[int, ...]] = {
    "EUR": (5, 10, 20, 50, 100),
    "USD": (1, 5, 10, 20, 50, 100),
    "GBP": (5, 10, 20, 50),
    "AUD": (5, 10, 20, 50, 100),
    "CHF": (10, 20, 50, 100, 200),
    "PLN": (10, 20, 50, 100, 200),
    "SEK": (20, 50, 100, 200, 500),
    "INR": (10, 20, 50, 100, 200, 500),
    "AED": (5, 10, 20, 50, 100, 200, 500),
    "CNY": (1, 5, 10, 20, 50, 100),
    "JPY": (1000, 5000, 10000),
}
DISCOUNT_PERCENTAGES = (2, 3, 5, 10, 15)
TIPPED_TRADES = ("restaurant", "cafe", "bar", "taxi", "hairdresser")
MAX_CHARGE_SHARE = Decimal("0.15")  # of the sales that a charge is added to


@dataclass(frozen=True)
class Settlement:
    """The totals of a document and what they are computed from."""

    allowances: tuple[AllowanceCharge, ...]
    charges: tuple[AllowanceCharge, ...]
    vat_breakdown: tuple[VatBreakdown, ...]
    totals: Totals
    accounting_currency: str | None
    exchange_rate: Decimal | None


def settle(random: Random, sale: Sale, document_type: DocumentType, lines: Sequence[Line], rounded: bool) -> Settlement:
    """Compute the totals of lines.

    Args:
        random: the stream to draw from.
        sale: what the lines have in common.
        document_type: the document's type.
        lines: the lines.
        rounded: whether the amount due is rounded to the smallest coin of the country.
    """
    unit = minor_unit(sale.currency)
    allowances, charges = _draw_adjustments(random, sale, lines, unit)
    adjustments = [(allowance.vat_rate, -allowance.amount) for allowance in allowances]
    adjustments += [(charge.vat_rate, charge.amount) for charge in charges]
    bases = bases_of(lines, adjustments)
    shares = breakdown(bases, sale.tax, unit, inclusive=sale.inclusive)
    if not sale.tax.is_taxed and sale.tax.exemption_reason is None:
        shares = ()  # a sale outside the scope of the tax has no tax breakdown
    tax = sum((share.tax_amount for share in shares), Decimal(0))
    net = _net(bases, shares, sale)
    total = net + tax
    allowance_total = sum((allowance.amount for allowance in allowances), Decimal(0))
    charge_total = sum((charge.amount for charge in charges), Decimal(0))
    accounting, rate = _draw_accounting(random, sale, tax)
    totals = Totals(
        sum_of_line_net_amounts=None if sale.inclusive else net + allowance_total - charge_total,
        allowance_total=allowance_total if allowances else None,
        charge_total=charge_total if charges else None,
        total_without_vat=net,
        total_vat=tax if shares else None,
        total_vat_accounting=round_to(tax * rate, minor_unit(accounting)) if accounting and rate else None,
        total_with_vat=total,
        **_draw_amount_due(random, sale, document_type, total, unit, rounded),
    )
    return Settlement(allowances, charges, shares, totals, accounting, rate)


def _net(bases: Sequence[TaxBase], shares: Sequence[VatBreakdown], sale: Sale) -> Decimal:
    if sale.inclusive:
        return sum((share.taxable_amount for share in shares), Decimal(0))
    return sum((base.amount for base in bases), Decimal(0))


def _draw_adjustments(
    random: Random, sale: Sale, lines: Sequence[Line], unit: Decimal
) -> tuple[tuple[AllowanceCharge, ...], tuple[AllowanceCharge, ...]]:
    """Draw a percentage discount on the lines of every rate, and a charge at the rate with the largest sales."""
    if sale.inclusive or sale.returned:
        return (), ()
    allowances: list[AllowanceCharge] = []
    charges: list[AllowanceCharge] = []
    bases = bases_of(lines, ())
    if sale.has_knob("discounts"):
        percentage = Decimal(random.choice(DISCOUNT_PERCENTAGES))
        reason = random.choice(phrases(sale.locale, "allowance_reasons"))
        for base in bases:
            share = round_to(base.amount * percentage / 100, unit)
            # If the percentage rounds to nothing, the discount is one minor unit, without a percentage.
            allowances.append(_adjustment(reason, base, share or unit, percentage if share else None))
    if sale.has_knob("charges"):
        largest = max(bases, key=lambda base: base.amount)
        level = Decimal(str(PRICE_LEVELS[sale.currency]))
        freight = min(Decimal(random.randint(3, 90)) * level / 2, largest.amount * MAX_CHARGE_SHARE)
        amount = max(unit, round_to(freight, max(unit, unit * 10)))
        reason = random.choice(phrases(sale.locale, "charge_reasons"))
        charges.append(_adjustment(reason, largest, amount, None))
    return tuple(allowances), tuple(charges)


def _adjustment(reason: str, base: TaxBase, amount: Decimal, percentage: Decimal | None) -> AllowanceCharge:
    return AllowanceCharge(
        reason=reason,
        percentage=percentage,
        base_amount=base.amount if percentage is not None else None,
        amount=amount,
        vat_category=base.category,
        vat_rate=base.rate,
    )


def _draw_accounting(random: Random, sale: Sale, tax: Decimal) -> tuple[str | None, Decimal | None]:
    """Return the seller's own currency and draw an exchange rate, if tax is stated in that currency too."""
    home = LOCALE_FACTS[sale.locale].currency_code
    if not sale.has_knob("dual_currency") or not tax or home == sale.currency:
        return None, None
    usual = Decimal(str(PRICE_LEVELS[home])) / Decimal(str(PRICE_LEVELS[sale.currency]))
    rate = (usual * random.randint(8500, 11500) / 10000).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
    return home, rate


def _draw_amount_due(
    random: Random, sale: Sale, document_type: DocumentType, total: Decimal, unit: Decimal, rounded: bool
) -> dict[str, Decimal | None]:
    facts = LOCALE_FACTS[sale.locale]
    paid = Decimal(0)
    if sale.has_knob("prepayments"):
        paid = max(unit, round_to(total * random.choice((10, 20, 25, 50)) / 100, unit))
    due, rounding = total - paid, None
    if rounded and facts.payable_unit and sale.currency == facts.currency_code:
        payable = (due / facts.payable_unit).quantize(Decimal(1), rounding=ROUND_HALF_UP) * facts.payable_unit
        rounding = round_to(payable - due, unit)
        due += rounding
    amounts: dict[str, Decimal | None] = {"paid_amount": paid or None, "rounding_amount": rounding, "amount_due": due}
    if sale.has_knob("prior_balances"):
        previous = max(unit, round_to(total * random.randint(10, 250) / 100, unit))
        amounts |= {"previous_balance": previous, "account_balance": previous + due}
    if document_type is DocumentType.RECEIPT:
        amounts |= _draw_payment(random, sale, due, unit)
    return amounts


def _draw_payment(random: Random, sale: Sale, due: Decimal, unit: Decimal) -> dict[str, Decimal | None]:
    """Draw how a receipt is paid: a tip on top of the amount due, cash tendered and change."""
    tip = None
    if sale.trade in TIPPED_TRADES and random.random() < 0.5:
        tip = max(unit, round_to(due * random.choice((5, 10, 15, 20)) / 100, unit))
    amounts: dict[str, Decimal | None] = {"tip_amount": tip}
    to_pay = due + (tip or Decimal(0))
    pays_cash = random.random() < CASH_PAYMENT_SHARE and not sale.has_knob("card_slips")
    if pays_cash and 0 < to_pay <= MAX_CASH_NOTES * NOTES[sale.currency][-1]:
        tendered = round_to(_draw_tendered(random, to_pay, NOTES[sale.currency]), unit)
        amounts |= {"tendered_amount": tendered, "change_amount": tendered - to_pay}
    return amounts


def _draw_tendered(random: Random, to_pay: Decimal, notes: Sequence[int]) -> Decimal:
    """Draw what a customer hands over: the exact amount, or enough notes of one value, the larger ones kept whole."""
    if random.random() < EXACT_CASH_SHARE:
        return to_pay
    note = random.choice(notes)
    larger = [other for other in notes if other <= to_pay]
    whole = Decimal(larger[-1]) if larger and note < larger[-1] else Decimal(0)
    kept = (to_pay // whole) * whole if whole else Decimal(0)
    rest = to_pay - kept
    return kept + (rest / note).to_integral_value(rounding="ROUND_CEILING") * note
