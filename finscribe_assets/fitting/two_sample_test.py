"""Classifier two-sample test: whether a classifier can tell real documents from synthetic ones by their measures.

Lopez-Paz and Oquab (ICLR 2017) test whether two samples have one distribution by the accuracy of a classifier on data
that it did not see. Here the statistic is the area under its ROC curve, which does not depend on how many documents
each sample has: 0.5 means indistinguishable, 1 means that every document is told apart. Documents, not pages, are held
out, so no page of a test document is in training. The interval is Newcombe's (2006, method 5), which stays honest for
small samples and at areas of 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.stats import rankdata

from finscribe_assets.errors import UserError
from finscribe_assets.measuring.page_measures import PAGE_MEASURES

ClassifierName = Literal["trees", "linear", "neighbours"]
LEAST_DOCUMENTS = 3  # of each sample
_FOLDS = 5
_REPEATS = 5  # partitions into folds, whose scores are averaged
_Z = 1.959964  # of a two-sided 95 % interval


@dataclass(frozen=True)
class Giveaway:
    """A measure that gives synthetic documents away: how well it alone tells the two samples apart."""

    measure: str
    auc: float  # from 0.5 to 1
    real: float  # median
    synthetic: float  # median
    real_range: tuple[float, float]  # 10 % and 90 % quantiles
    synthetic_range: tuple[float, float]


@dataclass(frozen=True)
class TwoSampleResult:
    """How well real and synthetic documents can be told apart.

    Attributes:
        auc: area under the ROC curve on held-out documents.
        low: lower bound of its 95 % interval.
        high: upper bound.
        real: number of real documents.
        synthetic: number of synthetic documents.
        classifier: that told them apart.
        giveaways: measures by how well each alone tells the samples apart, the best first.
        mean_giveaway: mean of their areas: it still shows progress where a classifier of all measures is always right.
    """

    auc: float
    low: float
    high: float
    real: int
    synthetic: int
    classifier: str
    giveaways: tuple[Giveaway, ...]
    mean_giveaway: float

    def describe(self) -> str:
        """Return the result as a sentence for a table."""
        return f"{self.auc:.3f} ({self.low:.3f} to {self.high:.3f}); single measures {self.mean_giveaway:.3f}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def two_sample_test(
    real: Sequence[Mapping[str, float]],
    synthetic: Sequence[Mapping[str, float]],
    classifier: ClassifierName = "trees",
    measures: Sequence[str] = tuple(PAGE_MEASURES),
) -> TwoSampleResult:
    """Test whether real and synthetic documents can be told apart by their measures.

    Args:
        real: measures of each real document.
        synthetic: measures of each synthetic document.
        classifier: extremely randomised trees, logistic regression, or nearest neighbours.
        measures: names of the measures that the classifier sees.

    Raises:
        UserError: one of the samples has fewer than `LEAST_DOCUMENTS` documents.
    """
    if min(len(real), len(synthetic)) < LEAST_DOCUMENTS:
        raise UserError(
            f"{len(real)} real and {len(synthetic)} synthetic documents: a two-sample test needs {LEAST_DOCUMENTS} "
            "of each"
        )
    rows = measure_matrix([*real, *synthetic], measures)
    labels = np.array([1] * len(real) + [0] * len(synthetic))
    scores = _held_out_scores(rows, labels, classifier)
    auc = area_under_curve(scores[labels == 1], scores[labels == 0])
    low, high = auc_interval(auc, len(real), len(synthetic))
    giveaways = _giveaways(real, synthetic, measures)
    return TwoSampleResult(
        round(auc, 4),
        round(low, 4),
        round(high, 4),
        len(real),
        len(synthetic),
        classifier,
        tuple(giveaways),
        round(float(np.mean([one.auc for one in giveaways])), 4),
    )


def measure_matrix(
    documents: Sequence[Mapping[str, float]], measures: Sequence[str] = tuple(PAGE_MEASURES)
) -> np.ndarray:
    """Return measures as a matrix, documents × measures, with those that range widely as logarithms."""
    columns = []
    for name in measures:
        values = np.array([document[name] for document in documents], dtype=float)
        columns.append(np.log(values.clip(0) + 1e-3) if PAGE_MEASURES[name].is_skewed else values)
    return np.column_stack(columns)


def area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float:
    """Return the probability that a positive scores higher than a negative, ties counting half."""
    ranks = rankdata(np.concatenate([positive, negative]))
    count = len(positive)
    return float((ranks[:count].sum() - count * (count + 1) / 2) / count / len(negative))


def auc_interval(auc: float, positives: int, negatives: int) -> tuple[float, float]:
    """Return the 95 % interval of an area under the ROC curve (Newcombe 2006, method 5).

    The bounds are the areas from which the observed one is as far as the normal quantile times their own standard
    deviation (Hanley and McNeil 1982, for exponential scores), so the interval does not vanish at an area of 1.
    """
    usual = (positives + negatives) / 2 - 1

    def deviation(area: float) -> float:
        inside = 1 + usual * (1 - area) / (2 - area) + usual * area / (1 + area)
        return math.sqrt(max(area * (1 - area) * inside / (positives * negatives), 0.0))

    def bound(inner: float, outer: float) -> float:
        for _ in range(60):
            middle = (inner + outer) / 2
            if abs(auc - middle) <= _Z * deviation(middle):
                inner = middle
            else:
                outer = middle
        return inner

    return bound(auc, 0.0), bound(auc, 1.0)


def _held_out_scores(rows: np.ndarray, labels: np.ndarray, classifier: ClassifierName) -> np.ndarray:
    """Return each document's score from classifiers that did not see it: means over partitions into folds."""
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold

    model = _model(classifier, int(np.bincount(labels).min()))
    folds = min(_FOLDS, int(np.bincount(labels).min()))
    total = np.zeros(len(labels))
    for repeat in range(_REPEATS):
        for train, test in StratifiedKFold(folds, shuffle=True, random_state=repeat).split(rows, labels):
            fitted = clone(model).fit(rows[train], labels[train])
            total[test] += fitted.predict_proba(rows[test])[:, 1]
    return total / _REPEATS


def _model(classifier: ClassifierName, smaller: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if classifier == "trees":
        return ExtraTreesClassifier(200, min_samples_leaf=2, class_weight="balanced", random_state=0, n_jobs=1)
    if classifier == "linear":
        return make_pipeline(StandardScaler(), LogisticRegression(C=0.3, class_weight="balanced", max_iter=500))
    neighbours = max(1, min(5, smaller - 1))
    return make_pipeline(StandardScaler(), KNeighborsClassifier(neighbours, weights="distance"))


def _giveaways(
    real: Sequence[Mapping[str, float]], synthetic: Sequence[Mapping[str, float]], measures: Sequence[str]
) -> list[Giveaway]:
    found = []
    for name in measures:
        ours = np.array([document[name] for document in synthetic])
        theirs = np.array([document[name] for document in real])
        auc = area_under_curve(theirs, ours)
        found.append(
            Giveaway(
                name,
                round(max(auc, 1 - auc), 4),
                round(float(np.median(theirs)), 4),
                round(float(np.median(ours)), 4),
                _range(theirs),
                _range(ours),
            )
        )
    return sorted(found, key=lambda giveaway: (-giveaway.auc, giveaway.measure))


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [0.1, 0.9])
    return round(float(low), 4), round(float(high), 4)
