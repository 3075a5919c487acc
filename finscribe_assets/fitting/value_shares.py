"""Estimate how often real documents have each drawn value, such as a knob's feature, which nobody has labelled.

The values are known on a pool of synthetic documents. A classifier learns there to tell from measures which value a
document has. On real documents its posteriors are wrong only in their priors, which were those of the pool; the real
shares are found by expectation and maximisation (Saerens, Latinne and Decaestecker 2002), with a Dirichlet prior at the
shares of the recipe that the fit starts from. A value that measures say nothing of keeps the share it starts with: its
posteriors are the prior. To be used at all, a value must be told from measures on held-out documents of the pool.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finscribe_assets.fitting.two_sample_test import area_under_curve, measure_matrix
from finscribe_assets.measuring.measured_documents import MeasuredDocument

LEAST_EXAMPLES = 6  # documents of the pool with a value, and without it
LEAST_AUC = 0.75  # at which held-out documents of the pool show the value
_LEAST_POSTERIOR = 0.01  # a classifier is never surer
_ROUNDS = 200
_CHANGE = 1e-5


@dataclass(frozen=True)
class ShareEstimate:
    """The share of real documents with each value.

    Attributes:
        shares: by value, adding up to 1.
        auc: at which held-out documents of the pool show which value they have.
        is_visible: whether that is enough; otherwise the shares are those at the start.
    """

    shares: dict[str, float]
    auc: float
    is_visible: bool


class SharePool:
    """A pool of synthetic documents with known values, beside the real documents whose shares are sought."""

    def __init__(self, pool: Sequence[MeasuredDocument], real: Sequence[MeasuredDocument]) -> None:
        """Scale the measures; those of real documents are cut to the range of the pool.

        A classifier knows nothing outside of the pool, and would be sure of nonsense there.
        """
        rows = measure_matrix([document.measures for document in pool])
        low, high = np.quantile(rows, [0.01, 0.99], axis=0)
        spread = np.maximum(rows.std(axis=0), 1e-6)
        self.rows = (rows.clip(low, high) - rows.mean(axis=0)) / spread
        real_rows = measure_matrix([document.measures for document in real])
        self.real = (real_rows.clip(low, high) - rows.mean(axis=0)) / spread
        self.drawn = [document.drawn for document in pool]

    def share(self, classes: Sequence[str | None], start: Mapping[str, float], prior: float) -> ShareEstimate:
        """Estimate the shares of real documents in each class.

        Args:
            classes: class of each document of the pool; None leaves it out.
            start: share of each class at the start, which the estimate is shrunk towards.
            prior: weight of the start, in documents.
        """
        counts = {name: sum(one == name for one in classes) for name in start}
        used = sorted(name for name, count in counts.items() if count >= LEAST_EXAMPLES and start[name] > 0)
        total = sum(start.values())
        at_start = {name: weight / total for name, weight in start.items()}
        if len(used) < 2:
            return ShareEstimate(at_start, 0.5, is_visible=False)
        keep = [index for index, name in enumerate(classes) if name in used]
        rows, labels = self.rows[keep], np.array([used.index(str(classes[index])) for index in keep])
        begin = np.array([at_start[name] for name in used])
        among = float(begin.sum())
        of_pool = np.bincount(labels) / len(labels)
        aucs, estimates = [], []
        for model in _models():
            held_out, posteriors = _posteriors(model, rows, labels, self.real)
            aucs.append(np.mean([_one_against_rest(held_out, labels, index) for index in range(len(used))]))
            if aucs[-1] < LEAST_AUC:
                return ShareEstimate(at_start, round(float(aucs[-1]), 3), is_visible=False)
            estimates.append(_expectation_maximisation(posteriors, of_pool, begin / among, prior))
        auc = round(float(min(aucs)), 3)
        shares = min(estimates, key=lambda shares: float(np.abs(shares - begin / among).sum()))
        return ShareEstimate(
            at_start | {name: round(float(share) * among, 5) for name, share in zip(used, shares, strict=True)},
            auc,
            is_visible=True,
        )

    def strength(self, name: str) -> tuple[float, float]:
        """Return the mean strength of a drawn number on real documents, and how much of it measures explain (R²).

        Args:
            name: of the number, such as ``degradation``; documents of the pool without it are left out.
        """
        from sklearn.linear_model import Ridge
        from sklearn.model_selection import cross_val_predict

        keep = [index for index, drawn in enumerate(self.drawn) if drawn.get(name, 0.0) > 0]
        if len(keep) < 4 * LEAST_EXAMPLES:
            return 0.0, 0.0
        rows, values = self.rows[keep], np.array([self.drawn[index][name] for index in keep])
        held_out = cross_val_predict(Ridge(10.0), rows, values, cv=5)
        explained = 1 - float(((values - held_out) ** 2).mean() / max(values.var(), 1e-9))
        return float(np.median(Ridge(10.0).fit(rows, values).predict(self.real))), explained


def _models() -> list[Any]:
    """Return classifiers of different kinds: real pages lie outside of the pool, where each errs in its own way.

    Of their two estimates the one counts that is closer to the start.
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression

    return [
        LogisticRegression(C=0.1, max_iter=1000),
        ExtraTreesClassifier(60, min_samples_leaf=4, max_features=0.5, random_state=0, n_jobs=1),
    ]


def _posteriors(model: Any, rows: np.ndarray, labels: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return posteriors of held-out documents of the pool, and those of real documents, documents × classes."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(min(5, int(np.bincount(labels).min())), shuffle=True, random_state=0)
    held_out = cross_val_predict(model, rows, labels, cv=folds, method="predict_proba")
    return held_out, model.fit(rows, labels).predict_proba(real).clip(_LEAST_POSTERIOR, 1.0)


def _one_against_rest(posteriors: np.ndarray, labels: np.ndarray, index: int) -> float:
    return area_under_curve(posteriors[labels == index, index], posteriors[labels != index, index])


def _expectation_maximisation(
    posteriors: np.ndarray, of_pool: np.ndarray, start: np.ndarray, prior: float
) -> np.ndarray:
    """Return the shares that maximise the posterior probability of the real documents' measures."""
    ratios = posteriors / of_pool  # proportional to the likelihood of each class
    shares = start
    for _ in range(_ROUNDS):
        weighted = ratios * shares
        responsibility = weighted / np.maximum(weighted.sum(axis=1, keepdims=True), 1e-12)
        after = (responsibility.sum(axis=0) + prior * start) / (len(ratios) + prior)
        if np.abs(after - shares).max() < _CHANGE:
            return after
        shares = after
    return shares
