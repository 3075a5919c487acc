"""Values as people and models write them → canonical form: amounts, dates, identifiers, text.

A value that can mean two things without knowing its locale is not guessed: it is `Ambiguous`.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from functools import cache
from typing import Any

from babel.dates import get_month_names
from babel.numbers import get_currency_symbol, get_decimal_symbol

from finscribe_assets.documents.elements import ValueKind, kind_of
from finscribe_assets.documents.formats import ERAS
from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS, SHARED_SYMBOLS

MAX_LENGTH = 400  # of a single value; longer ones are compared by their beginning


class Unreadable(ValueError):
    """Text that is no value of the kind asked for."""


class Ambiguous(Unreadable):
    """Text that is a different value in different locales, and no locale is given."""


_SPACES = re.compile(r"[\s'’`]")
# Arabic has a percent sign, a decimal mark and a thousands mark of its own.
_MARKS = str.maketrans({"−": "-", "–": "-", "—": "-", "٪": "%", "٫": ".", "٬": "'"})
_BIDI_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))


def _plain_form(text: str) -> str:
    """Return text in NFKC, every script's digits as 0 to 9, without marks of direction."""
    if text.isascii():
        return text[:MAX_LENGTH].strip()
    body = unicodedata.normalize("NFKC", text[:MAX_LENGTH]).translate(_BIDI_MARKS).strip()
    return "".join(str(unicodedata.decimal(character, character)) for character in body)


@cache
def _currency() -> re.Pattern[str]:
    """Return what stands for a currency beside an amount: any code, and the symbols of those that documents are in."""
    symbols = {get_currency_symbol(code, locale) for code in MINOR_UNITS for locale in LOCALE_FACTS}
    symbols = {_plain_form(symbol) for symbol in (*symbols, *SHARED_SYMBOLS, "Fr.", "£", "¥", "%")}
    worded = sorted((re.escape(symbol) for symbol in symbols if symbol[0].isalpha()), key=len, reverse=True)
    signs = sorted((re.escape(symbol) for symbol in symbols if not symbol[0].isalpha()), key=len, reverse=True)
    return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(worded)}|[A-Z]{{3}})(?![^\W\d_])|{'|'.join(signs)}")


def parse_amount(text: str, locale: str | None = None, *, of_account: bool = False) -> Decimal:
    """Read an amount: sign, parentheses, trailing minus, CR/DR, currency, percent, any common grouping and digits.

    ``1.234`` and ``1,234`` mean what the locale says. CR takes from what a bill asks for, and DR adds to it; of an
    account (``of_account``) it is the other way round.

    Raises:
        Ambiguous: it depends on the locale, and none is given.
        Unreadable: it is no amount.
    """
    body = _plain_form(text).translate(_MARKS)
    negative = False
    if body.startswith("(") and body.endswith(")"):
        negative, body = True, body[1:-1]
    for mark, sign in (("CR", not of_account), ("DR", of_account)):
        if body.upper().endswith(mark):
            negative, body = negative != sign, body[:-2]
    body = _SPACES.sub("", _currency().sub("", body))
    if body.startswith("-"):
        negative, body = not negative, body[1:]
    elif body.endswith("-"):
        negative, body = not negative, body[:-1]
    else:
        body = body.removeprefix("+")
    if not re.fullmatch(r"\d[\d.,]*|[.,]\d+", body, re.ASCII):
        raise Unreadable(f"{text[:60]!r} is no amount")
    value = Decimal(_plain(body, text, locale))
    return -value if negative else value


def _plain(body: str, text: str, locale: str | None) -> str:
    """Return digits with a point as the decimal mark, from digits with points and commas."""
    marks = [character for character in body if character in ".,"]
    if not marks:
        return body
    last = marks[-1]
    whole, _, fraction = body.rpartition(last)
    if len(set(marks)) == 2:
        decimal = last if marks.count(last) == 1 else None
        if decimal is None:
            raise Unreadable(f"{text[:60]!r}: points and commas in no order of an amount")
    elif len(marks) > 1:
        decimal = None
    elif len(fraction) == 3 and whole not in ("", "0"):
        if locale is None:
            raise Ambiguous(f"{text[:60]!r} is {whole}{fraction} or {whole}.{fraction}; name the locale")
        decimal = last if get_decimal_symbol(locale) == last else None
    else:
        decimal = last
    if decimal is None:
        whole, fraction = body, ""
    groups = re.split(r"[.,]", whole)
    # Thousands in threes, or India's lakh in twos before the last three.
    if len(groups) > 1 and (len(groups[-1]) != 3 or not all(len(group) in (2, 3) for group in groups[1:-1])
                            or not 1 <= len(groups[0]) <= 3):  # fmt: skip
        raise Unreadable(f"{text[:60]!r}: digits are not in groups of an amount")
    return "".join(groups) + (f".{fraction}" if fraction else "")


@cache
def _months() -> dict[str, int]:
    names: dict[str, int] = {}
    for locale in LOCALE_FACTS:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, locale).items():
                    if not any(character.isdigit() for character in name):  # such as 3月, whose digits say it
                        names[_fold(name)] = number
    return names


def _fold(word: str) -> str:
    bare = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in bare if character.isalpha())


def parse_date(text: str, locale: str | None = None) -> dt.date:
    """Read a date: ISO 8601, digits in the locale's order, Japanese eras, or with the month's name in any language.

    Years of two digits are of 1970 to 2069; first or last, as the locale has them.

    Raises:
        Ambiguous: day and month could be either way round, and no locale is given.
        Unreadable: it is no date.
    """
    body = _plain_form(text)
    if (era := _ERA.fullmatch(body)) is not None:
        return _of_era(text, *era.groups())
    numbers = [number for number in re.findall(r"\d+", body, re.ASCII) if len(number) <= 4]
    words = [word for word in re.findall(r"[^\W\d_]+", body) if _fold(word) in _months()]
    try:
        if words and len(numbers) == 2:
            day, year = (
                numbers if len(numbers[1]) >= 2 and int(numbers[0]) <= 31 and len(numbers[0]) <= 2 else numbers[::-1]
            )
            return dt.date(_year(year), _months()[_fold(words[0])], int(day))
        if len(numbers) != 3 or re.search(r"[^\d\s./\-年月日]", body):
            raise Unreadable(f"{text[:60]!r} is no date")
        if len(numbers[0]) == 4:
            return dt.date(*map(int, numbers))
        if locale in LOCALE_FACTS and LOCALE_FACTS[locale].short_dates[0].startswith("yy"):
            year, month, day = numbers if len(numbers[2]) <= 2 else numbers[::-1]
            return dt.date(_year(year), int(month), int(day))
        first, second, year = numbers
        if locale is None and int(first) <= 12 and int(second) <= 12 and first != second:
            raise Ambiguous(f"{text[:60]!r}: day and month could be either way round; name the locale")
        month_first = locale == "en_US" or (locale is None and int(second) > 12)
        month, day = (first, second) if month_first else (second, first)
        return dt.date(_year(year), int(month), int(day))
    except Unreadable:
        raise
    except ValueError as error:
        raise Unreadable(f"{text[:60]!r} is no date") from error


_ERA = re.compile(r"(令和|平成|R|H)(\d{1,2}|元)[年.](\d{1,2})[月.](\d{1,2})日?")


def _of_era(text: str, name: str, year: str, month: str, day: str) -> dt.date:
    since = next(era.since for era in ERAS if name in (era.name, era.initial))
    try:
        return dt.date(since.year - 1 + (1 if year == "元" else int(year)), int(month), int(day))
    except ValueError as error:
        raise Unreadable(f"{text[:60]!r} is no date") from error


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 2:
        return year + (1900 if year >= 70 else 2000)
    return year


def identifier(text: str) -> str:
    """Return an identifier without spaces, in capitals."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def plain_text(text: str) -> str:
    """Return text in NFKC with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def canonical(path: str, value: Any, locale: str | None = None) -> str | None:
    """Return the canonical form of a field's value, None where it is absent.

    A value that is no value of its kind stays what it is, as text: it differs from every right one.
    """
    if value is None or isinstance(value, dict | list):
        return None
    try:
        text = str(value)
    except ValueError:  # an integer of more digits than Python writes
        return "a number beyond writing"
    if not text.strip():
        return None
    kind = kind_of(path) or ValueKind.TEXT
    try:
        if kind is ValueKind.AMOUNT:
            number = parse_amount(text, locale, of_account=path.startswith(("entries", "statement")))
            return format(number.normalize(), "f") if number else "0"
        if kind is ValueKind.DATE:
            return parse_date(text, locale).isoformat()
    except Unreadable:
        return plain_text(text)
    return identifier(text) if kind is ValueKind.IDENTIFIER else plain_text(text)
