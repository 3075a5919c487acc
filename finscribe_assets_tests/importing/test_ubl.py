"""What this project's own writer says in UBL is read back as what the document says, leaf by leaf."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.documents.schema import Document, flatten
from finscribe_assets.documents.ubl import to_ubl
from finscribe_assets.importing.rejects import InputLimits, RejectedDocumentError
from finscribe_assets.importing.truth_files import truth_from_xml
from finscribe_assets_tests.documents.bills import bill, drawn_bills
from finscribe_assets_tests.documents.test_ubl import SIGNED

# No business terms of EN 16931, so the writer leaves them out; `lines.unit` is how a page words a unit's code.
EXTENSIONS = {path for path, term in TERMS.items() if not term.code} | {"lines.unit"}
# What the writer makes of prices that include tax, and what it must add: read back as written, not as the page says.
MADE_BY_THE_WRITER = {"lines.line_id", "lines.net_amount", "lines.net_price", "totals.sum_of_line_net_amounts"}


def said(document: Document) -> dict[str, str]:
    """Return the leaves that a document's UBL must give back."""
    leaves = flatten(document.to_json())
    kept = {
        path: value
        for path, value in leaves.items()
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


def read(document: Document) -> tuple[dict[str, str], list[str]]:
    truth = truth_from_xml(to_ubl(document), document.locale, InputLimits())
    return flatten(truth.document.to_json()), [one.path for one in truth.unmapped]


def differences(document: Document) -> dict[str, tuple[str | None, str | None]]:
    wanted, found = said(document), read(document)[0]
    found.pop("locale")
    return {
        path: (wanted.get(path), found.get(path))
        for path in {**wanted, **found}
        if wanted.get(path) != found.get(path) and (path in wanted or field_of(path) not in MADE_BY_THE_WRITER)
    }


def test_an_invoice_with_everything_comes_back():
    assert differences(bill()) == {}


def test_what_the_schema_has_no_place_for_is_listed():
    truth = truth_from_xml(to_ubl(bill()), None, InputLimits())
    assert [(one.path, one.term) for one in truth.unmapped] == [
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
    ("cut", "field"),
    [
        (b"<cbc:RegistrationName>Wiener Handels GmbH</cbc:RegistrationName>", "buyer.name (BT-44)"),
        (b"<cbc:IssueDate>2024-03-01</cbc:IssueDate>", "issue_date (BT-2)"),
        (b"<cbc:StreetName>Ring 2</cbc:StreetName>", "buyer.address.street (BT-50)"),
        (b'<cbc:PayableAmount currencyID="EUR">117.20</cbc:PayableAmount>', "totals.amount_due (BT-115)"),
        (b"<cbc:Name>Kaffee</cbc:Name>", "lines[1].item_name (BT-153)"),
    ],
)
def test_what_the_schema_requires_is_named_where_it_is_missing(cut, field):
    content = to_ubl(bill())
    assert content.count(cut) == 1
    with pytest.raises(RejectedDocumentError) as refused:
        truth_from_xml(content.replace(cut, b""), None, InputLimits())
    assert [one.field for one in refused.value.problems] == [field]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b">2024-03-01<", b">1.3.2024<", "issue_date (BT-2)"),
        (b">2024-03-01<", b">2024-02-30<", "issue_date (BT-2)"),
        (b">117.20<", b">1e99999999<", "totals.amount_due (BT-115)"),
        (b">117.20<", b">117,20<", "totals.amount_due (BT-115)"),
        (b">380<", b">999<", "document_type (BT-3)"),
    ],
)
def test_a_value_that_is_none_of_its_kind_is_named(old, new, field):
    with pytest.raises(RejectedDocumentError) as refused:
        truth_from_xml(to_ubl(bill()).replace(old, new, 1), None, InputLimits())
    assert refused.value.problems[0].field == field
