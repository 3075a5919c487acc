"""Postal addresses: the order in which each country prints their parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from babel import Locale

from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import Address

# Templates of an address; | ends a printed line. Source: the addressing guides of the Universal Postal Union.
_DEFAULT_FORMAT = "{street}|{additional_line}|{post_code} {city}"
_FORMATS = {
    "US": "{street}|{additional_line}|{city}, {subdivision} {post_code}",
    "GB": "{street}|{additional_line}|{city}|{post_code}",
    "AU": "{street}|{additional_line}|{city} {subdivision} {post_code}",
    "IN": "{street}|{additional_line}|{city} {post_code}|{subdivision}",
    "IT": "{street}|{additional_line}|{post_code} {city} ({subdivision})",
    "ES": "{street}|{additional_line}|{post_code} {city} ({subdivision})",
    "JP": "〒{post_code}|{subdivision}{city}{street}|{additional_line}",
    "CN": "{subdivision}{city}{street}|{additional_line}|{post_code}",
    "AE": "{street}|{additional_line}|{city}|{subdivision}",
}
_PART = re.compile(r"([^{}]*)\{(\w+)\}([^{} ]*)")

AddressLine = list[tuple[str, str, str]]
"""The parts of a printed line: each is the text before it, its field of `Address`, and the text after it."""


@cache
def _template_of(country_code: str) -> tuple[tuple[tuple[str, str, str], ...], ...]:
    lines = _FORMATS.get(country_code, _DEFAULT_FORMAT).split("|")
    return tuple(tuple((part[1], part[2], part[3]) for part in _PART.finditer(line)) for line in lines)


def address_lines(address: Address, locale: str) -> list[AddressLine]:
    """Return the printed lines of an address, without the parts that it lacks.

    Args:
        address: the address.
        locale: that of the document. An address in another country ends with the country's name.
    """
    lines = _present_lines(dict(address), address.country_code)
    if address.country_code != LOCALE_FACTS[locale].country_code:
        lines.append([(str(Locale.parse(locale).territories[address.country_code]).upper(), "country_code", "")])
    return lines


def address_texts(parts: Mapping[str, str], country_code: str) -> list[str]:
    """Return the text of each printed line of an address, in the order of a country.

    Args:
        parts: the parts that are known, by field of `Address`.
        country_code: ISO 3166-1 alpha-2 code; an unknown one has the most common order.
    """
    return [
        "".join(f"{before}{parts[name]}{after}" for before, name, after in line).strip(", ")
        for line in _present_lines(parts, country_code)
    ]


def _present_lines(parts: Mapping[str, Any], country_code: str) -> list[AddressLine]:
    lines = []
    for line in _template_of(country_code):
        present = [part for part in line if parts.get(part[1]) is not None]
        if present:
            # A separator before the first part would separate it from an absent one. Only the postal mark stays.
            (before, name, after), *rest = present
            lines.append([(before if before == "〒" else "", name, after), *rest])
    return lines
