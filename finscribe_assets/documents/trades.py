"""Trades and what they sell, from the tables of `trades/`.

- `trades.csv`: for each trade its kind, on which documents it sells, and words for the names of its companies.
- `products.csv`: for each product its trade, usual price in euro without tax, unit (UN/ECE Recommendation 20), code of
  the Harmonized System or of India's services (which begin with 99), tax class, attributes, and name in each language.
- `attributes.csv`: attributes in words; `sizes.yaml`: those in numbers. {a|b} is one of the alternatives, {2-9} a
  number.
- `tax_classes.yaml`: which locales tax a class at a reduced rate. `regional_words.yaml`: words of single countries.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, Literal

import yaml

from finscribe_assets.documents.schema import DocumentType

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "ja", "zh", "ar")
_DIRECTORY = files("finscribe_assets.documents") / "trades"
_CHOICE = re.compile(r"\{([^{}]*[-|][^{}]*)\}")
_RANGE = re.compile(r"(\d+)-(\d+)")

TradeKind = Literal["goods", "service", "construction"]
PriceEnding = Literal["charm", "round", "plain"]


@dataclass(frozen=True)
class Trade:
    """A trade.

    Attributes:
        name: its key.
        kind: what it mainly sells. Construction is works on buildings, for which the buyer may owe the tax.
        till: how often it sells at a till, relative to other trades; 0 for never.
        bills: how often it sends invoices.
        orders: how often it receives purchase orders.
        basket: usual number of lines of its receipts.
        budget: usual amount of a line of its invoices, in euro.
        ending: how prices end: 3.99, 3.50 or any.
        branded: share of its goods that have a brand.
        company_words: words for the names of its companies, by language.
    """

    name: str
    kind: TradeKind
    till: float
    bills: float
    orders: float
    basket: float
    budget: float
    ending: PriceEnding
    branded: float
    company_words: Mapping[str, tuple[str, ...]]

    def weight(self, document_type: DocumentType) -> float:
        """Return how often the trade has documents of a type, relative to other trades."""
        match document_type:
            case DocumentType.RECEIPT:
                return self.till
            case DocumentType.PURCHASE_ORDER:
                return self.orders
            case DocumentType.BANK_STATEMENT:
                return 1.0
            case _:
                return self.bills


@dataclass(frozen=True)
class Product:
    """A product of a trade, of which vendors sell articles.

    Attributes:
        trade: key of its trade.
        index: its position among the products of the trade.
        price: usual price in euro without tax.
        unit_code: its unit by UN/ECE Recommendation 20.
        code: its code in the Harmonized System, or in India's code of services.
        tax_class: key of `tax_classes.yaml`, or ``-`` for none.
        attributes: kinds of its attributes.
        nouns: its name in each language.
    """

    trade: str
    index: int
    price: Decimal
    unit_code: str
    code: str
    tax_class: str
    attributes: tuple[str, ...]
    nouns: Mapping[str, str]

    @property
    def is_service(self) -> bool:
        """Tell whether it is a service."""
        return self.code.startswith("99")

    def rate(self, locale: str) -> int:
        """Return the index of its tax rate among those of the country: 0 standard, 1 reduced, -1 most reduced."""
        return _rate_indices().get((self.tax_class, locale), 0)


def _read_rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((_DIRECTORY / name).read_text(encoding="utf-8").splitlines()))


def _read_yaml(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load((_DIRECTORY / name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return content


@cache
def trade_table() -> Mapping[str, Trade]:
    """Return all trades by name."""
    return {
        row["trade"]: Trade(
            name=row["trade"],
            kind=row["kind"],  # type: ignore[arg-type]  # a test checks the table
            ending=row["ending"],  # type: ignore[arg-type]
            company_words={language: tuple(row[language].split(";")) for language in LANGUAGES},
            **{name: float(row[name]) for name in ("till", "bills", "orders", "basket", "budget", "branded")},
        )
        for row in _read_rows("trades.csv")
    }


TRADES = tuple(trade_table())


@cache
def products_of(trade: str) -> tuple[Product, ...]:
    """Return the products of a trade."""
    return _product_table()[trade]


@cache
def _product_table() -> Mapping[str, tuple[Product, ...]]:
    table: dict[str, list[Product]] = {trade: [] for trade in TRADES}
    for row in _read_rows("products.csv"):
        products = table[row["trade"]]
        products.append(
            Product(
                trade=row["trade"],
                index=len(products),
                price=Decimal(row["price"]),
                unit_code=row["unit"],
                code=row["code"],
                tax_class=row["tax"],
                attributes=tuple(row["attributes"].split("+")),
                nouns={language: row[language] for language in LANGUAGES},
            )
        )
    return {trade: tuple(products) for trade, products in table.items()}


@cache
def _rate_indices() -> Mapping[tuple[str, str], int]:
    indices = {"reduced": 1, "most_reduced": -1}
    return {
        (tax_class, locale): indices[rate]
        for tax_class, rates in _read_yaml("tax_classes.yaml").items()
        for rate, locales in rates.items()
        for locale in locales
    }


@cache
def regional_words(locale: str) -> Mapping[str, str]:
    """Return the words of a language that the country of a locale replaces, and by which."""
    words: Mapping[str, str] = _read_yaml("regional_words.yaml").get(locale, {})
    return words


@cache
def _sizes() -> dict[str, Any]:
    return _read_yaml("sizes.yaml")


@cache
def attribute_patterns(kind: str, language: str, *, is_american: bool = False) -> tuple[str, ...]:
    """Return the patterns of an attribute, such as ``colour``; empty for those that are drawn otherwise."""
    sizes = _sizes()
    if is_american and kind in sizes["us"]:
        return tuple(map(str, sizes["us"][kind]))
    return tuple(map(str, sizes[kind])) if kind in sizes else _worded_attributes().get((kind, language), ())


@cache
def _worded_attributes() -> Mapping[tuple[str, str], tuple[str, ...]]:
    table: dict[tuple[str, str], list[str]] = {}
    for row in _read_rows("attributes.csv"):
        for language in LANGUAGES:
            table.setdefault((row["kind"], language), []).append(row[language])
    return {key: tuple(patterns) for key, patterns in table.items()}


@cache
def _parts(pattern: str) -> tuple[str | tuple[str, ...] | range, ...]:
    """Split a pattern into text, alternatives and ranges of numbers."""
    parts: list[str | tuple[str, ...] | range] = []
    for index, text in enumerate(_CHOICE.split(pattern)):
        if not index % 2:
            parts.append(text)
        elif text == "a-z":
            parts.append(tuple("abcdefghijklmnopqrstuvwxyz"))
        elif "|" not in text and (numbers := _RANGE.fullmatch(text)):
            parts.append(range(int(numbers[1]), int(numbers[2]) + 1))
        else:
            parts.append(tuple(text.split("|")))
    return tuple(parts)


def fill_pattern(random: Random, pattern: str) -> str:
    """Choose one of the alternatives of each {a|b} of a pattern, and a number for each {2-9}."""
    if "{" not in pattern:
        return pattern
    return "".join(part if isinstance(part, str) else str(random.choice(part)) for part in _parts(pattern))
