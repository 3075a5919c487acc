"""What was found out about a record: which amounts contradict, and whether a person should look."""

from __future__ import annotations

import copy

from finscribe_assets.service.document_reading import assess, broken_sums
from finscribe_assets_tests.service.fake_service import PATHS, RESPONSE, record_of


def test_nothing_is_doubted_where_all_values_are_sure_and_fit():
    found = assess(record_of("x", "x"))
    assert (found.reasons, found.broken) == ([], [])
    assert {value.path for value in found.values} == set(PATHS)
    assert not any(value.doubts for value in found.values)


def test_an_amount_that_does_not_follow_is_named_with_what_follows():
    response = copy.deepcopy(RESPONSE)
    response["totals"]["total_vat"] = "91,00 €"
    found = assess(record_of("x", "x", response=response))
    broken = {(item.rule, item.path): (item.read, item.expected) for item in found.broken}
    assert broken["BR-CO-15", "totals.total_with_vat"] == ("119", "191.00")
    assert any("BR-CO-15" in reason for reason in found.reasons)
    assert any("BR-CO-15" in doubt for value in found.values for doubt in value.doubts)


def test_a_difference_below_half_a_coin_is_none():
    amounts = {"totals.total_without_vat": "100", "totals.total_vat": "19"}
    assert not broken_sums({**amounts, "totals.total_with_vat": "119.004"})
    assert broken_sums({**amounts, "totals.total_with_vat": "119.01"})
    # The yen has no smaller coin: half a yen is a difference in print only.
    assert not broken_sums({**amounts, "totals.total_with_vat": "119.4", "currency_code": "JPY"})


def test_low_confidence_and_missing_fields_are_reasons():
    low = assess(record_of("x", "x", confidence={**dict.fromkeys(PATHS, 0.97), "issue_date": 0.41}))
    (reason,) = low.reasons
    assert "issue_date 0.41" in reason
    response = {key: value for key, value in RESPONSE.items() if key != "seller"}
    assert any("seller.name" in reason for reason in assess(record_of("x", "x", response=response)).reasons)


def test_a_bank_statement_needs_neither_seller_nor_amount_due():
    response = {"document_type": "bank_statement", "document_number": "7", "issue_date": "2024-05-06"}
    confidence = dict.fromkeys(response, 0.99)
    assert assess(record_of("x", "x", response=response, confidence=confidence)).reasons == []
    assert assess(record_of("x", "x", response=response, confidence={**confidence, "issue_date": 0.3})).reasons


def test_the_text_of_a_page_model_is_parsed_and_its_cut_is_a_reason():
    response = '{"document_type": "invoice", "document_number": "RE-17", "totals": {"amount_due": "119,00 €"}'
    found = assess(record_of("x", "x", response=response, truncated=True))
    assert {value.path: value.text for value in found.values}["totals.amount_due"] == "119,00 €"
    assert "token limit" in found.reasons[0]


def test_nothing_read_and_a_single_line_go_to_a_person():
    assert assess(record_of("x", "x", response={}, confidence={})).reasons == ["nothing was read"]
    line = {"id": "x", "file": "x", "text": "Total 5.00", "confidence": 0.9, "truncated": False}
    assert "single line" in assess(line).reasons[0]
