"""Prices and quantities at random, by trade, unit and document type."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.locales import PRICE_LEVELS, minor_unit
from finscribe_assets.documents.trades import PriceEnding, Trade

# Units (UN/ECE Recommendation 20) that are sold in quarters too.
DIVISIBLE_UNITS = frozenset({"HUR", "DAY", "KGM", "TNE", "STN", "LTR", "MTR", "MTK", "MTQ", "KMT", "LBR", "GLL"})
# Quantities of a line that cost little: those that people order.
QUANTITIES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 24, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 500, 1000)
RECEIPT_QUANTITIES: Mapping[int, float] = {1: 0.76, 2: 0.15, 3: 0.05, 4: 0.025, 5: 0.01, 6: 0.005}
WEIGHED_UNITS = frozenset({"KGM", "LBR"})
FUEL_UNITS = frozenset({"LTR", "GLL"})
TIMED_UNITS = frozenset({"HUR", "DAY", "MON", "ANN"})
LUMP_SUM = "E48"
# In the United States some units differ: their code, and how many of the metric unit they are.
AMERICAN_UNITS = {
    "KGM": ("LBR", Decimal("0.454")),
    "LTR": ("GLL", Decimal("3.785")),
    "MTR": ("FOT", Decimal("0.305")),
    "MTK": ("FTK", Decimal("0.093")),
    "MTQ": ("YDQ", Decimal("0.765")),
    "TNE": ("STN", Decimal("0.907")),
    "KMT": ("SMI", Decimal("1.609")),
}
BUDGET_SPREAD = 1.0  # standard deviation of the logarithm of the amount of a line of an invoice
LONG_AMOUNT, LONG_AMOUNT_SPREAD = 250_000, 1.3  # usual amount of long documents in euro, and spread of its logarithm
MIN_LONG_AMOUNT = 160_000

# Prices are multiples of a step. Each step has the lowest price for which it is used: steps that are coarse for a price
# would make all prices alike. The second set is for currencies without minor units.
_PRICE_STEPS = tuple((Decimal(step), 20 * Decimal(step)) for step in ("1", "0.5", "0.1", "0.05", "0.01"))
_WHOLE_PRICE_STEPS = tuple((Decimal(step), 20 * Decimal(step)) for step in (100, 50, 10, 1))
_CHARM_ENDINGS = tuple(map(Decimal, ("0.99", "0.99", "0.99", "0.95", "0.49", "0.79", "0.29", "0.89", "0.50")))
_WHOLE_CURRENCY_LEVEL = 5  # from so many units for a euro, retail prices have no cents


def end_price(random: Random, value: Decimal, currency: str, ending: PriceEnding) -> Decimal:
    """Return a price near a value with an ending that is usual for the trade and currency.

    Args:
        random: the stream to draw from.
        value: the price before it is rounded.
        currency: ISO 4217 code.
        ending: ``charm`` for 3.99, ``round`` for 3.50, ``plain`` for any.
    """
    unit = minor_unit(currency)
    if ending != "plain" and (unit == 1 or PRICE_LEVELS[currency] >= _WHOLE_CURRENCY_LEVEL):
        price = _whole_price(value, charm=ending == "charm")
    elif ending == "charm" and value >= 1:
        price = value.to_integral_value(rounding="ROUND_FLOOR") + random.choice(_CHARM_ENDINGS)
        if value >= 60:
            price = _whole_price(value, charm=True) + random.choice((Decimal(0), Decimal("0.90"), Decimal("0.99")))
    elif ending == "round" and value >= 2:
        price = _multiple(value, Decimal("0.1") if value < 8 else Decimal("0.5") if value < 40 else Decimal(1))
    else:
        steps = _WHOLE_PRICE_STEPS if unit == 1 else _PRICE_STEPS
        step = random.choice([step for step, lowest_price in steps if lowest_price <= value] or [unit])
        price = _multiple(value, step)
    return max(round_to(price, unit), unit)


def _multiple(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step


def _whole_price(value: Decimal, *, charm: bool) -> Decimal:
    """Return a price without cents and with two significant digits, lowered a little for charm: 39, 349, 1980."""
    magnitude = Decimal(10) ** max(0, value.adjusted() - 1)
    price = max(Decimal(1), _multiple(value, magnitude))
    if not charm or price < 15:
        return price
    return price - (magnitude / 5 if magnitude >= 100 else 1)


def draw_receipt_quantity(random: Random, unit_code: str, *, is_fuel: bool = False) -> Decimal:
    """Draw the quantity of a line of a receipt: mostly 1; what is weighed or fuelled has decimals."""
    if unit_code in WEIGHED_UNITS:
        return Decimal(round(1000 * min(4.0, max(0.08, random.lognormvariate(-0.5, 0.6))))) / 1000
    if is_fuel and unit_code in FUEL_UNITS:
        litres = min(75.0, max(4.0, random.gauss(36, 14)))
        return Decimal(round(100 * (litres / 3.785 if unit_code == "GLL" else litres))) / 100
    if unit_code in TIMED_UNITS:
        return Decimal(random.choice((1, 1, 1, 2, 2, 3)))
    if unit_code in DIVISIBLE_UNITS - FUEL_UNITS:
        return Decimal(random.randint(2, 24)) / 2
    return Decimal(random.choices(list(RECEIPT_QUANTITIES), list(RECEIPT_QUANTITIES.values()))[0])


def draw_bill_quantity(random: Random, unit_code: str, price: float, trade: Trade) -> Decimal:
    """Draw the quantity of a line of an invoice or order, such that its amount is usual for the trade.

    Args:
        random: the stream to draw from.
        unit_code: the unit of the item.
        price: the price of the item in euro.
        trade: the seller's trade.
    """
    if unit_code == LUMP_SUM:
        return Decimal(1)
    wanted = trade.budget * random.lognormvariate(0, BUDGET_SPREAD) / max(price, 0.01)
    if unit_code in TIMED_UNITS - {"HUR", "DAY"}:
        return Decimal(random.choice((1, 1, 1, 1, 3, 6, 12)))
    if unit_code in DIVISIBLE_UNITS and random.random() < 0.5:
        return max(Decimal(1), Decimal(round(4 * min(wanted, 400)))) / 4
    return Decimal(max((quantity for quantity in QUANTITIES if quantity <= wanted), default=1))


def lengthen(random: Random, price: Decimal, unit_code: str, lines: int, level: Decimal) -> tuple[Decimal, Decimal]:
    """Draw price and quantity of a line of a document with long amounts: large quantities, or a large lump sum.

    Args:
        random: the stream to draw from.
        price: the usual price in the currency of the document.
        unit_code: the unit of the item.
        lines: number of lines of the document.
        level: units of the currency for one euro.
    """
    total = max(MIN_LONG_AMOUNT, LONG_AMOUNT * random.lognormvariate(0, LONG_AMOUNT_SPREAD))
    amount = Decimal(round(total / lines)) * level
    if unit_code == LUMP_SUM:
        return max(price, _multiple(amount, Decimal(100)) + price % 1), Decimal(1)
    quantity = max(Decimal(1), amount / price)
    return price, round_up(quantity)


def round_up(quantity: Decimal) -> Decimal:
    """Round a quantity up to two significant digits, as large orders are."""
    step = Decimal(10) ** max(0, quantity.adjusted() - 1)
    return ((quantity / step).to_integral_value(rounding="ROUND_CEILING") * step).quantize(Decimal(1))
