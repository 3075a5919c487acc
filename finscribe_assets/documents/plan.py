"""Plans: what the documents of a batch are drawn from, and why."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from finscribe_assets.documents.batch_keys import BATCH_KEY_PATTERN, EXAMINATION_KEYS
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.errors import UserError
from finscribe_assets.files import sha256_of


class PlanComponent(BaseModel):
    """A number of documents of a plan and the recipe that they are drawn from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="what the component is for: base, floor, or the knob that it turns up")
    documents: int = Field(ge=0, description="number of documents")
    recipe: Recipe = Field(default=Recipe(), description="recipe that they are drawn from")


class Plan(BaseModel):
    """What a batch is drawn from, and why. A document depends only on its plan and its index."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(description="key of the batch, such as batch-007")
    seed: int = Field(ge=0, lt=2**63, description="seed of all random draws of the batch")
    components: tuple[PlanComponent, ...] = Field(min_length=1, description="parts of the batch, in index order")
    parent: str | None = Field(default=None, description="key of the batch whose evaluation led to this one")
    reasons: tuple[dict[str, JsonValue], ...] = Field(
        default=(), description="evidence for this batch; mining writes its weak cells here"
    )
    rule: str = Field(default="portfolio", description="how documents were allocated, one of mining/allocation.RULES")
    disabled: tuple[str, ...] = Field(default=(), description="cells and knobs that a person has disabled")

    @field_validator("key")
    @classmethod
    def _check_key(cls, key: str) -> str:
        if key not in EXAMINATION_KEYS and not BATCH_KEY_PATTERN.fullmatch(key):
            raise UserError(f"key: {key!r} is not of the form batch-007")
        return key

    @property
    def documents(self) -> int:
        """Return the number of documents of the batch."""
        return sum(component.documents for component in self.components)

    def content_hash(self) -> str:
        """Return the SHA-256 of the plan, which the shards of its documents carry."""
        return sha256_of(self.model_dump_json())

    def component_of(self, index: int) -> PlanComponent:
        """Return the component that a document belongs to.

        Raises:
            IndexError: the plan has no document with this index.
        """
        rest = index
        for component in self.components:
            if rest < component.documents:
                return component
            rest -= component.documents
        raise IndexError(f"{self.key} has {self.documents} documents; there is no document {index}")


def seed_plan(key: str, documents: int, seed: int, recipe: Recipe | None = None) -> Plan:
    """Return a plan with a single component, as the first batch has.

    Args:
        key: key of the batch.
        documents: number of documents.
        seed: seed of all random draws.
        recipe: what to draw from; the default recipe if not given.
    """
    return Plan(
        key=key, seed=seed, components=(PlanComponent(name="base", documents=documents, recipe=recipe or Recipe()),)
    )


def with_recipe(plan: Plan, recipe: Recipe) -> Plan:
    """Return a plan whose first component, from which later plans take their base recipe, has another recipe."""
    first = plan.components[0].model_copy(update={"recipe": recipe})
    return plan.model_copy(update={"components": (first, *plan.components[1:])})
