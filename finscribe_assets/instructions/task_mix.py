"""Decide how many pairs of each task a document gives, and build them.

A response never contains what its image does not show. JSON responses are built from values that are printed and
legible inside the image, in canonical form (ISO dates, plain decimals); OCR and table responses are verbatim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from pydantic import BaseModel, ConfigDict, Field, field_validator

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.errors import UserError
from finscribe_assets.instructions import (
    arithmetic_tasks,
    extraction_tasks,
    grounding_tasks,
    question_tasks,
    verbatim_tasks,
)
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.rendering.pages import RenderedDocument

PAIR_BUILDERS: dict[Task, Callable[[VisibleDocument, int], Iterator[Pair]]] = {
    Task.FULL_EXTRACTION: extraction_tasks.full_extractions,
    Task.SCHEMA_EXTRACTION: extraction_tasks.schema_extractions,
    Task.REGION_EXTRACTION: extraction_tasks.region_extractions,
    Task.LINE_ITEMS: extraction_tasks.line_item_extractions,
    Task.PAGE_EXTRACTION: extraction_tasks.page_extractions,
    Task.GROUNDED_EXTRACTION: grounding_tasks.grounded_extractions,
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

# The maximum number of pairs per document. Nearly every printed line is read once; the other tasks come once or twice.
DEFAULT_MIX: dict[Task, float] = {
    Task.FULL_EXTRACTION: 1,
    Task.SCHEMA_EXTRACTION: 1,
    Task.REGION_EXTRACTION: 4,
    Task.LINE_ITEMS: 1,
    Task.PAGE_EXTRACTION: 1,
    Task.GROUNDED_EXTRACTION: 1,
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
    """The number of pairs of each task that a document gives."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mix: dict[Task, float] = Field(
        default_factory=lambda: dict(DEFAULT_MIX),
        description="Maximum number of pairs per document, by task. A fraction is a probability: with 1.5 every "
        "document gives one pair and half of them a second one. Tasks that are not named give none.",
    )

    @field_validator("mix")
    @classmethod
    def _check_counts(cls, mix: dict[Task, float]) -> dict[Task, float]:
        for task, count in mix.items():
            if not 0 <= count <= 10_000:
                raise UserError(f"mix: {task}: {count} pairs per document; give a number from 0 to 10,000")
        return {task: mix[task] for task in Task if task in mix}  # one order: equal mixes have equal fingerprints

    def with_counts(self, **counts: float) -> PairRecipe:
        """Return a copy with other counts for some tasks, such as ``recipe.with_counts(ocr_line=2)``."""
        return PairRecipe(mix={**self.mix, **{Task(task): count for task, count in counts.items()}})

    def pair_count(self, task: Task, document_id: str) -> int:
        """Return the maximum number of pairs of a task for a document; the document's id decides about a fraction."""
        count = self.mix.get(task, 0.0)
        return int(count) + (Random(f"mix:{task}:{document_id}").random() < count % 1)


def make_pairs(drawn: DrawnDocument, rendered: RenderedDocument, recipe: PairRecipe) -> list[Pair]:
    """Return the pairs of a document. All random choices are seeded by the document's id.

    Args:
        drawn: the document.
        rendered: its pages.
        recipe: the number of pairs of each task.
    """
    document = VisibleDocument(drawn, rendered)
    return [
        pair for task, build in PAIR_BUILDERS.items() for pair in build(document, recipe.pair_count(task, drawn.id))
    ]
