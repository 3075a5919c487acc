"""One document's prediction against its truth, field by field.

Rules: a value is right when its canonical form equals the truth's; a wrong one is a false positive and a false
negative; null means absent. The members of a list (lines, tax rates) are first paired by maximum matching, so that
their order never changes a score, and a missing or an extra one counts with every field it has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from finscribe_assets.documents.elements import UNPRINTED, element_of
from finscribe_assets.documents.schema import flatten
from finscribe_assets.evaluation.inputs import Truth
from finscribe_assets.evaluation.normalise import canonical

LISTS = ("lines", "vat_breakdown")
MAX_MEMBERS = 400  # of a predicted list; a reader that repeats itself for ever is not followed
_MEMBER = re.compile(r"^(lines|vat_breakdown)\[(\d+)\]\.?(.*)$", re.DOTALL)


class Status(StrEnum):
    """How a field came out."""

    CORRECT = "correct"
    WRONG = "wrong"
    MISSING = "missing"
    EXTRA = "extra"  # predicted, but not true of the document


@dataclass(frozen=True)
class FieldOutcome:
    """One field of one document. Values are canonical; ``path`` has the truth's list positions."""

    path: str
    element: str  # "unknown" for what the schema does not know
    status: Status
    truth: str | None
    predicted: str | None
    confidence: float | None


@dataclass(frozen=True)
class Comparison:
    """A document's outcomes, and its prediction in canonical form with the truth's list positions."""

    outcomes: tuple[FieldOutcome, ...]
    truth: dict[str, str]  # every leaf of the truth, asked for or not
    predicted: dict[str, str]


def compare(truth: Truth, document: dict[str, Any], confidence: dict[str, float]) -> Comparison:
    """Compare a predicted JSON document with the truth."""
    locale = truth.locale
    # The truth is canonical already, so it is read without a locale's habits.
    known = _canonical(flatten(truth.document), None)
    found = _canonical(_bounded(flatten(document)), locale)
    places = {name: _match(name, known, found) for name in LISTS}
    moved = {path: _moved(path, places) for path in found}
    predicted = {moved[path]: value for path, value in found.items()}
    confident = {_moved(path, places): value for path, value in confidence.items()}
    outcomes = []
    for path, value in known.items():
        if path in UNPRINTED or (truth.printed is not None and path not in truth.printed):
            continue
        said = predicted.get(path)
        status = Status.MISSING if said is None else Status.CORRECT if said == value else Status.WRONG
        outcomes.append(
            FieldOutcome(path, str(element_of(path) or "unknown"), status, value, said, confident.get(path))
        )
    for path, value in predicted.items():
        # What is true of the document, though not asked for, is no hallucination.
        if path not in known and path not in UNPRINTED:
            outcomes.append(FieldOutcome(path, str(element_of(path) or "unknown"), Status.EXTRA, None, value,
                                         confident.get(path)))  # fmt: skip
    return Comparison(tuple(outcomes), known, predicted)


def _canonical(leaves: dict[str, Any], locale: str | None) -> dict[str, str]:
    return {path: form for path, value in leaves.items() if (form := canonical(path, value, locale)) is not None}


def _bounded(leaves: dict[str, Any]) -> dict[str, Any]:
    return {path: value for path, value in leaves.items()
            if not (member := _MEMBER.match(path)) or int(member[2]) < MAX_MEMBERS}  # fmt: skip


def _members(name: str, leaves: dict[str, str]) -> dict[int, dict[str, str]]:
    members: dict[int, dict[str, str]] = {}
    for path, value in leaves.items():
        member = _MEMBER.match(path)
        if member and member[1] == name:
            members.setdefault(int(member[2]), {})[member[3]] = value
    return members


def _match(name: str, known: dict[str, str], found: dict[str, str]) -> dict[int, int]:
    """Pair predicted members with true ones so that most fields agree; return new positions of the predicted ones.

    Among equally good pairings the printed order is kept. Members that agree in nothing stay in order, on the true
    members that are left, and extra ones come after the last.
    """
    true, said = _members(name, known), _members(name, found)
    if not true or not said:
        return {index: len(true) + rank for rank, index in enumerate(sorted(said))}
    rows, columns = sorted(said), sorted(true)
    agreement = np.zeros((len(rows), len(columns)))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            same = sum(true[column].get(key) == value for key, value in said[row].items())
            agreement[i, j] = same - 1e-6 * abs(i - j)
    chosen = linear_sum_assignment(agreement, maximize=True)
    places = {rows[i]: columns[j] for i, j in zip(*chosen, strict=True)}
    spare = max(columns) + 1
    for row in rows:
        if row not in places:
            places[row] = spare
            spare += 1
    return places


def _moved(path: str, places: dict[str, dict[int, int]]) -> str:
    member = _MEMBER.match(path)
    if not member:
        return path
    index = places[member[1]].get(int(member[2]), int(member[2]))
    return f"{member[1]}[{index}]" + (f".{member[3]}" if member[3] else "")
