"""Figures over documents, each with the number of its observations and a bootstrap interval.

Documents are what is resampled (Efron 1979, percentile interval): fields of one page fail together, so an interval over
fields would be far too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.elements import field_of
from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.field_comparison import FieldStatus

DRAWS = 1000
NUMBERS_AT_ONCE = 4_000_000  # of resampling weights: 32 MB

Ratio = tuple[float, float]


class Figure(BaseModel):
    """A measured value with its 95 % interval and the number of things it was measured on."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    n: int = Field(description="observations: fields, rules, tables or documents, as the measure counts")


# What each document contributes to a figure: a numerator and a denominator, summed over documents.
RATIOS: dict[str, Callable[[ScoredDocument], Ratio]] = {
    "field_accuracy": lambda one: (one.correct, one.expected),
    "field_precision": lambda one: (one.correct, one.predicted),
    "field_recall": lambda one: (one.correct, one.expected),
    "field_f1": lambda one: (2 * one.correct, one.expected + one.predicted),
    "exact_match": lambda one: (float(one.correct == len(one.outcomes)), 1),
    "teds": lambda one: (one.table.teds, 1) if one.table else (0, 0),
    "teds_structure": lambda one: (one.table.structure, 1) if one.table else (0, 0),
    "anls_star": lambda one: (one.anls, 1),
    "numeric_consistency": lambda one: (sum(rule.satisfied for rule in one.rules), len(one.rules)),
}
OF_DOCUMENTS = ("exact_match", "teds", "teds_structure", "anls_star")  # means over documents; others are over fields
MACRO_F1 = "field_f1_macro"  # the mean of the fields' own F1: a rare field counts as much as a frequent one
MEASURES = (
    "field_accuracy",
    "field_precision",
    "field_recall",
    "field_f1",
    MACRO_F1,
    *(name for name in RATIOS if not name.startswith("field")),
)


def figures(
    scored: Sequence[ScoredDocument], names: Sequence[str] = MEASURES, seed: int = 0
) -> dict[str, Figure | None]:
    """Return the named figures of documents; None for one that there is nothing to measure by."""
    if not scored:
        return dict.fromkeys(names)
    counts = np.array([[RATIOS[name](one) for name in names if name != MACRO_F1] for one in scored], dtype=float)
    ratios = counts.reshape(len(scored), -1, 2)
    fields, by_field = _field_counts(scored) if MACRO_F1 in names else ((), np.zeros((len(scored), 0, 2)))
    both = np.concatenate([ratios, by_field], axis=1)
    resampled = resample(both, seed)
    split = ratios.shape[1]
    found = {}
    for place, name in enumerate(name for name in names if name != MACRO_F1):
        n = int((ratios[:, place, 1] > 0).sum() if name in OF_DOCUMENTS else ratios[:, place, 1].sum())
        found[name] = _figure(both[:, place].sum(axis=0), resampled[:, place], n if name != "field_f1" else n // 2)
    if MACRO_F1 in names:
        found[MACRO_F1] = _macro(by_field.sum(axis=0), resampled[:, split:], len(fields))
    return {name: found[name] for name in names}


def _figure(total: np.ndarray, sums: np.ndarray, n: int) -> Figure | None:
    if total[1] == 0:
        return None
    there = sums[:, 1] > 0
    return _with_interval(total[0] / total[1], sums[there, 0] / sums[there, 1], n)


def _macro(total: np.ndarray, sums: np.ndarray, n: int) -> Figure | None:
    if not n:
        return None
    # A field that a resample lacks has no F1 in it, and is left out of its mean.
    with np.errstate(invalid="ignore", divide="ignore"):
        return _with_interval(
            float(np.mean(total[:, 0] / total[:, 1])), np.nanmean(sums[:, :, 0] / sums[:, :, 1], axis=1), n
        )


def _with_interval(value: float, drawn: np.ndarray, n: int) -> Figure:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Figure(value=round(float(value), 4), low=round(float(low), 4), high=round(float(high), 4), n=n)


def _field_counts(scored: Sequence[ScoredDocument]) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the fields by name, and for each document and field twice the right ones, and those asked and said."""
    names = sorted({field_of(outcome.path) for one in scored for outcome in one.outcomes if outcome.truth is not None})
    place = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(scored), len(names), 2))
    for row, one in enumerate(scored):
        for outcome in one.outcomes:
            # A field that no truth has is a reader's invention: micro figures count it, and it has no F1 of its own.
            column = place.get(field_of(outcome.path))
            if column is not None:
                right = outcome.status is FieldStatus.CORRECT
                counts[row, column] += (
                    2 * right,
                    2 if outcome.status in (FieldStatus.CORRECT, FieldStatus.WRONG) else 1,
                )
    return tuple(names), counts


def interval_by_document(documents: Sequence[int], ratios: Sequence[Ratio], draws: int = DRAWS) -> tuple[float, float]:
    """Return the 95 % interval of Σ numerators / Σ denominators of things, of which a document may have several."""
    place = {document: number for number, document in enumerate(dict.fromkeys(documents))}
    counts = np.zeros((len(place), 2))
    np.add.at(counts, [place[document] for document in documents], np.array(ratios, dtype=float))
    drawn = resample(counts, draws=draws)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)


def resample(counts: np.ndarray, seed: int = 0, draws: int = DRAWS) -> np.ndarray:
    """Return sums over documents drawn with replacement.

    ``counts`` is documents × anything; the result is draws × the same.
    """
    flat = counts.reshape(len(counts), -1)
    sums = [weights @ flat for weights in _weights(len(counts), draws, seed)]
    return np.concatenate(sums).reshape(draws, *counts.shape[1:])


def _weights(documents: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each document is drawn: rows of draws, as many at once as memory should hold."""
    random = np.random.default_rng(seed)
    at_once = max(1, NUMBERS_AT_ONCE // max(documents, 1))
    for start in range(0, draws, at_once):
        rows = min(at_once, draws - start)
        drawn = random.integers(0, documents, (rows, documents)) + np.arange(rows)[:, None] * documents
        yield np.bincount(drawn.ravel(), minlength=rows * documents).reshape(rows, documents).astype(float)
