"""Lines that only tills print: goods sold by weight, deposits, discounts on another line, and returned goods."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from finscribe_assets.documents.amount_drawing import draw_receipt_quantity
from finscribe_assets.documents.articles import draw_article
from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.line_drawing import Sale, draw_price, unit_of, with_consistent_tax
from finscribe_assets.documents.locales import LOCALE_FACTS, minor_unit
from finscribe_assets.documents.schema import Line
from finscribe_assets.documents.trades import products_of, trade_table
from finscribe_assets.documents.wordings import phrases, unit_words

WEIGHED_TRADES, DEPOSIT_TRADES = ("supermarket",), ("supermarket", "kiosk", "drinks")
WEIGHED_GOODS = tuple(
    product for trade in ("greengrocer", "butcher") for product in products_of(trade) if product.unit_code == "KGM"
)
WEIGHED_CHANCE = 0.4  # of a receipt of such a trade to have goods sold by weight
OFFER_PERCENTAGES = (5, 10, 15, 20, 25, 30)
# What a bottle's deposit is, in the countries whose tills charge one.
DEPOSITS = {"DE": "0.25", "AT": "0.25", "NL": "0.15", "SE": "1", "PL": "0.50"}


def with_till_lines(random: Random, lines: tuple[Line, ...], sale: Sale) -> tuple[Line, ...]:
    """Add a till's own lines to those of a receipt.

    Args:
        random: the stream to draw from.
        lines: the lines of the receipt.
        sale: what they have in common.
    """
    added = list(lines)
    if sale.trade in WEIGHED_TRADES and random.random() < WEIGHED_CHANCE:
        for _ in range(random.randint(1, 3)):
            added.insert(random.randrange(len(added)), _weighed(random, sale, _food_rate_line(lines)))
    if sale.has_knob("till_corrections"):
        _insert_corrections(random, added, sale)
    if len(added) == len(lines):
        return lines
    # Prices that are adjusted for the tax rules are those of the last line of each rate, which stays an ordinary one.
    return with_consistent_tax(added, sale) if sale.inclusive else tuple(added)


def _food_rate_line(lines: Sequence[Line]) -> Line:
    """Return the line at the lowest rate above zero, whose rate food has."""
    return min(lines, key=lambda line: (not line.vat_rate, line.vat_rate or Decimal(0)))


def _insert_corrections(random: Random, lines: list[Line], sale: Sale) -> None:
    """Insert one to three lines: a discount below its line, a deposit, empties or other goods that come back."""
    deposit = DEPOSITS.get(LOCALE_FACTS[sale.locale].country_code)
    kinds = ["discount", "discount", "return"]
    if deposit and sale.trade in DEPOSIT_TRADES:
        kinds += ["deposit", "deposit_return"]
    for kind in random.sample(kinds, random.randint(1, min(3, len(kinds)))):
        index = random.randrange(len(lines))
        line = lines[index]
        amount = _amount_of(line)
        if amount <= 0:
            continue
        text = random.choice(phrases(sale.locale, f"till.{kind}"))
        match kind:
            case "discount":
                percentage = random.choice(OFFER_PERCENTAGES)
                price = round_to(amount * percentage / 100, minor_unit(sale.currency))
                corrected = _line(line, text.format(percentage=percentage), Decimal(-1), price, sale)
            case "return":
                price = _price_of(line)
                corrected = _line(line, text.format(item=line.item_name), Decimal(-1), price, sale)
            case _:
                count = random.randint(1, 12)
                sign = 1 if kind == "deposit" else -1
                corrected = _line(line, text, Decimal(sign * count), Decimal(str(deposit)), sale)
        # Goods come back for less than what is bought at their rate, so that no tax is below zero.
        at_rate = sum((_amount_of(other) for other in lines if other.vat_rate == line.vat_rate), Decimal(0))
        if _amount_of(corrected) and at_rate + _amount_of(corrected) > at_rate / 4:
            is_last = not any(other.vat_rate == line.vat_rate for other in lines[index + 1 :])
            lines.insert(index if is_last and kind != "discount" else index + 1, corrected)


def _weighed(random: Random, sale: Sale, like: Line) -> Line:
    product = random.choice(WEIGHED_GOODS)
    article = draw_article(random, sale.style_seed, sale.locale, product, reserved=sale.is_examination)
    unit_code = unit_of(sale, product)
    quantity = draw_receipt_quantity(random, unit_code)
    price = draw_price(sale, article, trade_table()[sale.trade])
    line = _line(like, article.till_name, quantity, price, sale)
    return line.model_copy(update={"unit": unit_words(sale.locale)[unit_code], "unit_code": unit_code})


def _line(like: Line, name: str, quantity: Decimal, price: Decimal, sale: Sale) -> Line:
    """Return a line at the tax rate of another."""
    amount = round_to(quantity * price, minor_unit(sale.currency))
    amounts = (
        {"price_with_vat": price, "gross_amount": amount}
        if sale.inclusive
        else {"net_price": price, "net_amount": amount}
    )
    return Line(
        item_name=name,
        quantity=quantity,
        unit_code="H87",
        vat_category=like.vat_category,
        vat_rate=like.vat_rate,
        **amounts,
    )


def _price_of(line: Line) -> Decimal:
    return line.price_with_vat or line.net_price or Decimal(0)


def _amount_of(line: Line) -> Decimal:
    return line.gross_amount or line.net_amount or Decimal(0)
