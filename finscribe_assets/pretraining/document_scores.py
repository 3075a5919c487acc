"""Whole documents, read by a base through their regions: the figures that the user's targets are set for.

What belongs here: receipts and invoices of one page each, drawn, rendered, read and measured as any reader's documents
are. The places of fields, or of fields and tables, are the renderer's: an oracle, as the names of the layouts say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finscribe_assets.documents.document_batch import ground_truth
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.metrics import estimate_metrics
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.report import TARGETS
from finscribe_assets.inference.prediction import Mode, predict_documents
from finscribe_assets.inference.reader import Reader
from finscribe_assets.inference.region_layout import RendererBoxes, RendererTables
from finscribe_assets.rendering.pages import MarkType, RenderedDocument
from finscribe_assets.rendering.render import render

SHARES = {DocumentType.INVOICE: 0.6, DocumentType.RECEIPT: 0.4}
TOGETHER = 20  # documents that are read at once


def score_documents(base: str, recipe: Recipe, documents: int, seed: int) -> dict[str, dict[str, Any]]:
    """Return by layout the figures that have targets, each with interval and n, as a JSON value."""
    reader = Reader(base)
    truths: dict[str, Truth] = {}
    read: dict[str, dict[str, Prediction]] = {layout().name: {} for layout in (RendererBoxes, RendererTables)}
    waiting: list[RenderedDocument] = []
    for truth, rendered in _one_page_documents(recipe, documents, seed):
        truths[truth.id] = truth
        waiting.append(rendered)
        if len(waiting) == TOGETHER or len(truths) == documents:
            for layout in (RendererBoxes(), RendererTables()):
                records = predict_documents(reader, waiting, Mode.REGIONS, layout)
                read[layout.name] |= {one["id"]: Prediction(one["id"], one["response"]) for one in records}
            waiting = []
    found = {}
    for name, predictions in read.items():
        measured = estimate_metrics(score(truths, predictions), tuple(TARGETS))
        found[name] = {key: figure.model_dump() for key, figure in measured.items() if figure}
    return found


def _one_page_documents(recipe: Recipe, documents: int, seed: int) -> Iterator[tuple[Truth, RenderedDocument]]:
    most = 4 * documents  # of which many have a page
    plan = seed_plan("batch-000", most, seed, recipe.model_copy(update={"document_types": SHARES}))
    found = 0
    for index in range(most):
        drawn = draw_document(plan, index)
        rendered = render(drawn)
        if len(rendered.pages) > 1:
            continue
        destroyed = frozenset(mark.name for mark in rendered.of_type(MarkType.FIELD) if not mark.visible)
        record: Any = ground_truth(drawn, destroyed)
        yield Truth(record["id"], record["document"], frozenset(record["printed"])), rendered
        found += 1
        if found == documents:
            return
