"""The first cause of a failed field: ordered rules, the first that applies counts.

Rules that see the whole document stand here: what became of the response, of rows, and whose value was taken. How a
value in its right place was misread is told by misreadings.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.field_comparison import FieldOutcome, FieldStatus, RowStatus
from finscribe_assets.evaluation.normalise import ValueContext
from finscribe_assets.evaluation.response_parsing import ParseStatus
from finscribe_assets.mining.error_types import ErrorType
from finscribe_assets.mining.misreading import is_exact, misreading, reads_as

__all__ = ["ErrorType", "PageContext", "classify"]

DISTINCTIVE = 4  # characters from which on two equal values are no coincidence
_NOTHING_READ = {ParseStatus.NO_JSON, ParseStatus.NOT_AN_OBJECT, ParseStatus.EMPTY, ParseStatus.TOO_DEEP}
LONGEST_PATH = 200  # characters of a path, that are looked at: a model invents names
_MEMBER = re.compile(r"([a-z_]+)\[([0-9]{1,7})\]\.?(.*)", re.DOTALL)
_PARTY = re.compile(r"(seller|buyer|payee|ship_to)\.(.*)", re.DOTALL)
_SUMMARIES = ("totals.", "statement.", "vat_breakdown[", "page_subtotals[")
_IN_TWO_CURRENCIES = {"totals.total_vat", "totals.total_vat_accounting"}


@dataclass(frozen=True)
class PageContext:
    """What is known of a document's page besides its values; all of it is optional."""

    others: tuple[str, ...] = ()  # print that is no field's value
    destroyed: frozenset[str] = frozenset()  # fields that damage has made illegible

    @classmethod
    def of(cls, drawn: DrawnDocument, destroyed: frozenset[str] = frozenset()) -> PageContext:
        """Return what is known of a drawn document's page."""
        look = drawn.presentation
        beside = [text for decoy in (*look.decoys, *look.seating) for text in (decoy.text, decoy.label)]
        return cls((*beside, *look.labels.values(), look.stamp, look.handwriting, *look.remarks), destroyed)


_BLANK = PageContext()


def classify(scored: ScoredDocument, page: PageContext = _BLANK) -> list[tuple[FieldOutcome, ErrorType]]:
    """Return every failed field of a document with its first cause. Nothing a model may have said is an error here."""
    failed = [outcome for outcome in scored.outcomes if outcome.status is not FieldStatus.CORRECT]
    document = _Document(scored, page)
    return [(outcome, document.cause(outcome)) for outcome in failed]


class _Document:
    def __init__(self, scored: ScoredDocument, page: PageContext) -> None:
        self.scored, self.page = scored, page
        self.failed = {one.path: one for one in scored.outcomes if one.status is not FieldStatus.CORRECT}
        self.context = ValueContext.of(scored.truth.document)

    @cached_property
    def true_places(self) -> dict[str, list[str]]:
        return _places(self.scored.comparison.truth)

    @cached_property
    def wrong_places(self) -> dict[str, list[str]]:
        return _places({path: one.predicted for path, one in self.failed.items() if one.predicted is not None})

    @cached_property
    def valueless(self) -> set[str]:
        """Return the fields where an object or a list stands instead of a value."""
        extra = [path for path, one in self.failed.items() if one.status is FieldStatus.EXTRA]
        missing = {path for path, one in self.failed.items() if one.status is FieldStatus.MISSING}
        starts = (path[: mark.start()] for path in extra for mark in re.finditer(r"[.\[]", path[:LONGEST_PATH]))
        return missing.intersection(starts)

    @cached_property
    def row_statuses(self) -> dict[tuple[str, int], RowStatus]:
        """Tell what became of each true row, by list and position."""
        return {(row.list, place): row.status for row in self.scored.comparison.rows for place in row.true}

    def cause(self, outcome: FieldOutcome) -> ErrorType:
        if outcome.path in self.page.destroyed:
            return ErrorType.ILLEGIBLE
        if outcome.status is FieldStatus.EXTRA:
            return self._of_extra(outcome.path, outcome.predicted or "", outcome.element)
        if (error := self._of_row(outcome)) is not None:
            return error
        if outcome.status is FieldStatus.MISSING:
            return self._of_missing(outcome.path, outcome.truth or "")
        return self._of_wrong(outcome.path, outcome.truth or "", outcome.predicted or "")

    def _of_row(self, outcome: FieldOutcome) -> ErrorType | None:
        member = _MEMBER.fullmatch(outcome.path)
        status = self.row_statuses.get((member[1], int(member[2])), RowStatus.MATCHED) if member else RowStatus.MATCHED
        if status is RowStatus.MISSING:
            return self._of_response() or ErrorType.ROW_MISSING
        return {RowStatus.MERGED: ErrorType.ROW_MERGED, RowStatus.SPLIT: ErrorType.ROW_SPLIT}.get(status)

    def _of_response(self) -> ErrorType | None:
        """Return what was wrong with the whole response, so that things are missing."""
        statuses = self.scored.parse_statuses
        if not self.scored.comparison.predicted and not _NOTHING_READ.isdisjoint(statuses):
            return ErrorType.RESPONSE
        return ErrorType.TRUNCATED if ParseStatus.TRUNCATED in statuses else None

    def _of_missing(self, path: str, true: str) -> ErrorType:
        if (error := self._of_response()) is not None:
            return error
        if path in self.valueless:
            return ErrorType.WRONG_TYPE
        # Said, but of another field, which is not it.
        taken = [other for other in self.wrong_places.get(true, ()) if len(true) >= DISTINCTIVE and other != path]
        return _nearest(path, taken) or ErrorType.MISSING

    def _of_extra(self, path: str, said: str, element: str) -> ErrorType:
        if any(path.startswith((f"{one}.", f"{one}[")) for one in self.valueless):
            return ErrorType.WRONG_TYPE
        member = _MEMBER.fullmatch(path)
        if member and (member[1], int(member[2])) not in self.row_statuses:
            return ErrorType.ROW_SPLIT if self._is_part(member[1], member[2]) else ErrorType.ROW_EXTRA
        if element == "unknown":
            return ErrorType.UNKNOWN_FIELD
        if self._is_other_print(path, said):
            return ErrorType.DECOY_TAKEN
        lost = [other for other in self.true_places.get(said, ()) if other in self.failed]
        return _nearest(path, lost) or ErrorType.HALLUCINATED

    def _is_part(self, name: str, place: str) -> bool:
        """Tell whether an extra row says nothing but parts of a true row that was split."""
        split = [row for (one, row), status in self.row_statuses.items() if one == name and status is RowStatus.SPLIT]
        if not split:
            return False
        start = f"{name}[{place}]."
        said = {
            path.removeprefix(start): value
            for path, value in self.scored.comparison.predicted.items()
            if path.startswith(start)
        }
        truth = self.scored.comparison.truth
        return any(
            all(value in truth.get(f"{name}[{row}].{column}", "") for column, value in said.items()) for row in split
        )

    def _of_wrong(self, path: str, true: str, said: str) -> ErrorType:
        error = misreading(path, true, said, self.context)
        if is_exact(error):
            return error
        others = [other for other in self.true_places.get(said, ()) if other != path]
        exchanged = [other for other in others if other in self.failed and self.failed[other].predicted == true]
        if exchanged or len(said.strip("0.-")) >= DISTINCTIVE or error in (ErrorType.OTHER, ErrorType.WRONG_TYPE):
            if not others and self._is_other_print(path, said):
                return ErrorType.DECOY_TAKEN
            return _nearest(path, exchanged or others) or error
        return error

    def _is_other_print(self, path: str, said: str) -> bool:
        """Tell whether what was said stands on the page, though it is no field's value."""
        return any(reads_as(path, text, said, self.context) for text in self.page.others)


def _places(values: dict[str, str]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for path, value in values.items():
        places.setdefault(value, []).append(path)
    return places


def _nearest(path: str, others: list[str]) -> ErrorType | None:
    """Return whose value it is: of the fields that have it the one that is nearest, None where none has."""
    found = {relation for other in others if (relation := _relation(path, other)) is not None}
    order = (
        ErrorType.PARTY_SWAP,
        ErrorType.CURRENCY,
        ErrorType.COLUMN_SWAP,
        ErrorType.WRONG_TOTAL,
        ErrorType.ROW_SHIFT,
        ErrorType.LABEL_SWAP,
    )
    return next((relation for relation in order if relation in found), None)


def _relation(path: str, other: str) -> ErrorType | None:
    kinds = {value_type_of(one) or ValueType.TEXT for one in (path, other)}
    if len(kinds) > 1 and kinds != {ValueType.TEXT, ValueType.IDENTIFIER}:
        return None
    one, two = _MEMBER.fullmatch(path), _MEMBER.fullmatch(other)
    if one and two and one[1] == two[1]:
        return ErrorType.COLUMN_SWAP if one[2] == two[2] else ErrorType.ROW_SHIFT
    parties = _PARTY.fullmatch(path), _PARTY.fullmatch(other)
    if parties[0] and parties[1] and parties[0][2] == parties[1][2]:
        return ErrorType.PARTY_SWAP
    if {path, other} == _IN_TWO_CURRENCIES:
        return ErrorType.CURRENCY
    if path.startswith(_SUMMARIES) and other.startswith(_SUMMARIES):
        return ErrorType.WRONG_TOTAL
    return ErrorType.LABEL_SWAP
