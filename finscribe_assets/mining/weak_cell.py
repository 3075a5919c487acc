"""Weak cells: an element that fails in one way often enough to synthesise for, with the evidence."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.plan import Plan


class WeakCell(BaseModel):
    """An element that fails in one way often enough to act on, with the evidence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    element: str
    error_type: str
    failures: int = Field(ge=0)
    trials: int = Field(ge=0)
    lower_bound: float = Field(ge=0, le=1, description="one-sided 95 % Wilson lower bound of the failure rate")
    rate: float = Field(default=0.0, ge=0, le=1, description="failure rate, mean over documents")
    knobs: tuple[str, ...] = Field(default=(), description="knobs to turn up, those that failures share first")
    effects: dict[str, float] = Field(
        default={},
        description="by how much the rate is higher with a knob, where the "
        "failures show it; the other knobs are presumed from what they are made for",
    )
    examples: tuple[str, ...] = Field(default=(), description="ids of documents that fail so")
    documents: int = Field(default=0, ge=0, description="documents of the plan that turn up one of its knobs")
    expected_gain: float = Field(default=0.0, description="by how much its rate is expected to fall")
    left_out: str = Field(default="", description="why the plan does nothing for it: disabled, or retired")

    @property
    def name(self) -> str:
        """Return the cell's name, as in ``amount×sign``."""
        return f"{self.element}×{self.error_type}"


def weak_cells_of(plan: Plan) -> tuple[WeakCell, ...]:
    """Return the weak cells that a plan was made for.

    Raises:
        pydantic.ValidationError: the plan's reasons were not written by mining.
    """
    return tuple(WeakCell.model_validate(reason) for reason in plan.reasons)
