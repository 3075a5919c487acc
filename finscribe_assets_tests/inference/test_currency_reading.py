"""The currency that a reader of regions gives is the true one wherever the page determines it."""

import pytest

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.page_evidence import expected_fields
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.inference.currency_reading import find_currencies

DOCUMENTS = 300


def test_from_texts_that_were_read_right_the_currency_is_right_wherever_it_is_expected():
    plan = seed_plan("batch-000", DOCUMENTS, 21)
    asked = undetermined = 0
    for index in range(DOCUMENTS):
        drawn = draw_document(plan, index)
        expected = expected_fields(drawn)
        found = find_currencies(drawn.printed)
        for path in ("currency_code", "vat_accounting_currency_code"):
            if path in expected:
                asked += 1
                assert found[path].code == getattr(drawn.document, path), drawn.id
            elif path == "currency_code":
                undetermined += 1
    assert asked > 0.9 * DOCUMENTS
    assert undetermined > 3


@pytest.mark.parametrize(
    ("amount", "post_code", "currency"),
    [
        ("$12.00", "14201", "USD"),
        ("$12.00", "3000", "AUD"),
        ("$12.00", "K1A 0B1", "CAD"),
        ("$12.00", "", None),
        ("12,00 kr", "112 34", "SEK"),
        ("12,00 kr", "1050", None),  # Norway or Denmark
        ("¥1,200", "150-0001", "JPY"),
        ("US$ 12.00", "", "USD"),
        ("12.00", "14201", None),
    ],
)
def test_a_symbol_of_several_currencies_needs_the_post_code(amount, post_code, currency):
    found = find_currencies({"totals.amount_due": amount, "seller.address.post_code": post_code})
    assert (found["currency_code"].code if found else None) == currency


def test_most_amounts_decide_and_a_given_locale_replaces_the_post_code():
    read = {"totals.amount_due": "$5", "totals.total_vat": "€1", "totals.total_without_vat": "$4"}
    assert find_currencies(read, "en_AU")["currency_code"].code == "AUD"
    assert find_currencies(read, "de_DE") == {}
