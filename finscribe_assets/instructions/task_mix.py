"""The pairs of one document: the mix of tasks, and which room makes each.

A response never holds what its image does not show: JSON answers are built from printed values inside the region that
damage has left readable, in canonical form (ISO dates, plain decimals); `OCR:` and tables are verbatim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from pydantic import BaseModel, ConfigDict, Field, field_validator

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.errors import UserError
from finscribe_assets.instructions import arithmetic_tasks, extraction_tasks, question_tasks, verbatim_tasks
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.visible_values import Shown
from finscribe_assets.rendering.pages import RenderedDocument

MAKERS: dict[Task, Callable[[Shown, int], Iterator[Pair]]] = {
    Task.FULL_EXTRACTION: extraction_tasks.full,
    Task.SCHEMA_EXTRACTION: extraction_tasks.by_schema,
    Task.REGION_EXTRACTION: extraction_tasks.regions,
    Task.LINE_ITEMS: extraction_tasks.line_items,
    Task.PAGE_EXTRACTION: extraction_tasks.single_pages,
    Task.MULTI_PAGE_LINES: extraction_tasks.merged_lines,
    Task.FIELD_QUESTION: question_tasks.fields,
    Task.ABSENT_FIELD: question_tasks.absent,
    Task.DOCUMENT_TYPE: question_tasks.document_type,
    Task.ARITHMETIC: arithmetic_tasks.claims,
    Task.FIELD_TO_BOX: question_tasks.where,
    Task.BOX_TO_FIELD: question_tasks.what,
    Task.TABLE: verbatim_tasks.tables,
    Task.OCR_LINE: verbatim_tasks.lines,
    Task.OCR_REGION: verbatim_tasks.blocks,
}

# Pairs a document, at most. Nearly all that is printed is read line by line; the rest is asked about once or twice.
MIX: dict[Task, float] = {
    Task.FULL_EXTRACTION: 1,
    Task.SCHEMA_EXTRACTION: 1,
    Task.REGION_EXTRACTION: 4,
    Task.LINE_ITEMS: 1,
    Task.PAGE_EXTRACTION: 1,
    Task.MULTI_PAGE_LINES: 1,
    Task.FIELD_QUESTION: 2,
    Task.ABSENT_FIELD: 1,
    Task.DOCUMENT_TYPE: 0.5,
    Task.ARITHMETIC: 1,
    Task.FIELD_TO_BOX: 1,
    Task.BOX_TO_FIELD: 1,
    Task.TABLE: 4,
    Task.OCR_LINE: 24,
    Task.OCR_REGION: 2,
}


class PairRecipe(BaseModel):
    """How many pairs of each task a document gives."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mix: dict[Task, float] = Field(
        default_factory=lambda: dict(MIX),
        description="Pairs a document, at most, by task; of 1.5 every document has one and half of them a second. "
        "Tasks that are not named give none.",
    )

    @field_validator("mix")
    @classmethod
    def _counts(cls, mix: dict[Task, float]) -> dict[Task, float]:
        for task, count in mix.items():
            if not 0 <= count <= 10_000:
                raise UserError(f"{task}: {count} pairs a document; give a number from 0 to 10,000")
        return {task: mix[task] for task in Task if task in mix}  # one order, so that one mix has one fingerprint

    def changed(self, **counts: float) -> PairRecipe:
        """Return a recipe with other counts for some tasks."""
        return PairRecipe(mix={**self.mix, **{Task(task): count for task, count in counts.items()}})

    def count(self, task: Task, document_id: str) -> int:
        """Return how many pairs of a task a document gives at most; the fraction is a matter of chance, by its id."""
        most = self.mix.get(task, 0.0)
        return int(most) + (Random(f"mix:{task}:{document_id}").random() < most % 1)


def make_pairs(drawn: DrawnDocument, rendered: RenderedDocument, recipe: PairRecipe) -> list[Pair]:
    """Return a document's pairs; which fields and lines are asked for follows from the document's id."""
    shown = Shown(drawn, rendered)
    return [pair for task, make in MAKERS.items() for pair in make(shown, recipe.count(task, drawn.id))]
