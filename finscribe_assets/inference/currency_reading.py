"""Derive the currency of a document from the amounts and the address that were read in its regions.

What belongs here: the rule for readers that read single values. A reader of whole pages answers for itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from finscribe_assets.documents.currency_marks import currencies_of
from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.page_evidence import ACCOUNTING_AMOUNT

POST_CODE = "seller.address.post_code"
# Post codes of the countries whose currencies share a symbol. Norway's and Denmark's have the same form.
_POST_CODES = {
    "USD": r"\d{5}(-?\d{4})?",
    "CAD": r"[A-Z]\d[A-Z] ?\d[A-Z]\d",
    "AUD": r"\d{4}",
    "SGD": r"\d{6}",
    "JPY": r"〒? ?\d{3}-?\d{4}",
    "CNY": r"\d{6}",
    "SEK": r"(SE?-)?\d{3} ?\d{2}",
    "NOK": r"\d{4}",
    "DKK": r"\d{4}",
}


class ReadCurrency(NamedTuple):
    """A currency, and the fields whose texts determine it."""

    code: str  # ISO 4217
    sources: tuple[str, ...]


def find_currencies(values: Mapping[str, str | None], locale: str | None = None) -> dict[str, ReadCurrency]:
    """Return the currency of the document, and that of tax accounting, by their field paths.

    Most amounts that have a code or a symbol decide. A symbol of several currencies stands for the one of the seller's
    country, which the form of the post code shows, or the locale if it is given. A currency that is not determined is
    left out.

    Args:
        values: Texts as they were read, by field path.
        locale: Locale of the document, such as ``en_AU``, if it is known.
    """
    accounting = {path: text for path, text in values.items() if path == ACCOUNTING_AMOUNT}
    amounts = {
        path: text
        for path, text in values.items()
        if path != ACCOUNTING_AMOUNT and value_type_of(path) is ValueType.AMOUNT
    }
    found = {}
    for field, texts in (("currency_code", amounts), ("vat_accounting_currency_code", accounting)):
        if (currency := _most_frequent(texts, values.get(POST_CODE) or "", locale)) is not None:
            found[field] = currency
    return found


def _most_frequent(amounts: Mapping[str, str | None], post_code: str, locale: str | None) -> ReadCurrency | None:
    meanings = {path: meant for path, text in amounts.items() if text and (meant := currencies_of(text))}
    if not meanings:
        return None
    meant = Counter(meanings.values()).most_common(1)[0][0]
    source = next(path for path, meaning in meanings.items() if meaning == meant)
    if len(meant) == 1:
        return ReadCurrency(meant[0], (source,))
    if locale is not None:
        domestic = LOCALE_FACTS[locale].currency_code
        return ReadCurrency(domestic, (source,)) if domestic in meant else None
    fitting = [code for code in meant if code in _POST_CODES and re.fullmatch(_POST_CODES[code], post_code.strip())]
    return ReadCurrency(fitting[0], (source, POST_CODE)) if len(fitting) == 1 else None
