"""Documents written in CII or UBL by an independent library (`factur-x`) are read back value by value."""

from __future__ import annotations

import re

import pytest
from facturx import xml_check_xsd

from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.documents.schema import Document, flatten
from finscribe_assets.importing.truth_files import truth_from_xml
from finscribe_assets.opening.input_limits import InputLimits
from finscribe_assets_tests.documents.bills import bill, drawn_bills
from finscribe_assets_tests.importing.writers import cii, ubl

EXTENSIONS = {path for path, term in TERMS.items() if not term.code} | {"lines.unit"}

# Element names of CII D16B → those of ZUGFeRD 1.0, where they differ.
ZUGFERD_1_NAMES = {
    "ExchangedDocumentContext": "SpecifiedExchangedDocumentContext",
    "ExchangedDocument": "HeaderExchangedDocument",
    "SupplyChainTradeTransaction": "SpecifiedSupplyChainTradeTransaction",
    "ApplicableHeaderTradeAgreement": "ApplicableSupplyChainTradeAgreement",
    "ApplicableHeaderTradeDelivery": "ApplicableSupplyChainTradeDelivery",
    "ApplicableHeaderTradeSettlement": "ApplicableSupplyChainTradeSettlement",
    "SpecifiedLineTradeAgreement": "SpecifiedSupplyChainTradeAgreement",
    "SpecifiedLineTradeDelivery": "SpecifiedSupplyChainTradeDelivery",
    "SpecifiedLineTradeSettlement": "SpecifiedSupplyChainTradeSettlement",
    "SpecifiedTradeSettlementHeaderMonetarySummation": "SpecifiedTradeSettlementMonetarySummation",
    "SpecifiedTradeSettlementLineMonetarySummation": "SpecifiedTradeSettlementMonetarySummation",
    "RateApplicablePercent": "ApplicablePercent",
    "DespatchAdviceReferencedDocument": "DeliveryNoteReferencedDocument",
    "IssuerAssignedID": "ID",
    "CrossIndustryInvoice": "CrossIndustryDocument",
}
NAMESPACES = {
    "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100": "urn:ferd:CrossIndustryDocument:invoice:1p0",
    "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:12",
    "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:15",
    "urn:un:unece:uncefact:data:standard:QualifiedDataType:100": "urn:un:unece:uncefact:data:standard:QualifiedDataType:12",
}


def expected_values(document: Document) -> dict[str, str]:
    values = flatten(document.to_json())
    values = {path: value for path, value in values.items() if field_of(path) not in EXTENSIONS}
    # The writer numbers lines that have no number.
    return {f"lines[{index}].line_id": str(index + 1) for index in range(len(document.lines))} | values


def values_read(content: bytes, locale: str) -> dict[str, str]:
    values = flatten(truth_from_xml(content, locale, InputLimits()).document.to_json())
    del values["locale"]
    return values


def has_net_prices(document: Document) -> bool:
    """Tell whether a document can be written in CII, which has no prices that include tax."""
    return all(line.net_price is not None for line in document.lines)


def test_an_invoice_with_everything_comes_back_from_cii():
    assert values_read(cii(bill()), "de_DE") == expected_values(bill())


@pytest.mark.parametrize(
    "knobs",
    [
        {"optional_fields": 1, "third_parties": 1, "note_rows": 1, "dual_currency": 0.5},
        {"discounts": 1, "charges": 1, "line_allowances": 1, "list_prices": 0.5, "prepayments": 1, "several_rates": 1},
        {"tax_exemptions": 1, "negative_amounts": 1},
    ],
)
def test_drawn_documents_come_back_from_cii(knobs):
    documents = [drawn.document for drawn in drawn_bills(30, 6, **knobs)]
    written = [document for document in documents if has_net_prices(document)]
    assert len(written) > 20
    for document in written:
        values, expected = values_read(cii(document, check_xsd=False), document.locale), expected_values(document)
        differences = {
            path: (expected.get(path), values.get(path))
            for path in {**expected, **values}
            if expected.get(path) != values.get(path)
        }
        assert differences == {}


def test_the_ubl_of_an_independent_writer_comes_back():
    assert values_read(ubl(bill()), "de_DE") == expected_values(bill())


def test_zugferd_1_is_read_as_cii():
    # Without the terms that ZUGFeRD 1.0 lacks: the line of the order, and VAT in a second currency.
    simple = bill(
        preceding_invoice_reference="RE-1",
        preceding_invoice_date="2024-02-01",
        vat_accounting_currency_code=None,
        lines=[
            {**line.model_dump(mode="json", exclude_none=True, exclude={"purchase_order_line", "classification"})}
            for line in bill().lines
        ],
        totals=bill().totals.model_copy(update={"total_vat_accounting": None}),
    )
    content = cii(simple).decode()
    for new, old in NAMESPACES.items():
        content = content.replace(new, old)
    content = re.sub(r"(</?\w+:)(\w+)", lambda tag: tag[1] + ZUGFERD_1_NAMES.get(tag[2], tag[2]), content)
    content, dates = re.subn(
        r"<ram:FormattedIssueDateTime>.*?</ram:FormattedIssueDateTime>",
        "<ram:IssueDateTime>2024-02-01T00:00:00</ram:IssueDateTime>",
        content,
        flags=re.DOTALL,
    )
    assert (dates, "DeliveryNote" in content) == (1, True)
    assert values_read(content.encode(), "de_DE") == expected_values(simple)


def test_values_without_a_field_in_the_schema_are_listed_with_their_term():
    content = cii(bill()).replace(
        b"<ram:TypeCode>380</ram:TypeCode>",
        b"""<ram:TypeCode>380</ram:TypeCode>
        <ram:IncludedNote><ram:Content>Danke</ram:Content></ram:IncludedNote>""",
    )
    unmapped = truth_from_xml(content, None, InputLimits()).unmapped
    listed = {(value.path.rpartition("/")[2], value.term) for value in unmapped}
    assert {("Content", "BT-22"), ("ID", "BT-24"), ("TypeCode", "BT-81")} <= listed
    assert all(term for _, term in listed)


def test_the_xml_of_these_tests_is_valid():
    assert xml_check_xsd(cii(bill()), flavor="factur-x", level="en16931") is True
