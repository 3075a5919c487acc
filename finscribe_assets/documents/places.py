"""Where companies of a locale are and what they are called, from `places/<locale>.yaml`.

Patterns: `#` is a digit, `{name}` one of the file's lists of that name. In registrations `@` is the next character of
the company's national number, `{city}`, `{subdivision}` and `{code}` are its own, and a last `!` is Luhn's check digit;
where a country has several registers, their patterns stand under the last words of the names of the companies that
they are for. In companies' names `{home}` is the city without its district. Cities are [name, postal code's pattern,
subdivision as printed, the subdivision's code in tax numbers].
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

    @property
    def home(self) -> str:
        """Return a Chinese city's name as companies bear it, without what it is and its district."""
        return self.name.split("市", maxsplit=1)[0]


@dataclass(frozen=True)
class Places:
    """What a locale's addresses, names and numbers are made of."""

    cities: tuple[City, ...]
    streets: tuple[str, ...]  # patterns with the house number
    companies: tuple[str, ...]  # patterns
    people: tuple[str, ...]  # patterns
    phones: tuple[str, ...]
    tax_registrations: tuple[str, ...]
    legal_registrations: dict[str, tuple[str, ...]]  # by how companies' names end; the rest under ""
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
        return "".join(
            str(random.randint(1 if place == 0 else 0, 9)) if character == "#" else character
            for place, character in enumerate(text)
        )

    def draw_company(self, random: Random, city: City) -> str:
        """Return a company's name, in China with its city's."""
        return self.write(random, random.choice(self.companies).replace("{home}", city.home))

    def register_of(self, company: str) -> tuple[str, ...]:
        """Return the patterns of the register that a company is in."""
        endings = [ending for ending in self.legal_registrations if company.endswith(ending)]
        return self.legal_registrations[max(endings, key=len)]

    def write_registration(self, random: Random, pattern: str, city: City, national_number: str) -> str:
        """Return a number of a register, which in many countries is the company's national number once more."""
        characters = iter(national_number)
        text = pattern.replace("{city}", city.name).replace("{subdivision}", city.subdivision or "")
        text = text.replace("{code}", city.subdivision_code)
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
    registers = content.pop("legal_registrations")
    if isinstance(registers, list):
        registers = {"": registers}
    patterns = {
        name: tuple(map(str, content.pop(name)))
        for name in ("streets", "companies", "people", "phones", "tax_registrations")
    }
    return Places(
        cities=cities,
        legal_registrations={ending: tuple(some) for ending, some in registers.items()},
        words={name: tuple(map(str, some)) for name, some in content.items()},
        **patterns,
    )


def mail_address(random: Random, company: str, locale: str) -> str:
    """Return an e-mail address under example.com, which RFC 2606 keeps free, named after a word of the company's."""
    latin = unicodedata.normalize("NFKD", company).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z]+", latin) or [random.choice(places_of(locale).words["latin"])]
    name = next((word for word in words if len(word) >= 4), "".join(words))
    return f"{random.choice(_MAILBOXES)}@{name}.example.com"
