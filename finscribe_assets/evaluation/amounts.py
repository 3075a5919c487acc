"""Parse amounts as people and models write them into `Decimal`."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from babel.numbers import get_decimal_symbol

from finscribe_assets.evaluation.amount_affixes import Affix, is_tax_code, read_affix
from finscribe_assets.evaluation.plain_text import (
    MAX_VALUE_LENGTH,
    AmbiguousValueError,
    UnreadableValueError,
    plain_form,
)

# Arabic has its own percent sign, decimal mark and thousands mark.
_MARKS = str.maketrans(dict.fromkeys("−–—‐‑‒―﹣", "-") | {"٪": "%", "٫": ".", "٬": "'", "،": ",", "（": "(", "）": ")"})
_SPACE = "_"  # stands for spaces and apostrophes between digits, which never are decimal marks
_SPACES = re.compile(r"(?<=\d)[\s'’`´]+(?=\d)")
# A mark before the first digit belongs to the number, unless it ends an abbreviation: .50 in "$.50", 5 in "Rs.5".
_DIGITS = re.compile(r"(?:(?<![^\W\d_])[.,])?\d(?:[\d.,\s'’`´]*\d)?", re.ASCII)
_NUMBER = re.compile(r"\d+(?:[.,_]\d+)*|[.,]\d+", re.ASCII)
_SWEDISH_CENTS = re.compile(r"(?<=\d):(?=\d\d(?!\d))")  # 19:90
_TWO_DECIMALS = re.compile(r"[.,]\d\d$")


class _SplitAmount(NamedTuple):
    """A text as its sign and its digits with marks, where one mark stands for all spaces and apostrophes."""

    negative: bool
    number: str


def parse_amount(
    text: str,
    locale: str | None = None,
    *,
    is_account: bool = False,
    decimal_mark: str | None = None,
    max_decimals: int | None = None,
    units: bool = False,
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
        units: whether a unit of measure may stand beside it, as in ``2 pcs`` and ``1.50 €/kg``.

    Raises:
        AmbiguousValueError: the lone mark may stand before decimals or thousands, and nothing decides.
        UnreadableValueError: the text is not an amount.
    """
    negative, number = _split(text, locale, is_account=is_account, units=units)
    marks = [character for character in number if not character.isdigit()]
    if _may_be_thousands(number):
        has_decimals = _is_decimal_mark(marks[0], text, locale, decimal_mark, max_decimals)
    else:
        has_decimals = bool(marks) and marks[-1] != _SPACE and marks.count(marks[-1]) == 1
    whole, _, fraction = number.rpartition(marks[-1]) if has_decimals else (number, "", "")
    value = Decimal(_ungrouped(whole, text) + (f".{fraction}" if fraction else ""))
    return -value if negative else value


def find_decimal_mark(texts: Iterable[str], locale: str | None = None) -> str | None:
    """Return the mark that most amounts of a document have before their decimals; None if they do not show one."""
    votes: Counter[str] = Counter()
    for text in texts:
        try:
            number = _split(text, locale, is_account=False, units=True).number
        except UnreadableValueError:
            continue
        marks = [character for character in number if character in ".,"]
        if not marks or _may_be_thousands(number):
            continue
        # A mark that is repeated groups thousands, so that decimals have the other one.
        votes[marks[-1] if marks.count(marks[-1]) == 1 else ".,".replace(marks[-1], "")] += 1
    return max(votes, key=lambda mark: votes[mark]) if votes["."] != votes[","] else None


def _split(text: str, locale: str | None, *, is_account: bool, units: bool) -> _SplitAmount:
    """Return sign and digits of an amount.

    Raises:
        UnreadableValueError: there is other text than digits and known signs, currencies, codes and units.
    """
    if len(text.strip()) > MAX_VALUE_LENGTH:
        raise UnreadableValueError(f"{text[:60]!r} is too long for an amount")
    body = plain_form(_without_superscripts(text)).translate(_MARKS)
    if locale is not None and locale.startswith("sv"):
        body = _SWEDISH_CENTS.sub(",", body)
    digits = _DIGITS.search(body)
    if digits is None:
        raise UnreadableValueError(f"{text[:60]!r} is not an amount")
    number = _SPACES.sub(_SPACE, digits[0])
    before, after = body[: digits.start()], body[digits.end() :]
    if not is_account and is_tax_code(after) and _TWO_DECIMALS.search(number):
        after = ""
    parts = (
        read_affix(before, after=False, is_account=is_account, units=units),
        read_affix(after, after=True, is_account=is_account, units=units),
    )
    if not _NUMBER.fullmatch(number) or parts[0] is None or parts[1] is None:
        raise UnreadableValueError(f"{text[:60]!r} is not an amount")
    return _SplitAmount(_is_negative(parts[0], parts[1], text, is_account), number)


def _without_superscripts(text: str) -> str:
    """Return a text without raised digits, which refer to footnotes and would count as digits of the amount."""
    if text.isascii():
        return text
    return "".join(
        character
        for character in text
        if not (character.isdigit() and unicodedata.decomposition(character).startswith("<super>"))
    )


def _is_negative(before: tuple[Affix, ...], after: tuple[Affix, ...], text: str, is_account: bool) -> bool:
    parts = Counter((*before, *after))
    opened, closed = before.count(Affix.OPEN), after.count(Affix.CLOSE)
    signs, entries = parts[Affix.MINUS] + parts[Affix.PLUS], parts[Affix.CREDIT] + parts[Affix.DEBIT]
    parentheses = parts[Affix.OPEN] + parts[Affix.CLOSE]
    if signs > 1 or entries > 1 or opened > 1 or opened != closed or parentheses != opened + closed:
        raise UnreadableValueError(f"{text[:60]!r} has signs that are not those of an amount")
    takes = parts[Affix.DEBIT] if is_account else parts[Affix.CREDIT]
    return bool(parts[Affix.MINUS] or opened or takes)


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
