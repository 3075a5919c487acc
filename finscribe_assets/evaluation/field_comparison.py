"""One document's prediction against its truth, field by field.

Rules: a value is right when its canonical form equals the truth's; a wrong one is a false positive and a false
negative; null means absent. The members of a list, such as lines, are first paired by maximum matching, so that their
order never changes a score, and a missing or an extra one counts with every field it has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from finscribe_assets.documents.elements import IMPLIED_FIELDS, LIST_FIELDS, element_of, field_of
from finscribe_assets.documents.schema import flatten
from finscribe_assets.evaluation.normalise import TRUE, Canonical, Context, Note, canonical
from finscribe_assets.evaluation.prediction_files import Truth
from finscribe_assets.evaluation.row_matching import RowOutcome, RowStatus, match_rows

__all__ = ["Comparison", "FieldOutcome", "Note", "RowOutcome", "RowStatus", "Status", "compare", "rows_of"]

MAX_MEMBERS = 400  # of a predicted list, or the truth's number; a reader that repeats itself for ever is not followed
_MEMBER = re.compile(rf"({'|'.join(LIST_FIELDS)})\[([0-9]{{1,7}})\](?:\.(.*))?", re.DOTALL)


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
    confidence: float | None  # in the predicted value; None where there is none
    note: Note | None = None  # why the predicted value could not be read as one of its kind


@dataclass(frozen=True)
class Comparison:
    """A document's outcomes, and its prediction in canonical form with the truth's list positions."""

    outcomes: tuple[FieldOutcome, ...]
    truth: dict[str, str]  # every leaf of the truth, asked for or not
    predicted: dict[str, str]
    rows: tuple[RowOutcome, ...] = ()  # list by list, each in the truth's order, extra ones last


def compare(truth: Truth, document: dict[str, Any], confidence: dict[str, float]) -> Comparison:
    """Compare a predicted JSON document with the truth."""
    known = {path: form.text for path, form in _canonical(flatten(truth.document), TRUE).items()}
    leaves = flatten(document)
    read = _canonical(leaves, Context.of(truth.document).writing(leaves))
    found = {path: form.text for path, form in read.items()}
    asked = {path: value for path, value in known.items() if _is_asked(path, truth)}
    true, told, wanted = rows_of(known), rows_of(found), rows_of(asked)
    places: dict[str, dict[int, int]] = {}
    rows: list[RowOutcome] = []
    for name in LIST_FIELDS:
        followed = sorted(told[name])[: max(MAX_MEMBERS, len(true[name]))]
        places[name], became = match_rows(
            name, true[name], {place: told[name][place] for place in followed}, wanted[name]
        )
        rows += became
    predicted = {moved: value for path, value in found.items() if (moved := _moved(path, places)) is not None}
    notes = {_moved(path, places): form.note for path, form in read.items() if form.note}
    confident = {moved: value for path, value in confidence.items() if (moved := _moved(path, places)) is not None}
    outcomes = []
    for path, value in asked.items():
        said = predicted.get(path)
        status = Status.MISSING if said is None else Status.CORRECT if said == value else Status.WRONG
        outcomes.append(
            FieldOutcome(
                path,
                str(element_of(path) or "unknown"),
                status,
                value,
                said,
                None if said is None else confident.get(path),
                notes.get(path),
            )
        )
    for path, value in sorted(predicted.items()):
        # What is true of the document, though not asked for, is no hallucination.
        if path not in known and field_of(path) not in IMPLIED_FIELDS:
            outcomes.append(
                FieldOutcome(
                    path,
                    str(element_of(path) or "unknown"),
                    Status.EXTRA,
                    None,
                    value,
                    confident.get(path),
                    notes.get(path),
                )
            )
    return Comparison(tuple(outcomes), known, predicted, tuple(rows))


def _is_asked(path: str, truth: Truth) -> bool:
    return field_of(path) not in IMPLIED_FIELDS and (truth.printed is None or path in truth.printed)


def _canonical(leaves: dict[str, Any], context: Context) -> dict[str, Canonical]:
    return {path: form for path, value in leaves.items() if (form := canonical(path, value, context)) is not None}


def rows_of(leaves: Mapping[str, str]) -> dict[str, dict[int, dict[str, str]]]:
    """Return the members of every list by position, each as its fields by name."""
    rows: dict[str, dict[int, dict[str, str]]] = {name: {} for name in LIST_FIELDS}
    for path, value in leaves.items():
        if member := _MEMBER.fullmatch(path):
            rows[member[1]].setdefault(int(member[2]), {})[member[3] or ""] = value
    return rows


def _moved(path: str, places: dict[str, dict[int, int]]) -> str | None:
    """Return a path with the truth's position, None where its row is not followed."""
    member = _MEMBER.fullmatch(path)
    if not member:
        return path
    place = places[member[1]].get(int(member[2]))
    return None if place is None else f"{member[1]}[{place}]" + (f".{member[3]}" if member[3] else "")
