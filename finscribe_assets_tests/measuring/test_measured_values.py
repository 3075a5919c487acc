"""Knobs of documents that were not drawn, from measures and ground truth."""

from __future__ import annotations

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import KNOB_FACTS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.measuring.measured_values import (
    MEASURE_RULES,
    TRUTH_KNOBS,
    values_shown_by_measures,
    values_shown_by_truth,
)
from finscribe_assets.measuring.page_measures import PAGE_MEASURES

# Knobs whose feature a document without them may have as well, by chance.
_BY_CHANCE = {
    "many_lines",
    "ambiguous_currency",
    "ambiguous_dates",
    "several_rates",
    "repeated_descriptions",
    "long_amounts",
    "third_parties",
}


def test_rules_name_measures_and_knobs() -> None:
    assert {rule.measure for rule in MEASURE_RULES} <= PAGE_MEASURES.keys()
    assert {knob for rule in MEASURE_RULES for knob in rule.knobs} | set(TRUTH_KNOBS) <= KNOB_FACTS.keys()


def test_strengths_are_within_bounds_and_absent_below_the_threshold() -> None:
    for rule in MEASURE_RULES:
        beyond = rule.weak - (rule.strong - rule.weak)
        assert rule.strength(beyond) == 0
        assert rule.strength(rule.strong) == 1
        assert 0.3 <= rule.strength(rule.weak) < 1


def test_the_truth_of_drawn_documents_shows_the_knobs_that_were_drawn() -> None:
    plan = seed_plan("batch-000", 150, 9)
    wrong = dict.fromkeys(TRUTH_KNOBS, 0)
    for index in range(150):
        drawn = draw_document(plan, index)
        shown = values_shown_by_truth(drawn.document.to_json())
        assert shown[f"type:{drawn.document.document_type}"] == shown[f"locale:{drawn.document.locale}"] == 1
        for knob in TRUTH_KNOBS:
            if drawn.knobs[knob] and knob in shown and not shown[knob]:
                wrong[knob] += 1
            if not drawn.knobs[knob] and shown.get(knob) and knob not in _BY_CHANCE:
                wrong[knob] += 1
    assert {knob: count for knob, count in wrong.items() if count > 6} == {}


def test_partial_truth_says_nothing_of_what_it_lacks() -> None:
    assert values_shown_by_truth({"document_type": "receipt", "issue_date": "2020-03-02"}) == {
        "type:receipt": 1.0,
        "ambiguous_dates": 1.0,
    }


def test_clean_measures_show_no_damage() -> None:
    clean = dict.fromkeys(PAGE_MEASURES, 0.0) | {"contrast": 230.0, "edge_width": 2.0}
    assert set(values_shown_by_measures(clean).values()) == {0.0}
