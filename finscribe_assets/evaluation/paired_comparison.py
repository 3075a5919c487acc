"""Compare two readers on the same documents: the difference of their metrics, its interval and its p-value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.field_comparison import FieldStatus
from finscribe_assets.evaluation.metrics import METRIC_RATIOS, resample

PERMUTATIONS = 2000
MAX_PERMUTED_SIGNS = 4_000_000  # that are held in memory at once
MAX_LISTED_CHANGES = 10  # documents that changed most, in each direction, and fields of each of them
COMPARED_METRICS = ("field_f1", "field_accuracy", "teds", "numeric_consistency", "exact_match")


class Difference(BaseModel):
    """A metric of both readers, and this reader's minus the other's."""

    model_config = ConfigDict(frozen=True)

    this: float
    other: float
    difference: float
    low: float = Field(description="of the 95 % bootstrap interval of the difference, over documents")
    high: float
    p: float = Field(description="two-sided, from exchanging the readers' results of documents at random")


NO_DIFFERENCE = Difference(this=0, other=0, difference=0, low=0, high=0, p=1)


class DocumentChange(BaseModel):
    """A document whose field F1 differs between the readers."""

    model_config = ConfigDict(frozen=True)

    id: str
    this_f1: float
    other_f1: float
    gained: tuple[str, ...] = Field(description="fields that only this reader has right")
    lost: tuple[str, ...] = Field(description="fields that only the other reader has right")


class PairedComparison(BaseModel):
    """How a reader differs from another one on the same documents."""

    model_config = ConfigDict(frozen=True)

    documents: int
    better: int = Field(description="number of documents with a higher field F1 than the other reader's")
    worse: int
    same: int
    metrics: dict[str, Difference | None] = Field(description="by metric; None for one without observations")
    improved: tuple[DocumentChange, ...] = Field(description="the documents that improved most, in order")
    worsened: tuple[DocumentChange, ...]

    def row(self) -> dict[str, float | int]:
        """Return the comparison as a row of a table; without documents there is no difference."""
        f1 = self.metrics["field_f1"] or NO_DIFFERENCE
        return {
            "field_f1": f1.this,
            "other_field_f1": f1.other,
            "difference": f1.difference,
            "low": f1.low,
            "high": f1.high,
            "p": f1.p,
            "better": self.better,
            "worse": self.worse,
            "documents": self.documents,
        }


def compare_readers(this: Sequence[ScoredDocument], other: Sequence[ScoredDocument], seed: int = 0) -> PairedComparison:
    """Compare two readers' results for the same documents.

    Args:
        this: documents as scored for the first reader.
        other: the same documents in the same order, as scored for the second reader.
        seed: of the bootstrap and the permutations.
    """
    changes = [_change(document, other_document) for document, other_document in zip(this, other, strict=True)]
    gains = [change.this_f1 - change.other_f1 for change in changes]
    order = sorted(range(len(changes)), key=lambda index: (gains[index], changes[index].id))
    return PairedComparison(
        documents=len(changes),
        better=sum(gain > 0 for gain in gains),
        worse=sum(gain < 0 for gain in gains),
        same=sum(gain == 0 for gain in gains),
        metrics={name: _difference(name, this, other, seed) for name in COMPARED_METRICS},
        improved=tuple(changes[index] for index in reversed(order[-MAX_LISTED_CHANGES:]) if gains[index] > 0),
        worsened=tuple(changes[index] for index in order[:MAX_LISTED_CHANGES] if gains[index] < 0),
    )


def _change(this: ScoredDocument, other: ScoredDocument) -> DocumentChange:
    this_correct, other_correct = (
        {outcome.path for outcome in scored.outcomes if outcome.status is FieldStatus.CORRECT}
        for scored in (this, other)
    )
    return DocumentChange(
        id=this.truth.id,
        this_f1=round(this.f1, 4),
        other_f1=round(other.f1, 4),
        gained=tuple(sorted(this_correct - other_correct)[:MAX_LISTED_CHANGES]),
        lost=tuple(sorted(other_correct - this_correct)[:MAX_LISTED_CHANGES]),
    )


def _difference(
    name: str, this: Sequence[ScoredDocument], other: Sequence[ScoredDocument], seed: int
) -> Difference | None:
    """Return a metric of both readers with the interval and p of their difference; None without observations."""
    ratio = METRIC_RATIOS[name]
    pairs = [[ratio(document), ratio(other_document)] for document, other_document in zip(this, other, strict=True)]
    counts = np.array(pairs, dtype=float).reshape(-1, 2, 2)  # (documents, readers, numerator and denominator)
    total = counts.sum(axis=0)
    if not total[:, 1].all():
        return None
    sums = resample(counts, seed)
    low, high = np.percentile(_gain(sums[(sums[:, :, 1] > 0).all(axis=1)]), [2.5, 97.5])
    value, other_value = (float(row[0] / row[1]) for row in total)
    return Difference(
        this=round(value, 4),
        other=round(other_value, 4),
        difference=round(value - other_value, 4),
        low=round(float(low), 4),
        high=round(float(high), 4),
        p=round(permutation_p(counts, seed), 4),
    )


def _gain(sums: np.ndarray) -> np.ndarray:
    """Return the difference of both readers' ratios; sums are (…, readers, 2)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = sums[..., 0] / sums[..., 1]
    return ratios[..., 0] - ratios[..., 1]


def permutation_p(counts: np.ndarray, seed: int = 0) -> float:
    """Return the two-sided p-value of the difference of two readers, by approximate randomisation (Noreen 1989).

    In each of ``PERMUTATIONS`` trials a coin decides for each document whether the readers' results are exchanged. The
    observed assignment counts as one of the trials (Phipson and Smyth 2010), so that p is never 0.

    Args:
        counts: numerators and denominators, of shape (documents, 2 readers, 2).
        seed: of the coins.
    """
    observed = abs(float(_gain(counts.sum(axis=0))))
    half_sums, half_differences = counts.sum(axis=1) / 2, (counts[:, 0] - counts[:, 1]) / 2
    random = np.random.default_rng(seed)
    at_once = max(1, MAX_PERMUTED_SIGNS // len(counts))
    as_large = 0
    for start in range(0, PERMUTATIONS, at_once):
        signs = random.integers(0, 2, (min(at_once, PERMUTATIONS - start), len(counts))) * 2.0 - 1
        shifts = signs @ half_differences
        sums = np.stack([half_sums.sum(axis=0) + shifts, half_sums.sum(axis=0) - shifts], axis=1)
        # Sums of halves are exact up to the last bits; differences that are equal must count as equal.
        as_large += int((np.abs(_gain(sums)) >= observed - 1e-12).sum())
    return (1 + as_large) / (1 + PERMUTATIONS)
