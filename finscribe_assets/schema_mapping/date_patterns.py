"""Dates in a stated pattern of digits, such as ``dd/MM/yyyy``, which decides what an order of digits means."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache

from finscribe_assets.errors import UserError

_FIELDS = {
    "dd": r"(?P<day>\d{2})",
    "d": r"(?P<day>\d{1,2})",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "yyyy": r"(?P<year>\d{4})",
    "yy": r"(?P<year>\d{2})",
}
_LETTERS = re.compile(r"[A-Za-z]+")


def check_date_pattern(pattern: str) -> None:
    """Raise a UserError unless a pattern has one day, one month and one year, in digits."""
    _compile(pattern)


def parse_by_pattern(text: str, pattern: str) -> dt.date | None:
    """Return the date that a text states in a pattern; None if it does not follow the pattern.

    Years of two digits are 1970 to 2069.
    """
    found = _compile(pattern).fullmatch(text.strip())
    if found is None:
        return None
    year = int(found["year"])
    if len(found["year"]) == 2:
        year += 1900 if year >= 70 else 2000
    try:
        return dt.date(year, int(found["month"]), int(found["day"]))
    except ValueError:
        return None


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    fields = _LETTERS.findall(pattern)
    parts = [_FIELDS[field] for field in fields if field in _FIELDS]
    if len(fields) != 3 or len(parts) != 3 or len({part[3:6] for part in parts}) != 3:
        raise UserError(
            f"the format {pattern!r} is not a date in digits: write day, month and year as d or dd, M or MM, yy or "
            "yyyy, such as dd/MM/yyyy"
        )
    separators = _LETTERS.split(pattern)
    body = "".join(re.escape(separator) + part for separator, part in zip(separators, [*parts, ""], strict=True))
    return re.compile(body, re.ASCII)
