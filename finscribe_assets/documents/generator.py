"""The generator: draws a document from a plan.

A document depends only on its plan and its index: not on the clock, the shard or the process. Every concern draws
from a random stream of its own, seeded by name (`Random(f"lines:{name}")`), so a change to one concern leaves the draws
of the others as they were.

The steps are in modules of their own: the outline (`document_outline.py`), the content (`document_drawing.py`) and the
look of the page (`presentation_drawing.py`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from random import Random

from finscribe_assets.documents.captions import labels_needed
from finscribe_assets.documents.document_drawing import draw_content
from finscribe_assets.documents.document_outline import DocumentOutline, draw_outline
from finscribe_assets.documents.drawn_document import DrawnDocument, Neighbour, Presentation
from finscribe_assets.documents.knobs import DAMAGE_KNOBS, MAIL_ROOM_KNOBS
from finscribe_assets.documents.layout_families import PAGE_LABELS
from finscribe_assets.documents.mail_room_knobs import NEIGHBOUR_KNOB
from finscribe_assets.documents.plan import Plan
from finscribe_assets.documents.presentation_drawing import draw_labels, draw_presentation
from finscribe_assets.documents.printed_values import printed_values
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import Document
from finscribe_assets.documents.tax_forms import form_labels

_LONG_KNOBS = ("many_lines", "very_long_tables", "several_pages")


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
    document, printed, presentation = _drawn_for(outline, component.recipe)
    if outline.knobs[NEIGHBOUR_KNOB]:
        presentation = presentation.model_copy(update={"neighbour": _draw_neighbour(outline, component.recipe)})
    return DrawnDocument(
        id=f"{plan.key}-{index:06d}",
        batch=plan.key,
        index=index,
        component=component.name,
        vendor=outline.seller.id,
        document=document,
        printed=printed,
        knobs=outline.knobs,
        presentation=presentation,
    )


def _drawn_for(outline: DocumentOutline, recipe: Recipe) -> tuple[Document, dict[str, str], Presentation]:
    """Draw the values of an outline, their printed texts and the look of the page."""
    document = draw_content(outline)
    presentation = draw_presentation(outline, recipe, document)
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
    if presentation.tax_form:
        labels = form_labels(document, labels)
    return document, printed, presentation.model_copy(update={"labels": labels})


def _draw_neighbour(outline: DocumentOutline, recipe: Recipe) -> Neighbour:
    """Draw the receipt of another purchase at the same shop, on the same day or before, without damage of its own."""
    name = f"neighbour:{outline.name}"
    absent = dict.fromkeys((*DAMAGE_KNOBS, *MAIL_ROOM_KNOBS, *_LONG_KNOBS, "degradation"), 0.0)
    earlier = dt.timedelta(days=Random(f"days:{name}").choice((0, 0, 1, 1, 2, 3, 5, 8, 13)))
    other = replace(outline, name=name, knobs=outline.knobs | absent, issue_date=outline.issue_date - earlier)
    document, printed, presentation = _drawn_for(other, recipe)
    return Neighbour(document=document, printed=printed, presentation=presentation)
