"""What a plan promised, and what the exam says happened."""

from finscribe_assets.iteration.batch_documents import ADAPTER, BASE
from finscribe_assets.iteration.loop_picture import LoopStep, loop_picture
from finscribe_assets.iteration.promise import PromiseState, promises, untouched_parts
from finscribe_assets.iteration.promoting import PROMOTED
from finscribe_assets.mining.factor_plan import PlannedFactor
from finscribe_assets.promotion.exam_results import BASE_PART, ExamDocument, ExamResult
from finscribe_assets_tests.iteration.test_decision import recorded


def planned(factor: str, documents: int = 60) -> PlannedFactor:
    return PlannedFactor(
        factor=factor,
        effects={"text": 0.8, "party": 0.4},
        effect=0.4,
        low=0.3,
        high=0.5,
        prevalence=0.015,
        learning=0.01,
        documents=documents,
        expected_effect=0.2,
        expected_low=0.1,
        expected_high=0.36,
    )


def result(**correct: int) -> ExamResult:
    """Return the result of a reader that is right about so many of ten fields of each part, one more or less."""
    documents = [
        ExamDocument(
            id=f"{part}/{number}",
            part=part,
            fields=10,
            correct=min(10, max(0, right + (number % 3 - 1) * (right < 10))),
        )
        for part, right in correct.items()
        for number in range(30)
    ]
    return ExamResult(reader="", exam="", documents=tuple(documents))


def test_before_expected_and_after_stand_beside_each_other():
    results = {
        BASE: result(base=9, kept=5, lost=5, same=5),
        PROMOTED: result(base=9, kept=5, lost=5, same=5),
        ADAPTER: result(base=9, kept=8, lost=3, same=5),
    }
    kept, lost, same = promises([planned("kept"), planned("lost"), planned("same"), planned("unplanned", 0)], results)
    assert (kept.before, kept.after, kept.gain) == (0.5, 0.8, 0.3)
    # The factor costs 40 points against the base part. Half of its effect was to go, at least a tenth, at most 3/4.
    assert (kept.expected, kept.expected_low, kept.expected_high) == (0.7, 0.54, 0.8)
    assert [one.state for one in (kept, lost, same)] == [PromiseState.KEPT, PromiseState.BROKEN, PromiseState.OPEN]
    assert "text +80%" in kept.row()["cause"]
    assert untouched_parts([kept, lost], results).keys() == {BASE_PART, "same"}


def test_without_an_adapter_in_use_the_bare_base_is_what_was_before():
    results = {BASE: result(base=9, kept=5), ADAPTER: result(base=9, kept=6)}
    (promise,) = promises([planned("kept")], results)
    assert (promise.base, promise.before, promise.after) == (0.5, 0.5, 0.6)
    assert promise.state is PromiseState.PARTLY


def test_the_picture_of_the_loop_is_a_small_picture():
    results = {BASE: result(base=9, kept=5), ADAPTER: result(base=9, kept=8)}
    kept = tuple(promises([planned("kept")], results))
    steps = [LoopStep(recorded(), (), 0.9), LoopStep(recorded("batch-001", promoted=False), kept, 0.9)]
    png = loop_picture(steps)
    assert png.startswith(b"\x89PNG")
    assert len(png) < 100_000
