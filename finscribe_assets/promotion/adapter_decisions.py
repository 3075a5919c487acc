"""The record of promotions: one decision for each batch's adapter, which nothing changes afterwards.

The registry is the decisions in order of their batches: the promoted adapter is the last one that passed the gate. So
what was promoted after which batch can be told at any time, and a batch that is judged again gets the same decision.
Adapters that a person takes out of use are in `adapter_withdrawals`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.promotion.gate import GateVerdict


class AdapterDecision(BaseModel):
    """What the gate decided about the adapter of one batch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(description="batch whose adapter was judged")
    adapter: str = Field(description="SHA-256 of its weights")
    base: str = Field(description="identity of its base")
    compared_with: str | None = Field(description="batch of the promoted adapter at that time; None for the bare base")
    accuracy: float = Field(description="mean field accuracy on the exam's base part")
    verdict: GateVerdict

    def row(self) -> dict[str, object]:
        """Return the decision as a row of a table."""
        return {
            "batch": self.key,
            "state": "promoted" if self.verdict.promoted else "refused",
            "compared with": self.compared_with or "bare base",
            "base documents": self.accuracy,
            "why": self.verdict.reason,
        }


def promoted_before(decisions: Sequence[AdapterDecision], key: str) -> AdapterDecision | None:
    """Return the decision that promoted last before a batch; None if none did."""
    earlier = [decision for decision in decisions if decision.key < key and decision.verdict.promoted]
    return max(earlier, key=lambda decision: decision.key, default=None)


def promoted_adapter(decisions: Sequence[AdapterDecision]) -> AdapterDecision | None:
    """Return the decision that promoted last; None if none did."""
    return max((one for one in decisions if one.verdict.promoted), key=lambda one: one.key, default=None)
