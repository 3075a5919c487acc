"""Two readers on the same documents: by how much one is better, whether that is chance, and where it shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.field_comparison import FieldStatus
from finscribe_assets.evaluation.metrics import RATIOS, resample

PERMUTATIONS = 2000
PERMUTED_AT_ONCE = 4_000_000
SHOWN = 10  # documents that changed most, either way
COMPARED = ("field_f1", "field_accuracy", "teds", "numeric_consistency", "exact_match")


class Difference(BaseModel):
    """One measure of both readers, and this one's less the other's."""

    model_config = ConfigDict(frozen=True)

    this: float
    other: float
    difference: float
    low: float = Field(description="of the difference's 95 % bootstrap interval over documents")
    high: float
    p: float = Field(description="two-sided, by exchanging the readers' results of documents at random")


NO_DIFFERENCE = Difference(this=0, other=0, difference=0, low=0, high=0, p=1)


class Change(BaseModel):
    """A document that came out differently."""

    model_config = ConfigDict(frozen=True)

    id: str
    this_f1: float
    other_f1: float
    gained: tuple[str, ...] = Field(description="fields that this reader has right and the other has not")
    lost: tuple[str, ...] = Field(description="fields that the other has right and this reader has not")


class PairedComparison(BaseModel):
    """How a reader differs from another, document by document."""

    model_config = ConfigDict(frozen=True)

    documents: int
    better: int = Field(description="documents with a higher field F1 than the other reader's")
    worse: int
    same: int
    measures: dict[str, Difference | None]
    improved: tuple[Change, ...] = Field(description="documents that got better, the most first")
    worsened: tuple[Change, ...]

    def row(self) -> dict[str, float | int]:
        """Return what matters most, for a table; of no documents there is no difference."""
        f1 = self.measures["field_f1"] or NO_DIFFERENCE
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


def compare_readers(
    mine: Sequence[ScoredDocument], others: Sequence[ScoredDocument], seed: int = 0
) -> PairedComparison:
    """Compare two readers' results for the same documents, in the same order."""
    changes = [_change(one, other) for one, other in zip(mine, others, strict=True)]
    gains = [change.this_f1 - change.other_f1 for change in changes]
    order = sorted(range(len(changes)), key=lambda place: (gains[place], changes[place].id))
    return PairedComparison(
        documents=len(changes),
        better=sum(gain > 0 for gain in gains),
        worse=sum(gain < 0 for gain in gains),
        same=sum(gain == 0 for gain in gains),
        measures={name: _difference(name, mine, others, seed) for name in COMPARED},
        improved=tuple(changes[place] for place in reversed(order[-SHOWN:]) if gains[place] > 0),
        worsened=tuple(changes[place] for place in order[:SHOWN] if gains[place] < 0),
    )


def _change(one: ScoredDocument, other: ScoredDocument) -> Change:
    right, theirs = (
        {outcome.path for outcome in scored.outcomes if outcome.status is FieldStatus.CORRECT}
        for scored in (one, other)
    )
    return Change(
        id=one.truth.id,
        this_f1=round(one.f1, 4),
        other_f1=round(other.f1, 4),
        gained=tuple(sorted(right - theirs)[:SHOWN]),
        lost=tuple(sorted(theirs - right)[:SHOWN]),
    )


def _difference(
    name: str, mine: Sequence[ScoredDocument], others: Sequence[ScoredDocument], seed: int
) -> Difference | None:
    """Return both values of a measure, with the interval and p of their difference; None where there is none."""
    counts = np.array(
        [[RATIOS[name](one), RATIOS[name](other)] for one, other in zip(mine, others, strict=True)], dtype=float
    ).reshape(-1, 2, 2)
    total = counts.sum(axis=0)
    if not total[:, 1].all():
        return None
    sums = resample(counts, seed)
    low, high = np.percentile(_gain(sums[(sums[:, :, 1] > 0).all(axis=1)]), [2.5, 97.5])
    this, other = (float(row[0] / row[1]) for row in total)
    return Difference(
        this=round(this, 4),
        other=round(other, 4),
        difference=round(this - other, 4),
        low=round(float(low), 4),
        high=round(float(high), 4),
        p=round(permutation_p(counts, seed), 4),
    )


def _gain(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = sums[..., 0] / sums[..., 1]
    return ratios[..., 0] - ratios[..., 1]


def permutation_p(counts: np.ndarray, seed: int = 0) -> float:
    """Return how likely a difference as large as this one is if the readers are alike: approximate randomisation.

    ``counts`` is documents × 2 readers × (numerator, denominator). In each of ``PERMUTATIONS`` trials every document's
    results are given to the one reader or the other by a coin (Noreen 1989); the p-value counts the trial that was
    made (Phipson and Smyth 2010), so it is never 0.
    """
    observed = abs(float(_gain(counts.sum(axis=0))))
    halves, lean = counts.sum(axis=1) / 2, (counts[:, 0] - counts[:, 1]) / 2
    random = np.random.default_rng(seed)
    at_once = max(1, PERMUTED_AT_ONCE // len(counts))
    as_large = 0
    for start in range(0, PERMUTATIONS, at_once):
        coins = random.integers(0, 2, (min(at_once, PERMUTATIONS - start), len(counts))) * 2.0 - 1
        leaning = coins @ lean
        sums = np.stack([halves.sum(axis=0) + leaning, halves.sum(axis=0) - leaning], axis=1)
        # Sums of halves are exact to the last bits; equal differences must count as equal.
        as_large += int((np.abs(_gain(sums)) >= observed - 1e-12).sum())
    return (1 + as_large) / (1 + PERMUTATIONS)
