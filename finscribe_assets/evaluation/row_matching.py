"""Match predicted rows to true rows; classify the unmatched ones.

What belongs here: pairing the rows of one list, such as lines, and stating what happened to each row. The result does
not depend on the order of the predicted rows, except that identical rows keep theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

from finscribe_assets.documents.elements import ValueType, value_type_of

RowValues = Mapping[str, str]
"""Canonical values of a row by field, such as ``net_amount``."""
RowsByIndex = Mapping[int, RowValues]
"""Rows by their index in the list."""

MAX_COMPARED_PREFIX = 64  # characters of a value whose similarity is measured: one machine word, which is fast
MIN_SIMILARITY = 0.5  # above which rows without an equal value may be the same; mean over fields, weighted by length
MIN_JOINED_SIMILARITY = 0.85  # of a text and the texts that it may be joined from
MAX_PARTS = 8  # other rows that a row may be merged or split with
MIN_PART_LENGTH = 2  # characters of a text that may be part of another


class RowStatus(StrEnum):
    """What happened to a row."""

    MATCHED = "matched"
    MISSING = "missing"
    EXTRA = "extra"
    MERGED = "merged"  # several true rows in one predicted row
    SPLIT = "split"  # one true row over several predicted rows


@dataclass(frozen=True)
class RowOutcome:
    """What happened to one row, or to the rows that were merged or split together.

    Attributes:
        list: name of the list.
        status: what happened.
        true: indices in the truth.
        predicted: indices in the prediction as the model wrote it.
    """

    list: str
    status: RowStatus
    true: tuple[int, ...]
    predicted: tuple[int, ...]


def match_rows(
    name: str, true: RowsByIndex, predicted: RowsByIndex, expected: RowsByIndex | None = None
) -> tuple[dict[int, int], list[RowOutcome]]:
    """Match the predicted rows of a list to its true rows, so that the largest number of expected fields agree.

    Among matchings with as many agreeing fields, the one with the most similar values is used. A true row without an
    expected field is never missing.

    Args:
        name: the list, such as ``lines``.
        true: rows of the truth.
        predicted: rows of the prediction.
        expected: the values of the truth that a reader is expected to predict; all of ``true`` if None.

    Returns:
        The index in the truth for each predicted row, where extra rows follow the last true one; and the outcomes, in
        the order of the truth, with extra rows last.
    """
    expected = true if expected is None else expected
    matching = _Matching(name, true, predicted, expected)
    outcomes = matching.merged_rows()
    outcomes += matching.split_rows({index for outcome in outcomes for index in outcome.true})
    grouped_true = {index for outcome in outcomes for index in outcome.true}
    grouped_predicted = {index for outcome in outcomes for index in outcome.predicted}
    true_index = {
        predicted_at: true_at for true_at, predicted_at in matching.partner.items() if true_at not in matching.weak
    }
    outcomes += [
        RowOutcome(name, RowStatus.MATCHED, (true_at,), (predicted_at,))
        for predicted_at, true_at in true_index.items()
        if true_at not in grouped_true and predicted_at not in grouped_predicted
    ]
    covered = {*grouped_true, *true_index.values()}
    outcomes += [
        RowOutcome(name, RowStatus.MISSING, (index,), ())
        for index in true
        if index not in covered and expected.get(index)
    ]
    outcomes.sort(key=lambda outcome: outcome.true)
    free_index = max(true, default=-1) + 1
    for index in matching.predicted_order:
        if index not in true_index:
            true_index[index] = free_index
            free_index += 1
            if index not in grouped_predicted:
                outcomes.append(RowOutcome(name, RowStatus.EXTRA, (), (index,)))
    return true_index, outcomes


class _Matching:
    """The best one-to-one matching of two lists, from which merged and split rows are then found.

    Attributes:
        predicted_order: indices of the predicted rows, sorted by their values, so that their own order has no effect.
        true_order: indices of the true rows.
        partner: for each matched true row, the predicted row.
        weak: matched true rows that agree with their partner in no field and are hardly similar to it.
    """

    def __init__(self, name: str, true: RowsByIndex, predicted: RowsByIndex, expected: RowsByIndex) -> None:
        self.name, self.true, self.predicted = name, true, predicted
        self.predicted_order = sorted(predicted, key=lambda index: (sorted(predicted[index].items()), index))
        self.true_order = sorted(true)
        self.without_spaces = {
            index: {field: _without_spaces(value) for field, value in row.items()} for index, row in predicted.items()
        }
        shape = len(self.predicted_order), len(self.true_order)
        agreeing, equal_count, similarity, characters, similar_characters = (np.zeros(shape) for _ in range(5))
        for field in sorted({field for row in true.values() for field in row}):
            predicted_values, true_values = (
                [rows[index].get(field) for index in order]
                for rows, order in ((predicted, self.predicted_order), (true, self.true_order))
            )
            equal, similar = _compare_values(predicted_values, true_values)
            equal_count += equal
            agreeing += equal & np.array([field in expected.get(index, ()) for index in self.true_order], dtype=bool)
            similarity += similar
            lengths = ([len(value or "") for value in values] for values in (predicted_values, true_values))
            shorter = np.minimum.outer(*lengths)
            characters += shorter
            similar_characters += shorter * similar
        # All similarities of a matching together weigh less than one field that agrees.
        weight = agreeing + similarity / (1 + max(similarity.max(initial=0), 1) * max(1, min(shape)))
        pairs = list(zip(*linear_sum_assignment(weight, maximize=True), strict=True))
        self.partner = {self.true_order[column]: self.predicted_order[row] for row, column in pairs}
        self.weak = {
            self.true_order[column]
            for row, column in pairs
            if not equal_count[row, column]
            and similar_characters[row, column] <= MIN_SIMILARITY * characters[row, column]
        }

    def merged_rows(self) -> list[RowOutcome]:
        """Find predicted rows that hold several neighbouring true rows."""
        free = {index for index in self.true if index not in self.partner or index in self.weak}
        outcomes = []
        for index in self.true_order:
            if index not in self.partner or (index in self.weak and index not in free):
                continue
            whole = self.predicted[self.partner[index]]
            before, after = _neighbours(index, -1, free), _neighbours(index, 1, free)
            for others in (before + after, before, after, before[:1], after[:1]):
                parts = [self.true[other] for other in others]
                if others and _is_made_of(self.name, whole, self.true[index], parts, 2):
                    group = tuple(sorted((index, *others)))
                    free.difference_update(group)
                    self.weak.discard(index)
                    outcomes.append(RowOutcome(self.name, RowStatus.MERGED, group, (self.partner[index],)))
                    break
        return outcomes

    def split_rows(self, merged: Collection[int]) -> list[RowOutcome]:
        """Find true rows that are spread over several predicted rows; ``merged`` ones are skipped."""
        strong = {predicted_at for true_at, predicted_at in self.partner.items() if true_at not in self.weak}
        free = [index for index in self.predicted_order if index not in strong]
        outcomes = []
        for index in self.true_order:
            if index not in self.partner or index in merged:
                continue
            whole, partner = self.true[index], self.partner[index]
            if index in self.weak and partner not in free:
                continue
            without_spaces = {field: _without_spaces(value) for field, value in whole.items()}
            candidates = [other for other in free if other != partner and self._is_part(other, whole, without_spaces)]
            candidates = candidates[:MAX_PARTS]
            for others in (candidates, *([other] for other in candidates)):
                parts = [self.predicted[other] for other in others]
                if others and _is_made_of(self.name, whole, self.predicted[partner], parts, 1):
                    free = [other for other in free if other not in (partner, *others)]
                    self.weak.discard(index)
                    group = tuple(sorted((partner, *others)))
                    outcomes.append(RowOutcome(self.name, RowStatus.SPLIT, (index,), group))
                    break
        return outcomes

    def _is_part(self, index: int, whole: RowValues, without_spaces: RowValues) -> bool:
        """Tell whether each value of a predicted row equals or is part of the true row's value."""
        return all(
            value == whole.get(field) or self.without_spaces[index][field] in without_spaces.get(field, "")
            for field, value in self.predicted[index].items()
        )


def _compare_values(rows: Sequence[str | None], columns: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """Compare the values of one field in two lists.

    Returns:
        Whether they are equal, and their similarity in [0, 1], both of shape (rows, columns). An absent value is
        neither equal nor similar to any other.
    """
    row_texts, column_texts = (sorted({value for value in values if value is not None}) for values in (rows, columns))
    codes = {value: code for code, value in enumerate(dict.fromkeys([*row_texts, *column_texts]))}
    row_codes, column_codes = (
        np.array([-1 if value is None else codes[value] for value in values]) for values in (rows, columns)
    )
    present = (row_codes >= 0)[:, None] & (column_codes >= 0)[None, :]
    equal = (row_codes[:, None] == column_codes[None, :]) & present
    if not row_texts or not column_texts:
        return equal, np.zeros(equal.shape)
    # Equal values are compared once.
    similarity = cdist(
        [value[:MAX_COMPARED_PREFIX] for value in row_texts],
        [value[:MAX_COMPARED_PREFIX] for value in column_texts],
        scorer=Levenshtein.normalized_similarity,
    )
    row_at, column_at = ({value: at for at, value in enumerate(texts)} for texts in (row_texts, column_texts))
    row_indices, column_indices = (
        np.array([at.get(value or "", 0) for value in values]) for at, values in ((row_at, rows), (column_at, columns))
    )
    return equal, np.where(present, similarity[np.ix_(row_indices, column_indices)], 0)


def _neighbours(index: int, step: int, free: Collection[int]) -> list[int]:
    """Return the free indices that follow an index without a gap, nearest first, at most half of ``MAX_PARTS``."""
    neighbours: list[int] = []
    while (index := index + step) in free and len(neighbours) < MAX_PARTS // 2:
        neighbours.append(index)
    return neighbours


def _is_made_of(name: str, whole: RowValues, partner: RowValues, others: Sequence[RowValues], least: int) -> bool:
    """Tell whether a row is made of its partner and other rows.

    It is if one of its texts is theirs joined, or if each of its values is the value of one of them. In the second case
    each of them must be the only one with the value in at least ``least`` fields.
    """
    parts = [partner, *others]
    for field, value in whole.items():
        if (
            value_type_of(f"{name}.{field}") is ValueType.TEXT
            and all(field in part for part in parts)
            and _is_joined(value, [part[field] for part in parts])
        ):
            return True
    sources = [[at for at, part in enumerate(parts) if part.get(field) == value] for field, value in whole.items()]
    return all(sources) and all(sources.count([at]) >= least for at in range(len(parts)))


def _is_joined(whole: str, parts: Sequence[str]) -> bool:
    """Tell whether a text is nearly equal to its parts joined, in the order in which they occur in it."""
    text, pieces = _without_spaces(whole), [_without_spaces(part) for part in parts]
    if any(len(piece) < MIN_PART_LENGTH or len(piece) >= len(text) for piece in pieces):
        return False
    starts = [found.dest_start if (found := fuzz.partial_ratio_alignment(piece, text)) else 0 for piece in pieces]
    joined = "".join(piece for _, piece in sorted(zip(starts, pieces, strict=True)))
    return Levenshtein.normalized_similarity(joined, text) >= MIN_JOINED_SIMILARITY


def _without_spaces(text: str) -> str:
    return "".join(text.split())
