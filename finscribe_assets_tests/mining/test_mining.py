import math
import random
from itertools import pairwise

import numpy as np
import pytest

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.score_interval import wilson
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.mining.attribution import Attribution, drawn_values
from finscribe_assets.mining.cell_evidence import CellEvidence
from finscribe_assets.mining.error_cells import (
    Z95,
    DocumentFailures,
    effective_trials,
    find_cells,
    tally_failures,
)
from finscribe_assets.mining.error_classification import PageContext
from finscribe_assets.mining.heatmap import heat_map
from finscribe_assets.mining.mining_report import mine
from finscribe_assets_tests.recipes import FREQUENT_RECIPE

# Long tables take long to compare, and show mining nothing more.
SHORT = FREQUENT_RECIPE.model_copy(update={"knobs": FREQUENT_RECIPE.knobs.model_copy(update={"many_lines": 0.01})})
PARENT = seed_plan("batch-000", 120, 12, SHORT)
DRAWN = [draw_document(PARENT, index) for index in range(120)]
TRUTHS = {drawn.id: Truth(drawn.id, drawn.document.to_json(), frozenset(drawn.printed)) for drawn in DRAWN}
SWAPPED = {"0": "8", "1": "7", "3": "8", "5": "6"}


def read_with(mistake):
    """Predict what is printed, but for a mistake made of a document's printed values."""
    return {drawn.id: Prediction(drawn.id, unflatten(mistake(drawn, dict(drawn.printed)))) for drawn in DRAWN}


def effects_of(tallies, values, key=("amount", "digit")):
    return list(Attribution(tallies, values).attribute([key])[key].effects)


def cells_of(mistake):
    return find_cells([tally_failures(one) for one in score(TRUTHS, read_with(mistake))])


def test_a_reader_without_faults_has_no_cell_and_no_plan():
    report = mine(score(TRUTHS, read_with(lambda drawn, printed: printed)), PARENT, 100, drawn_values(DRAWN))
    assert (report.cells, report.weak, report.plan) == ((), (), None)


def test_a_made_up_field_is_reported_and_no_documents_are_planned_for_it():
    """Right everywhere, but for one field that no schema has: no document could teach a reader to leave it out."""
    talkative = {drawn.id for drawn in DRAWN[:60]}
    read = read_with(lambda drawn, printed: {**printed, "summary": "an invoice"} if drawn.id in talkative else printed)
    report = mine(score(TRUTHS, read), PARENT, 100, drawn_values(DRAWN))
    (cell,) = report.cells
    assert (cell.name, cell.failures, cell.weak) == ("unknown×unknown_field", 60, False)
    assert cell.examples[0] == "batch-000-000000: summary: None → an invoice"
    assert (report.weak, report.plan) == ((), None)
    assert report.not_teachable == (cell,)
    (entry,) = report.to_json()["not_teachable"]
    assert entry["cell"] == "unknown×unknown_field"
    assert "fields that the schema does not have" in entry["meaning"]
    assert "unknown×unknown_field" in report.explained


def test_a_field_that_damage_destroyed_is_reported_and_no_documents_are_planned_for_it():
    pages = {drawn.id: PageContext.of(drawn, frozenset({"document_number"})) for drawn in DRAWN}
    read = read_with(lambda drawn, printed: {path: text for path, text in printed.items() if path != "document_number"})
    report = mine(score(TRUTHS, read), PARENT, 100, pages=pages)
    assert [cell.name for cell in report.not_teachable] == ["identifier×illegible"]
    assert (report.weak, report.plan) == ((), None)


def test_rare_mistakes_are_not_weak():
    chance = random.Random(3)

    def rarely(drawn, printed):
        return {path: text[::-1] if chance.random() < 0.004 else text for path, text in printed.items()}

    assert [cell for cell in cells_of(rarely) if cell.weak] == []


def simulated(rate, documents=100, fields=30, seed=0):
    """Return what a reader does that fails at ``rate(document)`` in one way, each field on its own."""
    chance = np.random.default_rng(seed)
    return [
        DocumentFailures(str(one), {"amount": fields}, {key: count} if count else {}, {})
        for one in range(documents)
        if (key := ("amount", "digit")) and (count := int(chance.binomial(fields, rate(one)))) >= 0
    ]


def test_failures_of_one_document_are_one_observation():
    assert [cell.weak for cell in find_cells(simulated(lambda one: float(one == 7)))] == [False]
    assert [cell.weak for cell in find_cells(simulated(lambda one: 0.9, documents=4))] == [False]
    together = find_cells(simulated(lambda one: float(one % 8 == 0)))[0]  # 13 documents of 100, all their fields
    assert (together.weak, together.failures) == (True, 390)
    assert together.effective == pytest.approx(100)
    # As the binomial says of 13 documents of 100, not of 390 fields of 3000.
    assert together.lower_bound == pytest.approx(wilson(0.13, 100, Z95)[0], abs=1e-4)
    apart = find_cells(simulated(lambda one: 0.13))[0]
    assert apart.effective > 1500
    assert apart.lower_bound > together.lower_bound


@pytest.mark.parametrize(("error_types", "weak"), [(5, True), (6, False)])
def test_false_discoveries_are_controlled_over_all_cells(error_types, weak):
    """Five failures in 150 trials have p = 0.018: at q = 0.1 enough for the first of 5 cells, but not for that of 6."""
    once = {("date", f"type {number}"): 1 for number in range(error_types - 1)}
    tallies = [DocumentFailures(str(number), {"amount": 1, "date": 1}, {}, {}) for number in range(145)]
    tallies += [
        DocumentFailures(
            str(number), {"amount": 1, "date": 1}, {("amount", "digit"): 1} | (once if number == 145 else {}), {}
        )
        for number in range(145, 150)
    ]
    cells = {cell.name: cell for cell in find_cells(tallies)}
    assert len(cells) == error_types
    assert (cells["amount×digit"].watched, cells["amount×digit"].weak) == (True, weak)
    assert cells["amount×digit"].lower_bound == pytest.approx(wilson(5 / 150, 150, Z95)[0], abs=1e-4)
    assert not any(cell.watched for name, cell in cells.items() if name != "amount×digit")


def test_effective_trials_are_between_documents_and_fields():
    chance = np.random.default_rng(1)
    for spread in (0.01, 0.5, 5.0, 500.0):
        rates = chance.binomial(20, chance.beta(0.1 * spread, 0.9 * spread, 200)) / 20
        assert 200 - 1e-6 <= effective_trials(rates, 4000) <= 4000


@pytest.mark.parametrize("whole", [False, True])
def test_a_reader_at_the_threshold_has_no_weak_cell(whole):
    chance = np.random.default_rng(2)
    rates = (chance.random(5000) < 0.01) if whole else np.full(5000, 0.01)
    runs = [simulated(lambda one, run=run: rates[run * 100 + one], seed=run) for run in range(50)]
    assert sum(cell.weak for run in runs for cell in find_cells(run)) <= 10  # at most 0.2 a run


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
    tallies = [tally_failures(one) for one in scored]
    assert effects_of(tallies, drawn_values(DRAWN), ("date", "digit")) == []
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


def test_cells_are_sorted_by_how_sure_and_bad_they_are_and_make_a_small_picture():
    def misread(drawn, printed):
        return {path: "".join(SWAPPED.get(c, c) for c in text) for path, text in printed.items()}

    few = dict(list(TRUTHS.items())[:40])
    cells = find_cells([tally_failures(one) for one in score(few, read_with(misread))])
    assert all(a.lower_bound >= b.lower_bound for a, b in pairwise(cells))
    assert all(0 < cell.failures <= cell.trials for cell in cells)
    for png in (heat_map(cells), heat_map([])):
        assert png.startswith(b"\x89PNG")
        assert len(png) < 80_000


def shares_of(values, rate, seed=0):
    chance = np.random.default_rng(seed)
    tallies = [
        DocumentFailures(name, {"amount": 6}, {("amount", "digit"): int(chance.binomial(6, rate(own)))}, {})
        for name, own in values.items()
    ]
    return effects_of(tallies, values)


def confounded(documents=300):
    """Return drawn values in which a font is one locale's alone, and a knob goes with the locale."""
    chance = random.Random(4)
    values = {}
    for one in range(documents):
        french = chance.random() < 0.4
        values[str(one)] = {
            "locale:fr_FR" if french else "locale:de_DE": 1.0,
            "font:Lato" if french and chance.random() < 0.5 else "font:Inter": 1.0,
            "small_print": float(chance.random() < (0.6 if french else 0.2)),
            "skew": float(chance.random() < 0.3),
        }
    return values


@pytest.mark.parametrize("planted", ["locale:fr_FR", "font:Lato", "small_print", "skew"])
def test_a_cause_is_separated_from_what_is_confounded_with_it(planted):
    found = shares_of(confounded(), lambda own: 0.4 if own.get(planted) else 0.05)
    assert [effect.name for effect in found] == [planted]
    assert found[0].low < 0.35 < found[0].high


def test_two_values_that_both_count_are_both_found_and_chance_is_not():
    values = confounded()
    found = shares_of(values, lambda own: 0.05 + 0.3 * own["small_print"] + 0.3 * own.get("locale:fr_FR", 0.0))
    assert {effect.name for effect in found} == {"small_print", "locale:fr_FR"}
    assert sum(bool(shares_of(values, lambda own: 0.1, seed)) for seed in range(20)) <= 3


def two_strata():
    """Return drawn values and tallies of two strata in which a knob raises the rate; failures by stratum, by hand."""
    values, tallies = {}, []
    for stratum, (with_it, without, fails_with, fails_without) in enumerate([(20, 80, 15, 8), (60, 40, 55, 20)]):
        for index in range(with_it + without):
            name, has_it = f"{stratum}-{index}", index < with_it
            values[name] = {"knob": float(has_it), "stratum": float(stratum)}
            failed = index < fails_with if has_it else index - with_it < fails_without
            tallies.append(DocumentFailures(name, {"amount": 1}, {("amount", "digit"): int(failed)}, {}))
    return values, tallies


def test_every_effect_is_mantel_and_haenszels_difference_within_strata_of_the_others():
    values, tallies = two_strata()
    effects = {effect.name: effect for effect in effects_of(tallies, values)}
    # By hand, weighted by n1·n0/n: of the knob within both strata, of the stratum with and without the knob.
    knob = (16 * (15 / 20 - 8 / 80) + 24 * (55 / 60 - 20 / 40)) / 40
    stratum = (15 * (55 / 60 - 15 / 20) + 80 / 3 * (20 / 40 - 8 / 80)) / (15 + 80 / 3)
    assert {name: effect.difference for name, effect in effects.items()} == {
        "knob": pytest.approx(knob, abs=1e-4),
        "stratum": pytest.approx(stratum, abs=1e-4),
    }
    # The interval is test-based: it has the width that Mantel's statistic within strata gives.
    variance = sum(n1 * n0 / n * (f * (n - f) / n) / (n - 1) for n1, n0, n, f in ((20, 80, 100, 23), (60, 40, 100, 75)))
    spread = 1.6449 * knob / (40 * knob / math.sqrt(variance))
    assert effects["knob"].low == pytest.approx(knob - spread, abs=1e-4)
    assert effects["knob"].high == pytest.approx(knob + spread, abs=1e-4)
    assert effects["knob"].documents == 80


def test_a_single_effect_is_the_crude_difference():
    values, tallies = two_strata()
    alone = {name: {"knob": drawn["knob"]} for name, drawn in values.items()}
    (effect,) = effects_of(tallies, alone)
    assert effect.difference == pytest.approx(70 / 80 - 28 / 120, abs=1e-4)


def test_a_knob_is_compared_among_the_documents_that_it_acts_on():
    """Only credit notes may have negative amounts. They fail less than invoices, but those with such amounts do not."""
    chance, values = random.Random(6), {}
    for number in range(400):
        is_credit_note = chance.random() < 0.5
        values[str(number)] = {
            "type:credit_note" if is_credit_note else "type:invoice": 1.0,
            "locale:en_GB": 1.0,
            "negative_amounts": float(is_credit_note and chance.random() < 0.4),
        }
    rates = {"type:invoice": 0.5, "type:credit_note": 0.1}
    found = shares_of(
        values,
        lambda own: 0.5 if own["negative_amounts"] else next(rate for name, rate in rates.items() if name in own),
    )
    effects = {effect.name: effect for effect in found}
    assert "negative_amounts" in effects
    assert effects["negative_amounts"].low < 0.4 < effects["negative_amounts"].high


def test_a_knob_that_nearly_all_documents_have_that_it_acts_on_is_not_tested():
    """Of 63 credit notes 60 have negative amounts: their failures are put down to the document type."""
    values = {
        str(number): {
            "type:credit_note" if number < 63 else "type:invoice": 1.0,
            "locale:en_GB": 1.0,
            "negative_amounts": float(number < 60),
        }
        for number in range(260)
    }
    found = shares_of(values, lambda own: 0.6 if own["negative_amounts"] else 0.0)
    assert [effect.name for effect in found] == ["type:credit_note"]


def test_a_value_that_nearly_all_documents_have_is_not_tested():
    values = {str(number): {"small_print": float(number > 3), "skew": 0.0} for number in range(200)}
    assert shares_of(values, lambda own: 0.6 if own["small_print"] else 0.0) == []


def test_a_value_that_the_others_explain_is_left_out():
    # A page is hard if it is small or blurred, and only these two raise the rate: with both held equal, nothing of
    # "hard" is left to vary.
    chance, values = random.Random(2), {}
    for index in range(600):
        small, blurred = chance.random() < 0.3, chance.random() < 0.3
        values[str(index)] = {"small": float(small), "blurred": float(blurred), "hard": float(small or blurred)}
    found = shares_of(values, lambda own: 0.05 + 0.25 * own["small"] + 0.25 * own["blurred"])
    assert {effect.name for effect in found} == {"small", "blurred"}
    assert all(effect.low < 0.25 < effect.high for effect in found)


def test_failures_without_a_shared_value_get_no_documents_and_the_report_says_why():
    # With one seed in ten a value is found by chance; how often is tested below. With this one there is none.
    chance = random.Random(9)

    def misread(drawn, printed):
        return {path: f"{text} (see page two)" if chance.random() < 0.2 else text for path, text in printed.items()}

    report = mine(score(TRUTHS, read_with(misread)), PARENT, 100, drawn_values(DRAWN))
    assert report.weak
    assert report.plan is None
    assert all((cell.knobs, cell.effects, cell.documents) == ((), {}, 0) for cell in report.weak)
    assert all("failures share no drawn value" in cell.left_out for cell in report.weak)
    assert "finscribe probe" in report.explained
    found = report.to_json()["attributions"]
    assert found.keys() == {cell.name for cell in report.weak}
    for cell in report.weak:
        limits = found[cell.name]["limits"]
        assert limits["documents"] <= 120
        assert {value["name"] for value in limits["tested"]}.isdisjoint(limits["untested"])
        assert all(value["documents"] >= 5 <= value["without"] for value in limits["tested"])
        assert f"{limits['documents']} documents" in cell.limits
    rows = {row["cell"]: row for row in report.to_json()["plan_by_cell"]}
    assert all(rows[cell.name]["evidence"] == cell.limits for cell in report.weak)


def test_without_drawn_values_no_cause_is_known_and_the_report_says_what_to_give():
    scored = score(TRUTHS, read_with(lambda drawn, printed: {path: text[1:] for path, text in printed.items()}))
    report = mine(scored, PARENT, 100)
    assert report.weak
    assert report.plan is None
    assert all("--workspace" in cell.left_out and "no drawn value" in cell.limits for cell in report.weak)
    assert "--workspace" in report.explained


def test_false_attributions_are_controlled_over_all_cells():
    """Twenty cells without a cause: at five per cent each, two thirds of such readers would be given one."""
    values, keys = confounded(100), [("amount", f"type {number}") for number in range(20)]

    def attributed(seed, caused=()):
        chance = np.random.default_rng(seed)
        tallies = [
            DocumentFailures(
                name,
                {"amount": 6},
                {key: int(chance.binomial(6, 0.6 if key in caused and own["skew"] else 0.05)) for key in keys},
                {},
            )
            for name, own in values.items()
        ]
        return {key: found.effects for key, found in Attribution(tallies, values).attribute(keys).items()}

    assert sum(any(attributed(seed).values()) for seed in range(20)) <= 3
    for seed in range(3):
        found = attributed(seed, keys[:4])
        assert all("skew" in [effect.name for effect in found[key]] for key in keys[:4])
        assert sum(bool(found[key]) for key in keys[4:]) <= 1


@pytest.mark.parametrize("name", ["skew", "font:Lato"])
def test_an_effect_of_the_stated_size_is_found_with_the_stated_power(name):
    chance, key = random.Random(1), ("amount", "digit")
    values = {
        str(number): {
            "skew": float(chance.random() < 0.4),
            "font:Lato" if chance.random() < 0.15 else "font:Inter": 1.0,
            **{f"knob {knob}": float(chance.random() < 0.3) for knob in range(20)},
        }
        for number in range(120)
    }

    def attributed(seed, effect):
        chance = np.random.default_rng(seed)
        tallies = [
            DocumentFailures(one, {"amount": 6}, {key: int(chance.binomial(6, 0.2 + effect * own.get(name, 0.0)))}, {})
            for one, own in values.items()
        ]
        return Attribution(tallies, values).attribute([key])[key]

    smallest = [
        next(value.smallest_effect for value in attributed(seed, 0.0).limits.tested if value.name == name)
        for seed in range(10)
    ]
    stated = sum(smallest) / len(smallest)
    found = [name in [effect.name for effect in attributed(seed, stated).effects] for seed in range(60)]
    assert 0.6 <= sum(found) / len(found) <= 0.95


def test_values_of_the_same_documents_are_named_beside_the_effect():
    values = {
        str(number): {
            "locale:fr_FR" if number < 40 else "locale:de_DE": 1.0,
            "font:Lato" if number < 38 else "font:Inter": 1.0,
            "skew": float(number % 3 == 0),
        }
        for number in range(120)
    }
    tallies = [
        DocumentFailures(name, {"amount": 1}, {("amount", "digit"): int("font:Lato" in own)}, {})
        for name, own in values.items()
    ]
    (attribution,) = Attribution(tallies, values, ["font:Arimo"]).attribute([("amount", "digit")]).values()
    (effect,) = attribution.effects
    assert {effect.name, *effect.inseparable} == {"locale:fr_FR", "font:Lato"}
    assert (
        f"{effect.name} is in {effect.documents} of them, and so are {effect.inseparable[0]}" in attribution.describe()
    )
    assert attribution.limits.untested == ("font:Arimo",)


def test_documents_without_a_prediction_are_left_out():
    some = dict(list(read_with(lambda drawn, printed: printed).items())[:50])
    report = mine(score(TRUTHS, some), PARENT, 100)
    assert (report.cells, report.unread) == ((), 70)


@pytest.mark.parametrize(("failing", "is_finite"), [(1.0, False), (0.3, True)])
def test_where_every_document_fails_no_effect_could_be_seen(failing, is_finite):
    values = np.tile([1.0, 0.0], 100)[:, None]
    evidence = CellEvidence((np.arange(200) % 10 < 10 * failing).astype(float), values, np.ones_like(values))
    evidence.permute(200)
    assert np.isfinite(evidence.smallest_effects(0.05)).tolist() == [is_finite]
