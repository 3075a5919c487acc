"""The lines of a document at random: which items are sold, in what quantities and at what prices."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

from finscribe_assets.documents.amount_drawing import (
    AMERICAN_UNITS,
    FUEL_UNITS,
    draw_bill_quantity,
    draw_receipt_quantity,
    end_price,
    lengthen,
)
from finscribe_assets.documents.articles import MONTH_PLACEHOLDER, Article, draw_article
from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.formats import write_date
from finscribe_assets.documents.line_groups import MIN_GROUPED_LINES
from finscribe_assets.documents.locales import LOCALE_FACTS, PRICE_LEVELS, TaxRegime, minor_unit
from finscribe_assets.documents.numbering import draw_code
from finscribe_assets.documents.schema import Line, VatCategory
from finscribe_assets.documents.taxation import TaxCase, bases_of, is_consistent
from finscribe_assets.documents.trades import Product, Trade, products_of, trade_table
from finscribe_assets.documents.wordings import phrases, unit_words

_BLANKABLE_COLUMNS = ("sku", "gtin", "classification", "purchase_order_line", "unit")
MAX_LINES = 120
MANY_LINES, CHEAP = 12, 10  # a receipt with more lines lists what costs no more than so many euros
REPEATED_ARTICLE_SHARE = 0.04  # of lines, that have the article of an earlier line
# Trades whose products fill documents with several tax rates, if their own have a single one: at tills and elsewhere.
_SUPPLEMENTS_AT_TILLS = ("supermarket", "pharmacy")
_SUPPLEMENTS = ("office", "bookshop", "catering", "medical", "garden")
# Patterns of vendors' own article numbers: # is a digit, @ a letter.
_SKU_PATTERNS = ("@#####", "######", "##-####", "@@-####", "@@####", "###.###", "#######", "@##-###", "@@@###", "####")


@dataclass(frozen=True)
class Sale:
    """What the lines of a document have in common."""

    locale: str
    trade: str
    style_seed: int  # the seller's, which its articles are drawn from
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
    is_receipt: bool = False

    def has_knob(self, knob: str) -> bool:
        """Tell whether a knob took effect."""
        return bool(self.knobs[knob])


@dataclass
class _Basket:
    """The articles of a document: what may be sold, and what its lines have so far."""

    products: list[Product]
    starters: list[Product]  # what the first lines sell, in this order
    articles: list[Article] = field(default_factory=list)
    seeds: set[str] = field(default_factory=set)  # of the articles
    prices: dict[str, tuple[Decimal, int]] = field(default_factory=dict)  # price and discount of each name

    def draw(self, random: Random, sale: Sale) -> Article:
        """Draw the article of the next line, mostly one that no line has yet."""
        if self.articles and not self.starters and random.random() < REPEATED_ARTICLE_SHARE:
            return random.choice(self.articles)
        product = self.starters.pop(0) if self.starters else random.choice(self.products)
        for _ in range(4):
            article = draw_article(random, sale.style_seed, sale.locale, product, reserved=sale.is_examination)
            if article.seed not in self.seeds:
                break
        self.seeds.add(article.seed)
        self.articles.append(article)
        return article


def draw_lines(random: Random, sale: Sale) -> tuple[Line, ...]:
    """Draw the lines of a sale, numbered from 1, with the tax rates of its tax case."""
    trade = trade_table()[sale.trade]
    count = _draw_count(random, sale, trade)
    several = sale.has_knob("several_rates") and len(sale.tax.rates) > 1
    repeated = sale.has_knob("repeated_descriptions")
    if repeated:
        count = max(count, 4)
    if several:
        count = max(count, 2)
    if sale.has_knob("line_groups"):
        count = max(count, MIN_GROUPED_LINES)
    basket = _fill_basket(random, sale, trade, count, several=several)
    chosen = [basket.draw(random, sale) for _ in range(2)] if repeated else []
    lines: list[Line] = []
    for number in range(1, count + 1):
        repeat = number - 1 if number <= 2 else random.randrange(2)
        article = chosen[repeat] if repeated else basket.draw(random, sale)
        # The same item has the same price on every line.
        if article.seed not in basket.prices:
            basket.prices[article.seed] = draw_price(sale, article, trade), random.choice((0, 5, 10, 15, 20))
        lines.append(_draw_line(random, sale, article, number, count, *basket.prices[article.seed]))
    return with_consistent_tax(lines, sale) if sale.inclusive else tuple(lines)


def _draw_count(random: Random, sale: Sale, trade: Trade) -> int:
    if sale.has_knob("very_long_tables"):
        return random.randint(60, MAX_LINES)
    if sale.has_knob("many_lines"):
        return random.randint(15, 60)
    if sale.has_knob("several_pages") or sale.is_long:
        return random.randint(18, 48)
    if sale.is_receipt:
        return min(MAX_LINES, max(1, round(random.lognormvariate(math.log(trade.basket), 0.6))))
    # A long-tailed distribution: most documents have few lines, one in a hundred has more than twenty.
    return min(MAX_LINES, max(1, round(random.lognormvariate(1.1, 0.85))))


def _fill_basket(random: Random, sale: Sale, trade: Trade, count: int, *, several: bool) -> _Basket:
    """Return what a document may sell. Unless the knob asks for several rates, all products have the same tax rate."""
    products = _saleable(sale, trade.name)
    if sale.is_receipt and count > MANY_LINES:
        # Nobody buys forty jackets: long receipts list what costs little.
        cheap = [product for product in products if product.price <= CHEAP and product.unit_code not in FUEL_UNITS]
        products = cheap or sorted(products, key=lambda product: product.price)[:2]
    first = random.choice(products)
    if not several:
        indices = len(sale.tax.rates) > 1
        return _Basket([product for product in products if not indices or _same_rate(product, first, sale)], [])
    others = [product for product in products if not _same_rate(product, first, sale)]
    if not others:
        supplements = _SUPPLEMENTS_AT_TILLS if sale.is_receipt else _SUPPLEMENTS
        others = [
            product for name in supplements for product in _saleable(sale, name) if not _same_rate(product, first, sale)
        ]
        products = [*products, *random.sample(others, min(3, len(others)))]
    return _Basket(products, [first, random.choice(others)])


def _saleable(sale: Sale, trade: str) -> list[Product]:
    """Return the products of a trade that a document may have: services do not cross borders as goods do."""
    products = products_of(trade)
    if sale.tax.category in (VatCategory.INTRA_COMMUNITY, VatCategory.EXPORT):
        return [product for product in products if not product.is_service]
    if sale.tax.category is VatCategory.REVERSE_CHARGE:
        return [product for product in products if product.is_service] or list(products)
    return list(products)


def _same_rate(product: Product, other: Product, sale: Sale) -> bool:
    rates = sale.tax.rates
    return rates[product.rate(sale.locale)] == rates[other.rate(sale.locale)]


def _draw_line(
    random: Random, sale: Sale, article: Article, number: int, count: int, price: Decimal, discount: int
) -> Line:
    columns, product = sale.columns, article.product
    unit_code = unit_of(sale, product)
    # What a seller of other goods adds to show another rate, it sells a few of.
    if sale.has_knob("long_amounts") and product.trade == sale.trade:
        price, quantity = _lengthen(sale, article, price, count)
    elif sale.is_receipt:
        quantity = draw_receipt_quantity(random, unit_code, is_fuel=product.trade == "fuel")
    else:
        quantity = draw_bill_quantity(random, unit_code, float(article.price), trade_table()[sale.trade])
    quantity *= -1 if sale.returned else 1
    rate = sale.tax.rates[product.rate(sale.locale) if len(sale.tax.rates) > 1 else 0]
    filled = columns
    if sale.has_knob("blank_cells"):
        filled = tuple(column for column in columns if column not in _BLANKABLE_COLUMNS or random.random() >= 0.4)
    return Line(
        line_id=str(number) if "line_id" in filled else None,
        purchase_order_line=str(number * 10) if "purchase_order_line" in filled else None,
        sku=_sku_of(article, sale) if "sku" in filled else None,
        gtin=article.gtin if "gtin" in filled else None,
        classification=_classification_of(sale, product) if "classification" in filled else None,
        item_name=_name_of(random, sale, article),
        note=_draw_note(random, sale, product) if sale.has_knob("note_rows") and random.random() < 0.5 else None,
        quantity=quantity,
        unit=unit_words(sale.locale)[unit_code] if "unit" in filled else None,
        unit_code=unit_code,
        vat_category=sale.tax.category_of(rate),
        vat_rate=rate,
        **_draw_amounts(random, sale, quantity, price, discount, rate),
    )


def _name_of(random: Random, sale: Sale, article: Article) -> str:
    """Return the name of an article as the document prints it."""
    name = article.till_name if sale.is_receipt else article.name
    if MONTH_PLACEHOLDER in name:
        month = sale.day.replace(day=1) - dt.timedelta(days=1)
        name = name.replace(MONTH_PLACEHOLDER, f"{month.month:02d}/{month.year}")
    if sale.has_knob("wrapped_descriptions") and random.random() < 0.6:
        separator = "、" if sale.locale[:2] in ("ja", "zh") else "، " if sale.locale.startswith("ar") else ", "
        of_bills = "service_suffixes" if article.product.is_service else "suffixes"
        suffix = random.choice(phrases(sale.locale, "till.suffixes" if sale.is_receipt else of_bills))
        if not sale.is_receipt:
            suffix = f"{suffix}{separator}{_draw_note(random, sale, article.product)}"
        name = f"{name}{separator}{suffix}"
    return name


def _sku_of(article: Article, sale: Sale) -> str:
    """Return the vendor's number of an article: the same on all its documents, but where look-alikes are asked for."""
    pattern = _SKU_PATTERNS[sale.style_seed % len(_SKU_PATTERNS)]
    random = Random(article.price_seed + 1)
    return "".join(
        draw_code(random, 1, sale.knobs)
        if character == "#"
        else random.choice("ABCDEFGHKLMNPRSTUVWX")
        if character == "@"
        else character
        for character in pattern
    )


def unit_of(sale: Sale, product: Product) -> str:
    """Return the code of the unit that a product is sold in, which differs in the United States."""
    code = product.unit_code
    return AMERICAN_UNITS[code][0] if sale.locale == "en_US" and code in AMERICAN_UNITS else code


def _lengthen(sale: Sale, article: Article, price: Decimal, count: int) -> tuple[Decimal, Decimal]:
    """Draw price and quantity for long amounts; the price of an article is the same on all lines of a document."""
    level = Decimal(str(PRICE_LEVELS[sale.currency]))
    return lengthen(
        Random(article.price_seed + sale.day.toordinal() + count), price, article.product.unit_code, count, level
    )


def _classification_of(sale: Sale, product: Product) -> str | None:
    """Return the customs code of a product. Only in India do services have codes."""
    is_printed = not product.is_service or LOCALE_FACTS[sale.locale].regime is TaxRegime.INDIA_GST
    return product.code if is_printed else None


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


def draw_price(sale: Sale, article: Article, trade: Trade) -> Decimal:
    """Draw the price of an article in the currency of the document. It is the same on all documents of this kind."""
    value = article.price * Decimal(str(PRICE_LEVELS[sale.currency]))
    if sale.inclusive:
        value *= 1 + sale.tax.rates[0] / 100
    if sale.locale == "en_US" and article.product.unit_code in AMERICAN_UNITS:
        value *= AMERICAN_UNITS[article.product.unit_code][1]
    return end_price(Random(article.price_seed), value, sale.currency, trade.ending)


def _draw_note(random: Random, sale: Sale, product: Product) -> str:
    """Draw a note on a line; a service has no serial number and no warranty."""
    day = sale.day - dt.timedelta(days=random.randint(1, 40))
    template = random.choice(phrases(sale.locale, "service_notes" if product.is_service else "line_notes"))
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
