"""Normalise values as people and models write them: amounts, dates, times, identifiers and text in canonical form.

What a value means may depend on its document, which a `ValueContext` describes. A value that could still mean two
things is not guessed: it stays text, and is noted as ambiguous.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import Any, NamedTuple

from babel.numbers import get_currency_precision, list_currencies

from finscribe_assets.documents.currency_marks import currencies_of
from finscribe_assets.documents.elements import ValueType, field_of, value_type_of
from finscribe_assets.documents.locales import MINOR_UNITS, is_known_locale
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.evaluation.amounts import find_decimal_mark, parse_amount
from finscribe_assets.evaluation.dates import parse_date
from finscribe_assets.evaluation.plain_text import AmbiguousValueError, UnreadableValueError
from finscribe_assets.evaluation.times import parse_time

_PERCENTAGES = frozenset({"vat_rate", "rate", "percentage"})  # never in thousands
# Numbers that may have more decimals than their currency's smallest coin, or fewer.
_ANY_DECIMALS = frozenset({"quantity", "exchange_rate", "gross_price", "price_discount", "net_price", "price_with_vat"})
_UNITLESS = _PERCENTAGES | {"exchange_rate", "after"}  # of no currency, as quantities are
_UNITS = _ANY_DECIMALS - {"exchange_rate"}  # beside which a unit of measure may stand
_OTHER_CURRENCY = re.compile(r"^-?[0-9.]+ [A-Z]{3}$")
_MASK = re.compile(r"[*X#•·]+")
# Amounts that the schema states without the sign that pages may print before them.
_DEDUCTIONS = frozenset(
    {"allowances.amount", "totals.allowance_total", "lines.allowance_amount", "lines.price_discount"}
)
_DEBITS = frozenset({"entries.debit", "statement.total_debits"})  # positive, though they belong to an account


class Note(StrEnum):
    """Why a value could not be normalised."""

    AMBIGUOUS = "ambiguous"  # it could be two values
    UNREADABLE = "unreadable"  # it is not a value of its type


class CanonicalValue(NamedTuple):
    """A value in canonical form; if it could not be normalised, its text and why."""

    text: str
    note: Note | None = None


@dataclass(frozen=True)
class ValueContext:
    """What is known of the document that a value belongs to; None for what is unknown.

    Attributes:
        locale: such as ``de_AT``.
        currency: ISO 4217 code of the document's amounts.
        accounting_currency: ISO 4217 code of the currency in which tax is stated a second time.
        document_type: one of ``DocumentType``.
        decimal_mark: the mark that the writer of the values puts before decimals.
    """

    locale: str | None = None
    currency: str | None = None
    accounting_currency: str | None = None
    document_type: str | None = None
    decimal_mark: str | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ValueContext:
        """Return the context that a true document states."""
        stated = {
            name: value if isinstance(value := document.get(name), str) else None
            for name in ("locale", "currency_code", "vat_accounting_currency_code", "document_type")
        }
        locale = stated["locale"]
        return cls(
            locale if locale and is_known_locale(locale) else None,
            stated["currency_code"],
            stated["vat_accounting_currency_code"],
            stated["document_type"],
        )

    def with_decimal_mark_of(self, leaves: Mapping[str, Any]) -> ValueContext:
        """Return this context with the decimal mark that the amounts of a prediction show."""
        amounts = (
            str(value)
            for path, value in leaves.items()
            if isinstance(value, str | float) and value_type_of(path) is ValueType.AMOUNT
        )
        return replace(self, decimal_mark=find_decimal_mark(amounts, self.locale))

    def max_decimals(self, path: str) -> int | None:
        """Return the number of decimals that a field's amounts have at most; None if it is unknown."""
        field = field_of(path)
        name = field.rpartition(".")[2]
        if name in _PERCENTAGES:
            return 3
        decimals = _minor_units(self.currency_of(path))
        # Where money has no decimals at all, prices have none either; quantities and exchange rates may.
        return None if name in _ANY_DECIMALS and (decimals or name in ("quantity", "exchange_rate")) else decimals

    def currency_of(self, path: str) -> str | None:
        """Return the currency of a field's amounts; None if it is unknown, or the field is not money."""
        name = field_of(path).rpartition(".")[2]
        if name in _UNITLESS or name == "quantity":
            return None
        return self.accounting_currency if name == "total_vat_accounting" else self.currency

    def is_account(self, path: str) -> bool:
        """Tell whether a field belongs to an account, where a credit is positive."""
        return field_of(path) not in _DEBITS and (
            self.document_type == DocumentType.BANK_STATEMENT or path.startswith(("entries", "statement"))
        )


TRUTH_CONTEXT = ValueContext(decimal_mark=".")
"""Of true values, which are canonical in the schema already."""


def truth_context(document: Mapping[str, Any]) -> ValueContext:
    """Return the context of true values, which are canonical already, but for dates in the order of their locale."""
    return replace(TRUTH_CONTEXT, locale=ValueContext.of(document).locale)


def without_currency(amount: str) -> str:
    """Return a canonical amount without the currency that it has if that is not the document's."""
    return amount.partition(" ")[0] if _OTHER_CURRENCY.search(amount) else amount


def _minor_units(currency: str | None) -> int | None:
    """Return the number of decimals of a currency; None if it is unknown."""
    if currency in MINOR_UNITS:
        return MINOR_UNITS[currency]
    return int(get_currency_precision(currency)) if currency in list_currencies() else None


def _plain_decimal(number: Decimal) -> str:
    """Return an amount without zeros at its end; `Decimal.normalize` would round it."""
    text = format(number, "f")
    plain = text.rstrip("0").rstrip(".") if "." in text else text
    return plain if number else "0"


def _other_currency(text: str, currency: str | None) -> str:
    """Return the currency that an amount states, after a space, if it is not the one that the field is in."""
    stated = currencies_of(text) if currency else ()
    return f" {stated[0]}" if stated and currency not in stated else ""


def canonical_identifier(text: str) -> str:
    """Return an identifier in NFKC without spaces, in capitals."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def canonical_text(text: str) -> str:
    """Return text in NFKC with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def canonical_value(path: str, value: Any, context: ValueContext = ValueContext()) -> CanonicalValue | None:
    """Return the canonical form of a field's value.

    Amounts become plain decimals, dates ISO 8601. An amount whose text states another currency than the document's
    keeps it, as in ``119 USD``. A value that is not of its field's type stays text with a note, so that it differs from
    every correct value.

    Args:
        path: of the field, with or without list indices; fields that the schema does not have are text.
        value: a JSON value.
        context: what is known of the document.

    Returns:
        The canonical form; None if the value is absent: null, blank, a list or an object.
    """
    if value is None or isinstance(value, dict | list):
        return None
    try:
        text = format(Decimal(repr(value)), "f") if isinstance(value, float) and isfinite(value) else str(value)
    except ValueError:  # an integer of more digits than Python converts
        return CanonicalValue("a number beyond writing", Note.UNREADABLE)
    if not text.strip():
        return None
    value_type = value_type_of(path) or ValueType.TEXT
    try:
        if value_type is ValueType.AMOUNT:
            number = parse_amount(
                text,
                context.locale,
                is_account=context.is_account(path),
                decimal_mark=context.decimal_mark,
                max_decimals=context.max_decimals(path),
                units=field_of(path).rpartition(".")[2] in _UNITS,
            )
            if field_of(path) in _DEDUCTIONS:
                number = abs(number)
            return CanonicalValue(f"{_plain_decimal(number)}{_other_currency(text, context.currency_of(path))}")
        if value_type is ValueType.DATE:
            return CanonicalValue(parse_date(text, context.locale).isoformat())
        if value_type is ValueType.TIME:
            return CanonicalValue(parse_time(text))
    except UnreadableValueError as error:
        note = Note.AMBIGUOUS if isinstance(error, AmbiguousValueError) else Note.UNREADABLE
        return CanonicalValue(canonical_text(text), note)
    if value_type is ValueType.IDENTIFIER:
        identifier = canonical_identifier(text)
        # How many signs hide the digits of a card says nothing about the card.
        return CanonicalValue(_MASK.sub("*", identifier) if field_of(path) == "card_number" else identifier)
    return CanonicalValue(canonical_text(text))
