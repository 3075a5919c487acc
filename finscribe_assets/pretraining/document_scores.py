"""Score a base on whole documents, read through their regions: the metrics that have targets.

What belongs here: drawing, rendering, reading and measuring invoices and receipts of one page, with the evaluation that
every reader gets. Regions are the renderer's boxes: an oracle, as the names of the layouts say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finscribe_assets.documents.elements import field_of
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.page_evidence import expected_fields
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.metrics import estimate_metrics
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.report import TARGETS
from finscribe_assets.inference.prediction import NOT_IN_REGIONS, Mode, predict_documents
from finscribe_assets.inference.reader import Reader
from finscribe_assets.inference.region_layout import RendererBoxes, RendererTables
from finscribe_assets.rendering.pages import MarkType, RenderedDocument
from finscribe_assets.rendering.render import render

_DOCUMENT_TYPES = {DocumentType.INVOICE: 0.6, DocumentType.RECEIPT: 0.4}
_DOCUMENTS_PER_BATCH = 20
_DRAWS_PER_DOCUMENT = 4  # of which at least one has a single page


def score_documents(base: str, recipe: Recipe, documents: int, seed: int) -> dict[str, dict[str, Any]]:
    """Score a base on documents of one page.

    Args:
        base: name of the base, as `bases.find_base` takes it.
        recipe: the documents are drawn from it, with document types replaced by invoices and receipts.
        documents: number of documents.
        seed: of the documents.

    Returns:
        By layout, each metric that has a target as a JSON value, with interval and n.
    """
    reader = Reader(base)
    truths: dict[str, Truth] = {}
    predictions: dict[str, dict[str, Prediction]] = {layout().name: {} for layout in (RendererBoxes, RendererTables)}
    unread: list[RenderedDocument] = []
    for truth, rendered in _one_page_documents(recipe, documents, seed):
        truths[truth.id] = truth
        unread.append(rendered)
        if len(unread) == _DOCUMENTS_PER_BATCH or len(truths) == documents:
            for layout in (RendererBoxes(), RendererTables()):
                for record in predict_documents(reader, unread, Mode.REGIONS, layout):
                    predictions[layout.name][record["id"]] = Prediction(record["id"], record["response"])
            unread = []
    scores = {}
    for name, of_layout in predictions.items():
        metrics = estimate_metrics(score(truths, of_layout), tuple(TARGETS))
        scores[name] = {key: metric.model_dump() for key, metric in metrics.items() if metric}
    return scores


def _one_page_documents(recipe: Recipe, documents: int, seed: int) -> Iterator[tuple[Truth, RenderedDocument]]:
    draws = _DRAWS_PER_DOCUMENT * documents
    plan = seed_plan("batch-000", draws, seed, recipe.model_copy(update={"document_types": _DOCUMENT_TYPES}))
    count = 0
    for index in range(draws):
        drawn = draw_document(plan, index)
        rendered = render(drawn)
        if len(rendered.pages) > 1:
            continue
        illegible = frozenset(mark.name for mark in rendered.of_type(MarkType.FIELD) if not mark.visible)
        expected = expected_fields(drawn, illegible)
        asked = frozenset(path for path in expected if field_of(path) not in NOT_IN_REGIONS)
        yield Truth(drawn.id, drawn.document.to_json(), asked), rendered
        count += 1
        if count == documents:
            return
