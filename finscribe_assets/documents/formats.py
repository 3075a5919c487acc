"""How numbers, amounts and dates are formatted on a page.

A `NumberStyle` determines the text of a number completely. The parsers in `evaluation/` are the inverse: they recover
the value from the text and the locale, without the style.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import cache
from typing import Literal, NamedTuple

from babel import Locale
from babel.dates import format_date, format_time
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

# Date patterns that babel does not have: Japanese years counted by era.
ERA_PATTERN = "era"  # 令和6年5月3日
SHORT_ERA_PATTERN = "short_era"  # R6.5.3


_TIME_PART = re.compile(r"'([^']*)'|HH?|hh?|mm|ss|a")
# Patterns of times where they are not those of a 24-hour clock alone.
_TIME_PATTERNS = {
    "en_US": ("h:mm a", "hh:mm a", "HH:mm:ss", "hh:mm:ss a"),
    "en_AU": ("hh:mm a", "HH:mm", "h:mm a"),
    "en_IN": ("hh:mm a", "HH:mm", "HH:mm:ss"),
    "de_DE": ("HH:mm", "HH:mm 'Uhr'", "HH:mm:ss"),
    "de_AT": ("HH:mm", "HH:mm 'Uhr'", "HH:mm:ss"),
    "fr_FR": ("HH:mm", "HH'h'mm", "HH:mm:ss"),
    "it_IT": ("HH:mm", "HH.mm", "HH:mm:ss"),
    "ja_JP": ("HH:mm", "H時mm分", "HH:mm:ss"),
    "zh_CN": ("HH:mm:ss", "HH:mm"),
}


class JapaneseEra(NamedTuple):
    """An era that Japanese years are counted by."""

    since: dt.date
    name: str
    initial: str


JAPANESE_ERAS = (JapaneseEra(dt.date(2019, 5, 1), "令和", "R"), JapaneseEra(dt.date(1989, 1, 8), "平成", "H"))

NegativeStyle = Literal["minus", "trailing_minus", "parentheses", "credit", "debit"]


class NumberStyle(BaseModel):
    """The format of numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decimal: str = Field(description="decimal mark")
    group: str = Field(description="thousands separator; empty for none")
    lakh: bool = Field(
        default=False, description="whether digits before the last three are in groups of two, as in India"
    )
    shortest_group: int = Field(
        default=1, description="least number of digits before the first separator: 2 leaves 1234 ungrouped"
    )
    negative: NegativeStyle = Field(
        default="minus", description="mark of negative numbers: -1, 1-, (1), 1 CR (on invoices) or 1 DR (on accounts)"
    )
    digits: Literal["latin", "arabic", "full_width"] = Field(default="latin", description="set of digits")


@cache
def _locale(name: str) -> Locale:
    # Babel parses a name several times for each date, which takes most of a date's time.
    return Locale.parse(name)


@cache
def locale_number_style(locale: str) -> NumberStyle:
    """Return the number format of a locale, from CLDR."""
    symbols = _locale(locale).number_symbols["latn"]
    group = str(symbols.get("currencyGroup", symbols["group"]))
    # In these locales, CLDR groups numbers from five digits.
    shortest = 2 if locale in {"es_ES", "pl_PL", "pt_PT"} else 1
    decimal = str(symbols.get("currencyDecimal", symbols["decimal"]))
    return NumberStyle(decimal=decimal, group=group, lakh=locale == "en_IN", shortest_group=shortest)


def write_number(value: Decimal, style: NumberStyle, decimals: int | None = None) -> str:
    """Format a number.

    Args:
        value: the number.
        style: its format.
        decimals: number of decimals; as many as the number has, up to six, if not given.
    """
    if decimals is None:
        decimals = min(6, max(0, -int(value.normalize().as_tuple().exponent)))
    whole, _, fraction = f"{value:.{decimals}f}".partition(".")
    negative = whole.startswith("-")
    if negative:
        whole = whole[1:]
        # A number that rounds to zero has no sign: 0.00, not -0.00.
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
    return style.group.join([head[:first], *(head[i : i + size] for i in range(first, len(head), size)), tail])


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
    """Format an amount of money with the decimals of its currency.

    Args:
        value: the amount.
        style: the format of numbers.
        locale: determines the position of the currency, and its symbol.
        currency: ISO 4217 code.
        display: how the currency is shown: by its own symbol, by the symbol that it shares with others, by its code, or
            not at all.
    """
    decimals = MINOR_UNITS[currency]
    if display == "none":
        return write_number(value, style, decimals)
    number = write_number(abs(value), style, decimals)
    before, after = _affixes(locale, currency, display)
    text = f"{before}{number}{after}"
    return _signed(text, style.negative) if value < 0 else text


@cache
def _affixes(locale: str, currency: str, display: CurrencyDisplay) -> tuple[str, str]:
    """Return the text before and after an amount: its currency, where the locale's pattern has it."""
    if display == "code":
        return (f"{currency} ", "") if locale.startswith(("en", "ja", "zh", "ar", "de_CH")) else ("", f" {currency}")
    symbol = get_currency_symbol(currency, "en_US" if locale.startswith("ja") else locale).translate(_BIDI_MARKS)
    if display == "shared_symbol":
        symbol = next(shared for shared, currencies in SHARED_SYMBOLS.items() if currency in currencies)
    pattern = _locale(locale).currency_formats["standard"].pattern.split(";")[0].translate(_BIDI_MARKS)
    before, after = re.split(r"[#,0.]+", pattern.replace(NO_BREAK_SPACE, " ").replace(NARROW_SPACE, " "), maxsplit=1)
    # A symbol that ends in a letter needs a space before the digits.
    if before.endswith("¤") and symbol[-1].isalpha():
        before += " "
    return before.replace("¤", symbol), after.replace("¤", symbol)


def write_date(value: dt.date, locale: str, pattern: str, digits: str = "latin") -> str:
    """Format a date.

    Args:
        value: the date.
        locale: the language of months.
        pattern: a babel pattern, `ERA_PATTERN` or `SHORT_ERA_PATTERN`.
        digits: the set of digits (see `NumberStyle.digits`).
    """
    if pattern in (ERA_PATTERN, SHORT_ERA_PATTERN):
        since, name, initial = next(era for era in JAPANESE_ERAS if era.since <= value)
        year = value.year - since.year + 1
        text = (
            f"{name}{year if year > 1 else '元'}年{value.month}月{value.day}日"
            if pattern == ERA_PATTERN
            else f"{initial}{year}.{value.month}.{value.day}"
        )
    else:
        text = _babel_date(value, pattern, locale)
    return text if digits == "latin" else text.translate(str.maketrans(_DIGITS["latin"], _DIGITS[digits]))


def write_time(value: str, locale: str, pattern: str, digits: str = "latin") -> str:
    """Format a time of day.

    Args:
        value: ISO 8601 text: hh:mm or hh:mm:ss.
        locale: the language of am and pm.
        pattern: a babel pattern of hours, minutes, seconds and day period, such as those of `time_patterns`.
        digits: the set of digits (see `NumberStyle.digits`).
    """
    # Babel would take a tenth of the time of drawing a receipt.
    hour, minute, second = (*map(int, value.split(":")), 0)[:3]
    parts = {"HH": f"{hour:02d}", "H": str(hour), "hh": f"{(hour - 1) % 12 + 1:02d}", "h": str((hour - 1) % 12 + 1)}
    parts |= {"mm": f"{minute:02d}", "ss": f"{second:02d}"}
    text = _TIME_PART.sub(
        lambda part: part[1] or parts.get(part[0]) or _day_period(locale, is_morning=hour < 12), pattern
    )
    return text if digits == "latin" else text.translate(str.maketrans(_DIGITS["latin"], _DIGITS[digits]))


@cache
def _day_period(locale: str, *, is_morning: bool) -> str:
    return str(format_time(dt.time(9 if is_morning else 15), format="a", locale=locale)).translate(_BIDI_MARKS)


def time_patterns(locale: str) -> tuple[str, ...]:
    """Return the babel patterns of times of day in a locale, the usual one first."""
    return _TIME_PATTERNS.get(locale, ("HH:mm", "HH:mm", "HH:mm:ss"))


@cache
def _babel_date(value: dt.date, pattern: str, locale: str) -> str:
    return str(format_date(value, format=pattern, locale=_locale(locale))).translate(_BIDI_MARKS)


def group_characters(number: str, size: int = 4) -> str:
    """Insert spaces between groups of characters, as IBANs are printed: ``DE89 3704 …``."""
    return " ".join(number[start : start + size] for start in range(0, len(number), size))
