"""Numbers have the formats of their country, and payment references have valid check digits."""

import datetime as dt
import re
from random import Random

import pytest
from stdnum import iso11649, luhn
from stdnum.ch import esr

from finscribe_assets.documents import numbering
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.numbering import fill_number, invoice_patterns, number_pattern
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType

KNOBS = NO_KNOBS.model_dump()
DAY = dt.date(2024, 3, 12)


def test_parts_of_the_date_are_filled_in():
    assert re.fullmatch(r"FV/2024/03/\d\d", fill_number(Random(1), "FV/{yyyy}/{mm}/##", DAY, KNOBS))
    assert re.fullmatch(r"INV/24-25/\d{4}", fill_number(Random(1), "INV/{yy}-{next}/####", DAY, KNOBS))
    assert re.fullmatch(r"[A-Z]{2} 03/24", fill_number(Random(1), "@@ {mm}/{yy}", DAY, KNOBS))


@pytest.mark.parametrize("locale", LOCALES)
def test_every_pattern_can_be_filled_in(locale):
    for pattern in invoice_patterns(locale):
        for document_type in DocumentType:
            number = fill_number(Random(2), number_pattern(pattern, locale, document_type, 7), DAY, KNOBS)
            assert number and not set(number) & set("{}#@"), pattern


def test_credit_notes_have_letters_of_their_own():
    pattern = number_pattern("RE-{yyyy}-####", "de_DE", DocumentType.CREDIT_NOTE, 1)
    assert pattern == "GS-{yyyy}-####"


def test_payment_references_have_valid_check_digits():
    for number in range(200):
        random = Random(number)
        assert iso11649.is_valid(numbering.creditor_reference(random))
        swiss = numbering.swiss_reference(random)
        assert len(swiss.replace(" ", "")) == 27 and esr.is_valid(swiss)
        assert luhn.is_valid(numbering.nordic_reference(random))
        assert luhn.is_valid(numbering.luhn_reference(random))
        italian = numbering.italian_reference(random)
        assert len(italian) == 18 and int(italian[:16]) % 93 == int(italian[16:])
        dutch = numbering.dutch_reference(random)
        weights = [2, 4, 8, 5, 10, 9, 7, 3, 6, 1]
        total = sum(int(digit) * weights[index % 10] for index, digit in enumerate(reversed(dutch[1:])))
        assert len(dutch) == 16 and int(dutch[0]) == {10: 1, 11: 0}.get(11 - total % 11, 11 - total % 11)


def test_numbers_of_orders_and_documents_vary_by_country():
    knobs = NO_KNOBS.model_copy(update={"optional_fields": 1.0})
    plan = seed_plan("batch-000", 300, 2, Recipe(document_types={DocumentType.INVOICE: 1.0}, knobs=knobs))
    drawn = [draw_document(plan, index).document for index in range(300)]
    orders = [document.purchase_order_reference for document in drawn if document.purchase_order_reference]
    shapes = {re.sub(r"\d+", "0", text) for text in orders}
    assert len(shapes) > 25
    assert sum(text.startswith("PO-") for text in orders) / len(orders) < 0.25
    assert len({re.sub(r"\d+", "0", document.document_number) for document in drawn}) > 25
