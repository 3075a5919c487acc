"""Decide whether another iteration follows: a pure function of the records of all iterations so far.

The sensor, the asset `hard_sample_plan` and `finscribe decide` all call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.promotion.exam_results import BASE_PART
from finscribe_assets.promotion.gate import GateVerdict
from finscribe_assets.promotion.paired_gain import Progress, ProgressStatement

PATIENCE = 2  # iterations in a row without a promotion, after which the loop stops


class IterationRecord(BaseModel):
    """The outcome of an iteration, as `hard_sample_plan` stores it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    documents: int = Field(description="number of documents of the batch")
    accuracy: float = Field(description="mean field accuracy of its adapter on the exam's base documents")
    gain: float = Field(description="gain on the whole exam over the adapter in use before, or over the bare base")
    low: float = Field(description="bounds of the gain's 95 % interval")
    high: float
    progress: Progress = Field(description="what the exam says about the gain")
    detectable: float = Field(description="gain that an exam of this size finds with a power of 0.8")
    documents_needed: int = Field(default=0, description="further exam documents that an inconclusive result needs")
    promoted: bool = Field(description="whether its adapter came into use")
    why: str = Field(default="", description="reason of the gate")
    weak: int = Field(description="number of factors that harm the adapter in use")
    next_key: str | None = Field(default=None, description="the batch that was planned; None where none was")

    def row(self) -> dict[str, object]:
        """Return the record as a row of a table."""
        return {
            "batch": self.key,
            "documents": self.documents,
            "usual documents": f"{self.accuracy:.1%}",
            "gain on the exam": f"{100 * self.gain:+.1f} points [{100 * self.low:+.1f}, {100 * self.high:+.1f}]",
            "adapter": "promoted" if self.promoted else f"refused ({self.progress})",
            "harmful factors left": self.weak,
            "next": self.next_key or "none",
        }


def record_iteration(
    key: str, documents: int, verdict: GateVerdict, stated: ProgressStatement, weak: int, next_key: str | None
) -> IterationRecord:
    """Return the record of an iteration.

    Args:
        key: Its batch.
        documents: Number of documents of the batch.
        verdict: What the gate says of its adapter.
        stated: What the exam says about the gain.
        weak: Number of factors that harm the adapter in use.
        next_key: The batch that is planned; None where none is.
    """
    overall = verdict.overall
    base = next((part.accuracy for part in verdict.parts if part.part == BASE_PART), overall.accuracy)
    return IterationRecord(
        key=key,
        documents=documents,
        accuracy=base,
        gain=overall.gain,
        low=overall.low,
        high=overall.high,
        progress=stated.progress,
        detectable=round(stated.detectable, 4),
        documents_needed=stated.documents_needed,
        promoted=verdict.promoted,
        why=verdict.reason,
        weak=weak,
        next_key=next_key,
    )


class Action(StrEnum):
    """Whether the loop goes on."""

    ITERATE = "iterate"
    STOP = "stop"


class Ending(StrEnum):
    """Why the loop stops."""

    NOTHING_WEAK = "nothing weak"  # no factor that harms the adapter can be planned for
    LIMIT = "limit"  # of iterations
    PLATEAU = "plateau"  # an exam that would show a worthwhile gain shows none
    INCONCLUSIVE = "inconclusive"  # the exam is too small to show a worthwhile gain
    REFUSED = "refused"  # adapters gained, but lost something that matters


class Decision(BaseModel):
    """Whether the loop goes on, and why in words."""

    model_config = ConfigDict(frozen=True)

    action: Action
    reason: str
    ending: Ending | None = None
    next_key: str | None = None


def decide(history: Sequence[IterationRecord], *, limit: int, patience: int = PATIENCE) -> Decision:
    """Decide from all iterations so far.

    Args:
        history: Records, oldest first.
        limit: Number of iterations after which the loop stops.
        patience: Number of iterations in a row without a promotion, after which it stops.

    Returns:
        Stop when nothing is weak, when ``limit`` iterations were made, or when the last ``patience`` adapters were not
        promoted; `Ending` tells these apart. Iterate otherwise.
    """
    if not history:
        return Decision(action=Action.STOP, reason="there is no iteration yet")
    last = history[-1]
    if last.next_key is None:
        weak = (
            f"all {last.weak} harmful factors are left out of the plan" if last.weak else "no factor harms the reader"
        )
        return _stop(Ending.NOTHING_WEAK, f"{last.key}: {weak}")
    if len(history) >= limit:
        return _stop(Ending.LIMIT, f"the limit of {limit} iterations is reached")
    recent = history[-patience:]
    if len(recent) == patience and not any(record.promoted for record in recent):
        return _stop_without_promotion(recent)
    return Decision(
        action=Action.ITERATE, next_key=last.next_key, reason=f"{last.weak} factors lead to {last.next_key}"
    )


def _stop(ending: Ending, reason: str) -> Decision:
    return Decision(action=Action.STOP, reason=f"{ending}: {reason}", ending=ending)


def _stop_without_promotion(recent: Sequence[IterationRecord]) -> Decision:
    gains = ", ".join(f"{record.key} {record.gain:+.4f} [{record.low:+.4f}, {record.high:+.4f}]" for record in recent)
    states = {record.progress for record in recent}
    if states == {Progress.NO_GAIN}:
        power = max(record.detectable for record in recent)
        return _stop(Ending.PLATEAU, f"no gain, though the exam would show {power:.4f} with a power of 0.8: {gains}")
    if Progress.INCONCLUSIVE in states:
        needed = max(record.documents_needed for record in recent)
        return _stop(Ending.INCONCLUSIVE, f"{needed:,} more exam documents are needed to tell: {gains}")
    return _stop(Ending.REFUSED, f"the last {len(recent)} adapters were not promoted: {recent[-1].why}; {gains}")
