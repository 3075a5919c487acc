"""UBL holds exactly the business terms of the document, each where the syntax binding has it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from lxml import etree

from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.documents.locales import minor_unit
from finscribe_assets.documents.schema import Document, flatten
from finscribe_assets.documents.ubl import obstacle, to_ubl
from finscribe_assets_tests.documents.bills import BILL, bill, drawn_bills

# Path in UBL of each business term, without namespace prefixes. Source: CEN/TS 16931-3-2, table 2.
_PARTY = {
    "{party}/PartyIdentification/ID": ("BT-29", "BT-46"),
    "{party}/PostalAddress/StreetName": ("BT-35", "BT-50"),
    "{party}/PostalAddress/AdditionalStreetName": ("BT-36", "BT-51"),
    "{party}/PostalAddress/CityName": ("BT-37", "BT-52"),
    "{party}/PostalAddress/PostalZone": ("BT-38", "BT-53"),
    "{party}/PostalAddress/CountrySubentity": ("BT-39", "BT-54"),
    "{party}/PostalAddress/Country/IdentificationCode": ("BT-40", "BT-55"),
    "{party}/PartyTaxScheme[TaxScheme/ID='VAT']/CompanyID": ("BT-31", "BT-48"),
    "{party}/PartyTaxScheme[TaxScheme/ID!='VAT']/CompanyID": ("BT-32", "no term"),
    "{party}/PartyLegalEntity/RegistrationName": ("BT-27", "BT-44"),
    "{party}/PartyLegalEntity/CompanyID": ("BT-30", "BT-47"),
    "{party}/Contact/Name": ("BT-41", "BT-56"),
    "{party}/Contact/Telephone": ("BT-42", "BT-57"),
    "{party}/Contact/ElectronicMail": ("BT-43", "BT-58"),
}
BINDING = {
    "ID": "BT-1",
    "IssueDate": "BT-2",
    "DueDate": "BT-9",
    "PaymentMeans/PaymentDueDate": "BT-9",
    "DocumentCurrencyCode": "BT-5",
    "TaxCurrencyCode": "BT-6",
    "BuyerReference": "BT-10",
    "ContractDocumentReference/ID": "BT-12",
    "OrderReference/ID": "BT-13",
    "DespatchDocumentReference/ID": "BT-16",
    "BillingReference/InvoiceDocumentReference/ID": "BT-25",
    "BillingReference/InvoiceDocumentReference/IssueDate": "BT-26",
    **{path.format(party="AccountingSupplierParty/Party"): codes[0] for path, codes in _PARTY.items()},
    **{path.format(party="AccountingCustomerParty/Party"): codes[1] for path, codes in _PARTY.items()},
    "PayeeParty/PartyName/Name": "BT-59",
    "PayeeParty/PartyIdentification/ID": "BT-60",
    "PayeeParty/PartyLegalEntity/CompanyID": "BT-61",
    "Delivery/DeliveryParty/PartyName/Name": "BT-70",
    "Delivery/DeliveryLocation/ID": "BT-71",
    "Delivery/ActualDeliveryDate": "BT-72",
    "InvoicePeriod/StartDate": "BT-73",
    "InvoicePeriod/EndDate": "BT-74",
    "Delivery/DeliveryLocation/Address/StreetName": "BT-75",
    "Delivery/DeliveryLocation/Address/AdditionalStreetName": "BT-76",
    "Delivery/DeliveryLocation/Address/CityName": "BT-77",
    "Delivery/DeliveryLocation/Address/PostalZone": "BT-78",
    "Delivery/DeliveryLocation/Address/CountrySubentity": "BT-79",
    "Delivery/DeliveryLocation/Address/Country/IdentificationCode": "BT-80",
    "PaymentMeans/PaymentMeansCode/@name": "BT-82",
    "PaymentMeans/PaymentID": "BT-83",
    "PaymentMeans/PayeeFinancialAccount/ID": "BT-84",
    "PaymentMeans/PayeeFinancialAccount/FinancialInstitutionBranch/ID": "BT-86",
    "AllowanceCharge[ChargeIndicator='false']/Amount": "BT-92",
    "AllowanceCharge[ChargeIndicator='false']/BaseAmount": "BT-93",
    "AllowanceCharge[ChargeIndicator='false']/MultiplierFactorNumeric": "BT-94",
    "AllowanceCharge[ChargeIndicator='false']/TaxCategory/ID": "BT-95",
    "AllowanceCharge[ChargeIndicator='false']/TaxCategory/Percent": "BT-96",
    "AllowanceCharge[ChargeIndicator='false']/AllowanceChargeReason": "BT-97",
    "AllowanceCharge[ChargeIndicator='true']/Amount": "BT-99",
    "AllowanceCharge[ChargeIndicator='true']/BaseAmount": "BT-100",
    "AllowanceCharge[ChargeIndicator='true']/MultiplierFactorNumeric": "BT-101",
    "AllowanceCharge[ChargeIndicator='true']/TaxCategory/ID": "BT-102",
    "AllowanceCharge[ChargeIndicator='true']/TaxCategory/Percent": "BT-103",
    "AllowanceCharge[ChargeIndicator='true']/AllowanceChargeReason": "BT-104",
    "LegalMonetaryTotal/LineExtensionAmount": "BT-106",
    "LegalMonetaryTotal/AllowanceTotalAmount": "BT-107",
    "LegalMonetaryTotal/ChargeTotalAmount": "BT-108",
    "LegalMonetaryTotal/TaxExclusiveAmount": "BT-109",
    "TaxTotal[TaxSubtotal]/TaxAmount": "BT-110",
    "TaxTotal[not(TaxSubtotal)]/TaxAmount": "BT-111",
    "LegalMonetaryTotal/TaxInclusiveAmount": "BT-112",
    "LegalMonetaryTotal/PrepaidAmount": "BT-113",
    "LegalMonetaryTotal/PayableRoundingAmount": "BT-114",
    "LegalMonetaryTotal/PayableAmount": "BT-115",
    "TaxTotal/TaxSubtotal/TaxableAmount": "BT-116",
    "TaxTotal/TaxSubtotal/TaxAmount": "BT-117",
    "TaxTotal/TaxSubtotal/TaxCategory/ID": "BT-118",
    "TaxTotal/TaxSubtotal/TaxCategory/Percent": "BT-119",
    "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReason": "BT-120",
    "{root}Line/ID": "BT-126",
    "{root}Line/Note": "BT-127",
    "{root}Line/{quantity}": "BT-129",
    "{root}Line/{quantity}/@unitCode": "BT-130",
    "{root}Line/LineExtensionAmount": "BT-131",
    "{root}Line/OrderLineReference/LineID": "BT-132",
    "{root}Line/AllowanceCharge[ChargeIndicator='false']/Amount": "BT-136",
    "{root}Line/AllowanceCharge[ChargeIndicator='false']/AllowanceChargeReason": "BT-139",
    "{root}Line/AllowanceCharge[ChargeIndicator='true']/Amount": "BT-141",
    "{root}Line/AllowanceCharge[ChargeIndicator='true']/AllowanceChargeReason": "BT-144",
    "{root}Line/Price/PriceAmount": "BT-146",
    "{root}Line/Price/BaseQuantity": "BT-149",
    "{root}Line/Price/AllowanceCharge/Amount": "BT-147",
    "{root}Line/Price/AllowanceCharge/BaseAmount": "BT-148",
    "{root}Line/Item/ClassifiedTaxCategory/ID": "BT-151",
    "{root}Line/Item/ClassifiedTaxCategory/Percent": "BT-152",
    "{root}Line/Item/Name": "BT-153",
    "{root}Line/Item/SellersItemIdentification/ID": "BT-155",
    "{root}Line/Item/StandardItemIdentification/ID": "BT-157",
    "{root}Line/Item/CommodityClassification/ItemClassificationCode": "BT-158",
}
# Terms that are added or reformatted in the export. Tests below check each of them.
DERIVED = {"BT-3", "BT-20", "BT-31", "BT-48", "BT-80", "BT-84", "BT-106", "BT-126", "BT-131", "BT-146"}
# Terms that are positive in a UBL credit note, even if the page prints them as negative.
SIGNED = {"BT-106", "BT-109", "BT-110", "BT-111", "BT-112", "BT-114", "BT-115", "BT-116", "BT-117", "BT-129", "BT-131"}


def plain(content: bytes) -> etree._Element:
    """Parse a UBL file and remove namespaces from element names; the XML Schema checks the namespaces."""
    root = etree.fromstring(content)
    for element in root.iter():
        element.tag = etree.QName(element).localname
    return root


def terms_in_xml(content: bytes) -> dict[str, list[str]]:
    """Return the values of each business term in a UBL file, in document order."""
    root = plain(content)
    terms: dict[str, list[str]] = {}
    for path, code in BINDING.items():
        quantity = "CreditedQuantity" if root.tag == "CreditNote" else "InvoicedQuantity"
        values = root.xpath(path.replace("{root}", root.tag).replace("{quantity}", quantity))
        if values:
            terms[code] = [*terms.get(code, []), *(getattr(value, "text", value) for value in values)]
    return terms


def terms_in_document(document: Document) -> dict[str, list[str]]:
    """Return the values of each business term in a document, in document order."""
    terms: dict[str, list[str]] = {}
    for path, value in flatten(document.to_json()).items():
        code = TERMS[field_of(path)].code
        if code and field_of(path) != "lines.unit":
            terms.setdefault(code, []).append(value)
    return terms


def _differences(document: Document) -> dict[str, tuple[list[str], list[str]]]:
    """Return the terms whose values in the document and in UBL are different, with both."""
    expected, exported = terms_in_document(document), terms_in_xml(to_ubl(document))
    is_flipped = document.document_type == "credit_note" and document.totals.total_with_vat < 0
    if is_flipped:
        signed = SIGNED & set(expected)
        expected |= {code: [format(-Decimal(value), "f") for value in expected[code]] for code in signed}
    codes = sorted((set(expected) | set(exported)) - DERIVED)
    pairs = {code: (expected.get(code, []), exported.get(code, [])) for code in codes}
    return {code: pair for code, pair in pairs.items() if pair[0] != pair[1]}


def test_every_term_of_the_schema_is_in_the_binding():
    known = set(BINDING.values()) | {"BT-3", "BT-20"}
    assert {term.code for term in TERMS.values() if term.code} - known == set()


def test_an_invoice_with_every_field_has_the_same_terms_in_ubl():
    assert _differences(bill()) == {}


@pytest.mark.parametrize(
    "knobs",
    [
        {"optional_fields": 1, "third_parties": 1, "note_rows": 1, "dual_currency": 0.5},
        {"discounts": 1, "charges": 1, "line_allowances": 1, "list_prices": 0.5, "prepayments": 1, "several_rates": 1},
        {"tax_exemptions": 1, "negative_amounts": 1},
        {"tax_inclusive_prices": 1, "negative_amounts": 0.5},
    ],
)
def test_drawn_documents_have_the_same_terms_in_ubl(knobs):
    for drawn in drawn_bills(40, 3, **knobs):
        assert (drawn.id, _differences(drawn.document)) == (drawn.id, {})


def test_reformatted_terms():
    written = terms_in_xml(to_ubl(bill()))
    assert written["BT-84"] == ["DE36500105179999087892"]
    assert written["BT-31"] == ["DE123456788"]
    assert written["BT-48"] == ["ATU39700150"]
    assert written["BT-126"] == ["10", "2"]  # the second line has no number on the page
    note = plain(to_ubl(bill())).findtext("PaymentTerms/Note")
    assert note == "Zahlbar innerhalb von 30 Tagen\n#SKONTO#TAGE=10#PROZENT=2.00#\n"


def test_an_american_tax_number_is_not_a_vat_identifier():
    abroad = {
        **BILL["buyer"],
        "vat_identifier": "92-9021706",
        "address": {"street": "1 Main St", "city": "Boston", "country_code": "US"},
    }
    assert "BT-48" not in terms_in_xml(to_ubl(bill(buyer=abroad)))


def test_an_intra_community_supply_states_its_country():
    supply = {"category": "K", "rate": "0", "taxable_amount": "146.00", "tax_amount": "0.00", "exemption_reason": "igL"}
    assert terms_in_xml(to_ubl(bill(ship_to=None, vat_breakdown=[supply])))["BT-80"] == ["AT"]
    assert "BT-80" not in terms_in_xml(to_ubl(bill(ship_to=None)))


def test_amounts_of_a_credit_note_are_positive_in_ubl():
    both = list(drawn_bills(60, 8, negative_amounts=0.5))
    notes = [drawn.document for drawn in both if drawn.document.document_type == "credit_note"]
    assert {note.totals.amount_due < 0 for note in notes} == {True, False}
    for note in notes:
        written = terms_in_xml(to_ubl(note))
        assert Decimal(written["BT-115"][0]) == abs(note.totals.amount_due)
        assert Decimal(written["BT-129"][0]) == abs(note.lines[0].quantity)


def test_net_amounts_of_prices_with_tax_add_up_to_the_breakdown():
    checked = 0
    for drawn in drawn_bills(60, 5, tax_inclusive_prices=1, several_rates=1):
        document = drawn.document
        if document.lines[0].price_with_vat is None:
            continue
        checked += 1
        written = terms_in_xml(to_ubl(document))
        nets, sign = list(map(Decimal, written["BT-131"])), 1 if document.totals.total_with_vat > 0 else -1
        for share in document.vat_breakdown:
            of_rate = [net for net, line in zip(nets, document.lines, strict=True) if line.vat_rate == share.rate]
            assert sum(of_rate) == sign * share.taxable_amount
        for net, line in zip(nets, document.lines, strict=True):
            exact = sign * line.gross_amount * 100 / (100 + line.vat_rate)
            assert abs(net - exact) <= minor_unit(document.currency_code)
        assert written["BT-106"] == written["BT-109"]
    assert checked > 30


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"document_type": "receipt"}, "a receipt is neither an invoice nor a credit note"),
        ({"document_type": "purchase_order"}, "a purchase order is neither"),
        ({"locale": "en_US"}, "its tax is us sales tax, not VAT"),
        ({"locale": "ja_JP"}, "japan consumption tax"),
        ({"locale": "tlh_XX"}, "locale tlh_XX is unknown; known are en_US"),
        ({"vat_breakdown": []}, "it has no VAT breakdown (BG-23)"),
        ({"buyer": None}, "it has no buyer (BG-7)"),
        ({"currency_code": "KWD"}, "KWD has 3 decimals; EN 16931 allows only two"),
        ({"vat_accounting_currency_code": "XXX"}, "currency XXX is unknown"),
    ],
)
def test_documents_outside_en_16931_are_rejected_with_the_reason(changes, reason):
    document = bill(**changes)
    assert reason in obstacle(document)
    with pytest.raises(ValueError, match=r"RE-2024-0815 cannot be exported as UBL: .*") as error:
        to_ubl(document)
    assert reason in str(error.value)


def test_a_bank_statement_is_rejected():
    statement = Document.model_validate(
        {
            "document_type": "bank_statement",
            "locale": "de_DE",
            "document_number": "1/2024",
            "issue_date": "2024-01-31",
            "currency_code": "EUR",
            "seller": {"name": "Bank"},
            "statement": {"account_number": "1", "opening_balance": "0", "closing_balance": "1"},
            "entries": [{"entry_date": "2024-01-02", "description": "x", "amount": "1"}],
        }
    )
    assert "a bank statement is neither" in obstacle(statement)


def test_characters_that_xml_does_not_allow_are_an_error():
    with pytest.raises(ValueError, match="XML compatible"):
        to_ubl(bill(document_number="A\x00B"))
