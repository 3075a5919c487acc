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
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.rendering.pages import RenderedDocument

PAIR_BUILDERS: dict[Task, Callable[[VisibleDocument, int], Iterator[Pair]]] = {
    Task.FULL_EXTRACTION: extraction_tasks.full_extractions,
    Task.SCHEMA_EXTRACTION: extraction_tasks.schema_extractions,
    Task.REGION_EXTRACTION: extraction_tasks.region_extractions,
    Task.LINE_ITEMS: extraction_tasks.line_item_extractions,
    Task.PAGE_EXTRACTION: extraction_tasks.page_extractions,
    Task.MULTI_PAGE_LINES: extraction_tasks.multi_page_extractions,
    Task.FIELD_QUESTION: question_tasks.field_questions,
    Task.ABSENT_FIELD: question_tasks.absent_field_questions,
    Task.DOCUMENT_TYPE: question_tasks.document_type_questions,
    Task.ARITHMETIC: arithmetic_tasks.arithmetic_claims,
    Task.FIELD_TO_BOX: question_tasks.field_locations,
    Task.BOX_TO_FIELD: question_tasks.box_contents,
    Task.TABLE: verbatim_tasks.otsl_tables,
    Task.OCR_LINE: verbatim_tasks.ocr_lines,
    Task.OCR_REGION: verbatim_tasks.ocr_regions,
}

# Pairs a document, at most. Nearly all that is printed is read line by line; the rest is asked about once or twice.
DEFAULT_MIX: dict[Task, float] = {
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
        default_factory=lambda: dict(DEFAULT_MIX),
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

    def with_counts(self, **counts: float) -> PairRecipe:
        """Return a recipe with other counts for some tasks."""
        return PairRecipe(mix={**self.mix, **{Task(task): count for task, count in counts.items()}})

    def pair_count(self, task: Task, document_id: str) -> int:
        """Return how many pairs of a task a document gives at most; the fraction is a matter of chance, by its id."""
        most = self.mix.get(task, 0.0)
        return int(most) + (Random(f"mix:{task}:{document_id}").random() < most % 1)


def make_pairs(drawn: DrawnDocument, rendered: RenderedDocument, recipe: PairRecipe) -> list[Pair]:
    """Return a document's pairs; which fields and lines are asked for follows from the document's id."""
    shown = VisibleDocument(drawn, rendered)
    return [pair for task, make in PAIR_BUILDERS.items() for pair in make(shown, recipe.pair_count(task, drawn.id))]
