"""ANLS*, the average normalised Levenshtein similarity of nested values (Peer et al. 2024, arXiv:2402.03848).

A secondary metric, to compare with other work. It compares values as they are written, does not know what they mean,
and gives part of a point for a text that is nearly correct.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

SIMILARITY_THRESHOLD = 0.5  # below it a text counts as entirely wrong
MAX_COMPARED_ITEMS = 400  # of a predicted list, or as many as the truth has; further ones count as wrong
_TIE_BREAK = 1e-9  # bonus of equal items, so that of equally good matches the same one is always chosen


class _Score(NamedTuple):
    """Points reached, and points that could be reached."""

    reached: float
    possible: float


def anls_star(truth: Any, prediction: Any) -> float:
    """Return ANLS* of two JSON values.

    Texts are compared without case and with single spaces. The items of lists are matched so that they are most
    similar; an item without a match counts as wrong with all of its leaves. Absent values (null, empty texts, lists and
    objects) count as if their key were missing.

    Returns:
        The score in [0, 1]; 1 if both are absent.
    """
    score = _score(_present(truth), _present(prediction))
    return score.reached / score.possible if score.possible else 1.0


def _present(value: Any) -> Any:
    """Return a value without absent parts, its leaves as the texts that are compared; None if nothing is left."""
    if isinstance(value, dict):
        return {key: present for key, item in value.items() if (present := _present(item)) is not None} or None
    if isinstance(value, list | tuple):
        return [present for item in value if (present := _present(item)) is not None] or None
    return " ".join(_text(value).lower().split()) or None


def _text(value: Any) -> str:
    try:
        return "" if value is None else str(value)
    except ValueError:  # an integer of more digits than Python converts
        return "a number beyond writing"


def _leaf_count(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_leaf_count, value.values()))
    if isinstance(value, list):
        return sum(map(_leaf_count, value))
    return 0 if value is None else 1


def _score(true: Any, predicted: Any) -> _Score:
    if isinstance(true, dict) and isinstance(predicted, dict):
        scores = [_score(true.get(key), predicted.get(key)) for key in {**true, **predicted}]
        return _Score(sum(score.reached for score in scores), sum(score.possible for score in scores))
    if isinstance(true, list) and isinstance(predicted, list):
        return _score_lists(true, predicted)
    if isinstance(true, str) and isinstance(predicted, str):
        return _Score(Levenshtein.normalized_similarity(true, predicted, score_cutoff=SIMILARITY_THRESHOLD), 1)
    return _Score(0, max(_leaf_count(true), _leaf_count(predicted)))


def _score_lists(true: Sequence[Any], predicted: Sequence[Any]) -> _Score:
    compared = predicted[: max(MAX_COMPARED_ITEMS, len(true))]
    reached, possible = _score_table(true, compared)
    equal = np.array([[true_item == item for item in compared] for true_item in true])
    rows, columns = linear_sum_assignment(reached / np.maximum(possible, 1) + _TIE_BREAK * equal, maximize=True)
    unmatched = sum(_leaf_count(true[row]) for row in set(range(len(true))).difference(rows))
    unmatched += sum(_leaf_count(predicted[column]) for column in set(range(len(predicted))).difference(columns))
    return _Score(float(reached[rows, columns].sum()), float(possible[rows, columns].sum()) + unmatched)


def _score_table(true: Sequence[Any], predicted: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return reached and possible points of every true item with every predicted one, both (true, predicted)."""
    items = [*true, *predicted]
    if all(isinstance(item, str) for item in items):
        return _similarity(true, predicted), np.ones((len(true), len(predicted)))
    if not all(isinstance(item, dict) and all(isinstance(leaf, str) for leaf in item.values()) for item in items):
        table = np.array([[_score(true_item, item) for item in predicted] for true_item in true])
        return table[..., 0], table[..., 1]
    # Rows of a table are scored field by field, which is faster.
    reached, possible = np.zeros((len(true), len(predicted))), np.zeros((len(true), len(predicted)))
    for field in sorted({field for item in items for field in item}):
        true_texts, predicted_texts = ([item.get(field) for item in rows] for rows in (true, predicted))
        in_true, in_predicted = (
            np.array([text is not None for text in texts]) for texts in (true_texts, predicted_texts)
        )
        possible += np.logical_or.outer(in_true, in_predicted)
        if in_true.any() and in_predicted.any():
            similarity = _similarity([text or "" for text in true_texts], [text or "" for text in predicted_texts])
            reached += similarity * np.outer(in_true, in_predicted)
    return reached, possible


def _similarity(true: Sequence[str], predicted: Sequence[str]) -> np.ndarray:
    """Return the similarity of every pair of texts, 0 below the threshold; repeated texts are compared once."""
    (true_texts, rows), (predicted_texts, columns) = (
        np.unique(np.array(texts, dtype=object), return_inverse=True) for texts in (true, predicted)
    )
    table = cdist(
        true_texts.tolist(),
        predicted_texts.tolist(),
        scorer=Levenshtein.normalized_similarity,
        score_cutoff=SIMILARITY_THRESHOLD,
        dtype=np.float64,
    )
    return np.asarray(table[np.ix_(rows, columns)])
