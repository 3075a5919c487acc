"""In which order each country prints the parts of an address."""

from __future__ import annotations

import re
from functools import cache

from finscribe_assets.documents.schema import Address

_USUAL = "{street}|{additional_line}|{post_code} {city}"
# By country; | ends a printed line. Source: the Universal Postal Union's addressing guides.
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

AddressLine = tuple[tuple[str, str, str], ...]  # text before, name of the part, text after


@cache
def _lines_of(country_code: str) -> tuple[AddressLine, ...]:
    lines = _FORMATS.get(country_code, _USUAL).split("|")
    return tuple(tuple((part[1], part[2], part[3]) for part in _PART.finditer(line)) for line in lines)


def address_lines(address: Address) -> list[list[tuple[str, str, str]]]:
    """Return the printed lines of an address: the parts that it has, each with the text before and after it."""
    lines = []
    for line in _lines_of(address.country_code):
        there = [part for part in line if getattr(address, part[1]) is not None]
        if there:
            # Nothing separates the first part that is there from what is not.
            (before, name, after), *rest = there
            lines.append([(before if before == "〒" else "", name, after), *rest])
    return lines
