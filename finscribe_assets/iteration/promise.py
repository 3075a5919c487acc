"""What a plan promised, and what happened: for each factor the documents, and accuracy before, expected and after.

Accuracies are of the exam's part of the factor, which the bare base, the adapter in use before and the new adapter all
read. How much of a factor's cost a plan expects to repair is part of the plan; the cost is the distance from accuracy
on the exam's base part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.iteration.batch_documents import ADAPTER, BASE
from finscribe_assets.iteration.promoting import PROMOTED
from finscribe_assets.mining.factor_plan import PlannedFactor
from finscribe_assets.promotion.exam_results import BASE_PART, ExamResult, mean_accuracy, paired_documents
from finscribe_assets.promotion.paired_gain import paired_gain


class PromiseState(StrEnum):
    """How a promise was kept."""

    KEPT = "kept"  # the gain is significantly above 0, and its interval reaches what was expected
    PARTLY = "partly"  # significantly above 0, and below what was expected
    OPEN = "open"  # the interval of the gain holds 0
    BROKEN = "broken"  # significantly below 0


class FactorPromise(BaseModel):
    """What was promised of a factor, and what happened; accuracies in [0, 1]."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    factor: str
    cause: str = Field(description="elements that failed more with the factor, and by how much")
    documents: int = Field(description="documents of the batch that show the factor")
    base: float = Field(description="accuracy of the bare base")
    before: float = Field(description="accuracy of the adapter in use before the batch")
    expected: float
    expected_low: float
    expected_high: float
    after: float = Field(description="accuracy of the batch's adapter")
    gain: float
    low: float = Field(description="bounds of the gain's 95 % interval")
    high: float
    state: PromiseState

    def row(self) -> dict[str, object]:
        """Return the promise as a row of a table."""
        return {
            "cause": self.cause,
            "documents": self.documents,
            "bare base": f"{self.base:.0%}",
            "before": f"{self.before:.0%}",
            "expected": f"{self.expected:.0%} [{100 * self.expected_low:.0f}, {100 * self.expected_high:.0f}]",
            "after": f"{self.after:.0%}",
            "gain in points": f"{100 * self.gain:+.1f} [{100 * self.low:+.1f}, {100 * self.high:+.1f}]",
            "promise": str(self.state),
        }


def promises(planned: Iterable[PlannedFactor], results: Mapping[str, ExamResult]) -> list[FactorPromise]:
    """Compare what a batch's plan expected with what its exam shows.

    Args:
        planned: What the plan did about factors.
        results: What the exam's readers got right: ADAPTER, BASE, and PROMOTED where an adapter was in use before.
    """
    base, adapter = results[BASE].parts(), results[ADAPTER].parts()
    before_result = results.get(PROMOTED, results[BASE])
    before = before_result.parts()
    usual = mean_accuracy(before.get(BASE_PART, ()))
    pairs = paired_documents(results[ADAPTER], before_result)
    kept = []
    for factor in planned:
        part = factor.factor
        if not factor.documents or part not in adapter:
            continue
        measured = paired_gain([ours.accuracy - theirs.accuracy for ours, theirs in pairs if ours.part == part])
        accuracy = mean_accuracy(before[part])
        expected, low, high = (
            accuracy + max(0.0, usual - accuracy) * (1 - effect / factor.effect)
            for effect in (factor.expected_effect, factor.expected_high, factor.expected_low)
        )
        kept.append(
            FactorPromise(
                factor=part,
                cause=_cause(factor),
                documents=factor.documents,
                base=round(mean_accuracy(base[part]), 4),
                before=round(accuracy, 4),
                expected=round(expected, 4),
                expected_low=round(low, 4),
                expected_high=round(high, 4),
                after=round(mean_accuracy(adapter[part]), 4),
                gain=round(measured.gain, 4),
                low=round(measured.low, 4),
                high=round(measured.high, 4),
                state=_state(measured.low, measured.high, expected - accuracy),
            )
        )
    return kept


def _cause(factor: PlannedFactor) -> str:
    strongest = sorted(factor.effects.items(), key=lambda item: -item[1])[:2]
    return f"{factor.factor} ({', '.join(f'{element} {effect:+.0%}' for element, effect in strongest)})"


def _state(low: float, high: float, expected: float) -> PromiseState:
    if high < 0:
        return PromiseState.BROKEN
    if low <= 0:
        return PromiseState.OPEN
    return PromiseState.KEPT if high >= expected else PromiseState.PARTLY


def untouched_parts(kept: Sequence[FactorPromise], results: Mapping[str, ExamResult]) -> dict[str, tuple[float, float]]:
    """Return accuracy before and after on the exam's other parts: the base part, and factors of earlier batches."""
    before = results.get(PROMOTED, results[BASE]).parts()
    promised = {promise.factor for promise in kept}
    return {
        part: (mean_accuracy(before[part]), mean_accuracy(documents))
        for part, documents in results[ADAPTER].parts().items()
        if part not in promised and part in before
    }
