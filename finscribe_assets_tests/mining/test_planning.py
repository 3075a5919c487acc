import math
from collections import Counter

import pytest

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.plan import Plan, seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.mining.allocation import ALLOCATION_RULES, BASE_SHARE, AllocationInput
from finscribe_assets.mining.error_cells import ErrorCell
from finscribe_assets.mining.learning_history import CellProgress, EarlierIteration, MeasuredRate, cell_progress
from finscribe_assets.mining.planning import (
    make_plan,
    mark_left_out,
    plan_problems,
    plan_rows,
    turned_up,
    weak_cell_rows,
)
from finscribe_assets.mining.weak_cell import WeakCell, weak_cells_of
from finscribe_assets_tests.recipes import FREQUENT_RECIPE

PARENT = seed_plan("batch-000", 120, 12, FREQUENT_RECIPE)


def weak(element: str, bound: float, *knobs: str) -> WeakCell:
    return WeakCell(
        element=element, error_type="other", failures=9, trials=90, lower_bound=bound, rate=bound, knobs=knobs
    )


CELLS = [weak("date", 0.5, "ambiguous_dates"), weak("party", 0.95, "small_print")]


def counts_of(plan: Plan) -> dict[str, int]:
    return {component.name: component.documents for component in plan.components}


def test_the_plan_is_a_portfolio_within_bounds():
    plan = make_plan(PARENT, CELLS, 1000)
    counts = counts_of(plan)
    assert plan.documents == 1000
    assert counts["base"] >= BASE_SHARE * 1000
    assert {name for name, value in FREQUENT_RECIPE.knobs.model_dump().items() if value} <= set(counts)
    # LB(1 - LB): what fails half the time is worth more than what fails nearly always.
    assert counts["ambiguous_dates"] > 4 * counts["small_print"]
    assert plan_problems(plan) == []
    assert plan == make_plan(PARENT, weak_cells_of(plan), 1000)
    assert (plan.key, plan.parent) == ("batch-001", "batch-000")
    assert plan.seed != PARENT.seed
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert sum(row["documents"] for row in plan_rows(plan)) == 1000
    assert [row["documents"] for row in weak_cell_rows(weak_cells_of(plan))] == [
        counts["ambiguous_dates"],
        counts["small_print"],
    ]
    # The assumption: a whole batch would halve it.
    share = counts["ambiguous_dates"] / 1000
    assert weak_cells_of(plan)[0].expected_gain == pytest.approx(0.5 * (1 - 0.5**share), abs=1e-4)


def test_the_floor_is_one_row_and_no_knob_is_left_out_of_it_by_its_name():
    plans = [make_plan(PARENT.model_copy(update={"seed": seed}), CELLS, 200) for seed in range(8)]
    floors = [{name for name, count in counts_of(plan).items() if count and name != "base"} for plan in plans]
    assert len(floors[0]) < sum(value > 0 for _, value in FREQUENT_RECIPE.knobs)  # a tenth of 200 is not enough for all
    assert len({frozenset(floor) for floor in floors}) == 8
    rows = plan_rows(plans[0])
    assert [row["for"] for row in rows] == ["replay", "date×other", "party×other", "floor, for what mining missed"]
    assert rows[-1]["share"] == f"{len(floors[0]) - 2} knobs"


@pytest.mark.parametrize("documents", [1, 3, 17, 24, 200])
@pytest.mark.parametrize("rule", ALLOCATION_RULES)
def test_small_plans_have_as_many_documents_as_asked(documents, rule):
    cells = [weak("date", 0.3, "ambiguous_dates", "locale:fr_FR"), weak("tax", 0.1, "font:Lato", "type:receipt")]
    plan = make_plan(PARENT, cells, documents, rule=rule)
    assert (plan.documents, plan.rule) == (documents, rule)
    assert plan_problems(plan) == []


def test_rules_differ_in_what_they_spend_on():
    spent = {rule: counts_of(make_plan(PARENT, CELLS, 1000, rule=rule)) for rule in ALLOCATION_RULES}
    assert spent["random"] == {"base": 1000}
    assert len(set(spent["uniform"].values()) - {spent["uniform"]["base"]}) <= 2
    assert spent["lower_bound"]["small_print"] > spent["lower_bound"]["ambiguous_dates"]
    with pytest.raises(ValueError, match="known are portfolio"):
        make_plan(PARENT, CELLS, 10, rule="best")


def test_cells_that_share_a_knob_add_up():
    cells = [weak("date", 0.2, "blur"), weak("party", 0.3, "blur", "skew")]
    shares = ALLOCATION_RULES["lower_bound"](AllocationInput(cells, {}, ["blur", "skew"]))
    assert shares == pytest.approx({"blur": 0.5 * (0.2 + 0.15) / 0.5, "skew": 0.5 * 0.15 / 0.5})


def test_a_person_can_veto_cells_and_knobs():
    plan = make_plan(PARENT, CELLS, 1000, disabled=["party*other", "knob:skew"])
    assert plan.disabled == ("party×other", "skew")
    assert "skew" not in counts_of(plan)
    assert [(cell.left_out, cell.documents > 0) for cell in weak_cells_of(plan)] == [("", True), ("disabled", False)]
    assert make_plan(PARENT, CELLS, 1000, disabled=["date×other", "small_print"]) is None
    with pytest.raises(ValueError, match="'dates' is neither a cell"):
        make_plan(PARENT, CELLS, 1000, disabled=["dates"])
    greedy = plan.model_copy(update={"disabled": ("ambiguous_dates",)})
    assert "though it is disabled" in plan_problems(greedy)[0]


def test_a_cell_without_a_known_cause_gets_no_documents():
    lone = weak("tax", 0.5)
    assert all(make_plan(PARENT, [lone], 100, rule=rule) is None for rule in ALLOCATION_RULES)
    assert "a probe can find the cause" in mark_left_out([lone], (), {})[0].left_out
    reasons = weak_cells_of(make_plan(PARENT, [lone, CELLS[0]], 1000))
    assert [(cell.documents > 0, bool(cell.left_out)) for cell in reasons] == [(False, True), (True, False)]


def test_a_plan_out_of_bounds_is_found():
    plan = make_plan(PARENT, [weak("date", 0.3, "ambiguous_dates")], 100)
    assert plan_problems(plan.model_copy(update={"components": ()})) == ["the plan has no documents"]
    greedy = plan.model_copy(update={"components": plan.components[1:]})
    assert "base recipe" in plan_problems(greedy)[0]
    for name in ("locale:xx_XX", "layout:none", "moon", "moon:full", "type:"):
        with pytest.raises(ValueError, match="is neither a knob"):
            turned_up(PARENT.components[0].recipe, name)


@pytest.mark.parametrize(
    ("name", "has"),
    [
        ("layout:invoice_open", lambda drawn: drawn.presentation.layout == "invoice_open"),
        ("type:receipt", lambda drawn: drawn.document.document_type == "receipt"),
        ("locale:fr_FR", lambda drawn: drawn.document.locale == "fr_FR"),
        ("engine:weasyprint", lambda drawn: drawn.presentation.engine == "weasyprint"),
        ("negative_amounts", lambda drawn: drawn.knobs["negative_amounts"] > 0),  # of credit notes alone
        ("era_dates", lambda drawn: drawn.knobs["era_dates"] > 0),  # of Japanese documents alone
    ],
)
def test_what_is_turned_up_is_what_is_drawn(name, has):
    recipe = Recipe.model_validate(turned_up(Recipe(), name).model_dump())
    plan = seed_plan("batch-001", 60, 1, recipe)
    assert sum(has(draw_document(plan, index)) for index in range(60)) >= 20


def test_a_layout_is_preferred_with_the_document_types_that_have_it():
    raised = turned_up(Recipe(), "layout:invoice_open")
    share = raised.layouts["invoice_open"] / sum(raised.layouts.values())
    assert share == pytest.approx(0.8)  # four times as likely as all others together
    supported = sum(raised.document_types[name] for name in LAYOUT_FACTS["invoice_open"].document_types)
    assert supported / sum(raised.document_types.values()) == pytest.approx(0.8)


def cell(rate: float, effective: float = 400.0) -> ErrorCell:
    return ErrorCell(
        "date",
        "other",
        int(rate * effective),
        int(effective),
        rate,
        effective,
        rate / 2,
        watched=True,
        weak=True,
        examples=(),
        documents=(),
    )


def earlier(rate: float, documents: int) -> EarlierIteration:
    return EarlierIteration({"date×other": MeasuredRate(rate, 400.0)}, {"date×other": documents})


def test_learning_follows_from_the_history_of_a_cell():
    fresh = cell_progress(cell(0.4), [], 200)
    assert fresh == CellProgress(math.log(2) / 200)
    learner, stuck = (cell_progress(cell(rate), [earlier(0.4, 100)], 200).learning for rate in (0.1, 0.4))
    assert learner > fresh.learning > stuck > 0
    # By hand: the assumption counts as one batch of 200 that halves the rate, and 100 documents quartered it.
    # Half a failure is added to each, so that 0.4 and 0.1 of 400 trials are 160.5 and 40.5 of 401.
    assert learner == pytest.approx((math.log(2) + math.log(160.5 / 40.5)) / 300)
    never_planned = EarlierIteration({"date×other": MeasuredRate(0.9, 400.0)}, {})
    assert cell_progress(cell(0.4), [never_planned], 200) == fresh
    plan = make_plan(PARENT, CELLS, 1000, progress={"date×other": CellProgress(0.0)})
    assert weak_cells_of(plan)[0].documents < 20  # the floor's alone
    assert weak_cells_of(plan)[1].documents > 300


def test_a_cell_that_twice_took_documents_and_did_not_improve_is_retired():
    once = cell_progress(cell(0.4), [earlier(0.4, 100)], 200)
    twice = cell_progress(cell(0.4), [earlier(0.41, 100), earlier(0.4, 90)], 200)
    untried = cell_progress(cell(0.4), [earlier(0.4, 0), earlier(0.4, 100)], 200)
    learnt = cell_progress(cell(0.2), [earlier(0.4, 100), earlier(0.4, 100)], 200)
    unsure = cell_progress(cell(0.4, 20.0), [earlier(0.4, 100), earlier(0.4, 100)], 200)
    assert [one.retired for one in (once, untried, learnt, unsure)] == [""] * 4
    assert "100 and 90 documents lowered its rate by at most" in twice.retired
    # Once retired it takes no more documents, and stays so.
    assert cell_progress(cell(0.4), [earlier(0.41, 100), earlier(0.4, 90), earlier(0.4, 0)], 200).retired
    judged = mark_left_out([weak("date", 0.3, "ambiguous_dates")], (), {"date×other": twice})
    assert "retired" in judged[0].left_out
    assert make_plan(PARENT, judged, 100, progress={"date×other": twice}) is None


def test_history_is_read_from_reports_old_and_new():
    old = {
        "cells": [{"element": "date", "error_type": "other", "failures": 5, "trials": 50}],
        "weak": [{"element": "date", "error_type": "other"}],
    }
    assert EarlierIteration.from_json(old) == EarlierIteration({"date×other": (0.1, 50)}, {"date×other": 0})
    new = {
        "cells": [
            {**old["cells"][0], "rate": 0.2, "effective": 33.0},
            {**old["cells"][0], "error_type": "digit", "trials": 1},
        ],
        "weak": [{**old["weak"][0], "documents": 40}],
    }
    assert EarlierIteration.from_json(new) == EarlierIteration(
        {"date×other": MeasuredRate(0.2, 33.0), "date×digit": MeasuredRate(5.0, 1)}, {"date×other": 40}
    )
    assert Counter(EarlierIteration.from_json({"cells": [], "weak": []}).rates) == Counter()
