"""What a printed amount says of its currency: an ISO code, a symbol or word of one currency, or of several."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from babel.numbers import get_currency_symbol, list_currencies

from finscribe_assets.documents.currency_words import currency_words
from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS, SHARED_SYMBOLS

_BIDI_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))
_NUMBER = re.compile(r"\d[\d\s.,'’\u066b\u066c]*")
_RAND = r"(?<!\w)R(?=\s?\d)"  # a letter alone is a currency before digits only


def currencies_of(text: str) -> tuple[str, ...]:
    """Return the currencies that an amount's print can mean, as ISO 4217 codes.

    Returns:
        One code for a code, symbol or word of one currency, several for one that is shared, none for a bare number. Of
        several marks, a code decides.

    Example:
        >>> currencies_of("1.234,50 €"), currencies_of("5 złotych"), currencies_of("99.00")
        (('EUR',), ('PLN',), ())
    """
    return _currencies_of(_NUMBER.sub("0", _plain(text)))


@lru_cache(maxsize=2048)
def _currencies_of(text: str) -> tuple[str, ...]:
    """Return the currencies that a text without its digits can mean."""
    marks = [found[0].rstrip(".") for found in currency_pattern().finditer(text)]
    codes = tuple(dict.fromkeys(mark.upper() for mark in marks if mark in _codes() or mark.upper() in MINOR_UNITS))
    return codes or next((_meanings()[key] for key in map(_key, marks) if key in _meanings()), ())


@cache
def currency_pattern() -> re.Pattern[str]:
    """Return a pattern of every code, symbol and word of a currency, in text of the form NFKC without bidi marks."""
    marks = {_plain(mark).strip(" .") for mark in (*MINOR_UNITS, *currency_words(), *_symbols(), *SHARED_SYMBOLS)}
    longest_first = sorted(marks, key=lambda mark: (-len(mark), mark))
    # Codes that are seldom used count in capitals only: Std. is an hour, and the code of a currency.
    codes = rf"(?-i:(?<![^\W\d_])(?:{'|'.join(sorted(_codes()))})(?![^\W\d_]))"
    return re.compile(f"{'|'.join(map(_bounded, longest_first))}|{codes}|{_RAND}", re.IGNORECASE)


def _bounded(mark: str) -> str:
    """Return a pattern of a mark; one of letters that separate words with spaces must be a whole word."""
    before = r"(?<![^\W\d_])" if _is_spaced(mark[0]) else ""
    after = r"(?![^\W\d_])" if _is_spaced(mark[-1]) else ""
    # An abbreviation may have its dots or not.
    return f"{before}{re.escape(mark)}{after}" + (r"\.?" if mark[-1].isalpha() else "")


def _is_spaced(character: str) -> bool:
    return (character.isalpha() and unicodedata.category(character) != "Lo") or "\u0600" <= character <= "\u06ff"


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_BIDI_MARKS)


def _key(mark: str) -> str:
    """Return a mark without case, dots and spaces."""
    return re.sub(r"[.\s]", "", _plain(mark)).casefold()


@cache
def _codes() -> frozenset[str]:
    return frozenset(list_currencies())


@cache
def _meanings() -> dict[str, tuple[str, ...]]:
    """Return the currencies that each mark can mean, by its key."""
    meanings: dict[str, dict[str, None]] = {"r": {"ZAR": None}}
    for marks in (SHARED_SYMBOLS, currency_words(), _symbols()):
        for mark, codes in marks.items():
            meanings.setdefault(_key(mark), {}).update(dict.fromkeys(codes))
    return {key: tuple(codes) for key, codes in meanings.items()}


@cache
def _symbols() -> dict[str, tuple[str, ...]]:
    """Return the currencies that each symbol of CLDR means in any of the locales."""
    meanings: dict[str, list[str]] = {}
    for facts in LOCALE_FACTS.values():
        for currency in MINOR_UNITS:
            symbol = _plain(get_currency_symbol(currency, facts.locale))
            is_shared_abroad = symbol in SHARED_SYMBOLS and currency not in SHARED_SYMBOLS[symbol]
            if symbol and not is_shared_abroad and currency not in meanings.setdefault(symbol, []):
                meanings[symbol].append(currency)
    return {symbol: tuple(currencies) for symbol, currencies in meanings.items()}
