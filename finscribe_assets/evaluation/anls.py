"""ANLS*, the average normalised Levenshtein similarity over nested answers (Peer et al. 2024, arXiv:2402.03848).

A secondary measure: it knows nothing of what a value means, gives part of a point for a text that is nearly right, and
compares with other work's. Values are compared as they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

THRESHOLD = 0.5  # of similarity, below which a text counts as wrong altogether
MAX_MEMBERS = 400  # of a predicted list that are compared, or the truth's number; further ones count as wrong
_TIE = 1e-9  # what being equal adds, so that of equally good members the same one is chosen


class _Score(NamedTuple):
    """Points that were made, of how many there were to make."""

    points: float
    of: float


def anls_star(truth: Any, prediction: Any) -> float:
    """Return ANLS* of a JSON document, from 0 to 1; 1 where neither says anything.

    Texts are compared without case and runs of spaces. The members of lists are paired so that they are most alike;
    what only one side has counts as wrong with all its values. Absent values (None, empty text, lists and objects) are
    as good as no key at all.
    """
    score = _score(_present(truth), _present(prediction))
    return score.points / score.of if score.of else 1.0


def _present(value: Any) -> Any:
    """Return a value without what is absent, its leaves as the text that is compared; None where nothing is left."""
    if isinstance(value, dict):
        return {key: kept for key, item in value.items() if (kept := _present(item)) is not None} or None
    if isinstance(value, list | tuple):
        return [kept for item in value if (kept := _present(item)) is not None] or None
    return " ".join(_text(value).lower().split()) or None


def _text(value: Any) -> str:
    try:
        return "" if value is None else str(value)
    except ValueError:  # an integer of more digits than Python writes
        return "a number beyond writing"


def _size(value: Any) -> int:
    """Return how many leaves a value has."""
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    if isinstance(value, list):
        return sum(map(_size, value))
    return 0 if value is None else 1


def _score(true: Any, said: Any) -> _Score:
    if isinstance(true, dict) and isinstance(said, dict):
        scores = [_score(true.get(key), said.get(key)) for key in {**true, **said}]
        return _Score(sum(one.points for one in scores), sum(one.of for one in scores))
    if isinstance(true, list) and isinstance(said, list):
        return _score_lists(true, said)
    if isinstance(true, str) and isinstance(said, str):
        likeness = Levenshtein.normalized_similarity(true, said, score_cutoff=THRESHOLD)
        return _Score(likeness, 1)
    return _Score(0, max(_size(true), _size(said)))


def _score_lists(true: Sequence[Any], said: Sequence[Any]) -> _Score:
    compared = said[: max(MAX_MEMBERS, len(true))]
    points, of = _table(true, compared)
    equal = np.array([[one == other for other in compared] for one in true])
    rows, columns = linear_sum_assignment(points / np.maximum(of, 1) + _TIE * equal, maximize=True)
    left = sum(_size(true[row]) for row in set(range(len(true))).difference(rows))
    left += sum(_size(said[column]) for column in set(range(len(said))).difference(columns))
    return _Score(float(points[rows, columns].sum()), float(of[rows, columns].sum()) + left)


def _table(true: Sequence[Any], said: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return points of every true member with every predicted one, and how many there were to make."""
    members = [*true, *said]
    if all(isinstance(one, str) for one in members):
        return _likeness(true, said), np.ones((len(true), len(said)))
    if not all(isinstance(one, dict) and all(isinstance(item, str) for item in one.values()) for one in members):
        scores = [[_score(one, other) for other in said] for one in true]
        table = np.array(scores)
        return table[..., 0], table[..., 1]
    # Rows of a table, field by field.
    points, of = np.zeros((len(true), len(said))), np.zeros((len(true), len(said)))
    for field in sorted({field for one in members for field in one}):
        mine, theirs = ([one.get(field) for one in rows] for rows in (true, said))
        here, there = (np.array([value is not None for value in values]) for values in (mine, theirs))
        of += np.logical_or.outer(here, there)
        if here.any() and there.any():
            points += _likeness([one or "" for one in mine], [one or "" for one in theirs]) * np.outer(here, there)
    return points, of


def _likeness(true: Sequence[str], said: Sequence[str]) -> np.ndarray:
    """Return the similarity of each text with each, 0 below the threshold; texts that occur again are compared once."""
    (own, rows), (other, columns) = (
        np.unique(np.array(texts, dtype=object), return_inverse=True) for texts in (true, said)
    )
    table = cdist(
        own.tolist(), other.tolist(), scorer=Levenshtein.normalized_similarity, score_cutoff=THRESHOLD, dtype=np.float64
    )
    return np.asarray(table[np.ix_(rows, columns)])
