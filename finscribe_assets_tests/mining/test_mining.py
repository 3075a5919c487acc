import random
from itertools import pairwise

import pytest
from scipy.stats import binom

from finscribe_assets.documents.generator import draw
from finscribe_assets.documents.recipe import Plan, WeakCell, seed_plan
from finscribe_assets.evaluation.inputs import Prediction, Truth
from finscribe_assets.evaluation.scoring import score
from finscribe_assets.instructions.answers import unflatten
from finscribe_assets.mining.cells import attribute, find_cells, wilson_lower
from finscribe_assets.mining.errors import ErrorType, classify
from finscribe_assets.mining.heatmap import heat_map
from finscribe_assets.mining.iteration import Action, IterationRecord, decide
from finscribe_assets.mining.mine import drawn_values, mine
from finscribe_assets.mining.planning import BASE_SHARE, explain, make_plan, problems_of, turned_up
from finscribe_assets.training.base_recipe import EMBEDDED_RECIPE

# Long tables take long to compare, and show mining nothing more.
SHORT = EMBEDDED_RECIPE.model_copy(update={"knobs": EMBEDDED_RECIPE.knobs.model_copy(update={"many_lines": 0.01})})
PARENT = seed_plan("batch-000", 120, 12, SHORT)
DRAWN = [draw(PARENT, index) for index in range(120)]
TRUTHS = {drawn.id: Truth(drawn.id, drawn.document.to_json(), frozenset(drawn.printed)) for drawn in DRAWN}
SWAPPED = {"0": "8", "1": "7", "3": "8", "5": "6"}


def read_with(mistake):
    """Predict what is printed, but for a mistake made of a document's printed values."""
    return {drawn.id: Prediction(drawn.id, unflatten(mistake(drawn, dict(drawn.printed)))) for drawn in DRAWN}


def causes(document: dict, change: dict, response=None) -> dict[str, ErrorType]:
    truth = Truth("d", document)
    predicted = {**document, **change} if response is None else response
    return {
        outcome.path: cause for outcome, cause in classify(score({"d": truth}, {"d": Prediction("d", predicted)})[0])
    }


@pytest.mark.parametrize(
    ("document", "change", "cause"),
    [
        ({"totals": {"amount_due": "123.45"}}, {"totals": {"amount_due": "12345"}}, ErrorType.SEPARATOR),
        ({"totals": {"amount_due": "123.45"}}, {"totals": {"amount_due": "-123.45"}}, ErrorType.SIGN),
        ({"totals": {"amount_due": "123.45"}}, {"totals": {"amount_due": "13.45"}}, ErrorType.DIGIT_COUNT),
        ({"totals": {"amount_due": "123.45"}}, {"totals": {"amount_due": "128.45"}}, ErrorType.CHARACTER_CONFUSION),
        (
            {"totals": {"amount_due": "9", "total_with_vat": "12"}},
            {"totals": {"amount_due": "12", "total_with_vat": "12"}},
            ErrorType.WRONG_TOTAL,
        ),
        ({"issue_date": "2024-03-04", "locale": "en_GB"}, {"issue_date": "2024-04-03"}, ErrorType.DATE_ORDER),
        ({"document_number": "INV-08"}, {"document_number": "INV-O8"}, ErrorType.CHARACTER_CONFUSION),
        ({"document_number": "INV-1234"}, {"document_number": "INV-134"}, ErrorType.DIGIT_COUNT),
        ({"seller": {"name": "Meyer GmbH"}}, {"seller": {"name": "MEYER gmbh"}}, ErrorType.SPACING_OR_CASE),
        ({"seller": {"name": "Meyer GmbH"}}, {"seller": {"name": "Meyer"}}, ErrorType.CUT_SHORT),
        ({"seller": {"name": "A"}, "buyer": {"name": "B"}}, {"seller": {"name": "B"}}, ErrorType.PARTY_SWAP),
        ({"due_date": "2024-03-04"}, {"due_date": None}, ErrorType.MISSING),
        ({"issue_date": "2024-03-04"}, {"due_date": "2024-03-04"}, ErrorType.HALLUCINATED),
        ({"payment_terms": "30 days net"}, {"payment_terms": "completely different words"}, ErrorType.OTHER),
    ],
)
def test_the_first_cause_of_each_kind(document, change, cause):
    assert set(causes(document, change).values()) == {cause}


def test_rows_and_truncation():
    lines = {"lines": [{"item_name": "a", "quantity": "1"}, {"item_name": "b", "quantity": "2"}]}
    assert set(causes(lines, {"lines": lines["lines"][:1]}).values()) == {ErrorType.ROW_MISSING}
    assert set(causes(lines, {"lines": [*lines["lines"], {"item_name": "ghost"}]}).values()) == {ErrorType.ROW_EXTRA}
    cut = '{"lines": [{"item_name": "a", "quantity": "1"}, {"item_name": "b", "quan'
    assert set(causes(lines, {}, cut).values()) == {ErrorType.TRUNCATED}


def test_wilson_is_below_the_rate_and_has_its_coverage():
    assert wilson_lower(0, 0) == wilson_lower(0, 10) == 0.0
    # Brown, Cai and DasGupta's check: over the binomial, the bound is below the true rate about 95 % of the time.
    for rate in (0.05, 0.2, 0.5):
        coverage = sum(binom.pmf(k, 200, rate) for k in range(201) if wilson_lower(k, 200) <= rate)
        assert 0.93 <= coverage <= 0.975


def test_a_reader_without_faults_has_no_cell_and_no_plan():
    report = mine(score(TRUTHS, read_with(lambda drawn, printed: printed)), PARENT, 100, drawn_values(DRAWN))
    assert (report.cells, report.weak, report.plan) == ((), (), None)


def test_rare_mistakes_are_not_weak():
    chance = random.Random(3)

    def rarely(drawn, printed):
        return {path: text[::-1] if chance.random() < 0.004 else text for path, text in printed.items()}

    assert [cell for cell in find_cells(score(TRUTHS, read_with(rarely))) if cell.weak] == []


def test_a_planted_weakness_is_found_with_its_knob():
    chance = random.Random(5)

    def confused(drawn, printed):
        if drawn.knobs["confusable_identifiers"]:
            for path in ("document_number", "purchase_order_reference"):
                if path in printed and chance.random() < 0.8:
                    printed[path] = printed[path].replace("0", "O").replace("5", "S")
        return printed

    scored = score(TRUTHS, read_with(confused))
    report = mine(scored, PARENT, 100, drawn_values(DRAWN))
    assert [(cell.element, cell.error_type) for cell in report.weak] == [("identifier", "character_confusion")]
    assert report.weak[0].knobs[0] == "confusable_identifiers"
    assert attribute(scored, drawn_values(DRAWN), "date") == []
    shares = {component.name: component for component in report.plan.components}
    assert shares["confusable_identifiers"].documents > 20
    assert shares["confusable_identifiers"].recipe.knobs.confusable_identifiers >= 0.8


def test_a_weak_locale_is_preferred_in_the_plan():
    def misread(drawn, printed):
        if drawn.document.locale == "fr_FR":
            return {path: text.replace("e", "c") for path, text in printed.items()}
        return printed

    report = mine(score(TRUTHS, read_with(misread)), PARENT, 100, drawn_values(DRAWN))
    assert any("locale:fr_FR" in cell.knobs for cell in report.weak)
    french = next(component for component in report.plan.components if component.name == "locale:fr_FR")
    assert french.recipe.locales["fr_FR"] > 3 * french.recipe.locales["de_DE"]


def weak(element: str, bound: float, *knobs: str) -> WeakCell:
    return WeakCell(element=element, error_type="other", failures=9, trials=90, lower_bound=bound, knobs=knobs)


def test_the_plan_is_a_portfolio_within_bounds():
    plan = make_plan(PARENT, [weak("date", 0.5, "ambiguous_dates"), weak("party", 0.95, "small_print")], 1000)
    counts = {component.name: component.documents for component in plan.components}
    assert plan.documents == 1000
    assert counts["base"] >= BASE_SHARE * 1000
    assert {name for name, value in EMBEDDED_RECIPE.knobs.model_dump().items() if value} <= set(counts)
    # LB(1 - LB): what fails half the time is worth more than what fails nearly always.
    assert counts["ambiguous_dates"] > 4 * counts["small_print"]
    assert problems_of(plan) == []
    assert plan == make_plan(PARENT, plan.reasons, 1000)
    assert (plan.key, plan.parent) == ("batch-001", "batch-000")
    assert plan.seed != PARENT.seed
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert sum(row["documents"] for row in explain(plan)) == 1000


@pytest.mark.parametrize("documents", [1, 3, 17, 24, 200])
def test_small_plans_have_as_many_documents_as_asked(documents):
    plan = make_plan(
        PARENT, [weak("date", 0.3, "ambiguous_dates", "locale:fr_FR"), weak("tax", 0.1, "font:Lato")], documents
    )
    assert plan.documents == documents
    assert problems_of(plan) == []


def test_a_plan_out_of_bounds_is_found():
    plan = make_plan(PARENT, [weak("date", 0.3, "ambiguous_dates")], 100)
    greedy = plan.model_copy(update={"components": plan.components[1:]})
    assert "base recipe" in problems_of(greedy)[0]
    with pytest.raises(ValueError, match="is no knob"):
        turned_up(PARENT.components[0].recipe, "locale:xx_XX")


def history(*gains: tuple[float, float]) -> list[IterationRecord]:
    records = [IterationRecord(key="batch-000", metric=0.5, weak_cells=3, next_key="batch-001")]
    for number, (gain, upper) in enumerate(gains, 1):
        records.append(IterationRecord(key=f"batch-{number:03d}", metric=0.5, gain=gain, gain_upper=upper, weak_cells=3,
                                       next_key=f"batch-{number + 1:03d}"))  # fmt: skip
    return records


@pytest.mark.parametrize(
    ("records", "limit", "action", "said"),
    [
        ([], 5, Action.STOP, "no iteration yet"),
        (history(), 5, Action.ITERATE, "3 weak cells lead to batch-001"),
        (history(), 1, Action.STOP, "limit of 1"),
        (history((0.001, 0.002)), 5, Action.ITERATE, "batch-002"),
        (history((0.001, 0.002), (0.0, 0.004)), 5, Action.STOP, "stopped improving"),
        (history((0.001, 0.002), (0.03, 0.05)), 5, Action.ITERATE, "batch-003"),
        (history((0.001, 0.002), (0.0, 0.006)), 5, Action.ITERATE, "batch-003"),
        ([IterationRecord(key="batch-000", metric=0.9, weak_cells=0)], 5, Action.STOP, "nothing is weak enough"),
    ],
)
def test_the_decision(records, limit, action, said):
    decision = decide(records, limit=limit, threshold=0.005)
    assert decision.action is action
    assert said in decision.reason
    assert (decision.next_key is not None) == (action is Action.ITERATE)


def test_the_heat_map_is_a_small_picture_even_of_nothing():
    def misread(drawn, printed):
        return {path: "".join(SWAPPED.get(c, c) for c in text) for path, text in printed.items()}

    cells = find_cells(score(TRUTHS, read_with(misread)))
    for png in (heat_map(cells), heat_map([])):
        assert png.startswith(b"\x89PNG")
        assert len(png) < 80_000


def test_cells_are_sorted_by_how_sure_and_bad_they_are():
    def misread(drawn, printed):
        return {path: "".join(SWAPPED.get(c, c) for c in text) for path, text in printed.items()}

    cells = find_cells(score(TRUTHS, read_with(misread)))
    assert all(a.lower_bound >= b.lower_bound for a, b in pairwise(cells))
    assert all(0 < cell.failures <= cell.trials for cell in cells)
