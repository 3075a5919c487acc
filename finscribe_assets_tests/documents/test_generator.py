"""Properties of every drawn document: the same bytes anywhere, calculation rules, and printed values that are true."""

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

from finscribe_assets.documents.calculation_rules import amounts_of, amounts_of_leaves, check_calculations
from finscribe_assets.documents.elements import ValueType, field_of, value_type_of
from finscribe_assets.documents.formats import ERA_PATTERN, SHORT_ERA_PATTERN
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.locales import MINOR_UNITS
from finscribe_assets.documents.plan import Plan, seed_plan
from finscribe_assets.documents.schema import DocumentType, flatten

PLAN = seed_plan("batch-000", 1000, 42)
DOCUMENTS = [draw_document(PLAN, index) for index in range(1000)]
SALES = [drawn for drawn in DOCUMENTS if drawn.document.totals]
# Knobs that change the number format of the locale.
ODD_NUMBERS = (
    "foreign_separators",
    "rare_grouping",
    "sign_styles",
    "native_digits",
    "ambiguous_currency",
    "dual_currency",
)


def test_a_document_is_the_same_in_another_process_and_order():
    script = (
        "import sys;from finscribe_assets.documents.plan import seed_plan;"
        "from finscribe_assets.documents.generator import draw_document;plan=seed_plan('batch-000',1000,42);"
        "[print(draw_document(plan,i).model_dump_json()) for i in (7,3,399)]"
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
        for outcome in check_calculations(amounts_of(drawn.document.to_json()), drawn.document.currency_code)
    ]
    assert [outcome for outcome in outcomes if not outcome.holds] == []
    assert set(Counter(outcome.code for outcome in outcomes)) == {
        "NET-PRICE",
        "LINE-AMOUNT",
        "LINE-WITH-VAT",
        "LINES-WITH-VAT",
        "BR-CO-10",
        "BR-CO-11",
        "BR-CO-12",
        "BR-CO-13",
        "BR-CO-14",
        "BR-CO-15",
        "BR-CO-16",
        "BR-CO-17",
        "BR-S-08",
        "VAT-ACCOUNTING",
        "CASH-DISCOUNT",
        "CHANGE",
        "ACCOUNT-BALANCE",
        "CARRIED-FORWARD",
        "BALANCE",
        "CLOSING-BALANCE",
        "STATEMENT-TOTALS",
    }


def test_totals_recomputed_by_hand():
    exclusive = 0
    for drawn in SALES:
        document, totals = drawn.document, drawn.document.totals
        unit = Decimal(1).scaleb(-MINOR_UNITS[document.currency_code])
        less = sum(allowance.amount for allowance in document.allowances)
        less -= sum(charge.amount for charge in document.charges)
        if document.lines[0].net_amount is not None:
            exclusive += 1
            assert sum(line.net_amount for line in document.lines) - less == totals.total_without_vat
        else:
            assert sum(line.gross_amount for line in document.lines) == totals.total_with_vat
        assert totals.total_with_vat == totals.total_without_vat + (totals.total_vat or 0)
        assert sum(share.tax_amount for share in document.vat_breakdown) == (totals.total_vat or 0)
        for share in document.vat_breakdown:
            assert abs(share.taxable_amount * share.rate / 100 - share.tax_amount) <= unit / 2, drawn.id
        rounding, paid = totals.rounding_amount or 0, totals.paid_amount or 0
        assert totals.amount_due == totals.total_with_vat - paid + rounding
        assert all(
            value == round(value, MINOR_UNITS[document.currency_code])
            for name, value in totals
            if value is not None and name != "total_vat_accounting"
        )
    assert exclusive > 400


def test_balances_of_statements_follow_from_the_amounts():
    statements = [drawn.document for drawn in DOCUMENTS if drawn.document.statement]
    assert len(statements) > 50
    for document in statements:
        balance = document.statement.opening_balance
        for entry in document.entries:
            balance += entry.amount
            assert entry.balance in (None, balance)
            assert (entry.credit or 0) - (entry.debit or 0) in (0, entry.amount)
        assert balance == document.statement.closing_balance


@pytest.mark.parametrize("change", ["totals.amount_due", "vat_breakdown[0].tax_amount", "lines[0].net_amount"])
def test_a_tampered_amount_is_caught(change):
    drawn = next(
        drawn for drawn in SALES if drawn.document.lines[0].net_amount is not None and drawn.document.vat_breakdown
    )
    amounts = amounts_of(drawn.document.to_json())
    tampered = amounts | {change: amounts[change] + Decimal(1)}
    assert any(not outcome.holds for outcome in check_calculations(tampered, drawn.document.currency_code))


@pytest.mark.parametrize("number", ["9" * 18, "-" + "9" * 18, "0." + "9" * 17, "123456789012345678.12345678901234567"])
def test_absurd_amounts_are_checked_exactly(number):
    """Predictions may hold any number. The expected outcome is computed with Python's fractions."""
    leaves = {f"lines[0].{name}": number for name in ("quantity", "net_price", "net_amount")}
    leaves |= {f"vat_breakdown[0].{name}": number for name in ("rate", "taxable_amount", "tax_amount")}
    leaves |= {f"totals.{name}": number for name in ("sum_of_line_net_amounts", "total_without_vat", "amount_due")}
    outcomes = {outcome.code: outcome for outcome in check_calculations(amounts_of_leaves(leaves), "EUR")}
    product = Fraction(number) ** 2
    assert abs(Fraction(outcomes["LINE-AMOUNT"].expected) - product) <= Fraction(1, 200)
    assert abs(Fraction(outcomes["BR-CO-17"].expected) - product / 100) <= Fraction(1, 200)
    assert outcomes["BR-CO-10"].holds and outcomes["BR-CO-13"].holds


def test_every_usual_amount_parses_back_with_babel():
    """Babel parses the numbers of a locale. Locales whose usual format it rejects are left out."""
    parsed = 0
    for drawn in DOCUMENTS:
        locale, currency = drawn.document.locale, drawn.document.currency_code
        usual = locale in ("en_US", "en_GB", "en_AU", "de_DE", "it_IT")
        if not usual or any(drawn.knobs[name] for name in ODD_NUMBERS):
            continue
        truth = flatten(drawn.document.to_json())
        signs = "|".join(map(re.escape, (get_currency_symbol(currency, locale), "$", currency, "%")))
        for path, printed in drawn.printed.items():
            if value_type_of(path) is ValueType.AMOUNT:
                number = re.sub(r"-\s+", "-", re.sub(signs, "", printed).strip())
                value = parse_decimal(number, locale=locale, strict=True)
                is_deduction = path.startswith(("allowances", "totals.allowance"))  # may be printed with a minus
                assert (abs(value) if is_deduction else value) == Decimal(truth[path]), (path, printed)
                parsed += 1
    assert parsed > 2000


def parse_date(text: str, pattern: str, locale: str) -> str:
    """Parse a date by its pattern: each run of letters is a number, or the name of a month in the locale."""
    fields = {}
    for part in re.findall(r"y+|M+|d+", re.sub(r"'[^']*'", "", pattern)):
        if part in ("MMM", "MMMM"):
            names = get_month_names("wide" if part == "MMMM" else "abbreviated", locale=locale)
            fields["M"] = next(month for month, name in names.items() if re.search(rf"\b{re.escape(name)}", text))
            text = text.replace(names[fields["M"]], " ", 1)
        else:
            digits = re.search(r"\d+", text)
            fields[part[0]] = int(digits[0]) + (2000 if part == "yy" else 0)
            text = text[digits.end() :]
    return f"{fields['y']:04d}-{fields['M']:02d}-{fields['d']:02d}"


def test_every_printed_date_parses_back_by_its_pattern():
    worded = 0
    for drawn in DOCUMENTS:
        pattern, locale = drawn.presentation.date_pattern, drawn.document.locale
        if pattern in (ERA_PATTERN, SHORT_ERA_PATTERN):
            continue
        truth = flatten(drawn.document.to_json())
        for path, printed in drawn.printed.items():
            if value_type_of(path) is ValueType.DATE:
                assert parse_date(printed, pattern, locale) == truth[path], (path, printed)
                worded += "MMM" in pattern
    assert worded > 50


def test_printed_values_are_true_and_omitted_totals_equal_another_amount():
    for drawn in DOCUMENTS:
        truth = flatten(drawn.document.to_json())
        assert drawn.printed.keys() <= truth.keys()
        omitted = {path for path in truth.keys() - drawn.printed.keys() if path.startswith("totals.")}
        if "totals.sum_of_line_net_amounts" in omitted:
            assert truth["totals.sum_of_line_net_amounts"] == truth["totals.total_without_vat"]
        if "totals.total_vat" in omitted and drawn.document.vat_breakdown:
            assert truth["totals.total_vat"] == truth["vat_breakdown[0].tax_amount"]
        if "totals.allowance_total" in omitted:
            assert truth["totals.allowance_total"] == truth["allowances[0].amount"]
        if "totals.charge_total" in omitted:
            assert truth["totals.charge_total"] == truth["charges[0].amount"]
        assert omitted <= {
            "totals.sum_of_line_net_amounts",
            "totals.total_vat",
            "totals.allowance_total",
            "totals.charge_total",
        }


def test_due_date_follows_from_the_printed_terms():
    dated = [drawn.document for drawn in DOCUMENTS if drawn.document.due_date]
    assert len(dated) > 100
    for document in dated:
        days = re.search(r"\d+", document.payment_terms)
        assert (document.due_date - document.issue_date).days == (int(days[0]) if days else 0), document.payment_terms


def test_ids_are_unique_over_batches():
    other = seed_plan("batch-001", 50, 42)
    ids = [drawn.id for drawn in DOCUMENTS] + [draw_document(other, index).id for index in range(50)]
    assert len(set(ids)) == len(ids)


def test_a_vendor_keeps_its_name_and_columns():
    habits: dict[str, tuple] = {}
    recurring = 0
    for drawn in DOCUMENTS:
        if drawn.document.statement:
            continue  # it is issued by the vendor's bank
        habit = (drawn.document.seller.name, drawn.document.seller.address)
        recurring += drawn.vendor in habits
        assert habits.setdefault(drawn.vendor, habit) == habit
    assert recurring > 20


def test_every_document_prints_number_date_parties_and_amount_due():
    for drawn in DOCUMENTS:
        assert all(text.strip() for text in drawn.printed.values())
        document_type = drawn.document.document_type
        due = "statement.closing_balance" if document_type is DocumentType.BANK_STATEMENT else "totals.amount_due"
        assert {"document_number", "issue_date", "seller.name", due} <= drawn.printed.keys()
        assert ("buyer.name" in drawn.printed) == (document_type is not DocumentType.RECEIPT)


def test_some_invoices_have_each_optional_field_and_some_do_not():
    bills = [drawn for drawn in DOCUMENTS if drawn.document.document_type is DocumentType.INVOICE]
    counts = Counter(field for drawn in bills for field in {field_of(path) for path in drawn.printed})
    for name in (
        "due_date",
        "delivery_date",
        "payment_account",
        "bank_identifier",
        "purchase_order_reference",
        "buyer_reference",
        "despatch_reference",
        "payment_reference",
        "totals.paid_amount",
        "seller.contact_phone",
        "buyer.vat_identifier",
        "payee.name",
        "lines.sku",
        "lines.gtin",
    ):
        assert 0 < counts[name] < len(bills), name


def test_a_plan_draws_its_components_in_order():
    plan = Plan.model_validate_json(
        json.dumps(
            {
                "key": "batch-003",
                "seed": 1,
                "components": [{"name": "base", "documents": 2}, {"name": "long_amounts", "documents": 1}],
            }
        )
    )
    assert [draw_document(plan, index).component for index in range(3)] == ["base", "base", "long_amounts"]
    with pytest.raises(IndexError):
        draw_document(plan, 3)
