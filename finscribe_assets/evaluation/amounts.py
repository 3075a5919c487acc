"""Parse amounts as people and models write them into `Decimal`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from functools import cache

from babel.numbers import get_currency_symbol, get_decimal_symbol

from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS, SHARED_SYMBOLS
from finscribe_assets.evaluation.plain_text import AmbiguousValueError, UnreadableValueError, plain_form

# Arabic has its own percent sign, decimal mark and thousands mark.
_MARKS = str.maketrans(
    {"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "٪": "%", "٫": ".", "٬": "'", "（": "(", "）": ")"}
)
_SPACE = "_"  # stands for spaces and apostrophes between digits, which never are decimal marks
_SPACES = re.compile(r"(?<=\d)[\s'’`´]+(?=\d)")
_NO_CENTS = re.compile(r"(?<=\d)[.,]\s*--?$")  # as in 12.- or 12,--
_NUMBER = re.compile(r"\d+(?:[.,_]\d+)*[.,]?|[.,]\d+", re.ASCII)

_OTHER_SYMBOLS = ("Fr.", "Rs.", "Rs", "£", "¥", "円", "元", "%")


@cache
def _currency() -> re.Pattern[str]:
    """Return a pattern of any currency code, and of the symbols of the currencies that documents are in."""
    symbols = {get_currency_symbol(code, locale) for code in MINOR_UNITS for locale in LOCALE_FACTS}
    symbols = {plain_form(symbol) for symbol in (*symbols, *SHARED_SYMBOLS, *_OTHER_SYMBOLS)}
    worded = sorted((re.escape(symbol) for symbol in symbols if symbol[0].isalpha()), key=len, reverse=True)
    signs = sorted((re.escape(symbol) for symbol in symbols if not symbol[0].isalpha()), key=len, reverse=True)
    return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(worded)}|[A-Z]{{3}})(?![^\W\d_])|{'|'.join(signs)}")


def parse_amount(
    text: str,
    locale: str | None = None,
    *,
    is_account: bool = False,
    decimal_mark: str | None = None,
    max_decimals: int | None = None,
) -> Decimal:
    """Parse an amount with its sign, parentheses, trailing minus, CR or DR, currency, percent sign and grouping.

    A text such as ``1.234`` or ``1,234`` has either three decimals or a thousands mark. The first of ``max_decimals``,
    ``decimal_mark`` and ``locale`` that is given decides.

    Args:
        text: the amount, in digits of any script.
        locale: whose number format the text has.
        is_account: whether the amount belongs to an account, where CR is positive and DR negative. On a bill it is the
            other way round: CR is negative.
        decimal_mark: what the writer of the text puts before decimals, ``.`` or ``,``.
        max_decimals: number of decimals that such an amount has at most.

    Raises:
        AmbiguousValueError: the lone mark may stand before decimals or thousands, and nothing decides.
        UnreadableValueError: the text is not an amount.
    """
    negative, body = _split_sign(text, is_account)
    number = _number(body, text)
    marks = [character for character in number if not character.isdigit()]
    if _may_be_thousands(number):
        has_decimals = _is_decimal_mark(marks[0], text, locale, decimal_mark, max_decimals)
    else:
        has_decimals = bool(marks) and marks[-1] != _SPACE and marks.count(marks[-1]) == 1
    whole, _, fraction = number.rpartition(marks[-1]) if has_decimals else (number, "", "")
    value = Decimal(_ungrouped(whole, text) + (f".{fraction}" if fraction else ""))
    return -value if negative else value


def find_decimal_mark(texts: Iterable[str]) -> str | None:
    """Return the mark that most amounts of a document have before their decimals; None if they do not show one."""
    votes: Counter[str] = Counter()
    for text in texts:
        try:
            number = _number(_split_sign(text, is_account=False)[1], text)
        except UnreadableValueError:
            continue
        marks = [character for character in number if character in ".,"]
        if not marks or _may_be_thousands(number):
            continue
        # A mark that is repeated groups thousands, so that decimals have the other one.
        votes[marks[-1] if marks.count(marks[-1]) == 1 else ".,".replace(marks[-1], "")] += 1
    return max(votes, key=lambda mark: votes[mark]) if votes["."] != votes[","] else None


def _split_sign(text: str, is_account: bool) -> tuple[bool, str]:
    """Return whether an amount is negative, and the rest of it without sign and currency."""
    body = plain_form(text).translate(_MARKS)
    negative = False
    if body.startswith("(") and body.endswith(")"):
        negative, body = True, body[1:-1].strip()
    for mark, sign in (("CR", not is_account), ("DR", is_account)):
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
    if body.startswith("(") and body.endswith(")") and not negative:  # the currency was outside the parentheses
        negative, body = True, body[1:-1]
    return negative, body.strip()


def _number(body: str, text: str) -> str:
    """Return digits and marks, with one mark for all spaces and apostrophes between digits."""
    number = _SPACES.sub(_SPACE, body)
    if _SPACE in body or not _NUMBER.fullmatch(number):
        raise UnreadableValueError(f"{text[:60]!r} is not an amount")
    return number.removesuffix(".").removesuffix(",")


def _may_be_thousands(number: str) -> bool:
    """Tell whether the only mark of a number may stand before decimals as well as before thousands, as in 1.234."""
    return re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", number, re.ASCII) is not None


def _is_decimal_mark(
    mark: str, text: str, locale: str | None, decimal_mark: str | None, max_decimals: int | None
) -> bool:
    if max_decimals is not None:
        return max_decimals >= 3
    if decimal_mark is None and locale is None:
        raise AmbiguousValueError(f"{text[:60]!r} may have decimals or thousands; give the locale")
    return mark == (decimal_mark or get_decimal_symbol(locale))


def _ungrouped(whole: str, text: str) -> str:
    """Return the digits before the decimals, grouped in threes or by lakh: in twos before the last three."""
    marks = {character for character in whole if not character.isdigit()}
    groups = re.split(r"[.,_]", whole)
    in_threes = all(len(group) == 3 for group in groups[1:])
    in_lakh = len(groups[0]) <= 2 and all(len(group) == 2 for group in groups[1:-1])
    is_grouped = len(groups[-1]) == 3 and 1 <= len(groups[0]) <= 3 and (in_threes or in_lakh)
    if len(marks) > 1 or (len(groups) > 1 and not is_grouped):
        raise UnreadableValueError(f"{text[:60]!r}: the digits are not grouped as those of an amount")
    return "".join(groups) or "0"
