"""The lines of a document at random: which items are sold, in what quantities and at what prices."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.formats import write_date
from finscribe_assets.documents.identifiers import gtin
from finscribe_assets.documents.locales import LOCALE_FACTS, PRICE_LEVELS, TaxRegime, minor_unit
from finscribe_assets.documents.schema import Line, VatCategory
from finscribe_assets.documents.taxation import TaxCase, bases_of, is_consistent
from finscribe_assets.documents.wordings import TRADES, Item, items_of, phrases

_BLANKABLE_COLUMNS = ("sku", "gtin", "classification", "purchase_order_line", "unit")
LOOK_ALIKE_CHARACTERS = "0O1I5S8B2Z"
LONG_AMOUNT_FACTOR = 2500  # largest factor on prices for long amounts
MAX_LINES = 120
# Units (UN/ECE Recommendation 20) that are sold in quarters too.
DIVISIBLE_UNITS = frozenset({"HUR", "DAY", "KGM", "TNE", "STN", "LTR", "MTR", "MTK", "MTQ"})
QUANTITIES = (1, 1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 12, 20, 25, 50, 100)
# Prices are multiples of a step. Each step has the lowest price for which it is used: steps that are coarse for a price
# would make all prices alike. The second set is for currencies without minor units.
_PRICE_STEPS = tuple((Decimal(step), 20 * Decimal(step)) for step in ("1", "0.5", "0.1", "0.05", "0.01"))
_WHOLE_PRICE_STEPS = tuple((Decimal(step), 20 * Decimal(step)) for step in (100, 50, 10, 1))
SERVICE_TRADES = ("software", "logistics")


@dataclass(frozen=True)
class Sale:
    """What the lines of a document have in common."""

    locale: str
    trade: str
    currency: str
    tax: TaxCase
    columns: tuple[str, ...]
    inclusive: bool  # whether prices include tax
    returned: bool  # whether quantities are negative
    day: dt.date
    date_pattern: str
    knobs: Mapping[str, float]
    is_long: bool = False  # whether there are more lines than fit on one page
    is_examination: bool = False  # whether items have names that no batch has

    def has_knob(self, knob: str) -> bool:
        """Tell whether a knob took effect."""
        return bool(self.knobs[knob])


def draw_code(random: Random, length: int, knobs: Mapping[str, float]) -> str:
    """Draw ``length`` digits, or look-alike characters if the knob asks for them."""
    alphabet = LOOK_ALIKE_CHARACTERS if knobs["confusable_identifiers"] else "0123456789"
    return "".join(random.choice(alphabet) for _ in range(length))


def draw_lines(random: Random, sale: Sale) -> tuple[Line, ...]:
    """Draw the lines of a sale, numbered from 1, with the tax rates of its tax case."""
    count = _draw_count(random, sale)
    pool = _draw_pool(random, sale)
    if sale.has_knob("repeated_descriptions"):
        pool = random.sample(pool, min(2, len(pool)))
        count = max(count, 4)
    if sale.has_knob("several_rates") and len(sale.tax.rates) > 1:
        count = max(count, 2)
    names = [item.draw_name(random, is_examination=sale.is_examination) for item in pool]
    lines: list[Line] = []
    prices: dict[str, tuple[Decimal, int]] = {}
    for number in range(1, count + 1):
        # The pool begins with an item of each rate. The first two lines take these, so that both rates occur.
        index = number - 1 if number <= 2 and len(pool) > 1 else random.randrange(len(pool))
        item = pool[index]
        if sale.has_knob("repeated_descriptions"):
            name = names[index]
        else:
            name = item.draw_name(random, is_examination=sale.is_examination)
        # The same item has the same price on every line.
        if name not in prices:
            prices[name] = _draw_price(random, sale, item), random.choice((0, 5, 10, 15, 20))
        lines.append(_draw_line(random, sale, item, name, number, *prices[name]))
    return with_consistent_tax(lines, sale) if sale.inclusive else tuple(lines)


def _draw_count(random: Random, sale: Sale) -> int:
    if sale.has_knob("very_long_tables"):
        return random.randint(60, MAX_LINES)
    if sale.has_knob("many_lines"):
        return random.randint(15, 60)
    if sale.has_knob("several_pages") or sale.is_long:
        return random.randint(18, 48)
    # A long-tailed distribution: most documents have few lines, one in a hundred has more than twenty.
    return min(MAX_LINES, max(1, round(random.lognormvariate(1.1, 0.85))))


def _draw_pool(random: Random, sale: Sale) -> list[Item]:
    """Draw the items that lines are chosen from. With several rates, it begins with an item of each."""
    items = items_of(sale.locale, sale.trade)
    if sale.tax.category in (VatCategory.INTRA_COMMUNITY, VatCategory.EXPORT):
        items = tuple(item for item in items if not item.is_service)
    standard = _sold([item for item in items if not item.rate], sale)
    reduced = _sold([item for item in items if item.rate], sale)
    if sale.has_knob("several_rates") and len(sale.tax.rates) > 1:
        # A trade that sells nothing at a reduced rate borrows items from other trades.
        reduced = reduced or _sold(
            [item for trade in TRADES for item in items_of(sale.locale, trade) if item.rate], sale
        )
        pair = [random.choice(standard), random.choice(reduced)]
        return [*pair, *(item for item in (*standard, *reduced) if item not in pair)]
    if reduced and len(sale.tax.rates) > 1 and random.random() < 0.15:
        rate = random.choice(reduced).rate
        return [item for item in reduced if item.rate == rate]
    return standard


def _sold(items: list[Item], sale: Sale) -> list[Item]:
    """Return the items that a document may have: an examination's have names of their own, where there are any."""
    return [item for item in items if sale.is_examination and item.reserved_names] or items


def _draw_line(random: Random, sale: Sale, item: Item, name: str, number: int, price: Decimal, discount: int) -> Line:
    columns = sale.columns
    quantity = _draw_quantity(random, item) * (-1 if sale.returned else 1)
    rate = sale.tax.rates[item.rate if len(sale.tax.rates) > 1 else 0]
    filled = columns
    if sale.has_knob("blank_cells"):
        filled = tuple(column for column in columns if column not in _BLANKABLE_COLUMNS or random.random() >= 0.4)
    if sale.has_knob("wrapped_descriptions") and random.random() < 0.6:
        separator = "、" if sale.locale[:2] in ("ja", "zh") else "، " if sale.locale.startswith("ar") else ", "
        name = f"{name}{separator}{random.choice(phrases(sale.locale, 'suffixes'))}"
    return Line(
        line_id=str(number) if "line_id" in filled else None,
        purchase_order_line=str(number * 10) if "purchase_order_line" in filled else None,
        sku=f"{random.choice('ABCDEFGHKLMNPRSTUVWX')}{draw_code(random, 5, sale.knobs)}" if "sku" in filled else None,
        gtin=gtin(random) if "gtin" in filled else None,
        classification=_classification_of(sale, item) if "classification" in filled else None,
        item_name=name,
        note=_draw_note(random, sale) if sale.has_knob("note_rows") and random.random() < 0.5 else None,
        quantity=quantity,
        unit=item.unit if "unit" in filled else None,
        unit_code=item.unit_code,
        vat_category=sale.tax.category_of(rate),
        vat_rate=rate,
        **_draw_amounts(random, sale, quantity, price, discount, rate),
    )


def _classification_of(sale: Sale, item: Item) -> str | None:
    """Return the customs code of an item. Only in India do services have codes."""
    return item.code if not item.is_service or LOCALE_FACTS[sale.locale].regime is TaxRegime.INDIA_GST else None


def _draw_amounts(
    random: Random, sale: Sale, quantity: Decimal, price: Decimal, discount_rate: int, rate: Decimal
) -> dict[str, Decimal | str | None]:
    unit = minor_unit(sale.currency)
    if sale.inclusive:
        return {"price_with_vat": price, "gross_amount": round_to(quantity * price, unit)}
    amounts: dict[str, Decimal | str | None] = {"net_price": price}
    if "gross_price" in sale.columns:
        discount = round_to(price * discount_rate / 100, unit)
        amounts |= {"gross_price": price, "price_discount": discount, "net_price": price - discount}
        price -= discount
    amount = round_to(quantity * price, unit)
    # Lines of returned goods have no discounts: they would have to be given back.
    if sale.has_knob("line_allowances") and not sale.returned:
        if "allowance_amount" in sale.columns and random.random() < 0.6:
            allowance = round_to(amount * random.choice((2, 3, 5, 10)) / 100, unit)
            if allowance:
                amounts |= {"allowance_amount": allowance, "allowance_reason": _draw_reason(random, sale, "allowance")}
                amount -= allowance
        if "charge_amount" in sale.columns and random.random() < 0.4:
            charge = round_to(amount * random.choice((1, 2, 4)) / 100, unit)
            if charge:
                amounts |= {"charge_amount": charge, "charge_reason": _draw_reason(random, sale, "charge")}
                amount += charge
    amounts["net_amount"] = amount
    if "gross_amount" in sale.columns:
        amounts["gross_amount"] = amount + round_to(amount * rate / 100, unit)
    return amounts


def _draw_reason(random: Random, sale: Sale, adjustment: str) -> str:
    return random.choice(phrases(sale.locale, f"{adjustment}_reasons"))


def _draw_price(random: Random, sale: Sale, item: Item) -> Decimal:
    """Draw a price in the currency of the document, with a typical ending such as .50 or .99."""
    unit = minor_unit(sale.currency)
    level = Decimal(str(PRICE_LEVELS[sale.currency]))
    lowest, highest = item.lowest * level, item.highest * level
    value = lowest + (highest - lowest) * random.randint(0, 1000) / 1000
    if sale.inclusive:
        value *= 1 + sale.tax.rates[0] / 100
    if sale.has_knob("long_amounts"):
        value *= random.randint(LONG_AMOUNT_FACTOR // 2, LONG_AMOUNT_FACTOR)
    steps = _WHOLE_PRICE_STEPS if unit == 1 else _PRICE_STEPS
    step = random.choice([step for step, lowest_price in steps if lowest_price <= value] or [unit])
    price = (value / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step
    if step == 1 and unit < 1 and random.random() < 0.4:
        price -= Decimal("0.01")
    return max(round_to(price, unit), unit)


def _draw_quantity(random: Random, item: Item) -> Decimal:
    if item.unit_code in DIVISIBLE_UNITS and random.random() < 0.4:
        return Decimal(random.randint(2, 160)) / 4
    # Expensive items are sold in small quantities.
    count = bisect_right(QUANTITIES, max(2, 4000 // item.highest))
    return Decimal(QUANTITIES[random.randrange(count)])


def _draw_note(random: Random, sale: Sale) -> str:
    day = sale.day - dt.timedelta(days=random.randint(1, 40))
    template = random.choice(phrases(sale.locale, "line_notes"))
    return template.format(
        number=draw_code(random, random.randint(4, 8), sale.knobs), date=write_date(day, sale.locale, sale.date_pattern)
    )


def with_consistent_tax(lines: Sequence[Line], sale: Sale) -> tuple[Line, ...]:
    """Adjust prices that include tax so that the tax computed from each rate's total obeys BR-CO-17.

    Both the net amount and the tax are rounded, so some totals, such as 0.03 at 20 %, have no valid split. The price of
    the last line of a rate is raised by minor units until its total has one. With a quantity of 6, every total may be
    invalid: at 20 %, it stays 0.03 above a multiple of 0.06. Then the quantity becomes 1, for which at most one minor
    unit is missing.
    """
    unit, adjusted = minor_unit(sale.currency), list(lines)
    for base in bases_of(lines, ()):
        index = max(index for index, line in enumerate(adjusted) if line.vat_rate == base.rate)
        line = adjusted[index]
        if line.price_with_vat is None or line.gross_amount is None:
            raise ValueError(f"{line.item_name!r} has no price with tax, but prices of the sale include tax")
        single = Decimal(1).copy_sign(line.quantity)
        for quantity, units in [(line.quantity, units) for units in range(7)] + [(single, units) for units in range(2)]:
            price = line.price_with_vat + units * unit
            gross = round_to(quantity * price, unit)
            if is_consistent(replace(base, amount=base.amount - line.gross_amount + gross), unit):
                break
        adjusted[index] = line.model_copy(update={"quantity": quantity, "price_with_vat": price, "gross_amount": gross})
    return tuple(adjusted)


def reduced_lines(lines: Sequence[Line], locale: str) -> tuple[int, ...]:
    """Return the indices of the lines at a reduced rate, which Japanese documents must mark; empty elsewhere."""
    if LOCALE_FACTS[locale].language != "ja" or len({line.vat_rate for line in lines}) < 2:
        return ()
    highest = max(line.vat_rate or Decimal(0) for line in lines)
    return tuple(index for index, line in enumerate(lines) if (line.vat_rate or Decimal(0)) < highest)
