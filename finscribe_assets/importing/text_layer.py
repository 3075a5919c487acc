"""Find the values of a ground truth in the text layer of a PDF, in any of their usual written forms.

The XML of an invoice holds values that its pages need not print; predictions must not be expected to contain them. A
scan has no text layer, so all its values count as printed.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import get_currency_symbol

from finscribe_assets.documents.elements import IMPLIED_FIELDS, ValueType, field_of, value_type_of
from finscribe_assets.documents.formats import (
    ERA_PATTERN,
    JAPANESE_ERAS,
    SHORT_ERA_PATTERN,
    time_patterns,
    write_date,
    write_time,
)
from finscribe_assets.documents.locales import LOCALE_FACTS, SHARED_SYMBOLS

# Positive in the schema, but pages may print them with a minus, as deductions.
_DEDUCTIONS = frozenset(
    {
        "allowances.amount",
        "totals.allowance_total",
        "totals.paid_amount",
        "lines.allowance_amount",
        "lines.price_discount",
        "cash_discount.amount",
    }
)
_BABEL_WIDTHS = ("short", "medium", "long", "full")
_DAY_FIRST = ("dd.MM.yyyy", "d.M.yyyy", "dd/MM/yyyy", "d/M/yyyy", "dd-MM-yyyy", "d-M-yyyy", "dd.MM.yy", "dd/MM/yy")
_MONTH_FIRST = ("MM/dd/yyyy", "M/d/yyyy", "MM-dd-yyyy", "MM/dd/yy", "M/d/yy")
_YEAR_FIRST = ("yyyy-MM-dd", "yyyy/MM/dd", "yyyy.MM.dd")

_LINE_END_HYPHENS = dict.fromkeys(map(ord, "\u00ad\u0002\ufffe"))  # soft hyphens, and PDFium's marks for them
_SIGNS = str.maketrans({"−": "-", "–": "-", "’": "'", "٫": ".", "٬": "'"})
_CURRENCY = r"(?:[^\w\s]|[^\W\d_]{1,3}\.?)?"  # a symbol, a code, or letters such as kr
_MINUS_BEFORE = re.compile(rf"-\s?{_CURRENCY}\s?$")
_MINUS_AFTER = re.compile(rf"\s?{_CURRENCY}-(?!\s?\d)")
# A credit (CR) reduces the amount of a bill; a debit (DR) reduces the balance of an account.
_BILL_MINUS_WORD, _ACCOUNT_MINUS_WORD = (re.compile(rf"\s?{_CURRENCY}\s?{word}\b") for word in ("CR", "DR"))
# Letters and digits that must not follow or precede a word; Chinese and Japanese do not separate words.
_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff"
_WORD = rf"[^\W_{_UNSPACED}]"
_UNMAPPED_GLYPH = "\ufffd"  # what PDFium gives for a glyph that the font maps to no character
_MAX_UNMAPPED_SHARE = 0.002  # of a page's characters: a few ornaments
_MAX_VALUE_LENGTH = 2_000  # characters; a longer text is not searched for
_GAP = r"(?:-\s*\n)?\s*"  # between the characters of a value: spaces, or the hyphen and end of a line
_GROUP_SEPARATOR = r"[.,'\s]?"


def _normalise(text: str) -> str:
    """Return text in NFKC with ASCII digits and signs, without hyphens at line ends and direction marks."""
    body = unicodedata.normalize("NFKC", text.translate(_LINE_END_HYPHENS)).translate(_SIGNS)
    kept = (character for character in body if unicodedata.category(character) != "Cf")
    return "".join(str(unicodedata.decimal(character, character)) for character in kept)


def has_text_layer(texts: Sequence[str], blank: Sequence[bool]) -> bool:
    """Tell whether every page that is not blank has a reliable text.

    A font need not map its glyphs to characters (ISO 32000-1, 9.10.2). Text with such gaps is not reliable: values on
    the page would not be found in it.

    Args:
        texts: Text layer of each page.
        blank: Whether each page is empty.
    """
    reliable = [bool(text.strip()) and text.count(_UNMAPPED_GLYPH) <= _MAX_UNMAPPED_SHARE * len(text) for text in texts]
    return any(reliable) and all(page or is_blank for page, is_blank in zip(reliable, blank, strict=True))


def printed_values(
    values: dict[str, Any], texts: Iterable[str], locale: str, *, may_be_negated: bool = False
) -> dict[str, Any]:
    """Return the values that a text layer shows by path, without those that the page only implies.

    Args:
        values: Canonical values by field path.
        texts: Text layer of each page.
        locale: The document's locale, for the written forms of dates.
        may_be_negated: Whether the page may print amounts with the other sign, as credit notes do: their data state
            positive amounts, and some pages what the customer owes. Such an amount is returned as it is printed.
    """
    page = _normalise("\n".join(texts))
    folded = page.casefold()
    printed = {}
    for path in askable_paths(values):
        if _shows(path, str(values[path]), page, folded, locale):
            printed[path] = values[path]
            continue
        negated = _negated(path, values[path]) if may_be_negated else None
        if negated is not None and _shows(path, negated, page, folded, locale):
            printed[path] = negated
    return printed


def _negated(path: str, value: Any) -> str | None:
    """Return an amount with the other sign; None for another value, and for zero."""
    if value_type_of(path) is not ValueType.AMOUNT or not Decimal(str(value)):
        return None
    return format(-Decimal(str(value)), "f")


def shows_currency(currency: str, texts: Iterable[str], locale: str) -> bool:
    """Tell whether a text layer shows a currency: by its code, or beside a number by its symbol.

    A symbol that several currencies share counts as that of the locale's country.

    Args:
        currency: ISO 4217 code.
        texts: Text layer of each page.
        locale: The document's locale.
    """
    page = _normalise("\n".join(texts))
    if re.search(rf"(?<![A-Z]){re.escape(currency)}(?![A-Z])", page):
        return True
    symbol = _normalise(get_currency_symbol(currency, locale))
    facts = LOCALE_FACTS.get(locale)
    if symbol in SHARED_SYMBOLS and (facts is None or facts.currency_code != currency):
        return False
    sign = re.escape(symbol)
    return re.search(rf"(?<!{_WORD}){sign}\s?-?\d|\d\s?{sign}(?!{_WORD})", page) is not None


def askable_paths(values: dict[str, Any]) -> set[str]:
    """Return the paths of the values that a page prints if it shows them at all: those that it does not only imply."""
    return {path for path in values if field_of(path) not in IMPLIED_FIELDS}


def _shows(path: str, value: str, page: str, folded: str, locale: str) -> bool:
    """Tell whether a text shows a field's value; ``folded`` is the text without case."""
    value_type = value_type_of(path)
    if value_type is ValueType.AMOUNT:
        may_be_negated = field_of(path) in _DEDUCTIONS
        minus_word = _ACCOUNT_MINUS_WORD if path.startswith(("entries", "statement")) else _BILL_MINUS_WORD
        return _shows_amount(Decimal(value), page, minus_word, may_be_negated=may_be_negated)
    if value_type is ValueType.DATE:
        return any(_shows_text(form, folded) for form in _written_forms(dt.date.fromisoformat(value), locale))
    if value_type is ValueType.TIME:
        return any(_shows_text(write_time(value, locale, form), folded) for form in time_patterns(locale))
    return _shows_text(value, folded)


def _shows_text(value: str, folded: str) -> bool:
    """Tell whether a text shows a value as whole words, regardless of spaces and case."""
    characters = "".join(_normalise(value).casefold().split())
    if not 0 < len(characters) <= _MAX_VALUE_LENGTH:
        return False
    body = _GAP.join(map(re.escape, characters))
    before, after = ("" if re.match(f"[{_UNSPACED}]", edge) else _WORD for edge in (characters[0], characters[-1]))
    start, end = f"(?<!{before})" if before else "", f"(?!{after})" if after else ""
    # The value 1 is not shown by 1,50 either.
    return re.search(rf"{start}(?<!\d[.,]){body}{end}(?![.,]\d)", folded) is not None


def _shows_amount(value: Decimal, page: str, minus_word: re.Pattern[str], *, may_be_negated: bool) -> bool:
    """Tell whether a text shows an amount, with any locale's separators and with or without trailing zeros."""
    whole, _, fraction = f"{abs(value):f}".partition(".")
    significant = fraction.rstrip("0")
    groups = _GROUP_SEPARATOR.join(reversed([whole[max(0, end - 3) : end] for end in range(len(whole), 0, -3)]))
    above_thousand = whole[:-3]
    if len(above_thousand) > 2:  # Indian grouping: 12,34,567
        pairs = [above_thousand[max(0, end - 2) : end] for end in range(len(above_thousand), 0, -2)][::-1]
        groups = f"(?:{groups}|{','.join(pairs)},{whole[-3:]})"
    decimals = rf"[.,]{significant}0*" if significant else r"(?:[.,](?:0+|-{1,2}))?"
    for match in re.finditer(rf"(?<!\d)(?<!\d[.,']){groups}{decimals}(?![\d]|[.,']\d)", page):
        before, after = page[max(0, match.start() - 8) : match.start()], page[match.end() : match.end() + 8]
        is_negative = bool(
            _MINUS_BEFORE.search(before)
            or _MINUS_AFTER.match(after)
            or minus_word.match(after)
            or (before.rstrip().endswith("(") and after.lstrip().startswith(")"))
        )
        if may_be_negated or is_negative == (value < 0):
            return True
    return False


def _written_forms(day: dt.date, locale: str) -> Iterator[str]:
    """Yield the usual written forms of a date in a locale: in digits, in words, and ISO 8601."""
    facts = LOCALE_FACTS.get(locale)
    patterns = [*_YEAR_FIRST, *(_MONTH_FIRST if locale == "en_US" else _DAY_FIRST)]
    if facts is not None:
        patterns += [*facts.numeric_dates, *facts.worded_dates, *facts.short_dates]
    for pattern in dict.fromkeys(patterns):
        yield write_date(day, locale, pattern)
    for width in (*_BABEL_WIDTHS, "d MMM yyyy"):
        yield format_date(day, format=width, locale=locale)
    yield format_date(day, format="d MMMM yyyy", locale="en_GB")
    if facts is not None and facts.language == "ja" and day >= JAPANESE_ERAS[-1].since:
        yield write_date(day, locale, ERA_PATTERN)
        yield write_date(day, locale, SHORT_ERA_PATTERN)
