"""Amounts as people and models write them → `Decimal`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from functools import cache

from babel.numbers import get_currency_symbol, get_decimal_symbol

from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS, SHARED_SYMBOLS
from finscribe_assets.evaluation.plain_text import Ambiguous, Unreadable, plain_form

# Arabic has a percent sign, a decimal mark and a thousands mark of its own.
_MARKS = str.maketrans(
    {"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "٪": "%", "٫": ".", "٬": "'", "（": "(", "）": ")"}
)
_SPACE = "_"  # what stands for spaces and apostrophes between digits, which are never decimal marks
_SPACES = re.compile(r"(?<=\d)[\s'’`´]+(?=\d)")
_NO_CENTS = re.compile(r"(?<=\d)[.,]\s*--?$")  # as in 12.- or 12,--
_NUMBER = re.compile(r"\d+(?:[.,_]\d+)*[.,]?|[.,]\d+", re.ASCII)

_OTHER_SYMBOLS = ("Fr.", "Rs.", "Rs", "£", "¥", "円", "元", "%")


@cache
def _currency() -> re.Pattern[str]:
    """Return what stands for a currency beside an amount: any code, and the symbols of those that documents are in."""
    symbols = {get_currency_symbol(code, locale) for code in MINOR_UNITS for locale in LOCALE_FACTS}
    symbols = {plain_form(symbol) for symbol in (*symbols, *SHARED_SYMBOLS, *_OTHER_SYMBOLS)}
    worded = sorted((re.escape(symbol) for symbol in symbols if symbol[0].isalpha()), key=len, reverse=True)
    signs = sorted((re.escape(symbol) for symbol in symbols if not symbol[0].isalpha()), key=len, reverse=True)
    return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(worded)}|[A-Z]{{3}})(?![^\W\d_])|{'|'.join(signs)}")


def parse_amount(
    text: str,
    locale: str | None = None,
    *,
    of_account: bool = False,
    decimal: str | None = None,
    places: int | None = None,
) -> Decimal:
    """Read an amount: sign, parentheses, trailing minus, CR/DR, currency, percent, any common grouping and digits.

    ``1.234`` and ``1,234`` mean what the first of these tells: ``places``, how many decimals such an amount has;
    ``decimal``, the mark that its writer puts before decimals; the locale. CR takes from what a bill asks for, and DR
    adds to it; of an account (``of_account``) it is the other way round.

    Raises:
        Ambiguous: it depends on what none of them tells.
        Unreadable: it is no amount.
    """
    negative, body = _unsigned(text, of_account)
    number = _number(body, text)
    marks = [character for character in number if not character.isdigit()]
    if _may_be_thousands(number):
        is_decimal = _is_decimal(marks[0], text, locale, decimal, places)
    else:
        is_decimal = bool(marks) and marks[-1] != _SPACE and marks.count(marks[-1]) == 1
    whole, _, fraction = number.rpartition(marks[-1]) if is_decimal else (number, "", "")
    value = Decimal(_ungrouped(whole, text) + (f".{fraction}" if fraction else ""))
    return -value if negative else value


def decimal_mark(texts: Iterable[str]) -> str | None:
    """Return the mark that most of a document's amounts show before their decimals, None where they show none."""
    votes: Counter[str] = Counter()
    for text in texts:
        try:
            number = _number(_unsigned(text, of_account=False)[1], text)
        except Unreadable:
            continue
        marks = [character for character in number if character in ".,"]
        if not marks or _may_be_thousands(number):
            continue
        votes[marks[-1] if marks.count(marks[-1]) == 1 else ".,".replace(marks[-1], "")] += 1
    return max(votes, key=lambda mark: votes[mark]) if votes["."] != votes[","] else None


def _unsigned(text: str, of_account: bool) -> tuple[bool, str]:
    """Return whether an amount is below zero, and what is left of it without sign and currency."""
    body = plain_form(text).translate(_MARKS)
    negative = False
    if body.startswith("(") and body.endswith(")"):
        negative, body = True, body[1:-1].strip()
    for mark, sign in (("CR", not of_account), ("DR", of_account)):
        if body.upper().rstrip(".").endswith(mark):
            negative, body = negative != sign, body.rstrip(".")[:-2]
            break
    body = _currency().sub("", body).strip()
    body = _NO_CENTS.sub("", body)
    if body.startswith("-"):
        negative, body = not negative, body[1:]
    elif body.endswith("-"):
        negative, body = not negative, body[:-1]
    else:
        body = body.removeprefix("+")
    if body.startswith("(") and body.endswith(")") and not negative:  # the currency stood outside
        negative, body = True, body[1:-1]
    return negative, body.strip()


def _number(body: str, text: str) -> str:
    """Return digits and marks, spaces and apostrophes between digits as one mark."""
    number = _SPACES.sub(_SPACE, body)
    if _SPACE in body or not _NUMBER.fullmatch(number):
        raise Unreadable(f"{text[:60]!r} is no amount")
    return number.removesuffix(".").removesuffix(",")


def _may_be_thousands(number: str) -> bool:
    """Tell whether a number's only mark may stand before decimals as well as before thousands, as in 1.234."""
    return re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", number, re.ASCII) is not None


def _is_decimal(mark: str, text: str, locale: str | None, decimal: str | None, places: int | None) -> bool:
    if places is not None:
        return places >= 3
    if decimal is None and locale is None:
        raise Ambiguous(f"{text[:60]!r} may have decimals or thousands; name the locale")
    return mark == (decimal or get_decimal_symbol(locale))


def _ungrouped(whole: str, text: str) -> str:
    marks = {character for character in whole if not character.isdigit()}
    groups = re.split(r"[.,_]", whole)
    # Thousands in threes, or India's lakh in twos before the last three.
    if len(marks) > 1 or (
        len(groups) > 1
        and (
            len(groups[-1]) != 3
            or not 1 <= len(groups[0]) <= 3
            or not (
                all(len(group) == 3 for group in groups[1:])
                or (len(groups[0]) <= 2 and all(len(group) == 2 for group in groups[1:-1]))
            )
        )
    ):
        raise Unreadable(f"{text[:60]!r}: digits are not in groups of an amount")
    return "".join(groups) or "0"
