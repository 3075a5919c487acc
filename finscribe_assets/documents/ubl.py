"""Export documents as UBL 2.1, the XML format of European electronic invoices, which EN 16931 validators read.

Every business term is where the syntax binding of the standard (CEN/TS 16931-3-2) has it. Extensions, such as a
previous balance, are left out. Documents that EN 16931 cannot express are rejected (see `obstacle`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lxml import etree

from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS, TaxRegime, minor_unit
from finscribe_assets.documents.schema import (
    Address,
    AllowanceCharge,
    Document,
    DocumentType,
    Line,
    Party,
    Totals,
    VatBreakdown,
    VatCategory,
)
from finscribe_assets.errors import UserError

GUIDELINE = "urn:cen.eu:en16931:2017"  # BT-24: the core of EN 16931, without national extensions
NAMESPACES = {
    schema: f"urn:oasis:names:specification:ubl:schema:xsd:{schema}-2"
    for schema in ("Invoice", "CreditNote", "CommonAggregateComponents", "CommonBasicComponents")
}
_AGGREGATES, _BASICS = NAMESPACES["CommonAggregateComponents"], NAMESPACES["CommonBasicComponents"]

# Codes of UNTDID 1001 (document types), 4461 (payment means), 7143 (item classifications) and 1153 (references), and of
# ISO 6523 (identifier schemes).
_TYPE_CODES = {DocumentType.INVOICE: "380", DocumentType.CREDIT_NOTE: "381"}
_CREDIT_TRANSFER, _SOME_OTHER_MEANS = "30", "1"
_HARMONIZED_SYSTEM, _FISCAL_NUMBER, _GTIN = "HS", "FC", "0160"

_WITHOUT_VAT = ("US",)  # countries whose tax numbers are not VAT identifiers
_PRICE_UNIT = Decimal("0.000001")  # net prices computed from prices with tax are rounded to it; EN 16931 has no limit

XmlElement = Any
"""An lxml element, or None for what a document lacks."""


@dataclass(frozen=True)
class _AmountWriter:
    """Writes the amounts of a document.

    In UBL, the amounts of a credit note are positive. ``sign`` is -1 if the page prints them as negative.
    """

    currency: str
    sign: int

    def signed(self, value: Decimal | None) -> Decimal | None:
        return -value if value is not None and self.sign < 0 else value

    def amount(self, name: str, value: Decimal | None) -> XmlElement:
        return _value(name, self.signed(value), currencyID=self.currency)


def obstacle(document: Document) -> str | None:
    """Return why a document cannot be exported as UBL, or None if it can be."""
    facts = LOCALE_FACTS.get(document.locale)
    if document.document_type not in _TYPE_CODES:
        return f"a {_spaced(document.document_type)} is neither an invoice nor a credit note"
    if facts is None:
        return f"locale {document.locale} is unknown; known are {', '.join(LOCALE_FACTS)}"
    if facts.regime is not TaxRegime.VAT:
        return f"its tax is {_spaced(facts.regime)}, not VAT"
    if not document.vat_breakdown:
        return "it has no VAT breakdown (BG-23)"
    if document.buyer is None:
        return "it has no buyer (BG-7)"
    for code in (document.currency_code, document.vat_accounting_currency_code or document.currency_code):
        if code not in MINOR_UNITS:
            return f"currency {code} is unknown; known are {', '.join(MINOR_UNITS)}"
        if MINOR_UNITS[code] > 2:
            return f"{code} has {MINOR_UNITS[code]} decimals; EN 16931 allows only two"
    return None


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def to_ubl(document: Document) -> bytes:
    """Return an invoice or a credit note as the content of a UBL 2.1 file.

    EN 16931 has no prices with tax. If the document has them, net prices and amounts are computed.

    Raises:
        UserError: the document cannot be exported (see `obstacle`).
        ValueError: a text holds characters that XML does not allow.
    """
    reason, buyer, totals = obstacle(document), document.buyer, document.totals
    if reason or buyer is None or totals is None:
        raise UserError(f"{document.document_number} cannot be exported as UBL: {reason}")
    is_credit_note = document.document_type is DocumentType.CREDIT_NOTE
    writer = _AmountWriter(document.currency_code, -1 if is_credit_note and totals.total_with_vat < 0 else 1)
    root_name = "CreditNote" if is_credit_note else "Invoice"
    prefixes = {None: NAMESPACES[root_name], "cac": _AGGREGATES, "cbc": _BASICS}
    root = etree.Element(f"{{{NAMESPACES[root_name]}}}{root_name}", nsmap=prefixes)
    lines = _without_tax(document.lines, minor_unit(document.currency_code))
    parts = (
        *_header(document, root_name),
        *_parties(document, buyer),
        *_payment(document, root_name),
        *(_document_adjustment(allowance, False, writer) for allowance in document.allowances),
        *(_document_adjustment(charge, True, writer) for charge in document.charges),
        *_tax_totals(document, totals, writer),
        _totals(totals, lines, writer),
        *(_line(line, number, root_name, writer) for number, line in enumerate(lines, 1)),
    )
    root.extend([part for part in parts if part is not None])
    content: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return content


def _group(name: str, *parts: XmlElement) -> XmlElement:
    """Return an element that holds the parts that are not None, or None if all of them are."""
    present = [part for part in parts if part is not None]
    if not present:
        return None
    node = etree.Element(f"{{{_AGGREGATES}}}{name}")
    node.extend(present)
    return node


def _value(tag: str, value: object, /, **attributes: str) -> XmlElement:
    """Return an element that holds a value, or None if the value is."""
    if value is None:
        return None
    node = etree.Element(f"{{{_BASICS}}}{tag}", attributes)
    node.text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return node


def _header(document: Document, root_name: str) -> Iterator[XmlElement]:
    yield _value("CustomizationID", GUIDELINE)
    yield _value("ID", document.document_number)
    yield _value("IssueDate", document.issue_date)
    if root_name == "Invoice":
        yield _value("DueDate", document.due_date)
    yield _value(f"{root_name}TypeCode", _TYPE_CODES[document.document_type])
    yield _value("DocumentCurrencyCode", document.currency_code)
    yield _value("TaxCurrencyCode", document.vat_accounting_currency_code)
    yield _value("BuyerReference", document.buyer_reference)
    yield _group("InvoicePeriod", _value("StartDate", document.period_start), _value("EndDate", document.period_end))
    yield _group("OrderReference", _value("ID", document.purchase_order_reference))
    if document.preceding_invoice_reference is not None:
        earlier = _value("ID", document.preceding_invoice_reference)
        day = _value("IssueDate", document.preceding_invoice_date)
        yield _group("BillingReference", _group("InvoiceDocumentReference", earlier, day))
    yield _group("DespatchDocumentReference", _value("ID", document.despatch_reference))
    yield _group("ContractDocumentReference", _value("ID", document.contract_reference))


def _parties(document: Document, buyer: Party) -> Iterator[XmlElement]:
    seller, payee = document.seller, document.payee
    yield _group("AccountingSupplierParty", _party(seller, seller.tax_registration))
    yield _group("AccountingCustomerParty", _party(buyer, None))
    if payee is not None:
        yield _group(
            "PayeeParty",
            _group("PartyIdentification", _value("ID", payee.identifier)),
            _group("PartyName", _value("Name", payee.name)),
            _group("PartyLegalEntity", _value("CompanyID", payee.legal_registration)),
        )
    yield _delivery(document, buyer)


def _party(party: Party, tax_registration: str | None) -> XmlElement:
    return _group(
        "Party",
        _group("PartyIdentification", _value("ID", party.identifier)),
        _address("PostalAddress", party.address),
        _tax_number(_vat_identifier(party), "VAT"),
        _tax_number(tax_registration, _FISCAL_NUMBER),
        _group(
            "PartyLegalEntity", _value("RegistrationName", party.name), _value("CompanyID", party.legal_registration)
        ),
        _group(
            "Contact",
            _value("Name", party.contact_name),
            _value("Telephone", party.contact_phone),
            _value("ElectronicMail", party.contact_email),
        ),
    )


def _vat_identifier(party: Party) -> str | None:
    """Return the VAT identifier with its country prefix, which BR-CO-09 requires and not every country prints."""
    country = party.address.country_code if party.address else ""
    if party.vat_identifier is None or country in _WITHOUT_VAT:
        return None
    return party.vat_identifier if party.vat_identifier.startswith(country) else country + party.vat_identifier


def _tax_number(number: str | None, scheme: str) -> XmlElement:
    return None if number is None else _group("PartyTaxScheme", _value("CompanyID", number), _scheme(scheme))


def _scheme(name: str) -> XmlElement:
    return _group("TaxScheme", _value("ID", name))


def _address(name: str, address: Address | None) -> XmlElement:
    if address is None:
        return None
    return _group(
        name,
        _value("StreetName", address.street),
        _value("AdditionalStreetName", address.additional_line),
        _value("CityName", address.city),
        _value("PostalZone", address.post_code),
        _value("CountrySubentity", address.subdivision),
        _country(address),
    )


def _country(address: Address) -> XmlElement:
    return _group("Country", _value("IdentificationCode", address.country_code))


def _delivery(document: Document, buyer: Party) -> XmlElement:
    """Return where and when goods were delivered; intra-community supplies must state the country (BR-IC-12)."""
    consignee = document.ship_to
    intra_community = any(share.category is VatCategory.INTRA_COMMUNITY for share in document.vat_breakdown)
    location = None
    if consignee is not None:
        location = _group(
            "DeliveryLocation", _value("ID", consignee.identifier), _address("Address", consignee.address)
        )
    elif intra_community and buyer.address:
        location = _group("DeliveryLocation", _group("Address", _country(buyer.address)))
    name = _group("DeliveryParty", _group("PartyName", _value("Name", consignee and consignee.name)))
    return _group("Delivery", _value("ActualDeliveryDate", document.delivery_date), location, name)


def _payment(document: Document, root_name: str) -> Iterator[XmlElement]:
    due = document.due_date if root_name == "CreditNote" else None  # invoices have it in the header
    details = (_value("PaymentDueDate", due), _value("PaymentID", document.payment_reference), _account(document))
    if document.payment_means is not None or any(detail is not None for detail in details):
        name = {"name": document.payment_means} if document.payment_means is not None else {}
        code = _SOME_OTHER_MEANS if document.payment_account is None else _CREDIT_TRANSFER
        yield _group("PaymentMeans", _value("PaymentMeansCode", code, **name), *details)
    discount, terms = document.cash_discount, document.payment_terms
    if discount is not None:
        # The form that XRechnung prescribes (BR-DE-18): number of days from the issue date, percentage.
        days = (discount.until - document.issue_date).days
        terms = f"{terms or ''}\n#SKONTO#TAGE={days}#PROZENT={discount.percentage:.2f}#\n".lstrip("\n")
    yield _group("PaymentTerms", _value("Note", terms))


def _account(document: Document) -> XmlElement:
    if document.payment_account is None:
        return None
    return _group(
        "PayeeFinancialAccount",
        _value("ID", document.payment_account.replace(" ", "")),
        _group("FinancialInstitutionBranch", _value("ID", document.bank_identifier)),
    )


def _document_adjustment(adjustment: AllowanceCharge, is_charge: bool, writer: _AmountWriter) -> XmlElement:
    return _group(
        "AllowanceCharge",
        _value("ChargeIndicator", str(is_charge).lower()),
        _value("AllowanceChargeReason", adjustment.reason),
        _value("MultiplierFactorNumeric", adjustment.percentage),
        writer.amount("Amount", adjustment.amount),
        writer.amount("BaseAmount", adjustment.base_amount),
        _category("TaxCategory", adjustment.vat_category, adjustment.vat_rate),
    )


def _category(name: str, category: VatCategory | None, rate: Decimal | None, reason: str | None = None) -> XmlElement:
    """Return a tax category, which has no rate if it is outside the scope of the tax (BR-O-05)."""
    if category is None:
        return None
    return _group(
        name,
        _value("ID", category),
        _value("Percent", None if category is VatCategory.OUTSIDE_SCOPE else rate),
        _value("TaxExemptionReason", reason),
        _scheme("VAT"),
    )


def _tax_totals(document: Document, totals: Totals, writer: _AmountWriter) -> Iterator[XmlElement]:
    shares = (_tax_share(share, writer) for share in document.vat_breakdown)
    yield _group("TaxTotal", writer.amount("TaxAmount", totals.total_vat), *shares)
    if document.vat_accounting_currency_code is not None:
        accounting = _AmountWriter(document.vat_accounting_currency_code, writer.sign)
        yield _group("TaxTotal", accounting.amount("TaxAmount", totals.total_vat_accounting))


def _tax_share(share: VatBreakdown, writer: _AmountWriter) -> XmlElement:
    return _group(
        "TaxSubtotal",
        writer.amount("TaxableAmount", share.taxable_amount),
        writer.amount("TaxAmount", share.tax_amount),
        _category("TaxCategory", share.category, share.rate, share.exemption_reason),
    )


def _totals(totals: Totals, lines: Sequence[Line], writer: _AmountWriter) -> XmlElement:
    sum_of_lines = totals.sum_of_line_net_amounts
    if sum_of_lines is None:
        sum_of_lines = sum((line.net_amount for line in lines if line.net_amount is not None), Decimal(0))
    return _group(
        "LegalMonetaryTotal",
        writer.amount("LineExtensionAmount", sum_of_lines),
        writer.amount("TaxExclusiveAmount", totals.total_without_vat),
        writer.amount("TaxInclusiveAmount", totals.total_with_vat),
        writer.amount("AllowanceTotalAmount", totals.allowance_total),
        writer.amount("ChargeTotalAmount", totals.charge_total),
        writer.amount("PrepaidAmount", totals.paid_amount),
        writer.amount("PayableRoundingAmount", totals.rounding_amount),
        writer.amount("PayableAmount", totals.amount_due),
    )


def _line(line: Line, number: int, root_name: str, writer: _AmountWriter) -> XmlElement:
    quantity = _value(
        "CreditedQuantity" if root_name == "CreditNote" else "InvoicedQuantity",
        writer.signed(line.quantity),
        unitCode=line.unit_code,
    )
    return _group(
        f"{root_name}Line",
        _value("ID", line.line_id if line.line_id is not None else number),
        _value("Note", line.note),
        quantity,
        writer.amount("LineExtensionAmount", line.net_amount),
        _group("OrderLineReference", _value("LineID", line.purchase_order_line)),
        _line_adjustment(line.allowance_amount, line.allowance_reason, False, writer),
        _line_adjustment(line.charge_amount, line.charge_reason, True, writer),
        _item(line),
        _price(line, writer.currency),
    )


def _line_adjustment(amount: Decimal | None, reason: str | None, is_charge: bool, writer: _AmountWriter) -> XmlElement:
    if amount is None:
        return None
    return _group(
        "AllowanceCharge",
        _value("ChargeIndicator", str(is_charge).lower()),
        _value("AllowanceChargeReason", reason),
        writer.amount("Amount", amount),
    )


def _item(line: Line) -> XmlElement:
    return _group(
        "Item",
        _value("Name", line.item_name),
        _group("SellersItemIdentification", _value("ID", line.sku)),
        _group("StandardItemIdentification", _value("ID", line.gtin, schemeID=_GTIN)),
        _group(
            "CommodityClassification",
            _value("ItemClassificationCode", line.classification, listID=_HARMONIZED_SYSTEM),
        ),
        _category("ClassifiedTaxCategory", line.vat_category, line.vat_rate),
    )


def _price(line: Line, currency: str) -> XmlElement:
    """Return the prices of a line, which are positive even if its quantity is negative (BR-27)."""
    discount = None
    if line.price_discount is not None:
        discount = _group(
            "AllowanceCharge",
            _value("ChargeIndicator", "false"),
            _value("Amount", line.price_discount, currencyID=currency),
            _value("BaseAmount", line.gross_price, currencyID=currency),
        )
    base_quantity = _value("BaseQuantity", line.price_base_quantity, unitCode=line.unit_code)
    return _group("Price", _value("PriceAmount", line.net_price, currencyID=currency), base_quantity, discount)


def _without_tax(lines: Sequence[Line], unit: Decimal) -> list[Line]:
    """Return the lines with net prices and amounts, computed where prices include tax.

    Rounding the running sum of a rate's lines, instead of each line, makes the net amounts add up to the net of the
    sum.
    """
    gross_so_far: dict[Decimal, Decimal] = {}
    net_so_far: dict[Decimal, Decimal] = {}
    net_lines = []
    for line in lines:
        if line.net_amount is not None or line.gross_amount is None or line.vat_rate is None:
            net_lines.append(line)
            continue
        rate = line.vat_rate
        gross_so_far[rate] = gross_so_far.get(rate, Decimal(0)) + line.gross_amount
        net = round_to(gross_so_far[rate] * 100 / (100 + rate), unit)
        price = None if line.price_with_vat is None else round_to(line.price_with_vat * 100 / (100 + rate), _PRICE_UNIT)
        amount = net - net_so_far.get(rate, Decimal(0))
        net_lines.append(line.model_copy(update={"net_amount": amount, "net_price": price}))
        net_so_far[rate] = net
    return net_lines
