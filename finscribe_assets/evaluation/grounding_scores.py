"""Scores of grounding over documents, for the report: means of the documents' own scores, as ExtractBench reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.grounding import GroundedDocument, GroundingCounts
from finscribe_assets.evaluation.metrics import Estimate, mean_over_documents

_SCORES: dict[str, Callable[[GroundedDocument], float]] = {
    "word_grounding_f1": lambda grounded: grounded.word.f1,
    "word_grounding_precision": lambda grounded: grounded.word.precision,
    "word_grounding_recall": lambda grounded: grounded.word.recall,
    "page_grounding_f1": lambda grounded: grounded.page.f1,
    "page_grounding_precision": lambda grounded: grounded.page.precision,
    "page_grounding_recall": lambda grounded: grounded.page.recall,
}
VALUE_F1 = "value_f1"  # of the same documents, whether or not values have boxes: an upper bound for most readers


class GroundingTally(BaseModel):
    """Grounding of the values of one element, over all documents."""

    model_config = ConfigDict(frozen=True)

    name: str
    expected: int = Field(description="expected values with a true box")
    claimed: int = Field(description="of these, with a predicted box")
    grounded: int = Field(description="of these, correct and with a box that matches")
    precision: float
    recall: float
    f1: float


class GroundingScores(BaseModel):
    """Whether values come with the box where they are printed; defined in docs/evaluation.md."""

    model_config = ConfigDict(frozen=True)

    documents: int = Field(description="documents with a true box; others are left out")
    metrics: dict[str, Estimate] = Field(description="means over these documents")
    by_element: list[GroundingTally] = Field(description="values of all documents together")


def score_grounding(scored: Sequence[ScoredDocument], layout: str) -> tuple[GroundingScores | None, str]:
    """Average the grounding of documents.

    Args:
        scored: the documents.
        layout: name of the source of the regions that were read.

    Returns:
        The scores, or None with the reason why there are none.
    """
    documents = [(document, document.grounding) for document in scored if document.grounding]
    if not any(document.has_boxes for document in scored):
        oracle = f": its regions were given, by {layout}" if "oracle" in layout else ""
        return None, f"the reader gives no boxes of its own{oracle}"
    if not documents:
        return None, "the ground truth has no boxes"
    values = {name: [score(grounded) for _, grounded in documents] for name, score in _SCORES.items()}
    values[VALUE_F1] = [document.f1 for document, _ in documents]
    means = mean_over_documents(np.array(list(values.values())).T)
    counts: dict[str, GroundingCounts] = {}
    for _, grounded in documents:
        for name, more in grounded.by_element.items():
            counts[name] = counts.get(name, GroundingCounts()).plus(more)
    scores = GroundingScores(
        documents=len(documents),
        metrics=dict(zip(values, means, strict=True)),
        by_element=[_tally(name, count) for name, count in sorted(counts.items())],
    )
    return scores, ""


def _tally(name: str, counts: GroundingCounts) -> GroundingTally:
    return GroundingTally(
        name=name,
        expected=counts.expected,
        claimed=counts.claimed,
        grounded=counts.correct,
        precision=round(counts.precision, 4),
        recall=round(counts.recall, 4),
        f1=round(counts.f1, 4),
    )
