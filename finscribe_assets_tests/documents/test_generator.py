import datetime as dt
import json
import re
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from babel.dates import get_month_names
from babel.numbers import get_currency_symbol, parse_decimal
from stdnum import iban
from stdnum.de import vat as german
from stdnum.fr import tva as french
from stdnum.gb import vat as british
from stdnum.us import ein

from finscribe_assets.documents import rules
from finscribe_assets.documents.elements import UNPRINTED, ValueKind, kind_of
from finscribe_assets.documents.generator import CONFUSABLE, draw
from finscribe_assets.documents.recipe import Knobs, Plan, Recipe, seed_plan
from finscribe_assets.documents.schema import DocumentType, flatten

PLAN = seed_plan("batch-000", 400, 42)
DOCUMENTS = [draw(PLAN, index) for index in range(400)]


def drawn_with(count: int = 60, **knobs: float) -> list:
    """Draw with the given knobs and every other one at zero."""
    quiet = dict.fromkeys(Knobs.model_fields, 0.0)
    plan = seed_plan("batch-000", count, 9, Recipe(knobs=Knobs(**quiet | knobs)))
    return [draw(plan, index) for index in range(count)]


def test_a_document_is_the_same_in_another_process_and_order():
    script = (
        "import sys;from finscribe_assets.documents.recipe import seed_plan;"
        "from finscribe_assets.documents.generator import draw;plan=seed_plan('batch-000',400,42);"
        "[print(draw(plan,i).model_dump_json()) for i in (7,3,399)]"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "PATH": ""},
    ).stdout.splitlines()
    assert printed == [DOCUMENTS[index].model_dump_json() for index in (7, 3, 399)]


def test_every_rule_holds_and_each_code_occurs():
    outcomes = [
        outcome
        for drawn in DOCUMENTS
        for outcome in rules.check(rules.amounts_of(drawn.document.to_json()), drawn.document.currency_code)
    ]
    assert [outcome for outcome in outcomes if not outcome.holds] == []
    assert set(Counter(outcome.code for outcome in outcomes)) == {
        "LINE-AMOUNT", "BR-CO-10", "BR-CO-13", "BR-CO-14", "BR-CO-15", "BR-CO-16", "BR-CO-17"}  # fmt: skip


def test_totals_recomputed_by_hand():
    for drawn in DOCUMENTS:
        totals, lines = drawn.document.totals, drawn.document.lines
        assert sum(line.net_amount for line in lines) - (totals.allowance_total or 0) == totals.total_without_vat
        assert sum(share.taxable_amount for share in drawn.document.vat_breakdown) == totals.total_without_vat
        assert totals.amount_due == totals.total_with_vat - (totals.paid_amount or 0)
        assert all(abs(line.quantity * line.net_price - line.net_amount) <= Decimal("0.005") for line in lines)


@pytest.mark.parametrize("change", ["totals.amount_due", "vat_breakdown[0].tax_amount", "lines[0].net_amount"])
def test_a_tampered_amount_is_caught(change):
    amounts = rules.amounts_of(DOCUMENTS[0].document.to_json())
    tampered = amounts | {change: amounts[change] + Decimal("0.01")}
    assert any(not outcome.holds for outcome in rules.check(tampered, DOCUMENTS[0].document.currency_code))


@pytest.mark.parametrize("number", ["9" * 18, "-" + "9" * 18, "0." + "9" * 17, "123456789012345678.12345678901234567"])
def test_absurd_amounts_are_checked_exactly(number):
    """Predictions hold anything; Python's own integers and fractions say what the rule must find."""
    leaves = {f"lines[0].{name}": number for name in ("quantity", "net_price", "net_amount")}
    leaves |= {f"vat_breakdown[0].{name}": number for name in ("rate", "taxable_amount", "tax_amount")}
    leaves |= {f"totals.{name}": number for name in ("sum_of_line_net_amounts", "total_without_vat", "amount_due")}
    found = {outcome.code: outcome for outcome in rules.check(rules.amounts_of_leaves(leaves), "EUR")}
    product = Fraction(number) ** 2
    assert abs(Fraction(found["LINE-AMOUNT"].expected) - product) <= Fraction(1, 200)
    assert abs(Fraction(found["BR-CO-17"].expected) - product / 100) <= Fraction(1, 200)
    assert found["BR-CO-10"].holds and found["BR-CO-13"].holds


def test_identifiers_pass_independent_validators():
    validators = {"de_DE": german, "en_GB": british, "fr_FR": french, "en_US": ein}
    accounts = 0
    for drawn in DOCUMENTS:
        document = drawn.document
        for party in (document.seller, document.buyer):
            if party and party.vat_identifier:
                assert validators[document.locale].is_valid(party.vat_identifier), party.vat_identifier
        if document.payment_account and document.locale != "en_US":
            assert iban.is_valid(document.payment_account), document.payment_account
            accounts += 1
    assert accounts > 20


def test_every_printed_amount_parses_back_with_babel():
    for drawn in DOCUMENTS:
        locale, currency = drawn.document.locale, drawn.document.currency_code
        truth = flatten(drawn.document.to_json())
        signs = "|".join(map(re.escape, (get_currency_symbol(currency, locale), currency, "%")))
        for path, printed in drawn.printed.items():
            if kind_of(path) is ValueKind.AMOUNT:
                number = re.sub(signs, "", printed).strip()
                assert parse_decimal(number, locale=locale, strict=True) == Decimal(truth[path]), (path, printed)
        assert re.search(signs.removesuffix("|%"), drawn.printed["totals.amount_due"])


def read_date(text: str, pattern: str, locale: str) -> dt.date:
    """Read a date by its pattern alone: each run of letters is a number, or a month's name in the locale."""
    found = {}
    for part in re.findall(r"y+|M+|d+", pattern):
        if part in ("MMM", "MMMM"):
            names = get_month_names("wide" if part == "MMMM" else "abbreviated", locale=locale)
            found["M"] = next(month for month, name in names.items() if re.search(rf"\b{re.escape(name)}", text))
            text = text.replace(names[found["M"]], " ", 1)
        else:
            digits = re.search(r"\d+", text)
            found[part[0]] = int(digits[0]) + (2000 if part == "yy" else 0)
            text = text[digits.end() :]
    return dt.date(found["y"], found["M"], found["d"])


def test_every_printed_date_reads_back_by_its_pattern():
    worded = 0
    for drawn in DOCUMENTS:
        pattern, locale = drawn.presentation.date_pattern, drawn.document.locale
        for path, printed in drawn.printed.items():
            if kind_of(path) is ValueKind.DATE:
                assert read_date(printed, pattern, locale) == getattr(drawn.document, path), (path, printed)
                worded += "MMM" in pattern
    assert worded > 50


def test_everything_printed_is_true_and_everything_else_is_known_to_be_unprinted():
    """The totals that a page may leave out are those that another printed amount already says."""
    for drawn in DOCUMENTS:
        truth = flatten(drawn.document.to_json())
        assert drawn.printed.keys() <= truth.keys()
        left_out = truth.keys() - drawn.printed.keys() - UNPRINTED
        assert left_out <= {"totals.sum_of_line_net_amounts", "totals.total_vat"}, drawn.id
        if "totals.sum_of_line_net_amounts" in left_out:
            assert truth["totals.sum_of_line_net_amounts"] == truth["totals.total_without_vat"]
        if "totals.total_vat" in left_out:
            assert truth["totals.total_vat"] == truth["vat_breakdown[0].tax_amount"]
            assert len(drawn.document.vat_breakdown) == 1


def test_due_date_follows_from_the_printed_terms():
    dated = [drawn.document for drawn in DOCUMENTS if drawn.document.due_date]
    assert len(dated) > 50
    for document in dated:
        assert (document.due_date - document.issue_date).days == int(document.payment_terms.split()[0])


def test_ids_are_unique_over_batches():
    other = seed_plan("batch-001", 50, 42)
    ids = [drawn.id for drawn in DOCUMENTS] + [draw(other, index).id for index in range(50)]
    assert len(set(ids)) == len(ids)


def test_a_vendor_keeps_its_name_and_columns():
    seen: dict[str, tuple] = {}
    recurring = 0
    for drawn in DOCUMENTS:
        habit = (drawn.document.seller.name, drawn.document.seller.address)
        recurring += drawn.vendor in seen
        assert seen.setdefault(drawn.vendor, habit) == habit
    assert recurring > 20


@pytest.mark.parametrize(
    ("knob", "measured"),
    [
        (
            "label_synonyms",
            lambda d: d.presentation.labels["totals.amount_due"] not in ("Amount Due", "Zahlbetrag", "Net à payer"),
        ),
        (
            "confusable_identifiers",
            lambda d: any(c in d.document.document_number.split("-")[-1] for c in CONFUSABLE if c.isalpha()),
        ),
        ("long_amounts", lambda d: max(line.net_price for line in d.document.lines) > 1000),
        ("small_print", lambda d: d.presentation.font_size < 8),
        ("reversed_print", lambda d: d.presentation.reversed_print),
        ("ambiguous_dates", lambda d: d.document.issue_date.day <= 12),
        ("two_digit_years", lambda d: str(d.document.issue_date.year) not in d.printed["issue_date"]),
        ("wrapped_descriptions", lambda d: max(len(line.item_name) for line in d.document.lines) > 45),
        ("many_lines", lambda d: len(d.document.lines) >= 15),
        ("several_rates", lambda d: len(d.document.vat_breakdown) > 1),
        ("discounts", lambda d: d.document.totals.allowance_total is not None),
        ("prepayments", lambda d: d.document.totals.paid_amount is not None),
        ("optional_fields", lambda d: d.document.delivery_date is not None),
        ("degradation", lambda d: d.presentation.degradation > 0.3),
    ],
)
def test_turning_a_knob_up_changes_what_it_says(knob, measured):
    off = sum(map(measured, drawn_with(**{knob: 0.0})))
    on = sum(map(measured, drawn_with(**{knob: 1.0})))
    assert on >= off + 15, (off, on)


def test_every_knob_is_tested():
    marks = test_turning_a_knob_up_changes_what_it_says.pytestmark[0].args[1]
    assert {case[0] for case in marks} == set(Knobs.model_fields)


def test_what_is_printed_is_asked_and_the_amount_due_always_is():
    for drawn in DOCUMENTS:
        assert all(text.strip() for text in drawn.printed.values())
        assert {"document_number", "issue_date", "seller.name", "totals.amount_due"} <= drawn.printed.keys()
        if drawn.document.document_type is DocumentType.RECEIPT:
            assert "buyer.name" not in drawn.printed


def test_a_plan_draws_its_shares_in_order():
    plan = Plan.model_validate_json(json.dumps({"key": "batch-003", "seed": 1, "components": [
        {"name": "base", "documents": 2}, {"name": "long_amounts", "documents": 1}]}))  # fmt: skip
    assert [draw(plan, index).component for index in range(3)] == ["base", "base", "long_amounts"]
    with pytest.raises(IndexError):
        draw(plan, 3)
