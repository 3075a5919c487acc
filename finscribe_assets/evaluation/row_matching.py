"""Which row of a prediction tells which row of the truth, and what became of the others.

What belongs here: pairing the members of one list, and naming what happened to each. Nothing here depends on the order
in which a model wrote its rows, save that identical ones keep theirs.
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

Row = Mapping[str, str]  # canonical values by field, such as net_amount
Rows = Mapping[int, Row]  # by position in the list

COMPARED = 64  # characters of a value that likeness is measured on: a machine word
LIKENESS = 0.5  # above which rows that agree in nothing may still be the same: a mean, weighted by lengths
JOINED_LIKENESS = 0.85  # of a text and its parts put together
MOST_PARTS = 8  # that a row is looked for in, beside the one it is paired with
SHORTEST_PART = 2  # characters that a part of a text has at least


class RowFate(StrEnum):
    """What became of a row."""

    MATCHED = "matched"
    MISSING = "missing"
    EXTRA = "extra"
    MERGED = "merged"  # several true rows in one predicted row
    SPLIT = "split"  # one true row over several predicted rows


@dataclass(frozen=True)
class RowOutcome:
    """What became of one row, or of the rows that were merged or split together."""

    list: str
    fate: RowFate
    true: tuple[int, ...]  # positions in the truth
    predicted: tuple[int, ...]  # positions in the model's own answer


def match_rows(name: str, true: Rows, said: Rows, asked: Rows | None = None) -> tuple[dict[int, int], list[RowOutcome]]:
    """Pair the predicted rows of the list ``name`` with true ones so that most asked fields agree.

    Among equally good pairings the one with the most alike values counts. ``asked`` is what of the truth is asked for,
    all of it when None. Returns each predicted row's position in the truth, those of extra rows after its last; and
    what became of the rows, in the truth's order, extra ones last in the order of what they say. A true row of which
    nothing is asked is never missing.
    """
    asked = true if asked is None else asked
    pairs = _Pairs(name, true, said, asked)
    outcomes = pairs.merged()
    outcomes += pairs.split({place for outcome in outcomes for place in outcome.true})
    grouped_true = {place for outcome in outcomes for place in outcome.true}
    grouped_said = {place for outcome in outcomes for place in outcome.predicted}
    places = {said_at: true_at for true_at, said_at in pairs.partner.items() if true_at not in pairs.weak}
    outcomes += [
        RowOutcome(name, RowFate.MATCHED, (true_at,), (said_at,))
        for said_at, true_at in places.items()
        if true_at not in grouped_true and said_at not in grouped_said
    ]
    told = {*grouped_true, *places.values()}
    outcomes += [
        RowOutcome(name, RowFate.MISSING, (place,), ()) for place in true if place not in told and asked.get(place)
    ]
    outcomes.sort(key=lambda outcome: outcome.true)
    spare = max(true, default=-1) + 1
    for place in pairs.rows:
        if place not in places:
            places[place] = spare
            spare += 1
            if place not in grouped_said:
                outcomes.append(RowOutcome(name, RowFate.EXTRA, (), (place,)))
    return places, outcomes


class _Pairs:
    """The best pairing of two lists, and what its leftovers show about its pairs."""

    def __init__(self, name: str, true: Rows, said: Rows, asked: Rows) -> None:
        self.name, self.true, self.said = name, true, said
        # The model's own order plays no part: rows stand in the order of what they say.
        self.rows = sorted(said, key=lambda place: (sorted(said[place].items()), place))
        self.columns = sorted(true)
        self.squeezed = {
            place: {field: _squeezed(value) for field, value in row.items()} for place, row in said.items()
        }
        shape = len(self.rows), len(self.columns)
        agreeing, self.equal, alike, characters, alike_characters = (np.zeros(shape) for _ in range(5))
        for field in sorted({field for row in true.values() for field in row}):
            mine, theirs = (
                [table[place].get(field) for place in order]
                for table, order in ((said, self.rows), (true, self.columns))
            )
            equal, likeness = _compared(mine, theirs)
            self.equal += equal
            agreeing += equal & np.array([field in asked.get(place, ()) for place in self.columns], dtype=bool)
            alike += likeness
            length = np.minimum.outer(*([len(value or "") for value in values] for values in (mine, theirs)))
            characters += length
            alike_characters += length * likeness
        # All likenesses of a pairing together weigh less than one field that agrees.
        weight = agreeing + alike / (1 + max(alike.max(initial=0), 1) * max(1, min(shape)))
        chosen = list(zip(*linear_sum_assignment(weight, maximize=True), strict=True))
        self.partner = {self.columns[j]: self.rows[i] for i, j in chosen}
        self.weak = {
            self.columns[j]
            for i, j in chosen
            if not self.equal[i, j] and alike_characters[i, j] <= LIKENESS * characters[i, j]
        }

    def merged(self) -> list[RowOutcome]:
        """Return predicted rows that tell several neighbouring true rows."""
        free = {place for place in self.true if place not in self.partner or place in self.weak}
        outcomes = []
        for place in self.columns:
            if place not in self.partner or (place in self.weak and place not in free):
                continue
            whole = self.said[self.partner[place]]
            before, after = _run(place, -1, free), _run(place, 1, free)
            for others in (before + after, before, after, before[:1], after[:1]):
                if others and _is_made_of(self.name, whole, self.true[place], [self.true[one] for one in others], 2):
                    group = tuple(sorted((place, *others)))
                    free.difference_update(group)
                    self.weak.discard(place)
                    outcomes.append(RowOutcome(self.name, RowFate.MERGED, group, (self.partner[place],)))
                    break
        return outcomes

    def split(self, merged: Collection[int]) -> list[RowOutcome]:
        """Return true rows that several predicted rows tell, but for those that were merged."""
        strong = {said_at for true_at, said_at in self.partner.items() if true_at not in self.weak}
        free = [place for place in self.rows if place not in strong]
        outcomes = []
        for place in self.columns:
            if place not in self.partner or place in merged:
                continue
            whole, own = self.true[place], self.partner[place]
            if place in self.weak and own not in free:
                continue
            squeezed = {field: _squeezed(value) for field, value in whole.items()}
            parts = [one for one in free if one != own and self._is_part(one, whole, squeezed)][:MOST_PARTS]
            for others in (parts, *([one] for one in parts)):
                if others and _is_made_of(self.name, whole, self.said[own], [self.said[one] for one in others], 1):
                    free = [one for one in free if one not in (own, *others)]
                    self.weak.discard(place)
                    outcomes.append(RowOutcome(self.name, RowFate.SPLIT, (place,), tuple(sorted((own, *others)))))
                    break
        return outcomes

    def _is_part(self, place: int, whole: Row, squeezed: Row) -> bool:
        return all(
            value == whole.get(field) or self.squeezed[place][field] in squeezed.get(field, "")
            for field, value in self.said[place].items()
        )


def _compared(mine: Sequence[str | None], theirs: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """Return where one field's values are equal, and how alike they are from 0 to 1; an absent value is like none."""
    own, other = (sorted({value for value in values if value is not None}) for values in (mine, theirs))
    codes = {value: code for code, value in enumerate([*own, *(value for value in other if value not in set(own))])}
    rows, columns = (np.array([-1 if value is None else codes[value] for value in values]) for values in (mine, theirs))
    present = (rows >= 0)[:, None] & (columns >= 0)[None, :]
    equal = (rows[:, None] == columns[None, :]) & present
    if not own or not other:
        return equal, np.zeros(equal.shape)
    table = cdist(
        [value[:COMPARED] for value in own],
        [value[:COMPARED] for value in other],
        scorer=Levenshtein.normalized_similarity,
    )
    at_own, at_other = ({value: at for at, value in enumerate(values)} for values in (own, other))
    rows, columns = (
        np.array([at.get(value or "", 0) for value in values]) for at, values in ((at_own, mine), (at_other, theirs))
    )
    return equal, np.where(present, table[np.ix_(rows, columns)], 0)


def _run(place: int, step: int, free: Collection[int]) -> list[int]:
    """Return the free places next to one, nearest first, that way on, as many as are looked at."""
    found: list[int] = []
    while (place := place + step) in free and len(found) < MOST_PARTS // 2:
        found.append(place)
    return found


def _is_made_of(name: str, whole: Row, own: Row, others: Sequence[Row], least: int) -> bool:
    """Tell whether a row is made of several: one of its texts is theirs joined, or each of its fields is one of theirs.

    In the second case, at least so many fields are its own partner's alone, and so many each other's alone.
    """
    parts = [own, *others]
    for field, value in whole.items():
        if (
            value_type_of(f"{name}.{field}") is ValueType.TEXT
            and all(field in part for part in parts)
            and _is_joined(value, [part[field] for part in parts])
        ):
            return True
    telling = [[at for at, part in enumerate(parts) if part.get(field) == value] for field, value in whole.items()]
    return all(telling) and all(telling.count([at]) >= least for at in range(len(parts)))


def _is_joined(whole: str, parts: Sequence[str]) -> bool:
    text, pieces = _squeezed(whole), [_squeezed(part) for part in parts]
    if any(len(piece) < SHORTEST_PART or len(piece) >= len(text) for piece in pieces):
        return False
    starts = [found.dest_start if (found := fuzz.partial_ratio_alignment(piece, text)) else 0 for piece in pieces]
    joined = "".join(piece for _, piece in sorted(zip(starts, pieces, strict=True)))
    return Levenshtein.normalized_similarity(joined, text) >= JOINED_LIKENESS


def _squeezed(text: str) -> str:
    return "".join(text.split())
