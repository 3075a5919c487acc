"""Values as people and models write them → canonical form: amounts, dates, identifiers, text.

What a value means may depend on the document that it is of; a `Context` tells. What could mean two things for all that
is known is not guessed: it stays text, and is noted as ambiguous.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from finscribe_assets.documents.elements import ValueType, field_of, value_type_of
from finscribe_assets.documents.locales import MINOR_UNITS, is_known_locale
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.evaluation.amounts import decimal_mark, parse_amount
from finscribe_assets.evaluation.dates import parse_date
from finscribe_assets.evaluation.plain_text import Ambiguous, Unreadable

_SHARES = frozenset({"vat_rate", "rate", "percentage"})  # in per cent, so never in thousands
# Numbers that may have more decimals than their currency's coins, or fewer.
_OPEN = frozenset({"quantity", "exchange_rate", "gross_price", "price_discount", "net_price", "price_with_vat"})
_PAID_OUT = frozenset({"entries.debit", "statement.total_debits"})  # positive, though of an account


class Note(StrEnum):
    """Why a value was not read as what it should be."""

    AMBIGUOUS = "ambiguous"  # it could be two values
    UNREADABLE = "unreadable"  # it is no value of its kind


class Canonical(NamedTuple):
    """A value in canonical form; where it could not be read, its text and why."""

    text: str
    note: Note | None = None


@dataclass(frozen=True)
class Context:
    """What is known of the document that a value is of; None where it is not."""

    locale: str | None = None
    currency: str | None = None  # ISO 4217
    accounting_currency: str | None = None  # that tax is told in a second time
    document_type: str | None = None
    decimal: str | None = None  # the mark that its writer puts before decimals

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Context:
        """Return what a true document tells of itself."""
        named = {
            name: value if isinstance(value := document.get(name), str) else None
            for name in ("locale", "currency_code", "vat_accounting_currency_code", "document_type")
        }
        locale = named["locale"]
        return cls(
            locale if locale and is_known_locale(locale) else None,
            named["currency_code"],
            named["vat_accounting_currency_code"],
            named["document_type"],
        )

    def writing(self, leaves: Mapping[str, Any]) -> Context:
        """Return this with the decimal mark that a prediction's own amounts show."""
        return replace(
            self,
            decimal=decimal_mark(
                str(value)
                for path, value in leaves.items()
                if isinstance(value, str | float) and value_type_of(path) is ValueType.AMOUNT
            ),
        )

    def places(self, path: str) -> int | None:
        """Return how many decimals a field's amounts are told with at most, None where that is open."""
        field = field_of(path)
        name = field.rpartition(".")[2]
        if name in _SHARES:
            return 3
        currency = self.accounting_currency if name == "total_vat_accounting" else self.currency
        places = MINOR_UNITS.get(currency or "")
        return None if name in _OPEN and (places or name in ("quantity", "exchange_rate")) else places

    def of_account(self, path: str) -> bool:
        """Tell whether a field is an account's, where what is paid in is CR and above zero."""
        return field_of(path) not in _PAID_OUT and (
            self.document_type == DocumentType.BANK_STATEMENT or path.startswith(("entries", "statement"))
        )


TRUE = Context(decimal=".")
"""How truths are written: canonically, as the schema has it."""


def identifier(text: str) -> str:
    """Return an identifier without spaces, in capitals."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def plain_text(text: str) -> str:
    """Return text in NFKC with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def canonical(path: str, value: Any, context: Context = Context()) -> Canonical | None:
    """Return the canonical form of a field's value, None where it is absent.

    A value that is no value of its kind stays what it is, as text, and is noted: it differs from every right one.
    """
    if value is None or isinstance(value, dict | list):
        return None
    try:
        text = str(value)
    except ValueError:  # an integer of more digits than Python writes
        return Canonical("a number beyond writing", Note.UNREADABLE)
    if not text.strip():
        return None
    kind = value_type_of(path) or ValueType.TEXT
    try:
        if kind is ValueType.AMOUNT:
            number = parse_amount(
                text,
                context.locale,
                of_account=context.of_account(path),
                decimal=context.decimal,
                places=context.places(path),
            )
            return Canonical(format(number.normalize(), "f") if number else "0")
        if kind is ValueType.DATE:
            return Canonical(parse_date(text, context.locale).isoformat())
    except Unreadable as error:
        return Canonical(plain_text(text), Note.AMBIGUOUS if isinstance(error, Ambiguous) else Note.UNREADABLE)
    return Canonical(identifier(text) if kind is ValueType.IDENTIFIER else plain_text(text))
