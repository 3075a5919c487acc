"""The words of documents in each locale, from `languages/*.yaml`: labels, phrases, units and the items of trades.

A locale has the words of its language's file, such as ``de.yaml``. A file of the country, such as ``de_AT.yaml``,
replaces the keys in which it differs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from importlib.resources import files
from itertools import product
from random import Random
from typing import Any

import yaml

TRADES = ("office", "catering", "software", "construction", "retail", "medical", "logistics", "automotive")

_ALTERNATIVES = re.compile(
    r"\{([^{}|]+(?:\|[^{}|]+)+)\}"
)  # splits a name into text and, at odd positions, alternatives

# One name in so many of an item's is reserved for documents that examine readers, so that no batch can teach it.
NAMES_PER_RESERVED_NAME = 3

_CODE = re.compile(r"\d{4}(\d\d)?")
_RATE_INDICES = {"standard": 0, "reduced": 1, "most_reduced": -1}


class WordsError(ValueError):
    """A file of words is missing or not valid."""


@dataclass(frozen=True)
class Item:
    """An item that a trade sells.

    Attributes:
        parts: the parts of its name, each with its alternatives.
        unit_code: its unit by UN/ECE Recommendation 20.
        unit: its unit as printed.
        lowest: lowest price in euro, without tax.
        highest: highest price in euro, without tax.
        rate: index of its tax rate among those of the country: 0 standard, 1 reduced, -1 most reduced.
        code: its code in the Harmonized System, or in India's code of services, whose codes begin with 99.
    """

    parts: tuple[tuple[str, ...], ...]
    unit_code: str
    unit: str
    lowest: Decimal
    highest: Decimal
    rate: int
    code: str

    @property
    def is_service(self) -> bool:
        """Tell whether it is a service."""
        return self.code.startswith("99")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return its names, one for each choice of alternatives, in an order that depends on their hashes alone."""
        names = dict.fromkeys(map("".join, product(*self.parts)))
        return tuple(sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest()))

    @property
    def reserved_names(self) -> tuple[str, ...]:
        """Return the names that only documents of a probe or an exam have; none of an item with one or two names."""
        return self.names[: len(self.names) // NAMES_PER_RESERVED_NAME]

    def draw_name(self, random: Random, *, is_examination: bool = False) -> str:
        """Draw the name of the item. Examinations draw reserved names, or where it has none, those of batches."""
        reserved = self.reserved_names
        return random.choice(reserved if is_examination and reserved else self.names[len(reserved) :])


@dataclass(frozen=True)
class Words:
    """The words of a locale."""

    labels: Mapping[str, tuple[str, ...]]  # wordings of each label, the usual one first
    phrases: Mapping[str, tuple[str, ...]]
    catalogue: Mapping[str, tuple[Item, ...]]  # items of each trade


@cache
def read_words(name: str) -> dict[str, Any]:
    """Read a file of words, such as ``de`` or ``de_AT``; empty if there is no such file."""
    return _parse_words(name, swiss=False)


@cache
def _parse_words(name: str, *, swiss: bool) -> dict[str, Any]:
    path = files("finscribe_assets.documents") / "languages" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8") if path.is_file() else "{}"
    return dict(yaml.load(swiss_spelling(text) if swiss else text, Loader=yaml.CSafeLoader))


def swiss_spelling(text: str) -> str:
    """Return German text as Switzerland spells it, without ß."""
    return text.replace("ß", "ss")


def has_words(language: str) -> bool:
    """Tell whether there is a file of words for a language."""
    return (files("finscribe_assets.documents") / "languages" / f"{language}.yaml").is_file()


@cache
def words_of(locale: str) -> Words:
    """Return the words of a locale.

    Raises:
        WordsError: there is no file for the language, or an item in it is not valid.
    """
    language = locale.split("_", maxsplit=1)[0]
    base, overlay = _parse_words(language, swiss=locale == "de_CH"), read_words(locale)
    if not base:
        raise WordsError(f"languages/{language}.yaml: no such file; add one to use {locale}")
    units = base["units"] | overlay.get("units", {})
    catalogue = base["catalogue"] | overlay.get("catalogue", {})
    return Words(
        labels=labels_of(locale),
        phrases={key: tuple(words) for key, words in (base["phrases"] | overlay.get("phrases", {})).items()},
        catalogue={trade: tuple(_item(locale, trade, row, units) for row in rows) for trade, rows in catalogue.items()},
    )


def _item(locale: str, trade: str, row: list[Any], units: Mapping[str, str]) -> Item:
    name, unit_code, lowest, highest, *rates, code = row
    rate = _RATE_INDICES.get(rates[0] if rates else "standard")
    if (
        unit_code not in units
        or rate is None
        or len(rates) > 1
        or not 0 < lowest < highest
        or not _CODE.fullmatch(code)
    ):
        raise WordsError(
            f"languages/{locale}: catalogue.{trade}: {row} is not of the form [name, key of `units`, lowest price, "
            "highest price, optionally `reduced` or `most_reduced`, code of 4 or 6 digits]"
        )
    parts = tuple(
        tuple(text.split("|")) if index % 2 else (text,) for index, text in enumerate(_ALTERNATIVES.split(name))
    )
    return Item(parts, unit_code, units[unit_code], Decimal(str(lowest)), Decimal(str(highest)), rate, code)


def wordings(locale: str, key: str) -> tuple[str, ...]:
    """Return the wordings of a label in a locale, the usual one first."""
    return words_of(locale).labels[key]


@cache
def labels_of(locale: str) -> Mapping[str, tuple[str, ...]]:
    """Return the wordings of all labels of a locale; empty if there is no file for its language."""
    language = locale.split("_", maxsplit=1)[0]
    labels = _parse_words(language, swiss=locale == "de_CH").get("labels", {}) | read_words(locale).get("labels", {})
    return {key: tuple(words) for key, words in labels.items()}


def label_keys() -> tuple[str, ...]:
    """Return the keys of all labels. Every locale has wordings for each of them."""
    return tuple(words_of("en_GB").labels)


def phrases(locale: str, key: str) -> tuple[str, ...]:
    """Return the phrases of a locale for a purpose, such as ``thanks``. They may contain {placeholders}."""
    return words_of(locale).phrases[key]


def items_of(locale: str, trade: str) -> tuple[Item, ...]:
    """Return the items that a trade sells in a locale."""
    return words_of(locale).catalogue[trade]
