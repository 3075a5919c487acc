from decimal import Decimal

import pytest

from finscribe_assets.evaluation.amounts import parse_amount
from finscribe_assets.inference.assignment_confidence import assignment_confidence, assignment_features
from finscribe_assets.inference.assignment_evidence import AssignmentEvidence, Source, SumAgreement, check_sums
from finscribe_assets.inference.field_identification import identify_fields
from finscribe_assets.inference.text_spans import TextLine
from finscribe_assets.inference.value_forms import plain_amount
from finscribe_assets.rendering.pages import Box

SIZE = (1000, 1400)
NO_SUMS = SumAgreement(frozenset(), frozenset())


def line(text, y, x=0, confidence=1.0):
    return TextLine(0, Box(x, y, x + 8 * len(text), y + 20), text, confidence, truncated=False)


def identified(*lines, locale="en_US"):
    return identify_fields(lines, [False] * len(lines), [SIZE], locale).fields


def sure(path, text, reading, evidence, sums=NO_SUMS):
    return assignment_confidence(assignment_features(path, text, reading, evidence, sums))


@pytest.mark.parametrize(
    "text", ["1.234,50 €", "1,234.50", "-12.00", "(12.00)", "12,00-", "EUR 99", "1 234 567,89", "1.234.567", "0,5"]
)
def test_amounts_are_parsed_as_evaluation_parses_them(text):
    locale = "de_DE" if "," in text and text.rfind(",") > text.rfind(".") else "en_US"
    locale = "de_DE" if text == "1.234.567" else locale
    assert plain_amount(text) == parse_amount(text, locale)


def test_rates_and_quantities_are_numbers_and_words_are_not():
    assert plain_amount("19 %") == Decimal(19)
    assert plain_amount("3 pcs") == Decimal(3)
    assert plain_amount("Total") is None
    assert plain_amount("12.03.2026 10:15") is None


def test_sums_that_agree_confirm_all_their_amounts_and_others_contradict_them():
    totals = {"totals.total_without_vat": "100.00", "totals.total_vat": "19.00", "totals.total_with_vat": "119.00"}
    agreed = check_sums({**totals, "document_number": "7"})
    assert agreed.confirmed == totals.keys()
    assert not agreed.contradicted
    wrong = check_sums(totals | {"totals.total_with_vat": "191.00"})
    assert wrong.contradicted == totals.keys()
    assert not wrong.confirmed
    assert check_sums({"totals.total_with_vat": "119.00"}) == NO_SUMS


def test_a_total_that_no_sum_confirms_is_less_sure_than_its_characters():
    fields = identified(line("Subtotal 100.00", 0), line("VAT 19.00", 40), line("Total 191.00", 80))
    total = fields["totals.total_with_vat"]
    assert (total.text, total.reading_confidence) == ("191.00", 1.0)
    right = identified(line("Subtotal 100.00", 0), line("VAT 19.00", 40), line("Total 119.00", 80))
    agreed = right["totals.total_with_vat"].confidence
    assert agreed > 0.9
    assert 1 - total.confidence > 3 * (1 - agreed)


def test_evidence_says_where_a_label_is_and_how_many_places_agree():
    fields = identified(
        line("Invoice no. R-17", 0),
        line("Due date", 100),
        line("2026-12-24", 100, 300),
        line("Issue date", 200, 600),
        line("2026-11-24", 230, 600),
        line("Invoice number: R-17", 400),
    )
    assert fields["document_number"].evidence == AssignmentEvidence(Source.SAME_LINE, repeats=1)
    assert fields["due_date"].evidence.source is Source.RIGHT
    assert fields["due_date"].evidence.distance == pytest.approx((300 - 64) / 20)
    assert fields["issue_date"].evidence.source is Source.BELOW


def test_characters_that_were_read_with_doubt_lower_the_confidence():
    evidence = AssignmentEvidence(Source.SAME_LINE)
    values = [sure("document_number", "R-2026-17", reading, evidence) for reading in (0.5, 0.8, 0.95, 1.0)]
    assert values == sorted(values)
    assert values[-1] - values[0] > 0.3
    assert all(0 < value < 1 for value in values)


def test_a_value_that_is_not_of_its_fields_form_is_doubted():
    in_table = AssignmentEvidence(Source.TABLE)
    of_form, of_none = (sure("lines[0].net_amount", text, 0.99, in_table) for text in ("12.50", "Blue"))
    assert of_none < of_form
