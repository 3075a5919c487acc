"""Valid electronic invoices are read as EN 16931 and Factur-X mean them."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from PIL import Image

from finscribe_assets.documents.labelled_fields import is_labelled
from finscribe_assets.documents.schema import flatten
from finscribe_assets.documents.ubl import to_ubl
from finscribe_assets.errors import UserError
from finscribe_assets.importing.folder_import import import_folder
from finscribe_assets.importing.truth_files import (
    BrokenRules,
    LabelledTruth,
    broken_rules,
    truth_from_json,
    truth_from_xml,
)
from finscribe_assets.opening.input_limits import InputLimits, RejectedDocumentError
from finscribe_assets_tests.documents.bills import bill
from finscribe_assets_tests.importing.cii_invoices import (
    EXTENDED,
    SELLER_ADDRESS,
    TAX,
    adjustment,
    invoice,
    line,
    note_line,
    status,
)

NOTHING_BROKEN = BrokenRules((), ())


def read(content: bytes, locale: str | None = None) -> LabelledTruth:
    return truth_from_xml(content, locale, InputLimits())


def values(truth: LabelledTruth) -> dict[str, Any]:
    return flatten(truth.document.to_json())


def test_a_consignee_needs_no_name():
    address = "<ram:CityName>Frankfurt</ram:CityName><ram:CountryID>DE</ram:CountryID>"
    address = f"<ram:PostalTradeAddress>{address}</ram:PostalTradeAddress>"
    consignee = f"<ram:ShipToTradeParty>{address}</ram:ShipToTradeParty>"
    truth = read(invoice(line(), delivery=consignee))
    assert values(truth)["ship_to.address.city"] == "Frankfurt"
    assert truth.document.ship_to.name is None
    assert is_labelled("ship_to.name", truth.labelled)  # a name would be an error of the reader


def test_addresses_need_only_a_country():
    truth = read(invoice(line(), seller_address=""))
    assert (
        truth.document.seller.to_json() if hasattr(truth.document.seller, "to_json") else truth.document.seller.address
    )
    assert values(truth)["seller.address.country_code"] == "DE"


def test_allowances_and_charges_of_a_line_are_summed():
    adjustments = (
        adjustment("100.00", "Artikelrabatt")
        + adjustment("50.00", "Mengenrabatt")
        + adjustment("0.50", "Mengenrabatt")
        + adjustment("3.00", "Palette", charge=True)
        + adjustment("2.00", charge=True)
    )
    truth = read(
        invoice(
            line(price="500.00", adjustments=adjustments, amount="854.50"),
            net="854.50",
            vat="162.36",
            total="1016.86",
            due="1016.86",
        )
    )
    found = {path: value for path, value in values(truth).items() if "allowance" in path or "charge" in path}
    assert found == {
        "lines[0].allowance_amount": "150.50",
        "lines[0].allowance_reason": "Artikelrabatt, Mengenrabatt",
        "lines[0].charge_amount": "5.00",
        "lines[0].charge_reason": "Palette",
    }
    assert broken_rules(truth) == NOTHING_BROKEN
    assert not [value for value in truth.unmapped if "AllowanceCharge" in value.path]


def test_discounts_of_a_price_are_summed():
    discounts = "".join(adjustment(amount, name="Applied") for amount in ("3.00", "2.00"))
    truth = read(invoice(line(gross=f"<ram:ChargeAmount>55.00</ram:ChargeAmount>{discounts}")))
    assert values(truth)["lines[0].price_discount"] == "5.00"
    assert broken_rules(truth) == NOTHING_BROKEN


def test_lines_for_information_do_not_count():
    truth = read(
        invoice(
            line(quantity="1", price="100.00", document=status("DETAIL")),
            line(
                "Aushub",
                line_id="1.1",
                amount="60.00",
                document=f"<ram:ParentLineID>1</ram:ParentLineID>{status('INFORMATION')}",
            ),
            line("Abfuhr", line_id="1.2", amount="40.00", document=status("INFORMATION")),
            guideline=EXTENDED,
        )
    )
    assert [item.item_name for item in truth.document.lines] == ["Kabel"]
    assert broken_rules(truth) == NOTHING_BROKEN
    assert "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem/SpecifiedTradeProduct/Name" in {
        value.path for value in truth.unmapped
    }


def test_groups_are_headings_of_the_lines_below_them():
    truth = read(
        invoice(
            line("Titel 1", line_id="1", quantity="", amount="", price="", document=status("GROUP")),
            line("Untertitel", line_id="1.1", amount="60.00", document=status("GROUP")),
            line("Aushub", line_id="1.1.1", price="30.00", amount="60.00", document=status("DETAIL")),
            line("Abfuhr", line_id="1.1.2", price="20.00", amount="40.00", document=status("DETAIL")),
            guideline=EXTENDED,
        )
    )
    assert [(item.heading, item.item_name) for item in truth.document.lines] == [
        ("Titel 1, Untertitel", "Aushub"),
        (None, "Abfuhr"),
    ]
    assert broken_rules(truth) == NOTHING_BROKEN


def test_comments_between_lines_are_headings_and_at_the_end_notes():
    truth = read(
        invoice(
            note_line("Aus Lieferung 7:"), line(), note_line("Danke"), note_line("Bis bald"), guideline="urn:ferd:x"
        )
    )
    assert [(item.heading, item.note) for item in truth.document.lines] == [("Aus Lieferung 7:", "Danke, Bis bald")]


def test_a_line_without_a_name_is_no_comment_if_it_has_an_amount():
    with pytest.raises(RejectedDocumentError) as refused:
        read(invoice(line("")))
    assert [problem.field for problem in refused.value.problems] == ["lines[0].item_name (BT-153)"]


@pytest.mark.parametrize(("quantity", "expected"), [("100", "100"), ("1", None), ("1.0000", None), ("0.5", "0.5")])
def test_prices_may_be_for_several_units(quantity, expected):
    amount = {"100": "1.00", "0.5": "200.00"}.get(quantity, "100.00")
    base = f'<ram:BasisQuantity unitCode="C62">{quantity}</ram:BasisQuantity>'
    content = invoice(line(price_more=base, amount=amount), net=amount, vat="0.19", total="1.19", due="1.19")
    truth = read(content)
    assert values(truth).get("lines[0].price_base_quantity") == expected
    assert "LINE-AMOUNT" not in {outcome.code for outcome in broken_rules(truth).conventions}
    assert "BT-149" not in {value.term for value in truth.unmapped}


def test_the_base_quantity_comes_back_from_ubl():
    lines = [item.model_dump(mode="json", exclude_none=True) for item in bill().lines]
    lines[0]["price_base_quantity"] = "100"
    content = to_ubl(bill(lines=lines))
    assert [item.price_base_quantity for item in read(content).document.lines] == [100, None]


def test_a_logistics_charge_is_a_charge_on_the_document():
    charge = f"""<ram:SpecifiedLogisticsServiceCharge><ram:Description>Versand</ram:Description>
        <ram:AppliedAmount>10.00</ram:AppliedAmount><ram:AppliedTradeTax>{TAX}</ram:AppliedTradeTax>
        </ram:SpecifiedLogisticsServiceCharge>"""
    content = invoice(
        line(), settlement=charge, net="110.00", vat="20.90", total="130.90", due="130.90", guideline=EXTENDED
    )
    content = content.replace(b"<ram:LineTotalAmount>110.00", b"<ram:LineTotalAmount>100.00")
    truth = read(
        content.replace(b"<ram:TaxBasis", b"<ram:ChargeTotalAmount>10.00</ram:ChargeTotalAmount><ram:TaxBasis")
    )
    assert truth.document.to_json()["charges"] == [
        {"reason": "Versand", "amount": "10.00", "vat_category": "S", "vat_rate": "19.00"}
    ]
    assert broken_rules(truth) == NOTHING_BROKEN


def test_an_allowance_needs_no_reason_in_words():
    allowance = f"""<ram:SpecifiedTradeAllowanceCharge><ram:ChargeIndicator><udt:Indicator>false</udt:Indicator>
        </ram:ChargeIndicator><ram:ActualAmount>10.00</ram:ActualAmount><ram:ReasonCode>95</ram:ReasonCode>
        <ram:CategoryTradeTax>{TAX}</ram:CategoryTradeTax></ram:SpecifiedTradeAllowanceCharge>"""
    assert values(read(invoice(line(), settlement=allowance)))["allowances[0].amount"] == "10.00"


@pytest.mark.parametrize(
    ("guideline", "stated", "unknown"),
    [
        (
            "urn:factur-x.eu:1p0:minimum",
            ["seller.name", "buyer_reference", "totals.amount_due"],
            ["lines.item_name", "seller.address.street", "vat_breakdown.rate", "due_date", "totals.paid_amount"],
        ),
        ("urn:zugferd.de:2p0:basicwl", ["due_date", "totals.paid_amount", "vat_breakdown.rate"], ["lines.net_amount"]),
        ("urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basicwl", ["due_date"], ["lines.net_amount"]),
    ],
)
def test_profiles_without_lines_are_partial_truth(guideline, stated, unknown):
    paid = "<ram:TotalPrepaidAmount>69.00</ram:TotalPrepaidAmount>" if guideline.endswith("wl") else ""
    address = "" if guideline.endswith("minimum") else SELLER_ADDRESS
    truth = read(invoice(guideline=guideline, seller_address=address, taxes=False, totals=paid, due="50.00"))
    assert [path for path in stated if not is_labelled(path, truth.labelled)] == []
    assert [path for path in unknown if is_labelled(path, truth.labelled)] == []
    assert broken_rules(truth) == NOTHING_BROKEN  # in MINIMUM, what was paid in advance is unknown
    assert truth.document.lines == ()


def test_other_profiles_must_have_lines():
    with pytest.raises(RejectedDocumentError, match="a invoice needs lines"):
        read(invoice())


def test_contacts_are_unknown_in_basic_and_units_in_words_everywhere():
    basic, full = (
        read(invoice(line(), guideline="urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic")),
        read(invoice(line())),
    )
    assert not is_labelled("seller.contact_name", basic.labelled)
    assert is_labelled("seller.contact_name", full.labelled)
    assert not any(is_labelled(path, full.labelled) for path in ("lines.unit", "bank_name", "lines.gross_amount"))


def test_zugferd_1_need_not_have_all_fields_of_the_schema():
    content = invoice(line(""), guideline="urn:ferd:CrossIndustryDocument:invoice:1p0:basic")
    truth = read(content.replace(b"<ram:DuePayableAmount>119.00</ram:DuePayableAmount>", b""))
    assert not any(is_labelled(path, truth.labelled) for path in ("lines.item_name", "totals.amount_due"))
    with pytest.raises(RejectedDocumentError, match=r"totals\.total_with_vat"):
        read(content.replace(b"<ram:GrandTotalAmount>119.00</ram:GrandTotalAmount>", b""))


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ('<udt:DateTimeString format="102">20261105</udt:DateTimeString>', "2026-11-05"),
        ('<udt:DateTimeString format="203">202611051230</udt:DateTimeString>', "2026-11-05"),
        ('<udt:DateTimeString format="205">202611051230+0100</udt:DateTimeString>', "2026-11-05"),
        ('<udt:DateTimeString format="610">202611</udt:DateTimeString>', "'202611' in format '610' is not a day"),
        ('<udt:DateTimeString format="102">20261131</udt:DateTimeString>', "'20261131' is not a date of the calendar"),
    ],
)
def test_formats_of_dates(date, expected):
    if expected.startswith("2026"):
        assert values(read(invoice(line(), issue_date=date)))["issue_date"] == expected
    else:
        with pytest.raises(RejectedDocumentError, match=expected):
            read(invoice(line(), issue_date=date))


def test_an_optional_date_that_is_no_day_is_not_labelled():
    due = '<udt:DateTimeString format="610">202612</udt:DateTimeString>'
    due = f"<ram:DueDateDateTime>{due}</ram:DueDateDateTime>"
    terms = f"<ram:SpecifiedTradePaymentTerms>{due}</ram:SpecifiedTradePaymentTerms>"
    truth = read(invoice(line(), settlement=terms))
    assert not is_labelled("due_date", truth.labelled)
    assert [problem.field for problem in truth.unreadable] == ["due_date (BT-9)"]


def test_a_tax_category_that_en_16931_lacks_is_not_labelled():
    truth = read(invoice(line()).replace(b">S<", b">AA<"))
    assert not is_labelled("lines.vat_category", truth.labelled)
    assert values(truth).keys() & {"lines[0].vat_category", "vat_breakdown[0].category"} == set()
    assert values(read(invoice(line()).replace(b">S<", b">L<")))["vat_breakdown[0].category"] == "L"


def test_amounts_may_have_many_zeros():
    content = invoice(line(amount="100.000000000000000000"))
    assert values(read(content))["lines[0].net_amount"] == "100"


def test_the_schematron_tolerates_differences_of_tax_by_rounding():
    for vat, total, rules in (("19.99", "119.99", set()), ("20.00", "120.00", {"BR-CO-17"})):
        broken = broken_rules(read(invoice(line(), vat=vat, total=total, due=total)))
        assert {outcome.code for outcome in broken.rules} == rules


def test_an_account_has_its_own_bank():
    means = "".join(
        f"<ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>58</ram:TypeCode>{part}</ram:SpecifiedTradeSettlementPaymentMeans>"
        for part in (
            "",
            "<ram:PayeePartyCreditorFinancialAccount><ram:ProprietaryID>4711</ram:ProprietaryID></ram:PayeePartyCreditorFinancialAccount>",
            "<ram:PayeePartyCreditorFinancialAccount><ram:IBANID>DE02</ram:IBANID></ram:PayeePartyCreditorFinancialAccount>"
            "<ram:PayeeSpecifiedCreditorFinancialInstitution><ram:BICID>BYLA</ram:BICID></ram:PayeeSpecifiedCreditorFinancialInstitution>",
        )
    )
    found = values(read(invoice(line(), settlement=means)))
    assert (found["payment_account"], found.get("bank_identifier")) == ("4711", None)


@pytest.mark.parametrize(
    ("country", "given", "expected"), [("DE", "en_GB", "de_DE"), ("LU", None, "fr_LU"), ("LU", "de_LU", "de_LU")]
)
def test_the_locale_of_a_country_that_the_platform_does_not_draw(country, given, expected):
    assert read(invoice(line(), country=country), given).document.locale == expected


def test_a_currency_that_the_platform_does_not_draw_has_its_minor_unit():
    truth = read(invoice(line(), vat="19.40").replace(b"EUR", b"ISK"))
    assert {outcome.expected for outcome in broken_rules(truth).conventions} == {19}  # without decimals


def test_people_label_what_they_need():
    record = {
        "document": {"locale": "en_MY", "seller": {"name": "KEDAI"}, "totals": {"total_with_vat": "9.00"}, "lines": []},
        "labelled": ["seller.name", "issue_date", "totals.total_with_vat"],
    }
    truth = truth_from_json(json.dumps(record).encode(), None, InputLimits())
    assert values(truth) == {"locale": "en_MY", "seller.name": "KEDAI", "totals.total_with_vat": "9.00"}
    with pytest.raises(RejectedDocumentError, match=r"did you mean 'seller\.name'"):
        truth_from_json(json.dumps(record | {"labelled": ["seller.nam"]}).encode(), None, InputLimits())
    del record["document"]["locale"]
    with pytest.raises(RejectedDocumentError, match="locale"):
        truth_from_json(json.dumps(record).encode(), None, InputLimits())
    assert truth_from_json(json.dumps(record).encode(), "en_MY", InputLimits()).document.locale == "en_MY"


def test_labelled_fields_of_a_whole_folder(tmp_path: Path):
    (tmp_path / "in").mkdir()
    Image.new("RGB", (40, 60), "white").save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "a.json").write_text(json.dumps({"seller": {"name": "KEDAI"}}))
    import_folder(tmp_path / "in", tmp_path / "out", "test", locale="en_MY", labelled=["seller"])
    (record,) = map(json.loads, (tmp_path / "out" / "documents.jsonl").read_text().splitlines())
    assert (record["printed"], record["labelled"]) == (["seller.name"], ["seller"])
    with pytest.raises(UserError, match="sellers"):
        import_folder(tmp_path / "in", tmp_path / "other", "test", labelled=["sellers"])


@pytest.mark.parametrize("start", [b"\n  ", codecs.BOM_UTF8, codecs.BOM_UTF8 + b"\r\n"])
def test_what_stands_before_the_declaration(start):
    assert read(start + invoice(line("Käse"))).document.lines[0].item_name == "Käse"


@pytest.mark.parametrize(
    ("declared", "encoding"), [("UTF-16", "utf-16"), ("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252")]
)
def test_encodings(declared, encoding):
    text = invoice(line("Käse")).decode()
    content = text.replace("UTF-8", declared).replace("ram:", "a:").replace(":ram=", ":a=").encode(encoding)
    assert read(content).document.lines[0].item_name == "Käse"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_invoice_is_read_or_rejected_with_reasons(data):
    """Whatever part is dropped or changed, nothing but a rejection is raised, and the rules can be checked."""
    root = etree.fromstring(invoice(line(), line(line_id="2", document=status("GROUP")), note_line("x")))
    elements = [element for element in root.iter() if element is not root]
    for element in data.draw(st.lists(st.sampled_from(elements), max_size=3)):
        if element.getparent() is not None and data.draw(st.booleans()):
            element.getparent().remove(element)
        else:
            element.text = data.draw(st.sampled_from(["", "x", "-1", "0", "1e9", "20261105", "9" * 30, "GROUP", " \n"]))
    try:
        truth = read(etree.tostring(root))
    except RejectedDocumentError as error:
        assert error.problems
    else:
        broken_rules(truth)
        assert flatten(
            truth_from_json(
                json.dumps({"document": truth.document.to_json(), "labelled": sorted(truth.labelled)}).encode(),
                None,
                InputLimits(),
            ).document.to_json()
        ) == values(truth)


def test_only_labelled_fields_are_asked_for(tmp_path: Path):
    (tmp_path / "in").mkdir()
    for name, colour in (("a", "white"), ("b", "grey")):
        Image.new("RGB", (40, 60), colour).save(tmp_path / "in" / f"{name}.png")
    record = {"document": {"seller": {"name": "KEDAI"}, "document_number": "7"}, "labelled": ["seller.name"]}
    (tmp_path / "in" / "a.json").write_text(json.dumps(record))
    (tmp_path / "in" / "b.xml").write_bytes(invoice(guideline="urn:factur-x.eu:1p0:minimum", taxes=False))
    report = import_folder(tmp_path / "in", tmp_path / "out", "test", locale="en_MY")
    assert report.rejected == []
    partial, minimum = map(json.loads, (tmp_path / "out" / "documents.jsonl").read_text().splitlines())
    assert (partial["printed"], partial["labelled"]) == (["seller.name"], ["seller.name"])
    assert {"totals.total_with_vat", "document_number"} <= set(minimum["printed"])
    assert "lines.item_name" in report.accepted[1]["not_labelled"]
