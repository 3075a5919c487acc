"""Plans: which documents a batch is drawn from, and why. A document is a function of (plan, index) alone."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from finscribe_assets.documents.batch_keys import BATCH_KEY_PATTERN, PROBE_KEY
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.errors import UserError


class PlanComponent(BaseModel):
    """A share of a plan's documents and the recipe they are drawn from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="what this share is for: base, floor, or the knob that it turns up")
    documents: int = Field(ge=0, description="number of documents")
    recipe: Recipe = Field(default=Recipe(), description="what they are drawn from")


class Plan(BaseModel):
    """What one batch is drawn from, and why. A document is a function of (plan, index) and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(description="the batch's key, such as batch-007")
    seed: int = Field(ge=0, lt=2**63, description="seed of every random draw of the batch")
    components: tuple[PlanComponent, ...] = Field(min_length=1, description="shares of the batch, in index order")
    parent: str | None = Field(default=None, description="the batch whose evaluation asked for this one")
    reasons: tuple[dict[str, JsonValue], ...] = Field(
        default=(), description="evidence for this batch in the words of whoever planned it; mining writes weak cells"
    )
    rule: str = Field(default="portfolio", description="how documents were allocated, one of mining/allocation.RULES")
    disabled: tuple[str, ...] = Field(default=(), description="cells and knobs that a person has vetoed")

    @field_validator("key")
    @classmethod
    def _check_key(cls, key: str) -> str:
        if key != PROBE_KEY and not BATCH_KEY_PATTERN.fullmatch(key):
            raise UserError(f"key: {key!r} is not of the form batch-007")
        return key

    @property
    def documents(self) -> int:
        """Return the number of documents of the batch."""
        return sum(component.documents for component in self.components)

    def component_of(self, index: int) -> PlanComponent:
        """Return the share that document number ``index`` belongs to."""
        rest = index
        for component in self.components:
            if rest < component.documents:
                return component
            rest -= component.documents
        raise IndexError(f"{self.key} has {self.documents} documents; there is no number {index}")


def seed_plan(key: str, documents: int, seed: int, recipe: Recipe | None = None) -> Plan:
    """Return the plan of a first batch: one share, drawn from the base recipe."""
    return Plan(
        key=key, seed=seed, components=(PlanComponent(name="base", documents=documents, recipe=recipe or Recipe()),)
    )
