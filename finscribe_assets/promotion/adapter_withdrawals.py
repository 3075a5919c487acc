"""Withdrawals: a person takes a promoted adapter out of use, or brings it back.

What belongs here: the record of such steps, and which adapter is in use after decisions and steps. The gate's decisions
are never changed: a step stands beside them, and counts for the batches after the one that was judged last when it was
taken. So an earlier batch that is judged again is still compared with the adapter that was in use at that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.errors import UserError
from finscribe_assets.promotion.adapter_decisions import AdapterDecision, promoted_adapter, promoted_before


class WithdrawalAction(StrEnum):
    """What a person did with a promoted adapter."""

    WITHDRAWN = "withdrawn"
    RESTORED = "restored"


class WithdrawalStep(BaseModel):
    """A person's step about a promoted adapter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = Field(description="position among all steps of a storage, from 1")
    action: WithdrawalAction
    key: str = Field(description="batch whose adapter is meant")
    adapter: str = Field(description="SHA-256 of its weights; weights that are trained anew are not meant")
    after: str = Field(description="batch that was judged last at that time; the step counts for later batches")
    time: str = Field(description="when the step was taken, ISO 8601 in UTC")
    reason: str

    @property
    def text(self) -> str:
        """Return the step in words."""
        return f"{self.time}: {self.key} {self.action} (counts after {self.after}): {self.reason}"


def withdrawn_adapters(steps: Sequence[WithdrawalStep]) -> set[tuple[str, str]]:
    """Return batch and weights of the adapters that are withdrawn after these steps."""
    latest = {(step.key, step.adapter): step.action for step in sorted(steps, key=lambda step: step.number)}
    return {adapter for adapter, action in latest.items() if action is WithdrawalAction.WITHDRAWN}


def in_use_before(
    decisions: Sequence[AdapterDecision], steps: Sequence[WithdrawalStep], key: str
) -> AdapterDecision | None:
    """Return the adapter in use before a batch: the last one promoted earlier and not withdrawn; None for the base."""
    return promoted_before(_without_withdrawn(decisions, [step for step in steps if step.after < key]), key)


def in_use_after(
    decisions: Sequence[AdapterDecision], steps: Sequence[WithdrawalStep], key: str
) -> AdapterDecision | None:
    """Return the adapter in use after a batch; None for the bare base.

    Args:
        decisions: About the batches up to and including this one.
        steps: All steps.
        key: The batch.
    """
    return promoted_adapter(_without_withdrawn(decisions, [step for step in steps if step.after <= key]))


def registry_rows(decisions: Sequence[AdapterDecision], steps: Sequence[WithdrawalStep]) -> list[dict[str, object]]:
    """Return the decisions as rows of a table; adapters that were promoted and are withdrawn are marked."""
    withdrawn, rows = withdrawn_adapters(steps), []
    for decision in decisions:
        is_withdrawn = decision.verdict.promoted and (decision.key, decision.adapter) in withdrawn
        rows.append(decision.row() | ({"state": str(WithdrawalAction.WITHDRAWN)} if is_withdrawn else {}))
    return rows


def next_step(
    decisions: Sequence[AdapterDecision],
    steps: Sequence[WithdrawalStep],
    action: WithdrawalAction,
    key: str,
    *,
    time: str,
    reason: str,
) -> WithdrawalStep:
    """Return the step that withdraws or restores a batch's adapter.

    Args:
        decisions: All decisions.
        steps: All steps so far.
        action: Which of both.
        key: The batch.
        time: The present time, ISO 8601 in UTC.
        reason: Why, in the person's words.

    Raises:
        UserError: The adapter was never promoted, is withdrawn already, or is not withdrawn; or there is no reason.
    """
    decision = next((decision for decision in decisions if decision.key == key), None)
    promoted = ", ".join(decision.key for decision in decisions if decision.verdict.promoted) or "none"
    if decision is None:
        raise UserError(f"{key}: its adapter was not judged; promoted so far: {promoted}")
    if not decision.verdict.promoted:
        raise UserError(f"{key}: the gate refused its adapter, so that it is not in use; promoted so far: {promoted}")
    is_withdrawn = (key, decision.adapter) in withdrawn_adapters(steps)
    if is_withdrawn is (action is WithdrawalAction.WITHDRAWN):
        raise UserError(f"{key}: its adapter is {'withdrawn already' if is_withdrawn else 'not withdrawn'}")
    if not reason.strip():
        raise UserError("--reason: say in a few words why, for those who read the history")
    return WithdrawalStep(
        number=max((step.number for step in steps), default=0) + 1,
        action=action,
        key=key,
        adapter=decision.adapter,
        after=max(decision.key for decision in decisions),
        time=time,
        reason=reason.strip(),
    )


def _without_withdrawn(decisions: Sequence[AdapterDecision], steps: Sequence[WithdrawalStep]) -> list[AdapterDecision]:
    withdrawn = withdrawn_adapters(steps)
    return [decision for decision in decisions if (decision.key, decision.adapter) not in withdrawn]
