"""Addresses, names and registration numbers of companies in each locale, from `places/<locale>.yaml`.

The files hold patterns. In a pattern, `#` stands for a random digit and `{name}` for an item of the file's list
``name``. Half of the family names and of the stems of company names are composed of an item of ``family_head`` or
``stem_head`` and one of ``family_tail`` or ``stem_tail``. In patterns of registration numbers, `@` is the next
character of the company's national number, `{city}`, `{subdivision}` and `{code}` are those of its city, and a final
`!` is a Luhn check digit. If a country has several registers, their patterns are listed by how the names of their
companies end. In company names, `{home}` is the city without its district, and `{line}` a word of the company's trade.
A city is ``[name, pattern of postal codes or a list of them, subdivision as printed, its code in tax numbers]``. In
patterns of postal codes, `<a-b>` stands for a number in this range, with as many digits as ``a``: where the codes of a
region are shared by many towns, only those of the city itself are listed.
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

COMPOSED_NAMES = 1.0  # number of family names and stems that are composed of syllables, for one that is listed
_NAME = re.compile(r"\{(\w+)\}")
_RANGE = re.compile(r"<(\d+)-(\d+)>")
_MAILBOXES = ("info", "office", "billing", "accounts", "contact")


@dataclass(frozen=True)
class City:
    """A city and the patterns of its postal codes."""

    name: str
    post_codes: tuple[str, ...]  # patterns; none if the country has no postal codes
    subdivision: str | None = None
    subdivision_code: str = ""

    @property
    def home(self) -> str:
        """Return the name of a Chinese city as company names contain it, without its type (市) and district."""
        return self.name.split("市", maxsplit=1)[0]


@dataclass(frozen=True)
class Places:
    """The cities and patterns of a locale."""

    cities: tuple[City, ...]
    streets: tuple[str, ...]  # % is the house number
    companies: tuple[str, ...]
    people: tuple[str, ...]
    phones: tuple[str, ...]
    tax_registrations: tuple[str, ...]
    legal_registrations: dict[str, tuple[str, ...]]  # by the ending of company names; "" for all others
    words: dict[str, tuple[str, ...]]  # the lists that patterns refer to

    def write(self, random: Random, pattern: str) -> str:
        """Fill in a pattern: a word for each {name}, no word twice, and a digit for each #."""
        used: list[str] = []

        def choose(name: re.Match[str]) -> str:
            while (word := self.write(random, random.choice(self.words[name[1]]))) in used:
                pass
            used.append(word)
            return word

        text = _NAME.sub(choose, pattern) if "{" in pattern else pattern
        if "#" not in text:
            return text
        return "".join(
            str(random.randint(1 if index == 0 else 0, 9)) if character == "#" else character
            for index, character in enumerate(text)
        )

    def draw_post_code(self, random: Random, city: City) -> str | None:
        """Draw a postal code of a city; None if its country has none."""
        if not city.post_codes:
            return None
        pattern = random.choice(city.post_codes)
        return self.write(random, _RANGE.sub(lambda ends: _number_between(random, ends[1], ends[2]), pattern))

    def draw_company(self, random: Random, city: City, line: str) -> str:
        """Draw the name of a company; Chinese names contain the city.

        Args:
            random: the stream to draw from.
            city: where it is.
            line: what it does, in a word of its trade.
        """
        pattern = random.choice(self.companies).replace("{home}", city.home).replace("{line}", line)
        return self.write(random, pattern)

    def register_of(self, company: str) -> tuple[str, ...]:
        """Return the number patterns of the register that a company belongs to, by the ending of its name."""
        endings = [ending for ending in self.legal_registrations if company.endswith(ending)]
        return self.legal_registrations[max(endings, key=len)]

    def write_registration(self, random: Random, pattern: str, city: City, national_number: str) -> str:
        """Fill in the pattern of a registration number, which in many countries contains the national number."""
        characters = iter(national_number)
        text = pattern.replace("{city}", city.name).replace("{subdivision}", city.subdivision or "")
        text = text.replace("{code}", city.subdivision_code)
        text = self.write(random, re.sub("@", lambda _: next(characters), text))
        if text.endswith("!"):
            text = text[:-1] + luhn("".join(filter(str.isdigit, text)))
        return text

    def draw_street(self, random: Random) -> str:
        """Draw a street with a house number."""
        return self.write(random, random.choice(self.streets)).replace("%", str(_house_number(random)))


def _house_number(random: Random) -> int:
    return min(int(random.paretovariate(0.9) * random.randint(1, 9)), 240)


def _number_between(random: Random, least: str, greatest: str) -> str:
    return f"{random.randint(int(least), int(greatest)):0{len(least)}d}"


def _city(name: str, post_codes: str | list[str], *subdivision: str) -> City:
    patterns = post_codes if isinstance(post_codes, list) else [post_codes] if post_codes else []
    return City(str(name), tuple(map(str, patterns)), *map(str, subdivision))


@cache
def places_of(locale: str) -> Places:
    """Read the places of a locale."""
    path = files("finscribe_assets.documents") / "places" / f"{locale}.yaml"
    content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    for name in ("family", "stem"):
        if f"{name}_head" in content:
            composed = f"{{{name}_head}}{{{name}_tail}}"
            content[name] += [composed] * round(len(content[name]) * COMPOSED_NAMES)
    cities = tuple(_city(*row) for row in content.pop("cities"))
    registers = content.pop("legal_registrations")
    if isinstance(registers, list):
        registers = {"": registers}
    pattern_lists = {
        name: tuple(map(str, content.pop(name)))
        for name in ("streets", "companies", "people", "phones", "tax_registrations")
    }
    return Places(
        cities=cities,
        legal_registrations={ending: tuple(patterns) for ending, patterns in registers.items()},
        words={name: tuple(map(str, items)) for name, items in content.items()},
        **pattern_lists,
    )


def mail_address(random: Random, company: str, locale: str) -> str:
    """Draw an e-mail address with a word of the company's name, under example.com, which RFC 2606 reserves."""
    latin = unicodedata.normalize("NFKD", company).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z]+", latin) or [random.choice(places_of(locale).words["latin"])]
    name = next((word for word in words if len(word) >= 4), "".join(words))
    return f"{random.choice(_MAILBOXES)}@{name}.example.com"
