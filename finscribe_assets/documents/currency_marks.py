"""What a printed amount says of its currency: an ISO code, a symbol of one currency, or a symbol of several."""

from __future__ import annotations

import re
from functools import cache

from babel.numbers import get_currency_symbol

from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS, SHARED_SYMBOLS

_CODE = re.compile(r"(?<![A-Z])[A-Z]{3}(?![A-Z])")
_NUMBER = re.compile(r"[\d\s.,'’()\-\u2212\u066b\u066c]|\b(?:CR|DR)\b")
_BIDI_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))


def currencies_of(text: str) -> tuple[str, ...]:
    """Return the currencies that an amount's print can mean, as ISO 4217 codes.

    Returns:
        One code for a code or a symbol of one currency, several for a shared symbol, none for a bare number.

    Example:
        >>> currencies_of("1.234,50 €"), currencies_of("kr 12"), currencies_of("99.00")
        (('EUR',), ('SEK', 'NOK', 'DKK'), ())
    """
    codes = tuple(dict.fromkeys(code for code in _CODE.findall(text) if code in MINOR_UNITS))
    if codes:
        return codes
    symbol = _without_number(text)
    return SHARED_SYMBOLS.get(symbol) or _symbols().get(symbol, ()) if symbol else ()


def _without_number(text: str) -> str:
    return _NUMBER.sub("", text.translate(_BIDI_MARKS))


@cache
def _symbols() -> dict[str, tuple[str, ...]]:
    """Return the currencies that each symbol means in any of the locales."""
    meanings: dict[str, list[str]] = {}
    for facts in LOCALE_FACTS.values():
        for currency in MINOR_UNITS:
            symbol = _without_number(get_currency_symbol(currency, facts.locale))
            is_shared_abroad = symbol in SHARED_SYMBOLS and currency not in SHARED_SYMBOLS[symbol]
            if symbol and not is_shared_abroad and currency not in meanings.setdefault(symbol, []):
                meanings[symbol].append(currency)
    return {symbol: tuple(currencies) for symbol, currencies in meanings.items()}
