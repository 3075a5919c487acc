"""The schema of a financial document: the business terms of EN 16931 in snake case, and extensions to them.

A field's metadata holds the code of its term (BT-…, BG-…) and the element that its errors are counted with. A field
without a code is an extension: EN 16931 does not cover receipts, bank statements, and taxes outside Europe.
`finscribe schema` prints the whole as JSON Schema. In JSON, amounts are decimal text and dates are ISO 8601.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from pydantic import model_validator

from finscribe_assets.documents import terms
from finscribe_assets.documents.terms import NO_CODE, Exact, Term
from finscribe_assets.documents.value_types import Element
from finscribe_assets.errors import UserError


class DocumentType(StrEnum):
    """The types of document that are synthesised."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    RECEIPT = "receipt"
    PURCHASE_ORDER = "purchase_order"
    BANK_STATEMENT = "bank_statement"


class VatCategory(StrEnum):
    """The tax categories of UNCL 5305 that EN 16931 allows."""

    STANDARD = "S"  # any rate above zero
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    INTRA_COMMUNITY = "K"
    EXPORT = "G"
    OUTSIDE_SCOPE = "O"
    CANARY_ISLANDS = "L"  # IGIC
    CEUTA_AND_MELILLA = "M"  # IPSI
    SPLIT_PAYMENT = "B"  # in Italy


def _roles(seller: str, buyer: str, ship_to: str = "", payee: str = "") -> dict[str, str]:
    """Return the codes of a field that every party has, by the role of the party."""
    return {"seller": seller, "buyer": buyer, "ship_to": ship_to, "payee": payee}


class Address(Term):
    """A postal address (BG-5, BG-8, BG-15)."""

    street: str | None = terms.text(
        _roles("BT-35", "BT-50", "BT-75"), "street and number", Element.ADDRESS, default=None
    )
    additional_line: str | None = terms.text(
        _roles("BT-36", "BT-51", "BT-76"), "second line: building, floor, district", Element.ADDRESS, default=None
    )
    post_code: str | None = terms.identifier(
        _roles("BT-38", "BT-53", "BT-78"), "postal code", Element.ADDRESS, default=None
    )
    city: str | None = terms.text(_roles("BT-37", "BT-52", "BT-77"), "city", Element.ADDRESS, default=None)
    subdivision: str | None = terms.text(
        _roles("BT-39", "BT-54", "BT-79"), "state, province or prefecture, as printed", Element.ADDRESS, default=None
    )
    country_code: str = terms.text(
        _roles("BT-40", "BT-55", "BT-80"), "ISO 3166-1 alpha-2 code of the country", Element.ADDRESS, implied=True
    )


class Consignee(Term):
    """Where goods go (BG-13): a party whose name need not be stated, as it may be the buyer's."""

    name: str | None = terms.text(_roles("", "", "BT-70"), "name", Element.PARTY, default=None)
    address: Address | None = terms.group(
        _roles("BG-5", "BG-8", "BG-15"), "postal address; a payee has none", default=None
    )
    identifier: str | None = terms.identifier(
        _roles("BT-29", "BT-46", "BT-71", "BT-60"), "number that the other side knows it by", default=None
    )
    legal_registration: str | None = terms.identifier(
        _roles("BT-30", "BT-47", "", "BT-61"), "number in the register of companies", default=None
    )
    vat_identifier: str | None = terms.identifier(_roles("BT-31", "BT-48"), "VAT or tax identifier", default=None)
    tax_registration: str | None = terms.identifier(_roles("BT-32", ""), "number at the local tax office", default=None)
    contact_name: str | None = terms.text(_roles("BT-41", "BT-56"), "person to ask", Element.PARTY, default=None)
    contact_phone: str | None = terms.identifier(
        _roles("BT-42", "BT-57"), "telephone number", Element.TEXT, default=None
    )
    contact_email: str | None = terms.identifier(_roles("BT-43", "BT-58"), "e-mail address", Element.TEXT, default=None)


class Party(Consignee):
    """A seller (BG-4), buyer (BG-7) or payee (BG-10).

    On a bank statement, the seller is the bank and the buyer is the account holder.
    """

    name: str = terms.text(_roles("BT-27", "BT-44", "", "BT-59"), "name", Element.PARTY)


class Line(Term):
    """A line of the document (BG-25)."""

    line_id: str | None = terms.identifier("BT-126", "number of the line, from 1", Element.LINE_ITEM, default=None)
    purchase_order_line: str | None = terms.identifier(
        "BT-132", "number of the line in the buyer's order", Element.LINE_ITEM, default=None
    )
    sku: str | None = terms.identifier("BT-155", "the seller's number of the item", Element.LINE_ITEM, default=None)
    gtin: str | None = terms.identifier("BT-157", "GTIN-13 of the item", Element.LINE_ITEM, default=None)
    classification: str | None = terms.identifier(
        "BT-158", "commodity code: HSN or SAC in India, else HS", Element.LINE_ITEM, default=None
    )
    heading: str | None = terms.text(
        NO_CODE, "heading of the lines from this one on, in a row above it", Element.LINE_ITEM, default=None
    )
    item_name: str = terms.text("BT-153", "name of the item", Element.LINE_ITEM)
    note: str | None = terms.text("BT-127", "note on the line, in a row below it", Element.LINE_ITEM, default=None)
    quantity: Exact = terms.amount("BT-129", "quantity; negative where goods come back", Element.LINE_AMOUNT)
    unit: str | None = terms.text("BT-130", "unit of the quantity, as printed", Element.LINE_ITEM, default=None)
    unit_code: str = terms.text(
        "BT-130", "unit of the quantity, UN/ECE Recommendation 20", Element.LINE_ITEM, implied=True
    )
    gross_price: Exact | None = terms.amount(
        "BT-148", "list price of one unit without tax", Element.LINE_AMOUNT, default=None
    )
    price_discount: Exact | None = terms.amount(
        "BT-147", "what is taken off the list price, as a positive amount", Element.LINE_AMOUNT, default=None
    )
    net_price: Exact | None = terms.amount(
        "BT-146", "price of one unit without tax; absent where prices include it", Element.LINE_AMOUNT, default=None
    )
    price_base_quantity: Exact | None = terms.amount(
        "BT-149", "number of units that prices are for, where it is not one", Element.LINE_AMOUNT, default=None
    )
    price_with_vat: Exact | None = terms.amount(
        NO_CODE, "price of one unit with tax, where prices include it", Element.LINE_AMOUNT, default=None
    )
    allowance_amount: Exact | None = terms.amount(
        "BT-136", "discount on the line, as a positive amount", Element.LINE_AMOUNT, default=None
    )
    allowance_reason: str | None = terms.text("BT-139", "reason of that discount", implied=True, default=None)
    charge_amount: Exact | None = terms.amount("BT-141", "surcharge on the line", Element.LINE_AMOUNT, default=None)
    charge_reason: str | None = terms.text("BT-144", "reason of that surcharge", implied=True, default=None)
    vat_category: VatCategory | None = terms.text(
        "BT-151", "tax category of the line", Element.TAX, implied=True, default=None
    )
    vat_rate: Exact | None = terms.amount(
        "BT-152", "tax rate of the line in per cent", Element.LINE_AMOUNT, default=None
    )
    net_amount: Exact | None = terms.amount(
        "BT-131", "amount of the line without tax; absent where prices include it", Element.LINE_AMOUNT, default=None
    )
    gross_amount: Exact | None = terms.amount(NO_CODE, "amount of the line with tax", Element.LINE_AMOUNT, default=None)


class AllowanceCharge(Term):
    """A discount (BG-20) or charge (BG-21) on the whole document, for the lines of one tax rate."""

    reason: str | None = terms.text({"allowances": "BT-97", "charges": "BT-104"}, "why", Element.TEXT, default=None)
    percentage: Exact | None = terms.amount(
        {"allowances": "BT-94", "charges": "BT-101"}, "share of the base in per cent", default=None
    )
    base_amount: Exact | None = terms.amount(
        {"allowances": "BT-93", "charges": "BT-100"}, "what the percentage is of", implied=True, default=None
    )
    amount: Exact = terms.amount({"allowances": "BT-92", "charges": "BT-99"}, "amount without tax, positive")
    vat_category: VatCategory | None = terms.text(
        {"allowances": "BT-95", "charges": "BT-102"}, "tax category", Element.TAX, implied=True, default=None
    )
    vat_rate: Exact | None = terms.amount(
        {"allowances": "BT-96", "charges": "BT-103"}, "tax rate in per cent", Element.TAX, implied=True, default=None
    )


class VatBreakdown(Term):
    """The tax of one category and rate (BG-23). If two authorities tax the same base, each has an entry."""

    tax_name: str | None = terms.text(
        NO_CODE,
        "which tax, where there are several: CGST, SGST, IGST, STATE, COUNTY",
        Element.TAX,
        implied=True,
        default=None,
    )
    category: VatCategory = terms.text(
        "BT-118", "tax category", Element.TAX, implied=True, default=VatCategory.STANDARD
    )
    rate: Exact = terms.amount("BT-119", "rate in per cent", Element.TAX)
    taxable_amount: Exact = terms.amount("BT-116", "amount that the rate applies to", Element.TAX)
    tax_amount: Exact = terms.amount("BT-117", "tax at this rate", Element.TAX)
    exemption_reason: str | None = terms.text("BT-120", "why no tax is due", Element.TAX, default=None)


class Totals(Term):
    """The totals of a document (BG-22), with the extra amounts of receipts and customer accounts."""

    sum_of_line_net_amounts: Exact | None = terms.amount(
        "BT-106", "sum of the lines' net amounts; absent where prices include tax", default=None
    )
    allowance_total: Exact | None = terms.amount(
        "BT-107", "discounts on the whole document, as a positive amount", default=None
    )
    charge_total: Exact | None = terms.amount("BT-108", "charges on the whole document", default=None)
    total_without_vat: Exact = terms.amount("BT-109", "total without tax")
    total_vat: Exact | None = terms.amount(
        "BT-110", "total tax; absent on a document without tax", Element.TAX, default=None
    )
    total_vat_accounting: Exact | None = terms.amount(
        "BT-111", "total tax in the currency that the seller keeps its books in", Element.TAX, default=None
    )
    total_with_vat: Exact = terms.amount("BT-112", "total with tax")
    paid_amount: Exact | None = terms.amount("BT-113", "amount paid in advance", default=None)
    rounding_amount: Exact | None = terms.amount("BT-114", "what rounding to payable coins adds", default=None)
    amount_due: Exact = terms.amount("BT-115", "amount due for payment")
    previous_balance: Exact | None = terms.amount(NO_CODE, "what was owed before this document", default=None)
    account_balance: Exact | None = terms.amount(NO_CODE, "what is owed with this document", default=None)
    tip_amount: Exact | None = terms.amount(NO_CODE, "gratuity on a receipt", default=None)
    tendered_amount: Exact | None = terms.amount(NO_CODE, "what the customer handed over", default=None)
    change_amount: Exact | None = terms.amount(NO_CODE, "what the customer got back", default=None)


class CashDiscount(Term):
    """A discount for early payment. EN 16931 has no term for it but the text of BT-20."""

    percentage: Exact = terms.amount(NO_CODE, "discount in per cent of the amount due")
    until: dt.date = terms.date(NO_CODE, "last day on which it may be taken")
    amount: Exact | None = terms.amount(NO_CODE, "the discount as an amount", default=None)


class Entry(Term):
    """A row of a bank statement."""

    entry_date: dt.date = terms.date(NO_CODE, "day of booking", Element.ENTRY)
    value_date: dt.date | None = terms.date(NO_CODE, "day from which interest counts", Element.ENTRY, default=None)
    description: str = terms.text(NO_CODE, "what it was for", Element.ENTRY)
    reference: str | None = terms.identifier(
        NO_CODE, "the bank's number of the transaction", Element.ENTRY, default=None
    )
    amount: Exact = terms.amount(NO_CODE, "signed amount: below zero is paid out", Element.ENTRY_AMOUNT)
    debit: Exact | None = terms.amount(
        NO_CODE, "what is paid out, where it has a column", Element.ENTRY_AMOUNT, default=None
    )
    credit: Exact | None = terms.amount(
        NO_CODE, "what is paid in, where it has a column", Element.ENTRY_AMOUNT, default=None
    )
    balance: Exact | None = terms.amount(NO_CODE, "balance after the row", Element.ENTRY_AMOUNT, default=None)


class Statement(Term):
    """The account and the balances of a bank statement. Its rows are the document's `entries`."""

    account_number: str = terms.identifier(NO_CODE, "number of the account, an IBAN where the country has them")
    opening_balance: Exact = terms.amount(NO_CODE, "balance before the first row")
    closing_balance: Exact = terms.amount(NO_CODE, "balance after the last row")
    total_debits: Exact | None = terms.amount(NO_CODE, "sum of what was paid out, positive", default=None)
    total_credits: Exact | None = terms.amount(NO_CODE, "sum of what was paid in", default=None)


class PageSubtotal(Term):
    """An amount carried forward to the next page: the sum of the lines so far, or the balance so far."""

    after: Exact = terms.amount(NO_CODE, "number of lines or entries before it", implied=True)
    amount: Exact = terms.amount(NO_CODE, "the subtotal carried forward")


class Document(Term):
    """A financial document: all its true values, whether or not a page prints them."""

    document_type: DocumentType = terms.text("BT-3", "kind of document", Element.DOCUMENT_TYPE, implied=True)
    locale: str = terms.text(NO_CODE, "language and country whose formats the page uses, such as de_DE", implied=True)
    document_number: str = terms.identifier("BT-1", "number of the document")
    issue_date: dt.date = terms.date("BT-2", "date of issue")
    issue_time: str | None = terms.time(NO_CODE, "time of issue, ISO 8601 with seconds if printed", default=None)
    due_date: dt.date | None = terms.date("BT-9", "date by which payment is due", default=None)
    delivery_date: dt.date | None = terms.date("BT-72", "date of delivery; on an order the wanted one", default=None)
    period_start: dt.date | None = terms.date(
        "BT-73", "first day of the period that is invoiced or stated", default=None
    )
    period_end: dt.date | None = terms.date("BT-74", "last day of that period", default=None)
    currency_code: str = terms.text("BT-5", "ISO 4217 code", Element.AMOUNT, implied=True)
    vat_accounting_currency_code: str | None = terms.text(
        "BT-6",
        "ISO 4217 code of the currency that tax is accounted in, where it is another",
        Element.TAX,
        implied=True,
        default=None,
    )
    exchange_rate: Exact | None = terms.amount(
        NO_CODE, "units of the accounting currency for one of the document's", Element.TAX, default=None
    )
    buyer_reference: str | None = terms.identifier("BT-10", "reference that the buyer gave", default=None)
    contract_reference: str | None = terms.identifier("BT-12", "number of the contract", default=None)
    purchase_order_reference: str | None = terms.identifier("BT-13", "number of the buyer's order", default=None)
    despatch_reference: str | None = terms.identifier("BT-16", "number of the delivery note", default=None)
    preceding_invoice_reference: str | None = terms.identifier(
        "BT-25", "number of the invoice that is credited", default=None
    )
    preceding_invoice_date: dt.date | None = terms.date("BT-26", "date of that invoice", default=None)
    place_of_supply: str | None = terms.text(NO_CODE, "state of supply, in India", Element.TAX, default=None)
    payment_terms: str | None = terms.text("BT-20", "terms of payment, as printed", default=None)
    cash_discount: CashDiscount | None = terms.group(NO_CODE, "discount for early payment", default=None)
    payment_means: str | None = terms.text("BT-82", "how to pay, or how it was paid, as printed", default=None)
    card_number: str | None = terms.identifier(NO_CODE, "number of the payment card, masked as printed", default=None)
    terminal_id: str | None = terms.identifier(NO_CODE, "number of the card terminal", default=None)
    authorisation_code: str | None = terms.identifier(
        NO_CODE, "number of the card payment's authorisation", default=None
    )
    payment_reference: str | None = terms.identifier("BT-83", "what to quote with the payment", default=None)
    payment_account: str | None = terms.identifier(
        "BT-84", "account to pay to, an IBAN where the country has them", default=None
    )
    bank_name: str | None = terms.text(NO_CODE, "bank of that account", default=None)
    bank_identifier: str | None = terms.identifier(
        "BT-86", "BIC of the bank; where there are none its routing, BSB or IFSC number", default=None
    )
    seller: Party = terms.group("BG-4", "who sells; on a statement the bank")
    buyer: Party | None = terms.group("BG-7", "who buys; on a statement the account's holder", default=None)
    payee: Party | None = terms.group("BG-10", "who is paid, where it is not the seller", default=None)
    ship_to: Consignee | None = terms.group("BG-13", "where goods go, where it is not the buyer", default=None)
    lines: tuple[Line, ...] = terms.group("BG-25", "the lines, in printed order", default=())
    allowances: tuple[AllowanceCharge, ...] = terms.group("BG-20", "discounts on the whole document", default=())
    charges: tuple[AllowanceCharge, ...] = terms.group("BG-21", "charges on the whole document", default=())
    vat_breakdown: tuple[VatBreakdown, ...] = terms.group("BG-23", "tax by category and rate", default=())
    page_subtotals: tuple[PageSubtotal, ...] = terms.group(NO_CODE, "what pages carry forward", default=())
    totals: Totals | None = terms.group("BG-22", "totals; a statement has none", default=None)
    statement: Statement | None = terms.group(NO_CODE, "account and balances of a bank statement", default=None)
    entries: tuple[Entry, ...] = terms.group(NO_CODE, "rows of a bank statement, in printed order", default=())

    @model_validator(mode="after")
    def _check_parts(self) -> Document:
        is_statement = self.document_type is DocumentType.BANK_STATEMENT
        required = ("statement", "entries") if is_statement else ("lines", "totals")
        if missing := [name for name in required if not getattr(self, name)]:
            raise UserError(f"a {self.document_type} needs {' and '.join(missing)}")
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the document as JSON values, without its absent and empty fields."""
        values = self.model_dump(mode="json", exclude_none=True)
        return {name: value for name, value in values.items() if value != []}


def flatten(value: Any, path: str = "") -> dict[str, Any]:
    """Return the leaves of a JSON document by path, such as ``seller.name`` or ``lines[2].net_amount``.

    Absent values (None, empty lists and empty objects) have no leaf.

    Args:
        value: a JSON value.
        path: the path of ``value`` itself, for the recursion.
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
