"""Decide how many pairs of each task a document gives, and build them.

A response never contains what its image does not show. JSON responses are built from values that are printed and
legible inside the image, in canonical form (ISO dates, plain decimals); OCR and table responses are verbatim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

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
from finscribe_assets.instructions.token_count import MAX_TOKENS, sample_tokens
from finscribe_assets.instructions.visible_values import MIN_X_HEIGHT, VisibleDocument
from finscribe_assets.rendering.model_resize import PADDLEOCR_VL_1_5, PixelBudget
from finscribe_assets.rendering.pages import RenderedDocument
from finscribe_assets.schema_mapping.mapping import SchemaMapping

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
    Task.OCR_ROW: verbatim_tasks.ocr_rows,
    Task.OCR_REGION: verbatim_tasks.ocr_regions,
}

# The maximum number of pairs per document, for models that read pages: blocks and rows, as layout models cut them, and
# questions about whole pages, which exports join to conversations.
DEFAULT_MIX: dict[Task, float] = {
    Task.FULL_EXTRACTION: 1,
    Task.SCHEMA_EXTRACTION: 1,
    Task.REGION_EXTRACTION: 4,
    Task.LINE_ITEMS: 1,
    Task.PAGE_EXTRACTION: 1,
    Task.GROUNDED_EXTRACTION: 1,
    Task.MULTI_PAGE_LINES: 1,
    Task.FIELD_QUESTION: 3,
    Task.ABSENT_FIELD: 1,
    Task.DOCUMENT_TYPE: 0.5,
    Task.ARITHMETIC: 1,
    Task.FIELD_TO_BOX: 1,
    Task.BOX_TO_FIELD: 1,
    Task.TABLE: 2,
    Task.OCR_LINE: 0,
    Task.OCR_ROW: 4,
    Task.OCR_REGION: 4,
}
# For bases that read single printed lines, as the embedded one: nearly every line is read once.
LINE_MIX: dict[Task, float] = DEFAULT_MIX | {
    Task.FIELD_QUESTION: 2,
    Task.TABLE: 4,
    Task.OCR_LINE: 24,
    Task.OCR_ROW: 0,
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

    max_pixels: int = Field(
        default=PADDLEOCR_VL_1_5.max_pixels,
        ge=28 * 28,
        description="Number of pixels to which the model's processor reduces larger images. Print that is too small "
        "after that is not asked. The default is that of PaddleOCR-VL-1.5; PaddleOCR-VL has 2822400.",
    )

    max_tokens: int = Field(
        default=MAX_TOKENS,
        ge=256,
        description="Number of tokens that a sample may have, images included. Questions about all pages of a longer "
        "document are left out, and its pages are extracted one by one.",
    )

    mapping: SchemaMapping | None = Field(
        default=None,
        description="A user's keys, in which prompts and responses of JSON are; those of the schema unless given.",
    )

    @model_serializer(mode="wrap")
    def _without_absent_mapping(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out a mapping that is not there: the fingerprints of pairs in the schema's keys do not have it."""
        values: dict[str, Any] = serialise(self)
        return {name: value for name, value in values.items() if name != "mapping" or value is not None}

    @field_validator("mix")
    @classmethod
    def _check_counts(cls, mix: dict[Task, float]) -> dict[Task, float]:
        for task, count in mix.items():
            if not 0 <= count <= 10_000:
                raise UserError(f"mix: {task}: {count} pairs per document; give a number from 0 to 10,000")
        return {task: mix[task] for task in Task if task in mix}  # one order: equal mixes have equal fingerprints

    def with_counts(self, **counts: float) -> PairRecipe:
        """Return a copy with other counts for some tasks, such as ``recipe.with_counts(ocr_line=2)``."""
        return self.model_copy(
            update={"mix": PairRecipe(mix={**self.mix, **{Task(task): n for task, n in counts.items()}}).mix}
        )

    def pair_count(self, task: Task, document_id: str) -> int:
        """Return the maximum number of pairs of a task for a document; the document's id decides about a fraction."""
        count = self.mix.get(task, 0.0)
        return int(count) + (Random(f"mix:{task}:{document_id}").random() < count % 1)


LINE_RECIPE = PairRecipe(mix=LINE_MIX)


def make_pairs(drawn: DrawnDocument, rendered: RenderedDocument, recipe: PairRecipe) -> list[Pair]:
    """Return the pairs of a document. All random choices are seeded by the document's id.

    Args:
        drawn: the document.
        rendered: its pages.
        recipe: the number of pairs of each task.
    """
    document = VisibleDocument(drawn, rendered, PixelBudget(max_pixels=recipe.max_pixels), recipe.mapping)
    pairs = [
        pair for task, build in PAIR_BUILDERS.items() for pair in build(document, recipe.pair_count(task, drawn.id))
    ]
    fitting = [pair for pair in pairs if len(pair.pages) == 1 or _tokens(pair, document) <= recipe.max_tokens]
    if any(pair.task is Task.FULL_EXTRACTION and pair not in fitting for pair in pairs):
        page_pairs = extraction_tasks.page_extractions(document, len(document.pages))
        fitting = [pair for pair in fitting if pair.task is not Task.PAGE_EXTRACTION] + list(page_pairs)
    return [measured for pair in fitting if (measured := _measured(pair, document)) is not None]


def _tokens(pair: Pair, document: VisibleDocument) -> int:
    pages = (document.rendered.pages[number] for number in pair.pages)
    return sample_tokens(((page.width, page.height) for page in pages), (pair.prompt, pair.response), document.budget)


def _measured(pair: Pair, document: VisibleDocument) -> Pair | None:
    """Return a pair with the size of the print that it needs; None if that is too small for the model."""
    height = document.x_height_of(pair)
    if height is not None and height < MIN_X_HEIGHT:
        return None
    left_out = len(document.too_small) if pair.task is Task.FULL_EXTRACTION else 0
    return replace(pair, x_height=None if height is None else round(height, 2), left_out=left_out)
