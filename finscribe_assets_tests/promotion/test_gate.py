"""The gate and the statements of power, against planted gains, losses and forgetting."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from finscribe_assets.errors import UserError
from finscribe_assets.promotion.adapter_decisions import AdapterDecision, promoted_adapter, promoted_before
from finscribe_assets.promotion.exam_results import ExamDocument, ExamResult, read_result, write_result
from finscribe_assets.promotion.gate import judge
from finscribe_assets.promotion.paired_gain import Progress, exchange_p, holm, paired_gain, state_progress

FACTORS = ("font:Comic Neue", "locale:fr_FR", "reversed_print")


def result(seed, base=0.9, factors=0.7, stock=0.97, **by_factor):
    """Return the exam of a reader with these accuracies.

    Adapters mostly fail at the same fields: a field is right if its difficulty, which all readers share, is below the
    reader's accuracy; one field in fifty is then flipped.
    """
    shared, own = np.random.default_rng(0), np.random.default_rng(seed)
    documents = []
    for part, count in (("base", 300), *((name, 25) for name in FACTORS)):
        accuracy = base if part == "base" else by_factor.get(part.partition(":")[2], factors)
        for number in range(count):
            right = shared.random(12) < accuracy
            right ^= own.random(12) < 0.02
            documents.append(
                ExamDocument(
                    id=f"{part}-{number}",
                    part=part,
                    fields=12,
                    correct=int(right.sum()),
                    stock_similarity=float(np.clip(stock + own.normal(0, 0.02), 0, 1)),
                    response_tokens=40,
                )
            )
    return ExamResult(reader=str(seed), exam="x", documents=tuple(documents))


def test_a_better_adapter_is_promoted():
    verdict = judge(result(2, factors=0.85), result(1))
    assert verdict.promoted
    assert verdict.reason.startswith("better: +0.0")
    assert [part.part for part in verdict.parts] == ["base", *sorted(FACTORS)]


def test_a_worse_adapter_never_is():
    refused = [judge(result(100 + seed, base=0.88), result(seed)) for seed in range(20)]
    assert not any(verdict.promoted for verdict in refused)
    assert all("better: " in verdict.reason for verdict in refused)


def test_an_adapter_of_the_same_quality_is_rarely_promoted():
    assert sum(judge(result(100 + seed), result(seed)).promoted for seed in range(40)) <= 5


def test_planted_forgetting_of_stock_prompts_is_caught_every_time():
    verdicts = [judge(result(100 + seed, factors=0.9, stock=0.95), result(seed)) for seed in range(20)]
    assert not any(verdict.promoted for verdict in verdicts)
    assert all("stock_prompts_kept" in verdict.reason for verdict in verdicts)


def test_a_factor_that_breaks_is_named():
    verdict = judge(result(2, base=0.95, factors=0.9, fr_FR=0.4), result(1))
    assert not verdict.promoted
    assert verdict.reason == "no_factor_worse: significantly worse: locale:fr_FR of 3 factors"


def test_what_the_base_distribution_loses_is_bounded():
    verdict = judge(result(2, base=0.86, factors=0.99), result(1, factors=0.2))
    assert [check.name for check in verdict.checks if not check.passed] == ["base_kept"]


def test_without_stock_prompts_nothing_is_promoted():
    unread = result(2, factors=0.95)
    unread = unread.model_copy(
        update={"documents": tuple(one.model_copy(update={"stock_similarity": None}) for one in unread.documents)}
    )
    assert "stock_prompts_kept: similarity on stock prompts: not measured" in judge(unread, result(1)).reason


def test_results_of_different_exams_are_not_compared():
    other = result(1)
    first = other.documents[0].model_copy(update={"fields": 13})
    with pytest.raises(UserError, match="base-0: base with 12 fields in one result, base with 13"):
        judge(result(2), other.model_copy(update={"documents": (first, *other.documents[1:])}))


def test_an_exam_may_have_grown():
    """The promoted adapter has not read the part of a factor that was turned up later."""
    before = result(1)
    older = tuple(one for one in before.documents if one.part != "reversed_print")
    verdict = judge(result(2, factors=0.9), before.model_copy(update={"documents": older}))
    assert verdict.promoted
    assert [part.part for part in verdict.parts] == ["base", "font:Comic Neue", "locale:fr_FR"]


def test_a_result_comes_back_from_its_file(tmp_path):
    written = result(3)
    write_result(written, tmp_path / "exam.jsonl")
    assert read_result(tmp_path / "exam.jsonl") == written
    (tmp_path / "exam.jsonl").write_text('{"reader": "x", "exam": "y"}\n{"id": 3}\n')
    with pytest.raises(UserError, match="not an exam result"):
        read_result(tmp_path / "exam.jsonl")


@given(st.lists(st.integers(-6, 6).map(lambda value: value / 8), min_size=2, max_size=9))
def test_exchanges_are_counted_exactly(differences):
    """Against all assignments of signs, the unchanged documents included."""
    observed = sum(differences)
    sums = [
        sum(sign * value for sign, value in zip(signs, differences, strict=True))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    better, worse = exchange_p(np.array(differences))
    assert better == pytest.approx(np.mean([value >= observed for value in sums]))
    assert worse == pytest.approx(np.mean([value <= observed for value in sums]))


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=60))
def test_bounds_are_students(differences):
    measured = paired_gain(differences)
    if measured.standard_error > 1e-9:
        expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
        assert (measured.low, measured.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0, 1), max_size=8))
def test_holm_rejects_no_more_than_uncorrected_and_no_less_than_bonferroni(p_values):
    rejected = holm(p_values)
    assert {name for name, p in p_values.items() if p <= 0.05 / max(len(p_values), 1)} <= rejected
    assert rejected <= {name for name, p in p_values.items() if p <= 0.05}


def statements(gain, documents, spread, runs, worthwhile=0.01):
    random = np.random.default_rng(7)
    return [
        state_progress(paired_gain(random.normal(gain, spread, documents)), worthwhile).progress for _ in range(runs)
    ]


def test_without_a_gain_an_improvement_is_stated_in_one_of_twenty_runs():
    found = statements(0.0, 400, 0.05, 200)
    assert found.count(Progress.IMPROVED) <= 20  # 5 % of 200, and three standard errors
    assert found.count(Progress.NO_GAIN) == len(found) - found.count(Progress.IMPROVED)


def test_a_worthwhile_gain_is_found_with_the_stated_power():
    # 155 documents of this spread have a power of .8 for a gain of .01.
    found = statements(0.01, 155, 0.05, 300)
    assert 0.72 <= found.count(Progress.IMPROVED) / len(found) <= 0.88


def test_too_small_an_exam_says_how_many_documents_are_missing():
    statement = state_progress(paired_gain(np.random.default_rng(1).normal(0, 0.2, 100)), 0.01)
    assert statement.progress is Progress.INCONCLUSIVE
    enough = 100 + statement.documents_needed
    spread = paired_gain(np.random.default_rng(1).normal(0, 0.2, 100)).standard_error * 10
    assert pytest.approx(2.4865 * spread / np.sqrt(enough), rel=0.01) == 0.01


def test_the_promoted_adapter_is_the_last_that_passed():
    def decision(key, promoted):
        verdict = judge(result(2, factors=0.95 if promoted else 0.5), result(1))
        assert verdict.promoted is promoted
        return AdapterDecision(
            key=key, adapter="a" * 64, base="embedded", compared_with=None, accuracy=0.9, verdict=verdict
        )

    decisions = [decision("batch-000", True), decision("batch-001", False), decision("batch-002", True)]
    assert promoted_before(decisions, "batch-000") is None
    assert promoted_before(decisions, "batch-002").key == "batch-000"
    assert promoted_adapter(decisions).key == "batch-002"
    assert promoted_adapter([]) is None
