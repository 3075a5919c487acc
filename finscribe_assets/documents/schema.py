"""The schema of a financial document: EN 16931's business terms in snake case.

The code of each term (BT-…, BG-…) stands in its field's metadata; `finscribe schema` prints the whole as JSON Schema.
Amounts are `Decimal` and travel as strings, dates are ISO 8601, so that nothing is lost between truth and report.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

Exact = Annotated[
    Decimal,
    PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "description": "a decimal number as text"}),
]


def term(code: str, description: str, **options: Any) -> Any:
    """Return a schema field that carries its EN 16931 code."""
    return Field(description=description, json_schema_extra={"en16931": code}, **options)


class DocumentType(StrEnum):
    """The kinds of document that are drawn."""

    INVOICE = "invoice"
    RECEIPT = "receipt"
    PURCHASE_ORDER = "purchase_order"


class Term(BaseModel):
    """A group of business terms; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Address(Term):
    """A postal address (BG-5, BG-8)."""

    street: str = term("BT-35", "street and number")
    post_code: str = term("BT-38", "postal code")
    city: str = term("BT-37", "city")
    country_code: str = term("BT-40", "ISO 3166-1 alpha-2 code of the country; implied by the locale, not printed")


class Party(Term):
    """A seller (BG-4) or buyer (BG-7)."""

    name: str = term("BT-27", "name of the party")
    address: Address = term("BG-5", "postal address")
    vat_identifier: str | None = term("BT-31", "VAT or tax identifier", default=None)


class Line(Term):
    """A line of the document (BG-25)."""

    line_id: str | None = term("BT-126", "number of the line, from 1", default=None)
    item_name: str = term("BT-153", "name of the item")
    quantity: Exact = term("BT-129", "quantity")
    unit_code: str | None = term("BT-130", "unit of the quantity, as printed", default=None)
    net_price: Exact = term("BT-146", "price of one unit without tax")
    vat_rate: Exact | None = term("BT-152", "tax rate of the line in per cent", default=None)
    net_amount: Exact = term("BT-131", "amount of the line without tax")


class VatBreakdown(Term):
    """One rate's share of the tax (BG-23). A US sales tax is written the same way."""

    rate: Exact = term("BT-119", "rate in per cent")
    taxable_amount: Exact = term("BT-116", "amount that the rate applies to")
    tax_amount: Exact = term("BT-117", "tax at this rate")


class Totals(Term):
    """The document's totals (BG-22)."""

    sum_of_line_net_amounts: Exact = term("BT-106", "sum of the lines' net amounts")
    allowance_total: Exact | None = term("BT-107", "discount on the whole document, as a positive amount", default=None)
    total_without_vat: Exact = term("BT-109", "total without tax")
    total_vat: Exact | None = term("BT-110", "total tax; absent on a document without tax", default=None)
    total_with_vat: Exact = term("BT-112", "total with tax")
    paid_amount: Exact | None = term("BT-113", "amount paid in advance", default=None)
    amount_due: Exact = term("BT-115", "amount due for payment")


class Document(Term):
    """A financial document: everything that is true of it, whatever a page prints."""

    document_type: DocumentType = term("BT-3", "kind of document")
    locale: str = Field(description="language and country whose formats the page uses, such as de_DE")
    document_number: str = term("BT-1", "number of the document")
    issue_date: dt.date = term("BT-2", "date of issue")
    due_date: dt.date | None = term("BT-9", "date by which payment is due", default=None)
    delivery_date: dt.date | None = term("BT-72", "date of delivery, or wanted delivery", default=None)
    currency_code: str = term("BT-5", "ISO 4217 code")
    payment_terms: str | None = term("BT-20", "terms of payment, as printed", default=None)
    purchase_order_reference: str | None = term("BT-13", "number of the buyer's order", default=None)
    payment_account: str | None = term("BT-84", "account to pay to, an IBAN where the locale has them", default=None)
    seller: Party = term("BG-4", "who sells")
    buyer: Party | None = term("BG-7", "who buys", default=None)
    lines: tuple[Line, ...] = term("BG-25", "the lines, in printed order", min_length=1)
    vat_breakdown: tuple[VatBreakdown, ...] = term("BG-23", "tax by rate, ascending", default=())
    totals: Totals = term("BG-22", "totals")

    def to_json(self) -> dict[str, Any]:
        """Return the document as JSON values: amounts as text, dates as ISO 8601, absent values left out."""
        return self.model_dump(mode="json", exclude_none=True)


def flatten(value: Any, path: str = "") -> dict[str, Any]:
    """Return a JSON document's leaves by path, such as ``seller.name`` or ``lines[2].net_amount``.

    Absent values (None, empty lists and objects) have no leaf.
    """
    if isinstance(value, dict):
        leaves: dict[str, Any] = {}
        for key, item in value.items():
            leaves |= flatten(item, f"{path}.{key}" if path else str(key))
        return leaves
    if isinstance(value, list | tuple):
        leaves = {}
        for index, item in enumerate(value):
            leaves |= flatten(item, f"{path}[{index}]")
        return leaves
    return {} if value is None else {path: value}
