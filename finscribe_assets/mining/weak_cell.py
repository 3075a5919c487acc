"""Weak cells: an element that fails in one way often enough to synthesise documents for, with the evidence."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.plan import Plan


class WeakCell(BaseModel):
    """An element that fails in one way often enough to act on; a reason of a plan."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    element: str
    error_type: str
    failures: int = Field(ge=0, description="number of failed fields")
    trials: int = Field(ge=0, description="number of fields of the element")
    lower_bound: float = Field(ge=0, le=1, description="one-sided 95 % Wilson lower bound of the failure rate")
    rate: float = Field(default=0.0, ge=0, le=1, description="failure rate, mean over documents")
    knobs: tuple[str, ...] = Field(default=(), description="knobs and other values to draw more often")
    effects: dict[str, float] = Field(
        default={},
        description="difference of the failure rate with and without a drawn value, for the values that the failures "
        "are attributed to",
    )
    to_probe: tuple[str, ...] = Field(
        default=(), description="knobs that are designed for such failures, where nothing is known of the documents"
    )
    limits: str = Field(default="", description="what the documents cannot say about the causes of the failures")
    examples: tuple[str, ...] = Field(default=(), description="ids of documents with such a failure")
    documents: int = Field(default=0, ge=0, description="number of documents of the plan that turn up one of its knobs")
    expected_gain: float = Field(default=0.0, description="expected decrease of the failure rate")
    left_out: str = Field(default="", description="why no documents are planned for it; empty if some are")

    @property
    def name(self) -> str:
        """Return the cell's name, such as ``amount×sign``."""
        return f"{self.element}×{self.error_type}"


def weak_cells_of(plan: Plan) -> tuple[WeakCell, ...]:
    """Return the weak cells that a plan was made for, from its reasons.

    Raises:
        pydantic.ValidationError: the plan's reasons were not written by mining.
    """
    return tuple(WeakCell.model_validate(reason) for reason in plan.reasons)
