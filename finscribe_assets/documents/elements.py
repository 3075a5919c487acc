"""What is read: the elements that scores and mining speak of, and the kind of value each field holds."""

from __future__ import annotations

import re
from enum import StrEnum

_INDEX = re.compile(r"\[\d+\]")


class Element(StrEnum):
    """A group of fields that fail alike, and are counted together."""

    DOCUMENT_TYPE = "document_type"
    IDENTIFIER = "identifier"
    DATE = "date"
    PARTY = "party"
    ADDRESS = "address"
    AMOUNT = "amount"
    TAX = "tax"
    LINE_ITEM = "line_item"
    LINE_AMOUNT = "line_amount"
    TEXT = "text"


class ValueKind(StrEnum):
    """How a value is written and compared."""

    AMOUNT = "amount"
    DATE = "date"
    IDENTIFIER = "identifier"
    TEXT = "text"


# Field path without list positions → (element, kind of value). Every leaf of the schema stands here; a test checks it.
FIELDS: dict[str, tuple[Element, ValueKind]] = {
    "document_type": (Element.DOCUMENT_TYPE, ValueKind.TEXT),
    "locale": (Element.TEXT, ValueKind.TEXT),
    "document_number": (Element.IDENTIFIER, ValueKind.IDENTIFIER),
    "issue_date": (Element.DATE, ValueKind.DATE),
    "due_date": (Element.DATE, ValueKind.DATE),
    "delivery_date": (Element.DATE, ValueKind.DATE),
    "currency_code": (Element.TEXT, ValueKind.TEXT),
    "payment_terms": (Element.TEXT, ValueKind.TEXT),
    "purchase_order_reference": (Element.IDENTIFIER, ValueKind.IDENTIFIER),
    "payment_account": (Element.IDENTIFIER, ValueKind.IDENTIFIER),
    "seller.name": (Element.PARTY, ValueKind.TEXT),
    "seller.vat_identifier": (Element.IDENTIFIER, ValueKind.IDENTIFIER),
    "seller.address.street": (Element.ADDRESS, ValueKind.TEXT),
    "seller.address.post_code": (Element.ADDRESS, ValueKind.IDENTIFIER),
    "seller.address.city": (Element.ADDRESS, ValueKind.TEXT),
    "seller.address.country_code": (Element.ADDRESS, ValueKind.TEXT),
    "buyer.name": (Element.PARTY, ValueKind.TEXT),
    "buyer.vat_identifier": (Element.IDENTIFIER, ValueKind.IDENTIFIER),
    "buyer.address.street": (Element.ADDRESS, ValueKind.TEXT),
    "buyer.address.post_code": (Element.ADDRESS, ValueKind.IDENTIFIER),
    "buyer.address.city": (Element.ADDRESS, ValueKind.TEXT),
    "buyer.address.country_code": (Element.ADDRESS, ValueKind.TEXT),
    "lines.line_id": (Element.LINE_ITEM, ValueKind.IDENTIFIER),
    "lines.item_name": (Element.LINE_ITEM, ValueKind.TEXT),
    "lines.quantity": (Element.LINE_AMOUNT, ValueKind.AMOUNT),
    "lines.unit_code": (Element.LINE_ITEM, ValueKind.TEXT),
    "lines.net_price": (Element.LINE_AMOUNT, ValueKind.AMOUNT),
    "lines.vat_rate": (Element.LINE_AMOUNT, ValueKind.AMOUNT),
    "lines.net_amount": (Element.LINE_AMOUNT, ValueKind.AMOUNT),
    "vat_breakdown.rate": (Element.TAX, ValueKind.AMOUNT),
    "vat_breakdown.taxable_amount": (Element.TAX, ValueKind.AMOUNT),
    "vat_breakdown.tax_amount": (Element.TAX, ValueKind.AMOUNT),
    "totals.sum_of_line_net_amounts": (Element.AMOUNT, ValueKind.AMOUNT),
    "totals.allowance_total": (Element.AMOUNT, ValueKind.AMOUNT),
    "totals.total_without_vat": (Element.AMOUNT, ValueKind.AMOUNT),
    "totals.total_vat": (Element.TAX, ValueKind.AMOUNT),
    "totals.total_with_vat": (Element.AMOUNT, ValueKind.AMOUNT),
    "totals.paid_amount": (Element.AMOUNT, ValueKind.AMOUNT),
    "totals.amount_due": (Element.AMOUNT, ValueKind.AMOUNT),
}

# True of a document, but implied by the page as a whole rather than printed as a value of its own.
UNPRINTED = frozenset({"document_type", "locale", "currency_code", "seller.address.country_code",
                       "buyer.address.country_code"})


def field_of(path: str) -> str:
    """Return a path without list positions: ``lines[2].net_amount`` → ``lines.net_amount``."""
    return _INDEX.sub("", path)


def element_of(path: str) -> Element | None:
    """Return the element of a field, or None where the schema has no such field."""
    known = FIELDS.get(field_of(path))
    return known[0] if known else None


def kind_of(path: str) -> ValueKind | None:
    """Return the kind of a field's value, or None where the schema has no such field."""
    known = FIELDS.get(field_of(path))
    return known[1] if known else None
