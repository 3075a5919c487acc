"""Whether there is a next iteration: a pure function of the iterations so far. The sensor asks it, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

PATIENCE = 2  # iterations in a row without a gain, before it is a plateau


class IterationRecord(BaseModel):
    """What an iteration came to, as its plan's asset writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    metric: float = Field(description="field F1 on the first batch's validation documents, the same in each iteration")
    gain: float | None = Field(default=None, description="gain over the iteration before; None for the first")
    gain_upper: float | None = Field(default=None, description="upper bound of the gain's 95 % interval")
    weak_cells: int = Field(description="cells weak enough to synthesise for")
    next_key: str | None = Field(default=None, description="the batch that was planned; None when nothing is weak")


class Action(StrEnum):
    """What to do now."""

    ITERATE = "iterate"
    STOP = "stop"


class Decision(BaseModel):
    """What to do now, and why in words."""

    model_config = ConfigDict(frozen=True)

    action: Action
    reason: str
    next_key: str | None = None


def decide(history: Sequence[IterationRecord], *, limit: int, threshold: float, patience: int = PATIENCE) -> Decision:
    """Decide from every iteration so far, oldest first.

    Stop when nothing is weak, when ``limit`` iterations were made, or on a plateau: ``patience`` iterations in a row
    whose gain's upper bound is below ``threshold``.
    """
    if not history:
        return Decision(action=Action.STOP, reason="there is no iteration yet")
    last = history[-1]
    if last.next_key is None:
        weak = f"all {last.weak_cells} weak cells are left out of the plan" if last.weak_cells else ""
        return Decision(action=Action.STOP, reason=f"{last.key}: {weak or 'nothing is weak enough to synthesise for'}")
    if len(history) >= limit:
        return Decision(action=Action.STOP, reason=f"the limit of {limit} iterations is reached")
    recent = history[-patience:]
    bounds = [record.gain_upper for record in recent]
    if len(recent) == patience and all(bound is not None and bound < threshold for bound in bounds):
        said = ", ".join(f"{record.key} {record.gain:+.4f} (at most {record.gain_upper:+.4f})" for record in recent)
        return Decision(
            action=Action.STOP, reason=f"validation has stopped improving: gains {said} are below {threshold:g}"
        )
    return Decision(
        action=Action.ITERATE, next_key=last.next_key, reason=f"{last.weak_cells} weak cells lead to {last.next_key}"
    )
