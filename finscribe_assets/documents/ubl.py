"""A document as UBL 2.1, the XML in which Europe's invoices travel: what EN 16931's validators read.

Each business term goes where the standard's syntax binding (CEN/TS 16931-3-2) puts it. Terms that EN 16931 lacks, such
as an earlier balance, are left out; what it cannot express at all is refused by `obstacle`.
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

GUIDELINE = "urn:cen.eu:en16931:2017"  # BT-24: the core of EN 16931, without anybody's additions
NAMESPACES = {
    kind: f"urn:oasis:names:specification:ubl:schema:xsd:{kind}-2"
    for kind in ("Invoice", "CreditNote", "CommonAggregateComponents", "CommonBasicComponents")
}
_GROUPS, _VALUES = NAMESPACES["CommonAggregateComponents"], NAMESPACES["CommonBasicComponents"]

# UNTDID 1001, 4461, 7143 and 1153; ISO 6523.
_TYPE_CODES = {DocumentType.INVOICE: "380", DocumentType.CREDIT_NOTE: "381"}
_CREDIT_TRANSFER, _SOME_OTHER_MEANS = "30", "1"
_HARMONIZED_SYSTEM, _FISCAL_NUMBER, _GTIN = "HS", "FC", "0160"

_WITHOUT_VAT = ("US",)  # countries whose tax numbers are no VAT identifiers
_PRICE_UNIT = Decimal("0.000001")  # of a price that the tax was taken out of; EN 16931 sets no limit

XmlElement = Any  # an lxml element, or None for what a document does not have


@dataclass(frozen=True)
class _Money:
    """How a document's amounts are written."""

    currency: str
    sign: int  # -1 where they are printed below zero: a UBL credit note says what is given back as more than zero

    def signed(self, value: Decimal | None) -> Decimal | None:
        return -value if value is not None and self.sign < 0 else value

    def amount(self, name: str, value: Decimal | None) -> XmlElement:
        return _value(name, self.signed(value), currencyID=self.currency)


def obstacle(document: Document) -> str | None:
    """Return why a document has no UBL, or None where it has."""
    facts = LOCALE_FACTS.get(document.locale)
    if document.document_type not in _TYPE_CODES:
        return f"a {_words(document.document_type)} is neither an invoice nor a credit note"
    if facts is None:
        return f"locale {document.locale} is unknown; known are {', '.join(LOCALE_FACTS)}"
    if facts.regime is not TaxRegime.VAT:
        return f"its tax is {_words(facts.regime)}, not VAT"
    if not document.vat_breakdown:
        return "without a VAT breakdown (BG-23)"
    if document.buyer is None:
        return "without a buyer (BG-7)"
    for code in (document.currency_code, document.vat_accounting_currency_code or document.currency_code):
        if code not in MINOR_UNITS:
            return f"currency {code} is unknown; known are {', '.join(MINOR_UNITS)}"
        if MINOR_UNITS[code] > 2:
            return f"{code} has {MINOR_UNITS[code]} decimals; EN 16931 allows two"
    return None


def _words(name: str) -> str:
    return name.replace("_", " ")


def to_ubl(document: Document) -> bytes:
    """Return an invoice or a credit note as the bytes of a UBL 2.1 file.

    Where prices include tax, which EN 16931 does not know, each line's net amount is what is left of it without tax.

    Raises:
        UserError: the document has no UBL (see `obstacle`), or a text holds characters that XML cannot.
    """
    reason, buyer, totals = obstacle(document), document.buyer, document.totals
    if reason or buyer is None or totals is None:
        raise UserError(f"{document.document_number}: {reason}; there is no UBL of it")
    below_zero = document.document_type is DocumentType.CREDIT_NOTE and totals.total_with_vat < 0
    money = _Money(document.currency_code, -1 if below_zero else 1)
    kind = "CreditNote" if document.document_type is DocumentType.CREDIT_NOTE else "Invoice"
    prefixes = {None: NAMESPACES[kind], "cac": _GROUPS, "cbc": _VALUES}
    root = etree.Element(f"{{{NAMESPACES[kind]}}}{kind}", nsmap=prefixes)
    lines = _without_tax(document.lines, minor_unit(document.currency_code))
    parts = (
        *_header(document, kind),
        *_parties(document, buyer),
        *_payment(document, kind),
        *(_document_adjustment(one, False, money) for one in document.allowances),
        *(_document_adjustment(one, True, money) for one in document.charges),
        *_tax_totals(document, totals, money),
        _totals(totals, lines, money),
        *(_line(line, number, kind, money) for number, line in enumerate(lines, 1)),
    )
    root.extend([part for part in parts if part is not None])
    content: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return content


def _group(name: str, *parts: XmlElement) -> XmlElement:
    """Return an element with those of its parts that there are; None where there are none."""
    present = [part for part in parts if part is not None]
    if not present:
        return None
    node = etree.Element(f"{{{_GROUPS}}}{name}")
    node.extend(present)
    return node


def _value(tag: str, value: object, /, **attributes: str) -> XmlElement:
    if value is None:
        return None
    node = etree.Element(f"{{{_VALUES}}}{tag}", attributes)
    node.text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return node


def _header(document: Document, kind: str) -> Iterator[XmlElement]:
    yield _value("CustomizationID", GUIDELINE)
    yield _value("ID", document.document_number)
    yield _value("IssueDate", document.issue_date)
    if kind == "Invoice":
        yield _value("DueDate", document.due_date)
    yield _value(f"{kind}TypeCode", _TYPE_CODES[document.document_type])
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
    """Return a VAT identifier with its country in front, as BR-CO-09 asks; not every country prints it."""
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
    """Return where and when goods went; a supply to another member state says which (BR-IC-12), if only the buyer's."""
    consignee = document.ship_to
    intra_community = any(share.category is VatCategory.INTRA_COMMUNITY for share in document.vat_breakdown)
    place = None
    if consignee is not None:
        place = _group("DeliveryLocation", _value("ID", consignee.identifier), _address("Address", consignee.address))
    elif intra_community and buyer.address:
        place = _group("DeliveryLocation", _group("Address", _country(buyer.address)))
    name = _group("DeliveryParty", _group("PartyName", _value("Name", consignee and consignee.name)))
    return _group("Delivery", _value("ActualDeliveryDate", document.delivery_date), place, name)


def _payment(document: Document, kind: str) -> Iterator[XmlElement]:
    due = document.due_date if kind == "CreditNote" else None  # an invoice has it in its header
    details = (_value("PaymentDueDate", due), _value("PaymentID", document.payment_reference), _account(document))
    if document.payment_means is not None or any(detail is not None for detail in details):
        name = {"name": document.payment_means} if document.payment_means is not None else {}
        code = _SOME_OTHER_MEANS if document.payment_account is None else _CREDIT_TRANSFER
        yield _group("PaymentMeans", _value("PaymentMeansCode", code, **name), *details)
    discount, terms = document.cash_discount, document.payment_terms
    if discount is not None:
        # The form that XRechnung gives it in this text (BR-DE-18): days from the issue date, per cent.
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


def _document_adjustment(one: AllowanceCharge, is_charge: bool, money: _Money) -> XmlElement:
    return _group(
        "AllowanceCharge",
        _value("ChargeIndicator", str(is_charge).lower()),
        _value("AllowanceChargeReason", one.reason),
        _value("MultiplierFactorNumeric", one.percentage),
        money.amount("Amount", one.amount),
        money.amount("BaseAmount", one.base_amount),
        _category("TaxCategory", one.vat_category, one.vat_rate),
    )


def _category(name: str, category: VatCategory | None, rate: Decimal | None, reason: str | None = None) -> XmlElement:
    """Return a tax category; what is outside the scope of the tax has no rate (BR-O-05)."""
    if category is None:
        return None
    return _group(
        name,
        _value("ID", category),
        _value("Percent", None if category is VatCategory.OUTSIDE_SCOPE else rate),
        _value("TaxExemptionReason", reason),
        _scheme("VAT"),
    )


def _tax_totals(document: Document, totals: Totals, money: _Money) -> Iterator[XmlElement]:
    shares = (_tax_share(share, money) for share in document.vat_breakdown)
    yield _group("TaxTotal", money.amount("TaxAmount", totals.total_vat), *shares)
    if document.vat_accounting_currency_code is not None:
        accounting = _Money(document.vat_accounting_currency_code, money.sign)
        yield _group("TaxTotal", accounting.amount("TaxAmount", totals.total_vat_accounting))


def _tax_share(share: VatBreakdown, money: _Money) -> XmlElement:
    return _group(
        "TaxSubtotal",
        money.amount("TaxableAmount", share.taxable_amount),
        money.amount("TaxAmount", share.tax_amount),
        _category("TaxCategory", share.category, share.rate, share.exemption_reason),
    )


def _totals(totals: Totals, lines: Sequence[Line], money: _Money) -> XmlElement:
    sum_of_lines = totals.sum_of_line_net_amounts
    if sum_of_lines is None:
        sum_of_lines = sum((line.net_amount for line in lines if line.net_amount is not None), Decimal(0))
    return _group(
        "LegalMonetaryTotal",
        money.amount("LineExtensionAmount", sum_of_lines),
        money.amount("TaxExclusiveAmount", totals.total_without_vat),
        money.amount("TaxInclusiveAmount", totals.total_with_vat),
        money.amount("AllowanceTotalAmount", totals.allowance_total),
        money.amount("ChargeTotalAmount", totals.charge_total),
        money.amount("PrepaidAmount", totals.paid_amount),
        money.amount("PayableRoundingAmount", totals.rounding_amount),
        money.amount("PayableAmount", totals.amount_due),
    )


def _line(line: Line, number: int, kind: str, money: _Money) -> XmlElement:
    quantity = _value(
        "CreditedQuantity" if kind == "CreditNote" else "InvoicedQuantity",
        money.signed(line.quantity),
        unitCode=line.unit_code,
    )
    return _group(
        f"{kind}Line",
        _value("ID", line.line_id if line.line_id is not None else number),
        _value("Note", line.note),
        quantity,
        money.amount("LineExtensionAmount", line.net_amount),
        _group("OrderLineReference", _value("LineID", line.purchase_order_line)),
        _line_adjustment(line.allowance_amount, line.allowance_reason, False, money),
        _line_adjustment(line.charge_amount, line.charge_reason, True, money),
        _item(line),
        _price(line, money.currency),
    )


def _line_adjustment(amount: Decimal | None, reason: str | None, is_charge: bool, money: _Money) -> XmlElement:
    if amount is None:
        return None
    return _group(
        "AllowanceCharge",
        _value("ChargeIndicator", str(is_charge).lower()),
        _value("AllowanceChargeReason", reason),
        money.amount("Amount", amount),
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
    """Return a line's prices; they are above zero also where quantities are below (BR-27)."""
    discount = None
    if line.price_discount is not None:
        discount = _group(
            "AllowanceCharge",
            _value("ChargeIndicator", "false"),
            _value("Amount", line.price_discount, currencyID=currency),
            _value("BaseAmount", line.gross_price, currencyID=currency),
        )
    return _group("Price", _value("PriceAmount", line.net_price, currencyID=currency), discount)


def _without_tax(lines: Sequence[Line], unit: Decimal) -> list[Line]:
    """Return lines whose prices include tax with net amounts and prices; other lines as they are.

    The sum so far of a rate's lines is what is rounded, so that their net amounts add up to the net of their sum.
    """
    gross_so_far: dict[Decimal, Decimal] = {}
    net_so_far: dict[Decimal, Decimal] = {}
    done = []
    for line in lines:
        if line.net_amount is not None or line.gross_amount is None or line.vat_rate is None:
            done.append(line)
            continue
        rate = line.vat_rate
        gross_so_far[rate] = gross_so_far.get(rate, Decimal(0)) + line.gross_amount
        net = round_to(gross_so_far[rate] * 100 / (100 + rate), unit)
        price = None if line.price_with_vat is None else round_to(line.price_with_vat * 100 / (100 + rate), _PRICE_UNIT)
        amount = net - net_so_far.get(rate, Decimal(0))
        done.append(line.model_copy(update={"net_amount": amount, "net_price": price}))
        net_so_far[rate] = net
    return done
