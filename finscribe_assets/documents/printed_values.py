"""Which values of a document its page prints, and the text of each.

Prompts and metrics cover printed values only. Values that are not printed, such as a subtotal equal to another one,
stay in the document for the calculation rules.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal

from finscribe_assets.documents.captions import HEADER_FIELDS, LABELLED_PARTY_FIELDS, PARTY_ROLES, PAYMENT_FIELDS
from finscribe_assets.documents.drawn_document import Presentation
from finscribe_assets.documents.elements import IMPLIED_FIELDS
from finscribe_assets.documents.formats import group_characters, write_amount, write_date, write_number, write_time
from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS
from finscribe_assets.documents.schema import Consignee, Document, Entry, Line

PrintedValues = Iterator[tuple[str, str]]
"""Field paths and the texts printed for them."""

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
# Columns of lines that hold amounts of money, with the decimals of the currency. Other numbers have as many as they
# need.
_MONEY_COLUMNS = frozenset(
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


QUANTITY_ROW_COLUMNS = ("quantity", "unit", "net_price", "price_with_vat")
"""Columns that a receipt lacks if it prints quantities in rows below the items."""


def quantity_row_fields(line: Line) -> tuple[str, ...]:
    """Return the fields in the row below an item: quantity, unit if there is one, and price; none for a single piece.

    The true quantity of a line without that row is 1, or -1 where it is below zero.
    """
    if abs(line.quantity) == 1 and line.unit is None:
        return ()
    price = "price_with_vat" if line.price_with_vat is not None else "net_price"
    return ("quantity", "unit", price) if line.unit is not None else ("quantity", price)


class _ValueWriter:
    """Formats values in the style of one page."""

    def __init__(self, document: Document, presentation: Presentation) -> None:
        self.locale, self.currency = document.locale, document.currency_code
        self.numbers, self.date_pattern = presentation.numbers, presentation.date_pattern
        self.time_pattern = presentation.time_pattern
        self.currency_display = presentation.currency_display

    def amount(self, value: Decimal) -> str:
        """Format an amount of money with its currency."""
        return write_amount(value, self.numbers, self.locale, self.currency, self.currency_display)

    def bare_amount(self, value: Decimal) -> str:
        """Format an amount of money without its currency."""
        return write_number(value, self.numbers, MINOR_UNITS[self.currency])

    def number(self, value: Decimal) -> str:
        return write_number(value, self.numbers)

    def percent(self, value: Decimal) -> str:
        # German, French, Spanish, Swedish and Arabic put a space before the sign.
        space = "" if self.locale[:2] in ("en", "it", "ja", "zh", "pt", "nl", "pl") else " "
        sign = "٪" if self.numbers.digits == "arabic" else "%"
        return f"{write_number(value, self.numbers)}{space}{sign}"

    def date(self, value: dt.date) -> str:
        return write_date(value, self.locale, self.date_pattern, self.numbers.digits)

    def amount_due(self, value: Decimal) -> str:
        """Format the amount due or closing balance, which shows the currency even if no other amount does."""
        display = "symbol" if self.currency_display == "none" else self.currency_display
        return write_amount(value, self.numbers, self.locale, self.currency, display)


def printed_values(document: Document, presentation: Presentation) -> dict[str, str]:
    """Return the printed text of every value on the page, by field path in reading order."""
    writer = _ValueWriter(document, presentation)
    return {
        **dict(_header(document, writer)),
        **{path: text for role in PARTY_ROLES for path, text in _party(role, getattr(document, role))},
        **dict(_lines(document, presentation, writer)),
        **dict(_entries(document, presentation, writer)),
        **{
            f"page_subtotals[{index}].amount": writer.bare_amount(subtotal.amount)
            for index, subtotal in enumerate(document.page_subtotals)
        },
        **dict(_totals(document, presentation, writer)),
        **dict(_statement(document, writer)),
    }


def _header(document: Document, writer: _ValueWriter) -> PrintedValues:
    for name in (*HEADER_FIELDS, *PAYMENT_FIELDS):
        if "." in name or (value := getattr(document, name)) is None:
            continue
        if isinstance(value, dt.date):
            yield name, writer.date(value)
        elif name == "issue_time":
            yield name, write_time(value, writer.locale, writer.time_pattern, writer.numbers.digits)
        elif name == "payment_account" and LOCALE_FACTS[document.locale].iban_country:
            yield name, group_characters(value)
        else:
            yield name, value
    if document.exchange_rate is not None:
        yield "exchange_rate", writer.number(document.exchange_rate)
    if discount := document.cash_discount:
        yield "cash_discount.percentage", writer.percent(discount.percentage)
        yield "cash_discount.until", writer.date(discount.until)
        if discount.amount is not None:
            yield "cash_discount.amount", writer.bare_amount(discount.amount)


def _party(role: str, party: Consignee | None) -> PrintedValues:
    if party is None:
        return
    if party.name is not None:
        yield f"{role}.name", party.name
    if party.address:
        for name, value in party.address:
            path = f"{role}.address.{name}"
            if value is not None and path not in IMPLIED_FIELDS:
                yield path, value
    for name in ("identifier", *LABELLED_PARTY_FIELDS):
        if (value := getattr(party, name)) is not None:
            yield f"{role}.{name}", value


def _lines(document: Document, presentation: Presentation, writer: _ValueWriter) -> PrintedValues:
    for index, line in enumerate(document.lines):
        if line.heading:
            yield f"lines[{index}].heading", line.heading
        for column in presentation.columns:
            if text := _cell(line, column, writer):
                yield f"lines[{index}].{column}", text
        if presentation.quantity_rows:
            for column in quantity_row_fields(line):
                yield f"lines[{index}].{column}", _cell(line, column, writer) or ""
        if line.note:
            yield f"lines[{index}].note", line.note


def _cell(line: Line | Entry, column: str, writer: _ValueWriter) -> str | None:
    value: str | Decimal | dt.date | None = getattr(line, column)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dt.date):
        return writer.date(value)
    if column in _MONEY_COLUMNS or isinstance(line, Entry):
        return writer.bare_amount(value)
    return writer.percent(value) if column == "vat_rate" else writer.number(value)


def _entries(document: Document, presentation: Presentation, writer: _ValueWriter) -> PrintedValues:
    for index, entry in enumerate(document.entries):
        for column in presentation.columns:
            if text := _cell(entry, column, writer):
                yield f"entries[{index}].{column}", text


def _totals(document: Document, presentation: Presentation, writer: _ValueWriter) -> PrintedValues:
    totals = document.totals
    if totals is None:
        return
    for group in ("allowances", "charges"):
        for index, adjustment in enumerate(getattr(document, group)):
            if adjustment.reason is not None:
                yield f"{group}[{index}].reason", adjustment.reason
            if adjustment.percentage is not None:
                yield f"{group}[{index}].percentage", writer.percent(adjustment.percentage)
            sign = -1 if group == "allowances" and presentation.style.signed_discounts else 1
            yield f"{group}[{index}].amount", writer.amount(sign * adjustment.amount)
    for index, share in enumerate(document.vat_breakdown):
        yield f"vat_breakdown[{index}].rate", writer.percent(share.rate)
        yield f"vat_breakdown[{index}].taxable_amount", writer.bare_amount(share.taxable_amount)
        yield f"vat_breakdown[{index}].tax_amount", writer.amount(share.tax_amount)
        if share.exemption_reason:
            yield f"vat_breakdown[{index}].exemption_reason", share.exemption_reason
    for name in PRINTED_TOTALS:
        value = getattr(totals, name)
        is_redundant = name in REDUNDANT_TOTALS and REDUNDANT_TOTALS[name](document)
        if value is None or (is_redundant and name not in presentation.repeated_totals):
            continue
        if name == "total_vat_accounting":
            currency = document.vat_accounting_currency_code or document.currency_code
            text = write_amount(value, presentation.numbers, document.locale, currency, "code")
        else:
            value *= -1 if name == "allowance_total" and presentation.style.signed_discounts else 1
            text = writer.amount_due(value) if name == "amount_due" else writer.amount(value)
        yield f"totals.{name}", text


# Totals that another amount on the page may already state, and when it does. Then only a knob makes a page print them.
REDUNDANT_TOTALS: dict[str, Callable[[Document], bool]] = {
    "sum_of_line_net_amounts": lambda document: not (document.allowances or document.charges),
    "allowance_total": lambda document: len(document.allowances) < 2,
    "charge_total": lambda document: len(document.charges) < 2,
    "total_vat": lambda document: len(document.vat_breakdown) < 2,
}


def _statement(document: Document, writer: _ValueWriter) -> PrintedValues:
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
    yield "statement.closing_balance", writer.amount_due(document.statement.closing_balance)
