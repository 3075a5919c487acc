"""Whether the loop goes on: a function of the records of all iterations."""

import numpy as np
import pytest

from finscribe_assets.iteration.decision import Action, Ending, IterationRecord, decide, record_iteration
from finscribe_assets.promotion.exam_results import BASE_PART, ExamDocument, ExamResult
from finscribe_assets.promotion.gate import judge, overall_gain
from finscribe_assets.promotion.paired_gain import Progress, state_progress


def recorded(key: str = "batch-000", **values) -> IterationRecord:
    """Return the record of an iteration whose adapter was promoted, with some values of its own."""
    record = IterationRecord(
        key=key,
        documents=100,
        accuracy=0.9,
        gain=0.03,
        low=0.01,
        high=0.05,
        progress=Progress.IMPROVED,
        detectable=0.008,
        promoted=True,
        why="better: +0.0300",
        weak=3,
        next_key="batch-001",
    )
    return record.model_copy(update=values)


def refused(progress: Progress, **values) -> IterationRecord:
    return recorded("batch-002", promoted=False, progress=progress, next_key="batch-003", **values)


@pytest.mark.parametrize(
    ("records", "limit", "ending", "reason"),
    [
        ([recorded(next_key=None, weak=0)], 5, Ending.NOTHING_WEAK, "batch-000: no factor harms the reader"),
        ([recorded(next_key=None)], 5, Ending.NOTHING_WEAK, "all 3 harmful factors are left out of the plan"),
        ([recorded()], 1, Ending.LIMIT, "limit of 1"),
        ([refused(Progress.NO_GAIN)] * 2, 5, Ending.PLATEAU, "the exam would show 0.0080 with a power of 0.8"),
        (
            [refused(Progress.NO_GAIN), refused(Progress.INCONCLUSIVE, documents_needed=1200)],
            5,
            Ending.INCONCLUSIVE,
            "1,200 more exam documents are needed",
        ),
        ([refused(Progress.IMPROVED, why="base_kept: lost")] * 2, 5, Ending.REFUSED, "not promoted: base_kept: lost"),
    ],
)
def test_each_ending_is_told_apart(records, limit, ending, reason):
    decision = decide(records, limit=limit)
    assert (decision.action, decision.ending, decision.next_key) == (Action.STOP, ending, None)
    assert decision.reason.startswith(f"{ending}: ")
    assert reason in decision.reason


@pytest.mark.parametrize(
    "records",
    [
        [recorded()],
        [refused(Progress.NO_GAIN)],  # one without a gain may be bad luck
        [refused(Progress.NO_GAIN), recorded("batch-002", next_key="batch-003")],
        [refused(Progress.NO_GAIN)] * 2 + [recorded("batch-002", next_key="batch-003")],
    ],
)
def test_it_goes_on_while_adapters_are_promoted_now_and_then(records):
    decision = decide(records, limit=9)
    assert (decision.action, decision.ending) == (Action.ITERATE, None)
    assert decision.next_key == records[-1].next_key


def test_without_an_iteration_it_stops():
    assert decide([], limit=5).action is Action.STOP


def simulated_iteration(chance: np.random.Generator, gain: float, documents: int = 400) -> IterationRecord:
    """Return the record of an iteration whose adapter reads each field right more often by ``gain``."""

    def result(accuracy: float) -> ExamResult:
        difficulty = np.random.default_rng(7).normal(0, 0.08, documents)
        return ExamResult(
            reader=str(accuracy),
            exam="simulated",
            documents=tuple(
                ExamDocument(
                    id=str(number),
                    part=BASE_PART,
                    fields=12,
                    correct=int(chance.binomial(12, min(1.0, max(0.0, accuracy + difficulty[number])))),
                    stock_similarity=0.95,
                )
                for number in range(documents)
            ),
        )

    candidate, rival = result(0.85 + gain), result(0.85)
    stated = state_progress(overall_gain(candidate, rival), 0.02)
    return record_iteration("batch-001", 100, judge(candidate, rival), stated, 3, "batch-002")


def test_under_no_gain_the_loop_stops_soon_and_says_plateau():
    chance = np.random.default_rng(1)
    lengths, endings = [], []
    for _ in range(40):
        records = [recorded()]
        while (decision := decide(records, limit=12)).action is Action.ITERATE:
            records.append(simulated_iteration(chance, 0.0))
        lengths.append(len(records) - 1)
        endings.append(decision.ending)
    assert np.mean(lengths) < 2.6  # two are the least; a promotion by chance (5 %) makes it longer
    assert endings.count(Ending.PLATEAU) >= 36


def test_a_loop_that_gains_goes_on():
    chance = np.random.default_rng(2)
    records = [recorded()]
    for _ in range(8):
        records.append(simulated_iteration(chance, 0.05))
        assert decide(records, limit=99).action is Action.ITERATE
