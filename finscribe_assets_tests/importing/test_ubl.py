"""Documents written in UBL by this project are read back value by value."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.documents.schema import Document, flatten
from finscribe_assets.documents.ubl import to_ubl
from finscribe_assets.importing.truth_files import truth_from_xml
from finscribe_assets.opening.input_limits import InputLimits, RejectedDocumentError
from finscribe_assets_tests.documents.bills import bill, drawn_bills
from finscribe_assets_tests.documents.test_ubl import SIGNED

# Not terms of EN 16931, so the writer omits them; `lines.unit` is the printed form of a unit code.
EXTENSIONS = {path for path, term in TERMS.items() if not term.code} | {"lines.unit"}
# Values that the writer computes from prices that include tax, or must add.
COMPUTED_BY_THE_WRITER = {"lines.line_id", "lines.net_amount", "lines.net_price", "totals.sum_of_line_net_amounts"}


def expected_values(document: Document) -> dict[str, str]:
    """Return the values that must be read from a document's UBL."""
    values = flatten(document.to_json())
    kept = {
        path: value
        for path, value in values.items()
        if field_of(path) not in EXTENSIONS or path.startswith("cash_discount.")
    }
    kept.pop("cash_discount.amount", None)
    if document.document_type == "credit_note" and document.totals.total_with_vat < 0:
        kept |= {
            path: format(-Decimal(value), "f") for path, value in kept.items() if TERMS[field_of(path)].code in SIGNED
        }
    for role in ("seller", "buyer"):
        country, path = kept.get(f"{role}.address.country_code", ""), f"{role}.vat_identifier"
        if path in kept and country == "US":
            del kept[path]
        elif path in kept and not kept[path].startswith(country):
            kept[path] = country + kept[path]
    if "payment_account" in kept:
        kept["payment_account"] = kept["payment_account"].replace(" ", "")
    if "cash_discount.percentage" in kept:
        kept["cash_discount.percentage"] = f"{Decimal(kept['cash_discount.percentage']):.2f}"
    return kept


def differences(document: Document) -> dict[str, tuple[str | None, str | None]]:
    expected = expected_values(document)
    values = flatten(truth_from_xml(to_ubl(document), document.locale, InputLimits()).document.to_json())
    values.pop("locale")
    return {
        path: (expected.get(path), values.get(path))
        for path in {**expected, **values}
        if expected.get(path) != values.get(path) and (path in expected or field_of(path) not in COMPUTED_BY_THE_WRITER)
    }


def test_an_invoice_with_everything_comes_back():
    assert differences(bill()) == {}


def test_values_without_a_field_in_the_schema_are_listed():
    truth = truth_from_xml(to_ubl(bill()), None, InputLimits())
    assert [(value.path, value.term) for value in truth.unmapped] == [
        ("CustomizationID", "BT-24"),
        ("PaymentMeans/PaymentMeansCode", "BT-81"),
        ("InvoiceLine/Item/StandardItemIdentification/ID/@schemeID", "BT-157-1"),
        ("InvoiceLine/Item/CommodityClassification/ItemClassificationCode/@listID", "BT-158-1"),
    ]


@pytest.mark.parametrize(
    "knobs",
    [
        {"optional_fields": 1, "third_parties": 1, "note_rows": 1, "dual_currency": 0.5},
        {"discounts": 1, "charges": 1, "line_allowances": 1, "list_prices": 0.5, "prepayments": 1, "several_rates": 1},
        {"tax_exemptions": 1, "negative_amounts": 1},
        {"tax_inclusive_prices": 1, "negative_amounts": 0.5},
    ],
)
def test_drawn_documents_come_back(knobs):
    for drawn in drawn_bills(30, 4, **knobs):
        assert (drawn.id, differences(drawn.document)) == (drawn.id, {})


@pytest.mark.parametrize(
    ("removed", "field"),
    [
        (b"<cbc:RegistrationName>Wiener Handels GmbH</cbc:RegistrationName>", "buyer.name (BT-44)"),
        (b"<cbc:IssueDate>2024-03-01</cbc:IssueDate>", "issue_date (BT-2)"),
        (b'<cbc:PayableAmount currencyID="EUR">117.20</cbc:PayableAmount>', "totals.amount_due (BT-115)"),
        (b"<cbc:Name>Kaffee</cbc:Name>", "lines[1].item_name (BT-153)"),
    ],
)
def test_a_missing_required_field_is_named(removed, field):
    content = to_ubl(bill())
    assert content.count(removed) == 1
    with pytest.raises(RejectedDocumentError) as refused:
        truth_from_xml(content.replace(removed, b""), None, InputLimits())
    assert [problem.field for problem in refused.value.problems] == [field]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b">2024-03-01<", b">1.3.2024<", "issue_date (BT-2)"),
        (b">2024-03-01<", b">2024-02-30<", "issue_date (BT-2)"),
        (b">117.20<", b">1e99999999<", "totals.amount_due (BT-115)"),
        (b">117.20<", b">1e2<", "totals.amount_due (BT-115)"),
        (b">117.20<", b">" + b"9" * 400 + b"<", "totals.amount_due (BT-115)"),
        (b">117.20<", b">117,20<", "totals.amount_due (BT-115)"),
        (b">380<", b">999<", "document_type (BT-3)"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(old, new, field):
    with pytest.raises(RejectedDocumentError) as refused:
        truth_from_xml(to_ubl(bill()).replace(old, new, 1), None, InputLimits())
    assert refused.value.problems[0].field == field


def test_of_several_locations_of_a_term_the_first_counts():
    party = b"<cac:PartyName><cbc:Name>Handelsmarke</cbc:Name></cac:PartyName>"
    content = to_ubl(bill())
    start = content.index(b"<cac:AccountingSupplierParty>")
    assert b"<cac:PartyName>" not in content[start : content.index(b"</cac:AccountingSupplierParty>")]
    address = content.index(b"<cac:PostalAddress>", start)
    truth = truth_from_xml(content[:address] + party + content[address:], None, InputLimits())
    assert truth.document.seller.name == "Müller & Söhne GmbH"
    assert ("AccountingSupplierParty/Party/PartyName/Name", "BT-28") in [(v.path, v.term) for v in truth.unmapped]


def test_the_number_of_lines_is_limited():
    assert len(bill().lines) == 2
    assert len(truth_from_xml(to_ubl(bill()), None, InputLimits(lines=2)).document.lines) == 2
    with pytest.raises(RejectedDocumentError, match="lines: 2 members; at most 1 are read"):
        truth_from_xml(to_ubl(bill()), None, InputLimits(lines=1))
