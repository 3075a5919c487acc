"""The facts of each locale: currency, tax, date formats, paper and account numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache

from babel import localedata
from babel.numbers import get_currency_precision, is_currency


class TaxRegime(StrEnum):
    """A system of sales taxes."""

    VAT = "vat"  # one tax at several rates, as in Europe, China and the Emirates
    US_SALES_TAX = "us_sales_tax"  # a rate of the state and one of the county, on the same base
    INDIA_GST = "india_gst"  # CGST and SGST in equal parts within a state, IGST between states
    JAPAN_CONSUMPTION_TAX = "japan_consumption_tax"
    AUSTRALIA_GST = "australia_gst"


@dataclass(frozen=True)
class LocaleFacts:
    """The facts of one locale."""

    locale: str  # name in babel
    language: str
    country_code: str  # ISO 3166-1 alpha-2
    currency_code: str  # ISO 4217
    regime: TaxRegime
    tax_rates: tuple[tuple[dt.date, tuple[Decimal, ...]], ...]  # first day, rates in per cent, the standard rate first
    numeric_dates: tuple[str, ...]  # babel patterns without words, the usual one first
    worded_dates: tuple[str, ...]  # babel patterns with the name of the month
    short_dates: tuple[str, ...]  # babel patterns with two-digit years
    iban_country: str | None  # None if accounts have no IBAN
    payable_unit: Decimal | None  # smallest coin, if it is larger than the minor unit
    in_european_union: bool
    paper: str  # CSS page size
    right_to_left: bool

    def rates_on(self, day: dt.date) -> tuple[Decimal, ...]:
        """Return the tax rates in force on a day, in per cent, the standard rate first."""
        return next(rates for since, rates in reversed(self.tax_rates) if since <= day)


_ALWAYS = "2000-01-01"
_EU = frozenset({"DE", "AT", "FR", "ES", "IT", "NL", "PL", "PT", "SE"})
_REGIMES = {
    "US": TaxRegime.US_SALES_TAX,
    "IN": TaxRegime.INDIA_GST,
    "JP": TaxRegime.JAPAN_CONSUMPTION_TAX,
    "AU": TaxRegime.AUSTRALIA_GST,
}
_IBAN = _EU | {"GB", "CH", "AE"}


def _facts(
    locale: str,
    currency: str,
    rates: dict[str, str],
    numeric: str,
    worded: str,
    short: str,
    payable_unit: str | None = None,
    paper: str = "A4",
) -> LocaleFacts:
    """Return the facts of a locale; patterns are separated by | and rates by spaces."""
    language, country = locale.split("_")
    return LocaleFacts(
        locale=locale,
        language=language,
        country_code=country,
        currency_code=currency,
        regime=_REGIMES.get(country, TaxRegime.VAT),
        tax_rates=tuple(
            (dt.date.fromisoformat(day), tuple(map(Decimal, percentages.split()))) for day, percentages in rates.items()
        ),
        numeric_dates=tuple(numeric.split("|")),
        worded_dates=tuple(worded.split("|")),
        short_dates=tuple(short.split("|")),
        iban_country=country if country in _IBAN else None,
        payable_unit=Decimal(payable_unit) if payable_unit else None,
        in_european_union=country in _EU,
        paper=paper,
        right_to_left=language == "ar",
    )


_DMY, _DOTS = "dd/MM/yyyy|dd-MM-yyyy", "dd.MM.yyyy|yyyy-MM-dd"

# Tax rates in force since 2019. Source: tables of the tax offices.
LOCALE_FACTS: dict[str, LocaleFacts] = {
    facts.locale: facts
    for facts in (
        # There is no national sales tax; taxation.py has the rates of the states.
        _facts(
            "en_US",
            "USD",
            {_ALWAYS: "0"},
            "MM/dd/yyyy|yyyy-MM-dd",
            "MMM d, yyyy|MMMM d, yyyy",
            "MM/dd/yy",
            paper="Letter",
        ),
        _facts("en_GB", "GBP", {_ALWAYS: "20 5 0"}, _DMY, "d MMMM yyyy|d MMM yyyy", "dd/MM/yy"),
        _facts("en_AU", "AUD", {_ALWAYS: "10 0"}, _DMY, "d MMMM yyyy|d MMM yyyy", "dd/MM/yy", "0.05"),
        _facts(
            "en_IN",
            "INR",
            {_ALWAYS: "18 12 5", "2025-09-22": "18 5"},
            _DMY,
            "d MMM yyyy|dd-MMM-yyyy",
            "dd/MM/yy|dd-MM-yy",
            "1",
        ),
        _facts(
            "de_DE",
            "EUR",
            {_ALWAYS: "19 7", "2020-07-01": "16 5", "2021-01-01": "19 7"},
            _DOTS,
            "d. MMMM yyyy",
            "dd.MM.yy",
        ),
        _facts("de_AT", "EUR", {_ALWAYS: "20 10"}, _DOTS, "d. MMMM yyyy", "dd.MM.yy"),
        _facts(
            "de_CH", "CHF", {_ALWAYS: "7.7 2.5", "2024-01-01": "8.1 2.6"}, _DOTS, "d. MMMM yyyy", "dd.MM.yy", "0.05"
        ),
        _facts("fr_FR", "EUR", {_ALWAYS: "20 10 5.5"}, "dd/MM/yyyy|dd.MM.yyyy", "d MMMM yyyy", "dd/MM/yy"),
        _facts("es_ES", "EUR", {_ALWAYS: "21 10 4"}, _DMY, "d 'de' MMMM 'de' yyyy|d MMM yyyy", "dd/MM/yy|dd-MM-yy"),
        _facts("it_IT", "EUR", {_ALWAYS: "22 10 4"}, "dd/MM/yyyy|dd.MM.yyyy", "d MMMM yyyy", "dd/MM/yy"),
        _facts("nl_NL", "EUR", {_ALWAYS: "21 9"}, "dd-MM-yyyy|dd/MM/yyyy", "d MMMM yyyy", "dd-MM-yy"),
        _facts("pl_PL", "PLN", {_ALWAYS: "23 8 5"}, "dd.MM.yyyy|yyyy-MM-dd", "d MMMM yyyy", "dd.MM.yy"),
        _facts(
            "pt_PT",
            "EUR",
            {_ALWAYS: "23 13 6"},
            "dd/MM/yyyy|dd-MM-yyyy|yyyy-MM-dd",
            "d 'de' MMMM 'de' yyyy",
            "dd/MM/yy",
        ),
        _facts("sv_SE", "SEK", {_ALWAYS: "25 12 6"}, "yyyy-MM-dd", "d MMMM yyyy", "yy-MM-dd", "1"),
        _facts(
            "ja_JP",
            "JPY",
            {_ALWAYS: "8", "2019-10-01": "10 8"},
            "yyyy/MM/dd|yyyy-MM-dd|yyyy.MM.dd",
            "yyyy年M月d日|yyyy年MM月dd日",
            "yy/MM/dd",
        ),
        _facts(
            "zh_CN",
            "CNY",
            {_ALWAYS: "16 10 6", "2019-04-01": "13 9 6"},
            "yyyy-MM-dd|yyyy/MM/dd",
            "yyyy年M月d日|yyyy年MM月dd日",
            "yy-MM-dd",
        ),
        _facts("ar_AE", "AED", {_ALWAYS: "5 0"}, _DMY, "d MMMM yyyy", "dd/MM/yy"),
    )
}


def is_known_locale(locale: str) -> bool:
    """Tell whether the formats of a locale are known: it is in `LOCALE_FACTS` or known to babel."""
    return locale in LOCALE_FACTS or localedata.exists(locale)


# Number of decimals of each currency (ISO 4217).
MINOR_UNITS = {
    "USD": 2,
    "CAD": 2,
    "AUD": 2,
    "SGD": 2,
    "GBP": 2,
    "EUR": 2,
    "CHF": 2,
    "PLN": 2,
    "SEK": 2,
    "NOK": 2,
    "DKK": 2,
    "INR": 2,
    "AED": 2,
    "CNY": 2,
    "JPY": 0,
    "KWD": 3,
}

# Units of each currency for one euro, roughly, so that prices are plausible. Not an exchange rate.
PRICE_LEVELS = {
    "USD": 1.1,
    "CAD": 1.5,
    "AUD": 1.7,
    "SGD": 1.5,
    "GBP": 0.9,
    "EUR": 1.0,
    "CHF": 1.2,
    "PLN": 3.6,
    "SEK": 11.0,
    "NOK": 11.5,
    "DKK": 7.5,
    "INR": 42.0,
    "AED": 4.0,
    "CNY": 6.0,
    "JPY": 140.0,
    "KWD": 0.33,
}

# Symbols that several currencies share, with the currencies.
SHARED_SYMBOLS = {
    "$": ("USD", "CAD", "AUD", "SGD"),
    "¥": ("JPY", "CNY"),
    "kr": ("SEK", "NOK", "DKK"),
}


@cache
def minor_unit(currency_code: str) -> Decimal:
    """Return the smallest amount of a currency (ISO 4217), such as 0.01; of other currencies than these, by CLDR."""
    decimals = MINOR_UNITS.get(currency_code)
    return Decimal(1).scaleb(-(get_currency_precision(currency_code) if decimals is None else decimals))


def is_known_currency(currency_code: str) -> bool:
    """Tell whether the minor unit of a currency is known."""
    return currency_code in MINOR_UNITS or is_currency(currency_code)
