"""The text that a page prints for each value of a document, verbatim.

What belongs here: which values are printed at all, and how. Pairs and evaluation ask for printed values only; what a
document knows but does not print (a subtotal equal to another) stays in it as truth for the arithmetic rules.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal

from finscribe_assets.documents.captions import HEADER_FIELDS, LABELLED_PARTY_FIELDS, PARTY_ROLES, PAYMENT_FIELDS
from finscribe_assets.documents.drawn_document import Presentation
from finscribe_assets.documents.elements import IMPLIED_FIELDS
from finscribe_assets.documents.formats import group_characters, write_amount, write_date, write_number
from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS
from finscribe_assets.documents.schema import Document, Entry, Line, Party

Printed = Iterator[tuple[str, str]]

PRINTED_TOTALS = (
    "sum_of_line_net_amounts",
    "allowance_total",
    "charge_total",
    "total_without_vat",
    "total_vat",
    "total_vat_accounting",
    "total_with_vat",
    "paid_amount",
    "rounding_amount",
    "amount_due",
    "tip_amount",
    "tendered_amount",
    "change_amount",
    "previous_balance",
    "account_balance",
)
# Line columns that hold amounts of money; quantities and rates have as many decimals as they need.
_MONEY = frozenset(
    {
        "gross_price",
        "price_discount",
        "net_price",
        "price_with_vat",
        "allowance_amount",
        "charge_amount",
        "net_amount",
        "gross_amount",
    }
)


class _ValuePrinter:
    """Writes values in one page's style."""

    def __init__(self, document: Document, look: Presentation) -> None:
        self.locale, self.currency, self.look = document.locale, document.currency_code, look

    def amount(self, value: Decimal) -> str:
        return write_amount(value, self.look.numbers, self.locale, self.currency, self.look.currency_display)

    def bare(self, value: Decimal) -> str:
        return write_number(value, self.look.numbers, MINOR_UNITS[self.currency])

    def number(self, value: Decimal) -> str:
        return write_number(value, self.look.numbers)

    def percent(self, value: Decimal) -> str:
        # German, French and their neighbours put a space; English, Italian, Japanese and Chinese do not.
        space = "" if self.locale[:2] in ("en", "it", "ja", "zh", "pt", "nl", "pl") else " "
        sign = "٪" if self.look.numbers.digits == "arabic" else "%"
        return f"{write_number(value, self.look.numbers)}{space}{sign}"

    def date(self, value: dt.date) -> str:
        return write_date(value, self.locale, self.look.date_pattern, self.look.numbers.digits)

    def due(self, value: Decimal) -> str:
        """Write the amount that a document comes to: the one place where its currency always stands."""
        display = "symbol" if self.look.currency_display == "none" else self.look.currency_display
        return write_amount(value, self.look.numbers, self.locale, self.currency, display)


def printed_values(document: Document, presentation: Presentation) -> dict[str, str]:
    """Return the printed text of every value on the page, by field path in reading order."""
    writer = _ValuePrinter(document, presentation)
    return {
        **dict(_header(document, writer)),
        **{path: text for role in PARTY_ROLES for path, text in _party(role, getattr(document, role))},
        **dict(_lines(document, presentation, writer)),
        **dict(_entries(document, presentation, writer)),
        **{
            f"page_subtotals[{index}].amount": writer.bare(one.amount)
            for index, one in enumerate(document.page_subtotals)
        },
        **dict(_totals(document, presentation, writer)),
        **dict(_statement(document, writer)),
    }


def _header(document: Document, writer: _ValuePrinter) -> Printed:
    for name in (*HEADER_FIELDS, *PAYMENT_FIELDS):
        if "." in name or (value := getattr(document, name)) is None:
            continue
        if isinstance(value, dt.date):
            yield name, writer.date(value)
        elif name == "payment_account" and LOCALE_FACTS[document.locale].iban_country:
            yield name, group_characters(value)
        else:
            yield name, value
    if document.exchange_rate is not None:
        yield "exchange_rate", writer.number(document.exchange_rate)
    if offer := document.cash_discount:
        yield "cash_discount.percentage", writer.percent(offer.percentage)
        yield "cash_discount.until", writer.date(offer.until)
        if offer.amount is not None:
            yield "cash_discount.amount", writer.bare(offer.amount)


def _party(role: str, party: Party | None) -> Printed:
    if party is None:
        return
    yield f"{role}.name", party.name
    if party.address:
        for name, value in party.address:
            path = f"{role}.address.{name}"
            if value is not None and path not in IMPLIED_FIELDS:
                yield path, value
    for name in ("identifier", *LABELLED_PARTY_FIELDS):
        if (value := getattr(party, name)) is not None:
            yield f"{role}.{name}", value


def _lines(document: Document, look: Presentation, writer: _ValuePrinter) -> Printed:
    for index, line in enumerate(document.lines):
        for column in look.columns:
            if text := _cell(line, column, writer):
                yield f"lines[{index}].{column}", text
        if line.note:
            yield f"lines[{index}].note", line.note


def _cell(line: Line | Entry, column: str, writer: _ValuePrinter) -> str | None:
    value: str | Decimal | dt.date | None = getattr(line, column)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dt.date):
        return writer.date(value)
    if column in _MONEY or isinstance(line, Entry):
        return writer.bare(value)
    return writer.percent(value) if column == "vat_rate" else writer.number(value)


def _entries(document: Document, look: Presentation, writer: _ValuePrinter) -> Printed:
    for index, entry in enumerate(document.entries):
        for column in look.columns:
            if text := _cell(entry, column, writer):
                yield f"entries[{index}].{column}", text


def _totals(document: Document, look: Presentation, writer: _ValuePrinter) -> Printed:
    totals = document.totals
    if totals is None:
        return
    for group in ("allowances", "charges"):
        for index, one in enumerate(getattr(document, group)):
            yield f"{group}[{index}].reason", one.reason
            if one.percentage is not None:
                yield f"{group}[{index}].percentage", writer.percent(one.percentage)
            yield f"{group}[{index}].amount", writer.amount(one.amount)
    for index, share in enumerate(document.vat_breakdown):
        yield f"vat_breakdown[{index}].rate", writer.percent(share.rate)
        yield f"vat_breakdown[{index}].taxable_amount", writer.bare(share.taxable_amount)
        yield f"vat_breakdown[{index}].tax_amount", writer.amount(share.tax_amount)
        if share.exemption_reason:
            yield f"vat_breakdown[{index}].exemption_reason", share.exemption_reason
    for name in PRINTED_TOTALS:
        value = getattr(totals, name)
        if value is None or (
            name in REDUNDANT_TOTALS and REDUNDANT_TOTALS[name](document) and name not in look.repeated_totals
        ):
            continue
        if name == "total_vat_accounting":
            currency = document.vat_accounting_currency_code or document.currency_code
            text = write_amount(value, look.numbers, document.locale, currency, "code")
        else:
            text = writer.due(value) if name == "amount_due" else writer.amount(value)
        yield f"totals.{name}", text


# Totals that another figure of the page says already: printed again only where the knob asks for it.
REDUNDANT_TOTALS: dict[str, Callable[[Document], bool]] = {
    "sum_of_line_net_amounts": lambda document: not (document.allowances or document.charges),
    "allowance_total": lambda document: len(document.allowances) < 2,
    "charge_total": lambda document: len(document.charges) < 2,
    "total_vat": lambda document: len(document.vat_breakdown) < 2,
}


def _statement(document: Document, writer: _ValuePrinter) -> Printed:
    if document.statement is None:
        return
    account = document.statement.account_number
    yield (
        "statement.account_number",
        group_characters(account) if LOCALE_FACTS[document.locale].iban_country else account,
    )
    yield "statement.opening_balance", writer.amount(document.statement.opening_balance)
    for name in ("total_debits", "total_credits"):
        if (value := getattr(document.statement, name)) is not None:
            yield f"statement.{name}", writer.amount(value)
    yield "statement.closing_balance", writer.due(document.statement.closing_balance)
