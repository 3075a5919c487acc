"""How numbers, amounts and dates are written: a style is a handful of marks, and writing follows it to the letter.

Every style can be told from the text it writes, together with the locale: evaluation's parser is its inverse.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import cache
from typing import Literal, NamedTuple

from babel import Locale
from babel.dates import format_date
from babel.numbers import get_currency_symbol
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.locales import MINOR_UNITS, SHARED_SYMBOLS

NARROW_SPACE, NO_BREAK_SPACE, APOSTROPHE, TYPOGRAPHIC_APOSTROPHE = "\u202f", "\u00a0", "'", "\u2019"
_BIDI_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))

_DIGITS = {
    "latin": "0123456789",
    "arabic": "٠١٢٣٤٥٦٧٨٩",
    "full_width": "０１２３４５６７８９",
}

ERA_PATTERN = "era"  # a date pattern of our own: Japanese years, in characters
SHORT_ERA_PATTERN = "short_era"  # the same with the era's initial: R6.5.3


class JapaneseEra(NamedTuple):
    """A reign that Japanese years are counted by."""

    since: dt.date
    name: str
    initial: str


JAPANESE_ERAS = (JapaneseEra(dt.date(2019, 5, 1), "令和", "R"), JapaneseEra(dt.date(1989, 1, 8), "平成", "H"))

NegativeStyle = Literal["minus", "trailing_minus", "parentheses", "credit", "debit"]


class NumberStyle(BaseModel):
    """The marks that numbers are written with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decimal: str = Field(description="decimal mark")
    group: str = Field(description="between thousands; empty for none")
    lakh: bool = Field(default=False, description="groups of two before the last three, as in India")
    shortest_group: int = Field(default=1, description="digits before the first mark that grouping needs")
    negative: NegativeStyle = Field(
        default="minus", description="mark of a number below zero: -1, 1-, (1), 1 CR (a bill's), 1 DR (an account's)"
    )
    digits: Literal["latin", "arabic", "full_width"] = "latin"


@cache
def locale_number_style(locale: str) -> NumberStyle:
    """Return a locale's own way of writing numbers, from CLDR."""
    symbols = Locale.parse(locale).number_symbols["latn"]
    group = str(symbols.get("currencyGroup", symbols["group"]))
    # CLDR asks for five digits before grouping in these; much software there groups four as well.
    shortest = 2 if locale in {"es_ES", "pl_PL", "pt_PT"} else 1
    decimal = str(symbols.get("currencyDecimal", symbols["decimal"]))
    return NumberStyle(decimal=decimal, group=group, lakh=locale == "en_IN", shortest_group=shortest)


def write_number(value: Decimal, style: NumberStyle, places: int | None = None) -> str:
    """Return a number with so many decimals, or with as many as it has, up to six."""
    if places is None:
        places = min(6, max(0, -int(value.normalize().as_tuple().exponent)))
    whole, _, fraction = f"{value:.{places}f}".partition(".")
    negative = whole.startswith("-")
    if negative:
        whole = whole[1:]
        # Formatting rounds a sign away that nobody would see: -0.00 is 0.00.
        negative = bool((whole + fraction).strip("0"))
    text = _grouped(whole, style) + (style.decimal + fraction if fraction else "")
    if style.digits != "latin":
        text = text.translate(str.maketrans(_DIGITS["latin"], _DIGITS[style.digits]))
    return _signed(text, style.negative) if negative else text


def _grouped(whole: str, style: NumberStyle) -> str:
    if len(whole) < 3 + style.shortest_group or not style.group:
        return whole
    head, tail = whole[:-3], whole[-3:]
    size = 2 if style.lakh else 3
    first = len(head) % size or size
    return style.group.join([head[:first], *(head[at : at + size] for at in range(first, len(head), size)), tail])


def _signed(text: str, negative: NegativeStyle) -> str:
    match negative:
        case "minus":
            return f"-{text}"
        case "trailing_minus":
            return f"{text}-"
        case "parentheses":
            return f"({text})"
        case "credit":
            return f"{text} CR"
        case "debit":
            return f"{text} DR"


CurrencyDisplay = Literal["symbol", "shared_symbol", "code", "none"]


def write_amount(value: Decimal, style: NumberStyle, locale: str, currency: str, display: CurrencyDisplay) -> str:
    """Return an amount with its currency's own or shared symbol, with its code, or bare."""
    places = MINOR_UNITS[currency]
    if display == "none":
        return write_number(value, style, places)
    number = write_number(abs(value), style, places)
    before, after = _affixes(locale, currency, display)
    text = f"{before}{number}{after}"
    return _signed(text, style.negative) if value < 0 else text


@cache
def _affixes(locale: str, currency: str, display: CurrencyDisplay) -> tuple[str, str]:
    """Return what stands before and after an amount, in the place that the locale's pattern gives to the symbol."""
    if display == "code":
        return (f"{currency} ", "") if locale.startswith(("en", "ja", "zh", "ar", "de_CH")) else ("", f" {currency}")
    symbol = get_currency_symbol(currency, "en_US" if locale.startswith("ja") else locale).translate(_BIDI_MARKS)
    if display == "shared_symbol":
        symbol = next(shared for shared, currencies in SHARED_SYMBOLS.items() if currency in currencies)
    pattern = Locale.parse(locale).currency_formats["standard"].pattern.split(";")[0].translate(_BIDI_MARKS)
    before, after = re.split(r"[#,0.]+", pattern.replace(NO_BREAK_SPACE, " ").replace(NARROW_SPACE, " "), maxsplit=1)
    # Letters would run into the digits.
    if before.endswith("¤") and symbol[-1].isalpha():
        before += " "
    return before.replace("¤", symbol), after.replace("¤", symbol)


def write_date(value: dt.date, locale: str, pattern: str, digits: str = "latin") -> str:
    """Return a date by a babel pattern, or by Japanese era."""
    if pattern in (ERA_PATTERN, SHORT_ERA_PATTERN):
        since, name, initial = next(era for era in JAPANESE_ERAS if era.since <= value)
        year = value.year - since.year + 1
        text = (
            f"{name}{year if year > 1 else '元'}年{value.month}月{value.day}日"
            if pattern == ERA_PATTERN
            else f"{initial}{year}.{value.month}.{value.day}"
        )
    else:
        text = _date(value, pattern, locale)
    return text if digits == "latin" else text.translate(str.maketrans(_DIGITS["latin"], _DIGITS[digits]))


@cache
def _date(value: dt.date, pattern: str, locale: str) -> str:
    return str(format_date(value, format=pattern, locale=locale)).translate(_BIDI_MARKS)


def group_characters(number: str, size: int = 4) -> str:
    """Return a number in printed groups, as IBANs are written on paper."""
    return " ".join(number[start : start + size] for start in range(0, len(number), size))
