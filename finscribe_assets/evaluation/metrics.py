"""Metrics over documents, each with the number of its observations and a 95 % bootstrap interval.

The fields of one page fail together, so that an interval over fields would be far too narrow. Therefore documents are
resampled (percentile bootstrap, Efron 1979).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.elements import field_of
from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.field_comparison import FieldStatus

BOOTSTRAP_DRAWS = 1000
MAX_RESAMPLING_WEIGHTS = 4_000_000  # that are held in memory at once: 32 MB

Ratio = tuple[float, float]
"""What one document contributes to a metric: numerator and denominator. Both are summed over documents."""


class Estimate(BaseModel):
    """A metric over documents, with its 95 % interval and number of observations."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    n: int = Field(description="number of observations: fields, rules, tables or documents, as the metric counts")


METRIC_RATIOS: dict[str, Callable[[ScoredDocument], Ratio]] = {
    "field_accuracy": lambda document: (document.correct, document.expected),
    "field_precision": lambda document: (document.correct, document.predicted),
    "field_recall": lambda document: (document.correct, document.expected),
    "field_f1": lambda document: (2 * document.correct, document.expected + document.predicted),
    "exact_match": lambda document: (float(document.correct == len(document.outcomes)), 1),
    "teds": lambda document: (document.table.teds, 1) if document.table else (0, 0),
    "teds_structure": lambda document: (document.table.structure, 1) if document.table else (0, 0),
    "anls_star": lambda document: (document.anls, 1),
    "numeric_consistency": lambda document: (sum(rule.satisfied for rule in document.rules), len(document.rules)),
    "verbatim": lambda document: (0, 0) if document.verbatim is None else (document.verbatim, 1),
}
DOCUMENT_METRICS = (
    "exact_match",
    "teds",
    "teds_structure",
    "anls_star",
    "verbatim",
)  # means over documents, not over fields
MACRO_F1 = "field_f1_macro"  # mean of the F1 of each field, so that rare fields count as much as frequent ones
METRICS = (
    "field_accuracy",
    "field_precision",
    "field_recall",
    "field_f1",
    MACRO_F1,
    *(name for name in METRIC_RATIOS if not name.startswith(("field", "verbatim"))),
)
VERBATIM = "verbatim"  # of ground truth in a user's own keys, to compare with published results


def with_verbatim(names: Sequence[str], scored: Sequence[ScoredDocument]) -> tuple[str, ...]:
    """Return names of metrics, with ``VERBATIM`` if a document's truth is in a user's own keys."""
    return (*names, VERBATIM) if any(document.verbatim is not None for document in scored) else tuple(names)


def estimate_metrics(
    scored: Sequence[ScoredDocument], names: Sequence[str] = METRICS, seed: int = 0
) -> dict[str, Estimate | None]:
    """Estimate metrics over documents.

    Args:
        scored: the documents.
        names: of the metrics, from ``METRICS``.
        seed: of the bootstrap.

    Returns:
        The estimates by name; None for a metric without observations.
    """
    if not scored:
        return dict.fromkeys(names)
    ratio_names = [name for name in names if name != MACRO_F1]
    ratios = np.array([[METRIC_RATIOS[name](document) for name in ratio_names] for document in scored], dtype=float)
    ratios = ratios.reshape(len(scored), -1, 2)  # (documents, metrics, 2)
    by_field = _field_ratios(scored) if MACRO_F1 in names else np.zeros((len(scored), 0, 2))
    resampled = resample(np.concatenate([ratios, by_field], axis=1), seed)  # (draws, metrics + fields, 2)
    estimates: dict[str, Estimate | None] = {}
    for index, name in enumerate(ratio_names):
        observations = int((ratios[:, index, 1] > 0).sum() if name in DOCUMENT_METRICS else ratios[:, index, 1].sum())
        n = observations // 2 if name == "field_f1" else observations
        estimates[name] = _ratio_estimate(ratios[:, index].sum(axis=0), resampled[:, index], n)
    if MACRO_F1 in names:
        estimates[MACRO_F1] = _mean_estimate(by_field.sum(axis=0), resampled[:, len(ratio_names) :])
    return {name: estimates[name] for name in names}


def _ratio_estimate(total: np.ndarray, draws: np.ndarray, n: int) -> Estimate | None:
    if total[1] == 0:
        return None
    defined = draws[:, 1] > 0
    return _with_interval(total[0] / total[1], draws[defined, 0] / draws[defined, 1], n)


def _mean_estimate(total: np.ndarray, draws: np.ndarray) -> Estimate | None:
    """Return the mean of several ratios; a ratio that is undefined in a draw is left out of the draw's mean."""
    if not len(total):
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.nanmean(draws[:, :, 0] / draws[:, :, 1], axis=1)
        return _with_interval(float(np.mean(total[:, 0] / total[:, 1])), means, len(total))


def _with_interval(value: float, draws: np.ndarray, n: int) -> Estimate:
    low, high = np.percentile(draws, [2.5, 97.5])
    return Estimate(value=round(float(value), 4), low=round(float(low), 4), high=round(float(high), 4), n=n)


def mean_over_documents(values: np.ndarray, seed: int = 0) -> list[Estimate]:
    """Estimate means of scores that each document has.

    Args:
        values: of shape (documents, scores); at least one document.
        seed: of the bootstrap.
    """
    means = resample(values, seed) / len(values)  # (draws, scores)
    return [_with_interval(mean, drawn, len(values)) for mean, drawn in zip(values.mean(axis=0), means.T, strict=True)]


def _field_ratios(scored: Sequence[ScoredDocument]) -> np.ndarray:
    """Return numerator and denominator of F1 for each document and true field: (documents, fields, 2).

    A field that no truth has is made up by the reader. It counts in micro metrics, but it has no F1 of its own.
    """
    outcomes = [outcome for document in scored for outcome in document.outcomes]
    names = sorted({field_of(outcome.path) for outcome in outcomes if outcome.truth is not None})
    columns = {name: column for column, name in enumerate(names)}
    ratios = np.zeros((len(scored), len(names), 2))
    for row, document in enumerate(scored):
        for outcome in document.outcomes:
            column = columns.get(field_of(outcome.path))
            if column is not None:
                in_both = outcome.status in (FieldStatus.CORRECT, FieldStatus.WRONG)
                ratios[row, column] += (2 * (outcome.status is FieldStatus.CORRECT), 2 if in_both else 1)
    return ratios


def ratio_interval(
    documents: Sequence[int], ratios: Sequence[Ratio], draws: int = BOOTSTRAP_DRAWS
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval over documents of Σ numerators / Σ denominators.

    Args:
        documents: which document each ratio belongs to; a document may have several.
        ratios: numerators and denominators, in the order of ``documents``.
        draws: number of bootstrap draws.
    """
    rows = {document: row for row, document in enumerate(dict.fromkeys(documents))}
    sums = np.zeros((len(rows), 2))
    np.add.at(sums, [rows[document] for document in documents], np.array(ratios, dtype=float))
    drawn = resample(sums, draws=draws)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)


def resample(counts: np.ndarray, seed: int = 0, draws: int = BOOTSTRAP_DRAWS) -> np.ndarray:
    """Return sums over documents that are drawn with replacement.

    Args:
        counts: what is summed, of shape (documents, …).
        seed: of the draws.
        draws: number of draws.

    Returns:
        The sums, of shape (draws, …).
    """
    flat = counts.reshape(len(counts), -1)
    sums = [weights @ flat for weights in _weights(len(counts), draws, seed)]
    return np.concatenate(sums).reshape(draws, *counts.shape[1:])


def _weights(documents: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each document is drawn, (draws, documents), in parts that fit into memory."""
    random = np.random.default_rng(seed)
    at_once = max(1, MAX_RESAMPLING_WEIGHTS // max(documents, 1))
    for start in range(0, draws, at_once):
        rows = min(at_once, draws - start)
        drawn = random.integers(0, documents, (rows, documents)) + np.arange(rows)[:, None] * documents
        yield np.bincount(drawn.ravel(), minlength=rows * documents).reshape(rows, documents).astype(float)
