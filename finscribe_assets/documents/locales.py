"""What a country's documents look like: currency, tax, dates, paper and identifiers that belong together."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class LocaleFacts:
    """The facts of one locale."""

    locale: str  # babel's name
    language: str
    country_code: str  # ISO 3166-1 alpha-2
    currency_code: str  # ISO 4217
    currency_symbol: str
    tax_rates: tuple[Decimal, ...]  # per cent, the standard rate first
    numeric_dates: tuple[str, ...]  # babel patterns of digits alone, the usual one first
    worded_dates: tuple[str, ...]  # babel patterns that name the month
    short_dates: tuple[str, ...]  # babel patterns with two digits of the year
    iban_country: str | None  # None where accounts have another form
    paper: str  # CSS page size


def _facts(locale: str, currency: str, symbol: str, rates: str, numeric: str, worded: str, short: str,
           iban: str | None, paper: str = "A4") -> LocaleFacts:  # fmt: skip
    language, country = locale.split("_")
    return LocaleFacts(
        locale,
        language,
        country,
        currency,
        symbol,
        tuple(map(Decimal, rates.split())),
        tuple(numeric.split("|")),
        tuple(worded.split("|")),
        tuple(short.split("|")),
        iban,
        paper,
    )


LOCALE_FACTS: dict[str, LocaleFacts] = {
    facts.locale: facts
    for facts in (
        _facts("en_US", "USD", "$", "8.25 6.5 4", "MM/dd/yyyy|yyyy-MM-dd", "MMM d, yyyy|MMMM d, yyyy", "MM/dd/yy",
               None, "Letter"),
        _facts("en_GB", "GBP", "£", "20 5 0", "dd/MM/yyyy|dd-MM-yyyy", "d MMMM yyyy|d MMM yyyy", "dd/MM/yy", "GB"),
        _facts("de_DE", "EUR", "€", "19 7", "dd.MM.yyyy|yyyy-MM-dd", "d. MMMM yyyy", "dd.MM.yy", "DE"),
        _facts("fr_FR", "EUR", "€", "20 10 5.5", "dd/MM/yyyy|dd.MM.yyyy", "d MMMM yyyy", "dd/MM/yy", "FR"),
    )
}  # fmt: skip

MINOR_UNITS = {"USD": 2, "GBP": 2, "EUR": 2}  # ISO 4217: digits after the decimal point


def minor_unit(currency_code: str) -> Decimal:
    """Return the smallest amount of a currency, such as 0.01."""
    return Decimal(1).scaleb(-MINOR_UNITS[currency_code])
