"""The words of documents, from `languages/*.yaml`: labels, phrases, units and what trades sell.

A locale's words are its language's, overlaid key by key by what the country says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml

TRADES = ("office", "catering", "software", "construction", "retail", "medical", "logistics", "automotive")

_ALTERNATIVES = re.compile(r"\{([^{}|]+(?:\|[^{}|]+)+)\}")  # splits a name into texts and, between them, choices

_CODE = re.compile(r"\d{4}(\d\d)?")
_RATES = {"standard": 0, "reduced": 1, "most_reduced": -1}


class WordsError(ValueError):
    """A file of words that cannot be used, with its name and key."""


@dataclass(frozen=True)
class Item:
    """Something a trade sells."""

    parts: tuple[tuple[str, ...], ...]  # of its name: each is one of these
    unit_code: str  # UN/ECE Recommendation 20
    unit: str  # as printed
    lowest: Decimal  # euro, without tax
    highest: Decimal
    rate: int  # which of the country's tax rates applies: 0 the standard one, 1 the reduced, -1 the most reduced
    code: str  # of the Harmonized System, or of India's services, which begin with 99

    @property
    def is_service(self) -> bool:
        """Tell whether it is work, time or use rather than goods."""
        return self.code.startswith("99")

    def draw_name(self, random: Random) -> str:
        """Return the item's name with one of each of its alternatives."""
        return "".join(part[0] if len(part) == 1 else random.choice(part) for part in self.parts)


@dataclass(frozen=True)
class Words:
    """All words of a locale."""

    labels: Mapping[str, tuple[str, ...]]  # the usual wording first
    phrases: Mapping[str, tuple[str, ...]]
    catalogue: Mapping[str, tuple[Item, ...]]


@cache
def read_words(name: str) -> dict[str, Any]:
    """Return the content of one file of words, such as ``de`` or ``de_AT``."""
    path = files("finscribe_assets.documents") / "languages" / f"{name}.yaml"
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) if path.is_file() else {}


def has_words(language: str) -> bool:
    """Tell whether a language has a file of words."""
    return (files("finscribe_assets.documents") / "languages" / f"{language}.yaml").is_file()


@cache
def words_of(locale: str) -> Words:
    """Return the words of a locale.

    Raises:
        WordsError: the language has no file, or an item names a unit that it does not have.
    """
    language = locale.split("_", maxsplit=1)[0]
    base, overlay = read_words(language), read_words(locale)
    if not base:
        raise WordsError(f"languages/{language}.yaml: there is no such file; {locale} needs one")
    units = base["units"] | overlay.get("units", {})
    catalogue = base["catalogue"] | overlay.get("catalogue", {})
    return Words(
        labels=labels_of(locale),
        phrases={key: tuple(words) for key, words in (base["phrases"] | overlay.get("phrases", {})).items()},
        catalogue={trade: tuple(_item(locale, trade, row, units) for row in rows) for trade, rows in catalogue.items()},
    )


def _item(locale: str, trade: str, row: list[Any], units: Mapping[str, str]) -> Item:
    name, unit_code, lowest, highest, *rates, code = row
    rate = _RATES.get(rates[0] if rates else "standard")
    known = unit_code in units and rate is not None and len(rates) <= 1
    if not known or rate is None or not 0 < lowest < highest or not _CODE.fullmatch(code):
        raise WordsError(
            f"languages/{locale}: catalogue.{trade}: {row} is not [name, a unit of `units`, lowest price, "
            "higher price, perhaps `reduced` or `most_reduced`, code of 4 or 6 digits]"
        )
    parts = tuple(
        tuple(text.split("|")) if place % 2 else (text,) for place, text in enumerate(_ALTERNATIVES.split(name))
    )
    return Item(parts, unit_code, units[unit_code], Decimal(str(lowest)), Decimal(str(highest)), rate, code)


def wordings(locale: str, key: str) -> tuple[str, ...]:
    """Return a label's wordings in a locale, the usual one first."""
    return words_of(locale).labels[key]


@cache
def labels_of(locale: str) -> Mapping[str, tuple[str, ...]]:
    """Return the labels alone of a locale, none where its language has no file."""
    language = locale.split("_", maxsplit=1)[0]
    labels = read_words(language).get("labels", {}) | read_words(locale).get("labels", {})
    return {key: tuple(words) for key, words in labels.items()}


def label_keys() -> tuple[str, ...]:
    """Return the keys of all labels; every locale has a wording for each."""
    return tuple(words_of("en_GB").labels)


def phrases(locale: str, key: str) -> tuple[str, ...]:
    """Return the phrases of a locale for a purpose, with their {placeholders}."""
    return words_of(locale).phrases[key]


def items_of(locale: str, trade: str) -> tuple[Item, ...]:
    """Return what a trade sells in a locale."""
    return words_of(locale).catalogue[trade]
