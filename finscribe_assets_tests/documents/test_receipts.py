"""Receipts print what tills print: times, card slips, tax codes and rows of quantities, consistent with the truth."""

import datetime as dt
import re
from decimal import Decimal
from functools import cache
from math import gcd

import pytest
from babel.dates import format_time
from stdnum import luhn

from finscribe_assets.documents.calculation_rules import amounts_of, check_calculations
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.formats import time_patterns, write_time
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.settlement import MAX_CASH_NOTES, NOTES
from finscribe_assets.documents.vendors import vendor
from finscribe_assets.evaluation.normalise import ValueContext, canonical_value
from finscribe_assets.rendering.mark_boxes import lay_out
from finscribe_assets.rendering.page_html import to_markup
from finscribe_assets.rendering.pages import MarkType

COUNT = 300
TILL_KNOBS = ("card_slips", "till_notices", "till_corrections", "quantity_rows", "tax_codes")


@cache
def receipts() -> list[DrawnDocument]:
    """Draw receipts of all locales, each till knob at one half."""
    knobs = Knobs().model_copy(update=dict.fromkeys(TILL_KNOBS, 0.5) | {"several_rates": 0.5})
    recipe = Recipe(document_types={DocumentType.RECEIPT: 1.0}, locales=dict.fromkeys(LOCALES, 1.0), knobs=knobs)
    plan = seed_plan("batch-000", COUNT, 4, recipe)
    return [draw_document(plan, index) for index in range(COUNT)]


def test_all_calculation_rules_hold():
    for drawn in receipts():
        outcomes = check_calculations(amounts_of(drawn.document.to_json()), drawn.document.currency_code)
        assert all(outcome.holds for outcome in outcomes), drawn.id


def test_the_printed_time_means_the_true_time_in_every_locale():
    timed = [drawn for drawn in receipts() if drawn.document.issue_time]
    assert len(timed) > 0.8 * COUNT
    for drawn in timed:
        truth = drawn.document.issue_time
        context = ValueContext(locale=drawn.document.locale)
        assert canonical_value("issue_time", drawn.printed["issue_time"], context).text == truth
        assert canonical_value("issue_time", truth).text == truth
        assert dt.time(6) < dt.time.fromisoformat(truth) < dt.time(23)
    assert len({re.sub(r"\d|[٠-٩]|[０-９]", "0", drawn.printed["issue_time"]) for drawn in timed}) >= 8


@pytest.mark.parametrize("locale", LOCALES)
def test_times_are_written_as_babel_writes_them(locale):
    for value in ("00:05", "09:30:07", "12:00", "12:59:59", "23:15"):
        for pattern in time_patterns(locale):
            expected = str(format_time(dt.time.fromisoformat(value), format=pattern, locale=locale))
            assert write_time(value, locale, pattern) == expected.replace("\u200f", "")


def test_a_card_slip_excludes_cash_and_shows_no_whole_card_number():
    slips = [drawn for drawn in receipts() if drawn.knobs["card_slips"]]
    assert len(slips) > COUNT / 3
    for drawn in slips:
        totals, number = drawn.document.totals, drawn.document.card_number
        assert totals.tendered_amount is None
        assert number and len(re.findall(r"[*X#]", number)) >= 6
        assert not luhn.is_valid(re.sub(r"\D", "", number).zfill(16)) or len(re.sub(r"\D", "", number)) < 13
        assert {"card_number", "terminal_id", "payment_means"} <= drawn.printed.keys()


def test_the_number_of_signs_that_hide_a_card_number_does_not_matter():
    texts = ("************1234", "XXXX XXXX XXXX 1234", "###########1234")
    assert {canonical_value("card_number", text).text for text in texts} == {"*1234"}
    assert canonical_value("card_number", "456033******4306").text == "456033*4306"
    assert canonical_value("card_number", "****4306") != canonical_value("card_number", "****4308")


def test_cash_is_what_people_hand_over():
    cash = [drawn for drawn in receipts() if drawn.document.totals.tendered_amount is not None]
    assert len(cash) > 20
    for drawn in cash:
        totals, notes = drawn.document.totals, NOTES[drawn.document.currency_code]
        assert 0 <= totals.change_amount < notes[-1]
        assert totals.tendered_amount <= (MAX_CASH_NOTES + 1) * notes[-1]
        assert totals.change_amount == 0 or totals.tendered_amount % gcd(*notes) == 0


def test_every_line_shows_the_code_of_its_rate_and_the_tax_table_explains_it():
    coded = [drawn for drawn in receipts() if drawn.presentation.tax_codes]
    assert len(coded) > 50
    for drawn in coded:
        codes = drawn.presentation.tax_codes
        rates = {share.rate for share in drawn.document.vat_breakdown}
        assert {Decimal(rate) for rate in codes} == rates
        assert len(set(codes.values())) == len(codes)


def test_the_row_below_an_item_multiplies_to_its_amount():
    rows = 0
    for drawn in receipts():
        for index, line in enumerate(drawn.document.lines if drawn.presentation.quantity_rows else ()):
            printed = {path.rpartition(".")[2] for path in drawn.printed if path.startswith(f"lines[{index}].")}
            assert ("quantity" in printed) == (abs(line.quantity) != 1 or line.unit is not None)
            rows += "quantity" in printed
    assert rows > 100


def test_goods_are_weighed_and_come_back():
    lines = [line for drawn in receipts() for line in drawn.document.lines]
    assert any(line.unit_code == "KGM" and line.quantity % 1 for line in lines)
    assert sum(line.quantity < 0 for line in lines) > 50


@pytest.mark.parametrize("country", ["DE", "AT", "FR", "PT", "IT", "PL", "SE"])
def test_fiscal_signatures_are_printed_where_the_law_asks_for_them(country):
    notices = [
        line
        for drawn in receipts()
        if drawn.document.locale.endswith(country) and drawn.knobs["till_notices"]
        for line in drawn.presentation.notices
    ]
    marks = {"DE": "TSE", "AT": "R1-AT", "FR": "NF525", "PT": "ATCUD", "IT": "RT ", "PL": "KASA", "SE": "Kontrollenhet"}
    assert any(marks[country] in line for line in notices)


def test_every_printed_value_of_a_receipt_has_a_box():
    for drawn in receipts()[:60]:
        boxed = {mark.name for mark in lay_out(to_markup(drawn), 60).marks if mark.type is MarkType.FIELD}
        assert boxed == drawn.printed.keys(), drawn.id


def test_only_fuel_is_sold_by_the_litre():
    for drawn in receipts():
        by_litre = [line for line in drawn.document.lines if line.unit_code in ("LTR", "GLL") and line.quantity > 2]
        assert not by_litre or vendor_trade(drawn) == "fuel", drawn.id


def vendor_trade(drawn: DrawnDocument) -> str:
    """Return the trade of a receipt's vendor."""
    locale, _, number = drawn.vendor.rpartition("-")
    return vendor(locale, int(number)).trade
