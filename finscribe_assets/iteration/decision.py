"""Decide whether another iteration follows: a pure function of the records of all iterations so far.

The sensor, the asset `hard_sample_plan` and `finscribe decide` all call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

PLATEAU_ITERATIONS = 2  # in a row without a gain


class IterationRecord(BaseModel):
    """The outcome of an iteration, as `hard_sample_plan` stores it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    metric: float = Field(
        description="field F1 on the first batch's validation documents, which every iteration measures"
    )
    gain: float | None = Field(default=None, description="gain over the iteration before; None for the first")
    gain_upper: float | None = Field(default=None, description="upper bound of the gain's 95 % interval")
    weak_cells: int = Field(description="number of cells that are weak enough to synthesise for")
    next_key: str | None = Field(default=None, description="the batch that was planned; None when nothing is weak")


class Action(StrEnum):
    """Whether the loop goes on."""

    ITERATE = "iterate"
    STOP = "stop"


class Decision(BaseModel):
    """Whether the loop goes on, and why in words."""

    model_config = ConfigDict(frozen=True)

    action: Action
    reason: str
    next_key: str | None = None


def decide(
    history: Sequence[IterationRecord], *, limit: int, threshold: float, patience: int = PLATEAU_ITERATIONS
) -> Decision:
    """Decide from all iterations so far.

    Args:
        history: Records, oldest first.
        limit: Number of iterations after which the loop stops.
        threshold: Gain below which an iteration is no improvement.
        patience: Number of iterations in a row without improvement that make a plateau.

    Returns:
        Stop when nothing is weak, when ``limit`` iterations were made, or on a plateau: ``patience`` iterations in a
        row whose gain has an upper bound below ``threshold``. Iterate otherwise.
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
        gains = ", ".join(f"{record.key} {record.gain:+.4f} (at most {record.gain_upper:+.4f})" for record in recent)
        return Decision(
            action=Action.STOP, reason=f"validation has stopped improving: gains {gains} are below {threshold:g}"
        )
    return Decision(
        action=Action.ITERATE, next_key=last.next_key, reason=f"{last.weak_cells} weak cells lead to {last.next_key}"
    )
