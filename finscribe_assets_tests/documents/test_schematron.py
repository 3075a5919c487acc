"""The official EN 16931 schematron accepts drawn documents and finds errors that are put into them."""

from __future__ import annotations

import sys
from collections import Counter
from decimal import Decimal

import pytest

from finscribe_assets.documents import schematron
from finscribe_assets.documents.calculation_rules import amounts_of, check_calculations
from finscribe_assets.documents.schema import Document
from finscribe_assets.documents.schematron import ValidationResult, validate_ubl
from finscribe_assets.documents.ubl import obstacle, to_ubl
from finscribe_assets_tests.documents.bills import VAT_LOCALES, bill, drawn_bills

# Knob values of each group of documents; 280 documents altogether.
SITUATIONS: dict[str, dict[str, float]] = {
    "as usual": {},
    "exempt, reversed, exported": {"tax_exemptions": 1, "third_parties": 0.5, "discounts": 0.5, "charges": 0.5},
    "prices with tax": {"tax_inclusive_prices": 1, "several_rates": 1, "negative_amounts": 0.5},
    "allowances, charges": {"discounts": 1, "charges": 1, "line_allowances": 1, "several_rates": 1, "list_prices": 1},
    "deposits": {"prepayments": 1, "prior_balances": 1, "cash_discounts": 1, "optional_fields": 1, "third_parties": 1},
    "two currencies": {"dual_currency": 1, "long_amounts": 1, "several_rates": 1},
    "returned, long": {"negative_amounts": 1, "many_lines": 1, "several_rates": 1, "blank_cells": 1},
}
DOCUMENTS_EACH = 40


@pytest.fixture(scope="module")
def drawn() -> dict[str, Document]:
    return {
        f"{name}: {bill.id}": bill.document
        for seed, (name, knobs) in enumerate(SITUATIONS.items())
        for bill in drawn_bills(DOCUMENTS_EACH, 40 + seed, **knobs)
    }


def judge(documents: dict[str, Document]) -> list[ValidationResult]:
    return list(validate_ubl((name, to_ubl(document)) for name, document in documents.items()))


def test_the_schematron_accepts_every_drawn_document(drawn):
    verdicts = judge(drawn)
    assert [verdict.name for verdict in verdicts] == list(drawn)
    assert len(verdicts) >= 200
    assert [(verdict.name, finding.rule, finding.text) for verdict in verdicts for finding in verdict.findings] == []


def test_the_drawn_documents_cover_all_cases(drawn):
    documents = drawn.values()
    assert {document.locale for document in documents} == set(VAT_LOCALES)
    assert {share.category for document in documents for share in document.vat_breakdown} >= {"S", "E", "AE", "K", "G"}
    counts = Counter(name for document in documents for name, value in document.totals if value is not None)
    for name in ("allowance_total", "charge_total", "paid_amount", "rounding_amount", "total_vat_accounting"):
        assert counts[name] >= 3, name
    assert any(document.lines[0].price_with_vat is not None for document in documents)
    assert {document.document_type: document.totals.amount_due < 0 for document in documents} == {
        "invoice": False,
        "credit_note": True,
    }


# For each amount, its code and the rules that are violated if it is wrong by 100.
TAMPERED = {
    "sum_of_line_net_amounts": ("BT-106", {"BR-CO-10", "BR-CO-13"}),
    "allowance_total": ("BT-107", {"BR-CO-11", "BR-CO-13"}),
    "charge_total": ("BT-108", {"BR-CO-12", "BR-CO-13"}),
    "total_without_vat": ("BT-109", {"BR-CO-13", "BR-CO-15"}),
    "total_vat": ("BT-110", {"BR-CO-14", "BR-CO-15"}),
    "total_with_vat": ("BT-112", {"BR-CO-15", "BR-CO-16"}),
    "paid_amount": ("BT-113", {"BR-CO-16"}),
    "rounding_amount": ("BT-114", {"BR-CO-16"}),
    "amount_due": ("BT-115", {"BR-CO-16"}),
    "taxable_amount": ("BT-116", {"BR-CO-17", "BR-S-08", "BR-S-09"}),
    "tax_amount": ("BT-117", {"BR-CO-14", "BR-CO-17", "BR-S-09"}),
}


def tamper(document: Document, name: str, by: str) -> Document:
    """Return a document with a wrong total, or a wrong amount in its first tax breakdown."""
    if name in type(document.totals).model_fields:
        wrong = {name: getattr(document.totals, name) + Decimal(by)}
        return document.model_copy(update={"totals": document.totals.model_copy(update=wrong)})
    share, *others = document.vat_breakdown
    wrong = {name: getattr(share, name) + Decimal(by)}
    return document.model_copy(update={"vat_breakdown": (share.model_copy(update=wrong), *others)})


def test_the_invoice_is_valid_before_it_is_tampered_with():
    assert judge({"right": bill()})[0].findings == ()
    assert all(outcome.holds for outcome in check_calculations(amounts_of(bill().to_json()), "EUR"))


@pytest.fixture(scope="module")
def tampered(drawn) -> dict[str, set[str]]:
    """Return the rules that the schematron finds violated if each amount of some invoices is wrong in turn."""
    wrong = {f"bill: {name}": tamper(bill(), name, "100.00") for name in TAMPERED}
    taxed = [
        key
        for key, document in drawn.items()
        if document.vat_breakdown[0].category == "S"
        and document.totals.total_with_vat > 100
        and document.lines[0].price_with_vat is None
    ]
    for name in TAMPERED:
        candidates = [key for key in taxed if getattr(drawn[key].totals, name, True) is not None]
        wrong |= {f"{key}: {name}": tamper(drawn[key], name, "100.00") for key in candidates[:3]}
    return {verdict.name: {finding.rule for finding in verdict.failures} for verdict in judge(wrong)}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_wrong_amount_is_caught_by_its_rules(tampered, name):
    code, rules = TAMPERED[name]
    field = Document.model_json_schema()["$defs"]["Totals" if code < "BT-116" else "VatBreakdown"]["properties"][name]
    assert field["en16931"] == code
    violations = [violated for key, violated in tampered.items() if key.endswith(f": {name}")]
    assert len(violations) == 4
    assert violations == [rules] * 4


@pytest.mark.parametrize("name", TAMPERED)
def test_our_calculation_rules_agree_with_the_schematron(tampered, name):
    document = tamper(bill(), name, "100.00")
    ours = {outcome.code for outcome in check_calculations(amounts_of(document.to_json()), "EUR") if not outcome.holds}
    # BR-S-09 is BR-CO-17 for category S. Our rules without a BR code are extensions.
    assert {code for code in ours if code.startswith("BR-")} == tampered[f"bill: {name}"] - {"BR-S-09"}


@pytest.mark.parametrize("name", [name for name in TAMPERED if name not in ("taxable_amount", "tax_amount")])
def test_an_error_of_one_cent_is_found(name):
    assert {finding.rule for finding in judge({"": tamper(bill(), name, "0.01")})[0].failures} == TAMPERED[name][1]


def test_an_error_of_one_cent_in_the_tax_of_a_rate_is_found_by_the_sum():
    # The official BR-CO-17 and BR-S-08 tolerate differences below one unit; ours do not.
    document = tamper(bill(), "tax_amount", "0.01")
    assert {finding.rule for finding in judge({"": document})[0].failures} == {"BR-CO-14"}
    ours = {outcome.code for outcome in check_calculations(amounts_of(document.to_json()), "EUR") if not outcome.holds}
    assert ours == {"BR-CO-14", "BR-CO-17"}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"vat_breakdown": [{"category": "AE", "rate": "0", "taxable_amount": "145", "tax_amount": "0"}]}, "BR-AE-10"),
        ({"period_start": "2024-02-02", "period_end": "2024-02-01"}, "BR-29"),
        ({"document_number": " "}, "BR-02"),
    ],
)
def test_other_mistakes_are_caught(changes, rule):
    assert rule in {finding.rule for finding in judge({"": bill(**changes)})[0].failures}


def findings_of(content: bytes) -> list[tuple[str, str, str]]:
    """Validate one file; return rule, text and location of each finding."""
    (verdict,) = validate_ubl([("a file", content)])
    assert all(finding.is_fatal for finding in verdict.findings)
    return [(finding.rule, finding.text, finding.location) for finding in verdict.findings]


def test_elements_out_of_order_break_the_xml_schema():
    content = to_ubl(bill()).decode()
    head, number, rest = content.partition("  <cbc:ID>RE-2024-0815</cbc:ID>\n")
    moved = head + rest.replace("  <cac:AccountingSupplierParty>", number + "  <cac:AccountingSupplierParty>", 1)
    assert moved != content
    assert findings_of(content.encode()) == []
    ((rule, text, location),) = findings_of(moved.encode())
    assert rule == "XSD"
    assert "IssueDate" in text
    assert location.startswith("/")


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_files_may_have_other_encodings(encoding):
    content = to_ubl(bill(payment_means="Überweisung")).decode()
    assert findings_of(content.replace("UTF-8", encoding).encode(encoding)) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not well-formed"),
        (b"<Invoice", "not well-formed"),
        (b"\xff\xfe\x00", "not well-formed"),
        (b"<Invoice/>", "its root is Invoice, neither a UBL 2 Invoice nor a CreditNote"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "document type declaration"),
        (b"<a>" * 5000, "not well-formed"),
    ],
)
def test_files_that_are_not_ubl_are_findings(content, message):
    ((rule, text, _),) = findings_of(content)
    assert rule == "XML"
    assert message in text


def test_one_bad_file_does_not_stop_the_others():
    good = to_ubl(bill())
    verdicts = list(validate_ubl([("bad", b"<"), ("good", good), ("worse", b""), ("last", good)]))
    assert [(verdict.name, bool(verdict.failures)) for verdict in verdicts] == [
        ("bad", True),
        ("good", False),
        ("worse", True),
        ("last", False),
    ]


def test_the_validator_is_not_loaded_into_this_process():
    before = {"saxonche", "facturx"} & set(sys.modules)  # other tests use factur-x
    assert judge({"": bill()})
    assert {"saxonche", "facturx"} & set(sys.modules) == before


@pytest.mark.parametrize(("module", "package"), [("saxonche", "saxonche"), ("facturx", "factur-x")])
def test_a_missing_extra_is_named_with_the_command_that_installs_it(monkeypatch, module, package):
    monkeypatch.setitem(sys.modules, module, None)  # makes the import fail
    with pytest.raises(ValueError, match=rf"{package}, not installed; run pip install 'finscribe-assets\[validate\]'"):
        next(validate_ubl([("", b"")]))


def test_a_validator_that_dies_is_an_error_that_names_the_document(monkeypatch):
    monkeypatch.setattr(schematron, "WORKER", "no_such_module")
    with pytest.raises(RuntimeError, match="the first: the validator stopped, exit status 1"):
        list(validate_ubl([("the first", to_ubl(bill()))]))


def test_all_drawn_documents_can_be_exported(drawn):
    assert {obstacle(document) for document in drawn.values()} == {None}
