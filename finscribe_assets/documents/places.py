"""Where companies of a locale are and what they are called, from `places/<locale>.yaml`.

Patterns: `#` is a digit, `{name}` one of the file's lists of that name. In registrations `@` is the next character of
the company's national number, `{city}` and `{subdivision}` are its own, and a last `!` is Luhn's check digit. Cities
are [name, postal code's pattern, subdivision as printed, the subdivision's code in tax numbers].
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml

from finscribe_assets.documents.identifiers import luhn

_NAME = re.compile(r"\{(\w+)\}")
_MAILBOXES = ("info", "office", "billing", "accounts", "contact")


@dataclass(frozen=True)
class City:
    """A city and how its postal codes look."""

    name: str
    post_code: str  # pattern; empty where there are none
    subdivision: str | None = None
    subdivision_code: str = ""


@dataclass(frozen=True)
class Places:
    """What a locale's addresses, names and numbers are made of."""

    cities: tuple[City, ...]
    streets: tuple[str, ...]  # patterns with the house number
    companies: tuple[str, ...]  # patterns
    people: tuple[str, ...]  # patterns
    phones: tuple[str, ...]
    tax_registrations: tuple[str, ...]
    legal_registrations: tuple[str, ...]
    words: dict[str, tuple[str, ...]]  # what patterns name

    def write(self, random: Random, pattern: str) -> str:
        """Return a pattern with one of its list for each name, none of them twice, and a digit for each #."""
        used: list[str] = []

        def choose(found: re.Match[str]) -> str:
            while (word := random.choice(self.words[found[1]])) in used:
                pass
            used.append(word)
            return word

        text = _NAME.sub(choose, pattern) if "{" in pattern else pattern
        if "#" not in text:
            return text
        return "".join(str(random.randint(1 if place == 0 else 0, 9)) if character == "#" else character
                       for place, character in enumerate(text))  # fmt: skip

    def write_registration(self, random: Random, pattern: str, city: City, national_number: str) -> str:
        """Return a number of a register, which in many countries is the company's national number once more."""
        characters = iter(national_number)
        text = pattern.replace("{city}", city.name).replace("{subdivision}", city.subdivision or "")
        text = self.write(random, re.sub("@", lambda _: next(characters), text))
        if text.endswith("!"):
            text = text[:-1] + luhn("".join(filter(str.isdigit, text)))
        return text

    def draw_street(self, random: Random) -> str:
        """Return a street with its number."""
        return self.write(random, random.choice(self.streets)).replace("%", str(_house_number(random)))


def _house_number(random: Random) -> int:
    return min(int(random.paretovariate(0.9) * random.randint(1, 9)), 240)


@cache
def places_of(locale: str) -> Places:
    """Return the places of a locale."""
    path = files("finscribe_assets.documents") / "places" / f"{locale}.yaml"
    content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    cities = tuple(City(*map(str, row)) for row in content.pop("cities"))
    patterns = {name: tuple(map(str, content.pop(name))) for name in (
        "streets", "companies", "people", "phones", "tax_registrations", "legal_registrations")}  # fmt: skip
    return Places(cities=cities, words={name: tuple(map(str, some)) for name, some in content.items()}, **patterns)


def mail_address(random: Random, company: str, locale: str) -> str:
    """Return an e-mail address under example.com, which RFC 2606 keeps free, named after the company's first word."""
    first = unicodedata.normalize("NFKD", company.split(maxsplit=1)[0]).encode("ascii", "ignore").decode()
    name = re.sub(r"\W", "", first).lower() or random.choice(places_of(locale).words["latin"])
    return f"{random.choice(_MAILBOXES)}@{name}.example.com"
