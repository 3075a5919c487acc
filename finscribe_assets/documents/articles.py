"""The articles of vendors: what a vendor sells under one name, article number and price on all its documents.

A name is composed of a product's noun, a brand or a model number, and attributes such as colour, size and packing, so
that names do not run out. A third of all names are reserved for documents that examine readers
(`coined_words.is_reserved`): vendors of batches never have them, those of the probe and the exam have no others.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from hashlib import sha256
from random import Random
from zlib import crc32

from finscribe_assets.documents.coined_words import coin_word, draw_model, is_reserved
from finscribe_assets.documents.identifiers import gtin
from finscribe_assets.documents.places import places_of
from finscribe_assets.documents.trades import (
    Product,
    attribute_patterns,
    fill_pattern,
    products_of,
    regional_words,
    trade_table,
)

VARIANTS_PER_PRODUCT = 24  # articles of a vendor for each product of its trade
USUAL_BRAND_SHARE = 0.4  # of branded articles that have one of the few usual brands of the vendor
PRICE_SPREAD = 0.35  # standard deviation of the logarithm of prices of the same product
PLAIN_ATTEMPTS = 8  # to compose a name without a word that only tells it from others
MONTH_PLACEHOLDER = "{month}"  # in the names of services that are sold by month

_DECIMAL_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_POINT_LANGUAGES = ("en", "ja", "zh", "ar")
_UNIT = re.compile(r"(?<=\d )(mm|cm|kg|ml|m|g|l|t|W|kW|min|GB|TB)\b")
_UNIT_WORDS = {
    "ar": {"mm": "مم", "cm": "سم", "kg": "كغ", "ml": "مل", "m": "م", "g": "غ", "l": "لتر", "t": "طن", "W": "واط"},
    "ja": {"min": "分", "l": "L"},
    "zh": {"min": "分钟", "l": "升", "t": "吨"},
}
_VOWELS = re.compile(r"(?<=[A-ZÀ-Ž])[AEIOUYÀ-ÆÈ-ÏÒ-ÖØ-Ýąęó](?=[A-ZÀ-Ž])")


@dataclass(frozen=True)
class Article:
    """An article of a vendor.

    Attributes:
        product: what it is.
        seed: identifies it: the vendor's seed and its name.
        name: its name; services sold by month have a placeholder for the month.
        till_name: its name as the vendor's till prints it.
        price: its price in euro, without tax.
        price_seed: seeds how its price ends, and its numbers.
        country_code: the country of its vendor, ISO 3166-1 alpha-2.
    """

    product: Product
    seed: str
    name: str
    till_name: str
    price: Decimal
    price_seed: int
    country_code: str

    @property
    def gtin(self) -> str | None:
        """Return its article number of GS1; None for services."""
        return None if self.product.is_service else gtin(Random(self.price_seed + 2), self.country_code)


def draw_article(random: Random, style_seed: int, locale: str, product: Product, *, reserved: bool) -> Article:
    """Draw one of a vendor's articles of a product. The first of them are drawn more often than the last.

    Args:
        random: the stream to draw from.
        style_seed: the vendor's seed.
        locale: the vendor's locale.
        product: the product.
        reserved: whether the article has a name that only examinations have.
    """
    variant = int(random.random() ** 1.5 * VARIANTS_PER_PRODUCT)
    return _article(style_seed, locale, product.trade, product.index, variant, reserved)


@lru_cache(maxsize=20_000)
def _article(style_seed: int, locale: str, trade: str, index: int, variant: int, reserved: bool) -> Article:
    product = products_of(trade)[index]
    number = (crc32(trade.encode()) * 100 + index) * VARIANTS_PER_PRODUCT + variant
    random = Random((style_seed << 64) + number)  # a number, as it seeds three times as fast as a text
    habits = _naming_habits(style_seed, locale, reserved)
    attempt = 0
    while True:
        name = _compose(random, product, locale, habits)
        # A few products have so few names that none may be reserved, or all: these get a name of their own.
        if attempt >= PLAIN_ATTEMPTS:
            name = f"{name} {coin_word(random, locale[:2], reserved=reserved)}"
        if is_reserved(name) is reserved:
            till_name = _at_till(name, habits, attempt) if trade_table()[trade].till else name
            if till_name == name or is_reserved(till_name) is reserved:
                break
        attempt += 1
    # What has the same name is the same article, with the same price and numbers.
    seed = f"{style_seed}:{name}"
    digest = sha256(seed.encode()).digest()
    # The sum of twelve bytes is normally distributed, with mean 1530 and standard deviation 256.
    deviation = max(-2.0, min(2.0, (sum(digest[:12]) - 1530) / 256))
    return Article(
        product=product,
        seed=seed,
        name=name,
        till_name=till_name,
        price=product.price * Decimal(round(1000 * math.exp(PRICE_SPREAD * deviation))) / 1000,
        price_seed=int.from_bytes(digest[12:16]),
        country_code=locale[-2:],
    )


@dataclass(frozen=True)
class _NamingHabits:
    """How a vendor names its articles."""

    brands: tuple[str, ...]
    separator: str  # before attributes
    brand_first: bool
    reserved: bool  # whether brands are those that only examinations have
    till_style: str  # "as_is", "capitals" or "abbreviated"
    till_width: int


@lru_cache(maxsize=2_000)
def _naming_habits(style_seed: int, locale: str, reserved: bool) -> _NamingHabits:
    random, language = Random(f"naming:{style_seed}"), locale[:2]
    is_latin = language not in ("ja", "zh", "ar")
    comma = "، " if language == "ar" else ", "
    return _NamingHabits(
        brands=tuple(coin_word(random, language, reserved=reserved) for _ in range(random.randint(2, 6))),
        separator=random.choice((comma, comma, " ", " - ")) if language not in ("ja", "zh") else " ",
        brand_first=random.random() < 0.6,
        reserved=reserved,
        till_style=random.choice(("as_is", "capitals", "abbreviated", "abbreviated")) if is_latin else "as_is",
        till_width=random.choice((16, 18, 20, 24)),
    )


def _compose(random: Random, product: Product, locale: str, habits: _NamingHabits) -> str:
    noun = regional_noun(product.nouns[locale[:2]], locale)
    parts: list[str] = []
    technical: list[str] = []
    for position, kind in enumerate(product.attributes):
        if random.random() < (0.9, 0.7, 0.5)[position]:
            text = _draw_attribute(random, kind, locale, habits)
            (technical if kind == "model" else parts).append(text)
    if not product.is_service and random.random() < trade_table()[product.trade].branded:
        brand = _draw_brand(random, locale, habits)
        noun = f"{brand} {noun}" if habits.brand_first else f"{noun} {brand}"
    elif product.tax_class == "dining" and random.random() < 0.3:
        noun = f"{noun} {_draw_brand(random, locale, habits)}"  # a dish of the house
    text = habits.separator.join([" ".join([noun, *technical]), *parts])
    return text.replace("ß", "ss") if locale == "de_CH" else text


def _draw_brand(random: Random, locale: str, habits: _NamingHabits) -> str:
    """Draw one of the vendor's usual brands, or another."""
    if random.random() < USUAL_BRAND_SHARE:
        return random.choice(habits.brands)
    return coin_word(random, locale[:2], reserved=habits.reserved)


def _draw_attribute(random: Random, kind: str, locale: str, habits: _NamingHabits) -> str:
    language = locale[:2]
    match kind:
        case "model":
            return draw_model(random)
        case "month":
            return MONTH_PLACEHOLDER
        case "city":
            return random.choice(places_of(locale).cities).home
        case _:
            patterns = attribute_patterns(kind, language, is_american=locale == "en_US")
            text = fill_pattern(random, random.choice(patterns)).replace("{brand}", _draw_brand(random, locale, habits))
    if language not in _POINT_LANGUAGES and "." in text:
        text = _DECIMAL_POINT.sub(",", text)
    units = _UNIT_WORDS.get(language)
    return _UNIT.sub(lambda match: units.get(match[1], match[1]), text) if units else text


def _at_till(name: str, habits: _NamingHabits, extra: int) -> str:
    """Return a name as a till prints it: perhaps in capitals, or abbreviated without vowels and cut to a width.

    Args:
        name: the name.
        habits: the vendor's habits.
        extra: number of characters by which the name may be wider than the vendor's till prints.
    """
    if habits.till_style == "as_is" or MONTH_PLACEHOLDER in name:
        return name
    text = name.upper().replace(",", "")
    if habits.till_style == "capitals":
        return text
    words = [_VOWELS.sub("", word) if len(word) > 5 and word.isalpha() else word for word in text.split()]
    return " ".join(words)[: habits.till_width + extra].rstrip(" -.'")


@cache
def regional_noun(noun: str, locale: str) -> str:
    """Return a noun as the country of a locale writes it."""
    for word, regional in regional_words(locale).items():
        noun = noun.replace(word, regional)
    return noun.replace("ß", "ss") if locale == "de_CH" else noun
