"""The generator: draws a document from a plan.

A document depends only on its plan and its index: not on the clock, the shard or the process. Every concern draws
from a random stream of its own, seeded by name (`Random(f"lines:{name}")`), so a change to one concern leaves the draws
of the others as they were.

The steps are in modules of their own: the outline (`document_outline.py`), the content (`document_drawing.py`) and the
look of the page (`presentation_drawing.py`).
"""

from __future__ import annotations

from random import Random

from finscribe_assets.documents.captions import labels_needed
from finscribe_assets.documents.document_drawing import draw_content
from finscribe_assets.documents.document_outline import draw_outline
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.layout_families import PAGE_LABELS
from finscribe_assets.documents.plan import Plan
from finscribe_assets.documents.presentation_drawing import draw_labels, draw_presentation
from finscribe_assets.documents.printed_values import printed_values


def draw_document(plan: Plan, index: int) -> DrawnDocument:
    """Draw one document of a plan.

    Args:
        plan: the plan.
        index: the document's position in the batch, from 0.

    Raises:
        IndexError: the plan has no such document.
    """
    component = plan.component_of(index)
    outline = draw_outline(f"{plan.key}:{plan.seed}:{index}", component.recipe, plan.key)
    document = draw_content(outline)
    presentation = draw_presentation(outline, component.recipe, document)
    printed = printed_values(document, presentation)
    keys = labels_needed(document, printed, presentation.columns, merged_head=presentation.merged_head)
    keys |= {**outline.layout.labels, **PAGE_LABELS}
    labels = draw_labels(
        Random(f"labels:{outline.name}"),
        outline.seller.locale,
        keys,
        outline.knobs,
        capital_heads=presentation.style.head == "capitals",
    )
    return DrawnDocument(
        id=f"{plan.key}-{index:06d}",
        batch=plan.key,
        index=index,
        component=component.name,
        vendor=outline.seller.id,
        document=document,
        printed=printed,
        knobs=outline.knobs,
        presentation=presentation.model_copy(update={"labels": labels}),
    )
