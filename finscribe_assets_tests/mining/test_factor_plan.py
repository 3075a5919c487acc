"""Plans from measured effects: what is taken, how many documents it gets, and whether these documents show it."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.documents.fonts import FONTS
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.mining.factor_plan import (
    MAX_FACTORS,
    MIN_DOCUMENTS_PER_FACTOR,
    PRIOR_LEARNING,
    SEVERE_EFFECT,
    PastFactor,
    learning_of,
    plan_for_factors,
    prevalence,
)
from finscribe_assets_tests.recipes import FREQUENT_RECIPE

PARENT = seed_plan("batch-000", 400, 5, FREQUENT_RECIPE)


@dataclass(frozen=True)
class Measured:
    factor: str
    element: str
    effect: float
    low: float
    high: float
    verdict: str = "harmful"


def harmful(factor, effect, element="amount"):
    return Measured(factor, element, effect, effect - 0.05, effect + 0.05)


UNSEEN = [
    harmful("font:Courier Prime", 0.3),
    harmful("font:Comic Neue", 0.3),
    harmful("font:EB Garamond", 0.1),
    harmful("locale:fr_FR", 0.1),
    harmful("reversed_print", 0.3),
    harmful("confusable_identifiers", 0.2, "identifier"),
]


def shows(drawn, factor):
    choice, _, value = factor.partition(":")
    actual = {"font": drawn.presentation.font, "locale": drawn.document.locale}
    return actual[choice] == value if choice in actual else drawn.knobs.get(factor, 0) > 0


def test_documents_of_a_component_show_its_factors():
    plan, planned = plan_for_factors(PARENT, UNSEEN, 200)
    assert plan.documents == 200
    counts = dict.fromkeys((factor.factor for factor in UNSEEN), 0)
    for index in range(plan.documents):
        drawn = draw_document(plan, index)
        for factor in counts:
            counts[factor] += shows(drawn, factor)
    assert min(counts.values()) >= MIN_DOCUMENTS_PER_FACTOR, counts
    for factor in planned:
        # Factors that share a document are each drawn with a probability of about .8.
        assert counts[factor.factor] >= 0.6 * factor.documents, factor.factor


def test_what_is_worth_more_comes_first_and_says_what_it_expects():
    _, planned = plan_for_factors(PARENT, UNSEEN, 200)
    severe = [factor.low for factor in planned if factor.low >= SEVERE_EFFECT]
    assert severe == sorted(severe, reverse=True) == [factor.low for factor in planned[: len(severe)]]
    worth = [factor.effect * factor.prevalence * factor.learning for factor in planned[len(severe) :]]
    assert worth == sorted(worth, reverse=True)
    for factor in planned:
        assert factor.expected_low < factor.expected_effect < factor.expected_high < factor.effect
        assert factor.expected_effect == pytest.approx(
            factor.effect * math.exp(-PRIOR_LEARNING * factor.documents), abs=1e-5
        )


def test_a_rare_factor_that_surely_costs_much_comes_before_a_common_one_that_costs_little():
    rare = harmful("font:EB Garamond", 0.2)  # at least .15
    common = [harmful(name, 0.14) for name in ("long_amounts", "label_synonyms")]  # at least .09
    _, planned = plan_for_factors(PARENT, [*common, rare], 200)
    assert planned[0].factor == "font:EB Garamond"
    assert all(rare.effect * planned[0].prevalence < one.effect * one.prevalence for one in planned[1:])


def test_a_knob_that_touches_few_lines_is_shown_by_documents_of_all_other_factors():
    fonts = ("font:Comic Neue", "font:Courier Prime")
    elements = ("text", "party", "address", "line_item", "line_amount", "date")
    effects = [harmful(font, 0.3, element) for font in fonts for element in elements]
    plan, planned = plan_for_factors(PARENT, [*effects, harmful("reversed_print", 0.3)], 200)
    assert [component.name for component in plan.components[1:-1]] == [f"{font} + reversed_print" for font in fonts]
    documents = {factor.factor: factor.documents for factor in planned}
    assert documents["reversed_print"] == pytest.approx(sum(map(documents.get, fonts)), rel=0.05)


def test_documents_follow_effects_above_the_least_number():
    plan, _ = plan_for_factors(PARENT, [harmful("font:Courier Prime", 0.4), harmful("font:Comic Neue", 0.2)], 200)
    counts = {component.name: component.documents for component in plan.components}
    assert counts == {
        "base": 0,
        "font:Courier Prime": MIN_DOCUMENTS_PER_FACTOR + 80,
        "font:Comic Neue": MIN_DOCUMENTS_PER_FACTOR + 40,
        "floor": 20,
    }


def test_nothing_is_planned_without_evidence():
    weak = [
        Measured("blur", "amount", 0.2, -0.1, 0.5, "undecided"),
        Measured("fax", "amount", 0, -0.1, 0.01, "harmless"),
    ]
    assert plan_for_factors(PARENT, weak, 200) == (None, ())


def test_undecided_factors_share_one_floor():
    undecided = [
        Measured(name, "amount", 0.1, -0.1, 0.3, "undecided") for name in ("font:Lato", "small_print", "locale:de_DE")
    ]
    plan, _ = plan_for_factors(PARENT, [*UNSEEN, *undecided], 200)
    floor = plan.components[-1]
    assert (floor.name, floor.documents) == ("floor", 20)
    assert floor.recipe.fonts["Lato"] == 2 * FREQUENT_RECIPE.fonts["Lato"]
    assert floor.recipe.locales["de_DE"] == 2 * FREQUENT_RECIPE.locales["de_DE"]
    assert floor.recipe.knobs.small_print >= 0.3


def test_a_vetoed_factor_gets_nothing():
    plan, planned = plan_for_factors(PARENT, UNSEEN, 200, disabled=["locale:fr_FR"])
    left = {factor.factor: factor.left_out for factor in planned}
    assert left.pop("locale:fr_FR") == "disabled"
    assert not any(left.values())
    assert not any("fr_FR" in component.name for component in plan.components)


def test_two_values_of_one_choice_never_share_a_document():
    plan, _ = plan_for_factors(PARENT, UNSEEN, 200)
    names = [component.name.split(" + ") for component in plan.components]
    assert max(len(group) for group in names) == 2
    for group in names:
        assert sum(name.startswith("font:") for name in group) <= 1


def test_a_small_batch_takes_few_factors():
    _, planned = plan_for_factors(PARENT, UNSEEN, 40)
    taken = [factor for factor in planned if factor.documents]
    assert len(taken) == 2
    assert all(factor.left_out == "other factors are worth more" for factor in planned[2:])


def test_the_plan_is_a_function_of_the_effects():
    assert plan_for_factors(PARENT, UNSEEN, 200) == plan_for_factors(PARENT, UNSEEN, 200)


def test_what_has_learnt_well_is_worth_more_than_what_has_not():
    learnt = learning_of("font:Lato", 0.1, [PastFactor("font:Lato", 0.4, 60)])
    stuck = learning_of("font:Lato", 0.4, [PastFactor("font:Lato", 0.4, 60)])
    assert stuck < PRIOR_LEARNING < learnt
    assert learnt == pytest.approx((-math.log(0.75) + math.log(4)) / 120)
    assert learning_of("font:Lato", 0.9, [PastFactor("font:Lato", 0.1, 500)]) == 0


def test_a_factor_that_does_not_learn_is_given_up():
    past = [PastFactor("reversed_print", 0.3, 100), PastFactor("reversed_print", 0.3, 100)]
    once, twice = (
        {
            factor.factor: factor.left_out
            for factor in plan_for_factors(PARENT, UNSEEN, 200, history=some, fields_by_element={"amount": 1})[1]
        }
        for some in (past[:1], past)
    )
    assert once["reversed_print"] == ""
    assert twice.pop("reversed_print") == "200 documents that showed it did not help"
    assert not any(twice.values())


@pytest.mark.parametrize(
    "factor", ["font:Comic Neue", "locale:fr_FR", "reversed_print", "type:receipt", "layout:order_form"]
)
def test_prevalence_is_what_is_drawn(factor):
    plan = seed_plan("batch-000", 600, 11, FREQUENT_RECIPE)
    drawn = [draw_document(plan, index) for index in range(600)]
    choice, _, value = factor.partition(":")
    actual = {
        "font": lambda one: one.presentation.font,
        "locale": lambda one: one.document.locale,
        "type": lambda one: str(one.document.document_type),
        "layout": lambda one: one.presentation.layout,
    }
    found = sum(actual[choice](one) == value if choice in actual else one.knobs.get(factor, 0) > 0 for one in drawn)
    expected = prevalence(FREQUENT_RECIPE, factor)
    assert abs(found / 600 - expected) < 4 * math.sqrt(expected * (1 - expected) / 600) + 0.01


@given(st.lists(st.sampled_from([f"font:{font}" for font in FONTS]), unique=True, max_size=8), st.integers(1, 500))
def test_any_set_of_factors_makes_a_sound_plan(names, documents):
    plan, planned = plan_for_factors(PARENT, [harmful(name, 0.2) for name in names], documents)
    assert len([factor for factor in planned if factor.documents]) <= MAX_FACTORS
    if plan is not None:
        assert plan.documents == documents
        assert plan.components[0].recipe == FREQUENT_RECIPE
