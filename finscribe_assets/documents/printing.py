"""The text that a page prints for each value of a document, verbatim.

What belongs here: number, date and currency formats, and which values are printed at all. Pairs and evaluation ask for
printed values only; what a document knows but does not print (a subtotal equal to another) stays in it as truth for
the arithmetic rules.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from finscribe_assets.documents.drawn import Presentation
from finscribe_assets.documents.identifiers import grouped
from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS
from finscribe_assets.documents.schema import Document, Party


def print_number(value: Decimal, locale: str, places: int | None = None) -> str:
    """Return a number in a locale's format, with so many decimals, or as many as it has."""
    digits = "." + "0" * places if places else ""
    return format_decimal(value, format=f"#,##0{digits if places is not None else '.###'}", locale=locale)


def print_amount(value: Decimal, locale: str, currency: str, display: str) -> str:
    """Return an amount with its currency as a symbol, as a code, or without."""
    places = MINOR_UNITS[currency]
    if display == "symbol":
        return format_currency(value, currency, locale=locale)
    number = print_number(value, locale, places)
    if display == "code":
        return f"{currency} {number}" if locale.startswith("en") else f"{number} {currency}"
    return number


def print_date(value: dt.date, locale: str, pattern: str) -> str:
    """Return a date by a babel pattern."""
    return format_date(value, format=pattern, locale=locale)


def printed_values(document: Document, presentation: Presentation) -> dict[str, str]:
    """Return the printed text of every value on the page, by field path in reading order."""
    locale, currency, display = document.locale, document.currency_code, presentation.currency_display

    def amount(value: Decimal) -> str:
        return print_amount(value, locale, currency, display)

    printed = {"document_number": document.document_number}
    for name in ("issue_date", "due_date", "delivery_date"):
        if (value := getattr(document, name)) is not None:
            printed[name] = print_date(value, locale, presentation.date_pattern)
    for name in ("purchase_order_reference", "payment_terms"):
        if (text := getattr(document, name)) is not None:
            printed[name] = text
    if document.payment_account:
        iban = LOCALE_FACTS[locale].iban_country is not None
        printed["payment_account"] = grouped(document.payment_account) if iban else document.payment_account
    printed |= _party("seller", document.seller)
    if document.buyer:
        printed |= _party("buyer", document.buyer)
    for index, line in enumerate(document.lines):
        texts = {
            "line_id": line.line_id,
            "item_name": line.item_name,
            "quantity": print_number(line.quantity, locale),
            "unit_code": line.unit_code,
            "net_price": print_number(line.net_price, locale, MINOR_UNITS[currency]),
            "vat_rate": None if line.vat_rate is None else print_number(line.vat_rate, locale) + " %",
            "net_amount": print_number(line.net_amount, locale, MINOR_UNITS[currency]),
        }
        printed |= {f"lines[{index}].{column}": text for column in presentation.columns if (text := texts[column])}
    totals = document.totals
    if totals.sum_of_line_net_amounts != totals.total_without_vat:
        printed["totals.sum_of_line_net_amounts"] = amount(totals.sum_of_line_net_amounts)
    if totals.allowance_total is not None:
        printed["totals.allowance_total"] = amount(totals.allowance_total)
    printed["totals.total_without_vat"] = amount(totals.total_without_vat)
    for index, share in enumerate(document.vat_breakdown):
        printed[f"vat_breakdown[{index}].rate"] = print_number(share.rate, locale) + " %"
        printed[f"vat_breakdown[{index}].taxable_amount"] = print_number(
            share.taxable_amount, locale, MINOR_UNITS[currency]
        )
        printed[f"vat_breakdown[{index}].tax_amount"] = amount(share.tax_amount)
    if totals.total_vat is not None and len(document.vat_breakdown) > 1:
        printed["totals.total_vat"] = amount(totals.total_vat)
    printed["totals.total_with_vat"] = amount(totals.total_with_vat)
    if totals.paid_amount is not None:
        printed["totals.paid_amount"] = amount(totals.paid_amount)
    # The one place where the currency always stands.
    printed["totals.amount_due"] = print_amount(totals.amount_due, locale, currency,
                                                "symbol" if display == "none" else display)  # fmt: skip
    return printed


def _party(role: str, party: Party) -> dict[str, str]:
    printed = {
        f"{role}.name": party.name,
        f"{role}.address.street": party.address.street,
        f"{role}.address.post_code": party.address.post_code,
        f"{role}.address.city": party.address.city,
    }
    if party.vat_identifier:
        printed[f"{role}.vat_identifier"] = party.vat_identifier
    return printed
