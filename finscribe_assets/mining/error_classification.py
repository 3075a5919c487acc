"""Assign one cause to each failed field, by ordered rules of which the first that applies counts.

What belongs here: the rules that need the whole document, which concern the response, the rows, and values of other
fields. How a value was misread at its own position is decided in `misreading.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz.distance import Levenshtein

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.field_comparison import UNKNOWN_ELEMENT, FieldOutcome, FieldStatus, RowStatus
from finscribe_assets.evaluation.normalise import ValueContext, without_currency
from finscribe_assets.evaluation.response_parsing import ParseStatus
from finscribe_assets.mining.error_types import ErrorType
from finscribe_assets.mining.misreading import classify_misreading, is_exact, reads_as

__all__ = ["ErrorType", "PageContext", "classify_errors"]

MIN_DISTINCTIVE_LENGTH = 4  # characters from which on two equal values are not a coincidence
MAX_WRONG_LINE_ERROR_RATE = 0.3  # of characters, up to which a text counts as that of another field
MAX_PATH_LENGTH = 200  # characters of a path that are examined: a model may invent names of any length
_NO_OBJECT = {ParseStatus.NO_JSON, ParseStatus.NOT_AN_OBJECT, ParseStatus.EMPTY, ParseStatus.TOO_DEEP}
_LIST_ITEM = re.compile(r"([a-z_]+)\[([0-9]{1,7})\]\.?(.*)", re.DOTALL)
_PARTY = re.compile(r"(seller|buyer|payee|ship_to)\.(.*)", re.DOTALL)
_SUMMARIES = ("totals.", "statement.", "vat_breakdown[", "page_subtotals[")
_IN_TWO_CURRENCIES = {"totals.total_vat", "totals.total_vat_accounting"}


@dataclass(frozen=True)
class PageContext:
    """What is known of a document's page besides the values of its fields; all of it is optional.

    Attributes:
        others: printed texts that are not the value of any field.
        destroyed: paths of the fields that damage has made illegible.
    """

    others: tuple[str, ...] = ()
    destroyed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, drawn: DrawnDocument, destroyed: frozenset[str] = frozenset()) -> PageContext:
        """Return what is known of the page of a drawn document."""
        look = drawn.presentation
        decoys = [text for decoy in (*look.decoys, *look.seating) for text in (decoy.text, decoy.label)]
        return cls((*decoys, *look.labels.values(), look.stamp, look.handwriting, *look.remarks), destroyed)


_UNKNOWN_PAGE = PageContext()


def classify_errors(scored: ScoredDocument, page: PageContext = _UNKNOWN_PAGE) -> list[tuple[FieldOutcome, ErrorType]]:
    """Return every failed field of a document with its cause; nothing that a model wrote makes this raise.

    Args:
        scored: the document.
        page: what else is known of its page.
    """
    failed = [outcome for outcome in scored.outcomes if outcome.status is not FieldStatus.CORRECT]
    document = _Classifier(scored, page)
    return [(outcome, document.cause(outcome)) for outcome in failed]


class _Classifier:
    """The rules, with what they look up in one document."""

    def __init__(self, scored: ScoredDocument, page: PageContext) -> None:
        self.scored, self.page = scored, page
        outcomes = (outcome for outcome in scored.outcomes if outcome.status is not FieldStatus.CORRECT)
        self.failed = {outcome.path: outcome for outcome in outcomes}
        self.context = ValueContext.of(scored.truth.document)

    @cached_property
    def true_paths(self) -> dict[str, list[str]]:
        """Return the paths of each true value."""
        return _paths_by_value(self.scored.comparison.truth)

    @cached_property
    def failed_paths(self) -> dict[str, list[str]]:
        """Return the paths of each value that was predicted for a failed field."""
        predicted = {path: outcome.predicted for path, outcome in self.failed.items() if outcome.predicted is not None}
        return _paths_by_value(predicted)

    @cached_property
    def replaced_by_structure(self) -> set[str]:
        """Return the missing fields for which an object or a list was predicted instead of a value."""
        extra = [path for path, outcome in self.failed.items() if outcome.status is FieldStatus.EXTRA]
        missing = {path for path, outcome in self.failed.items() if outcome.status is FieldStatus.MISSING}
        prefixes = (path[: mark.start()] for path in extra for mark in re.finditer(r"[.\[]", path[:MAX_PATH_LENGTH]))
        return missing.intersection(prefixes)

    @cached_property
    def row_statuses(self) -> dict[tuple[str, int], RowStatus]:
        """Return what happened to each true row, by list and index."""
        return {(row.list, index): row.status for row in self.scored.comparison.rows for index in row.true}

    def cause(self, outcome: FieldOutcome) -> ErrorType:
        """Return the cause of a failed field."""
        if outcome.path in self.page.destroyed:
            return ErrorType.ILLEGIBLE
        if outcome.status is FieldStatus.EXTRA:
            return self._cause_of_extra(outcome.path, outcome.predicted or "", outcome.element)
        if (error := self._cause_by_row(outcome.path)) is not None:
            return error
        if outcome.status is FieldStatus.MISSING:
            return self._cause_of_missing(outcome.path, outcome.truth or "")
        return self._cause_of_wrong(outcome.path, outcome.truth or "", outcome.predicted or "")

    def _cause_by_row(self, path: str) -> ErrorType | None:
        item = _LIST_ITEM.fullmatch(path)
        status = self.row_statuses.get((item[1], int(item[2])), RowStatus.MATCHED) if item else RowStatus.MATCHED
        if status is RowStatus.MISSING:
            return self._cause_by_response() or ErrorType.ROW_MISSING
        return {RowStatus.MERGED: ErrorType.ROW_MERGED, RowStatus.SPLIT: ErrorType.ROW_SPLIT}.get(status)

    def _cause_by_response(self) -> ErrorType | None:
        """Return why values are missing from the response as a whole; None if it is complete."""
        statuses = self.scored.parse_statuses
        if not self.scored.comparison.predicted and not _NO_OBJECT.isdisjoint(statuses):
            return ErrorType.RESPONSE
        return ErrorType.TRUNCATED if ParseStatus.TRUNCATED in statuses else None

    def _cause_of_missing(self, path: str, true: str) -> ErrorType:
        if (error := self._cause_by_response()) is not None:
            return error
        if path in self.replaced_by_structure:
            return ErrorType.WRONG_TYPE
        # The value may have been predicted for another field.
        others = [
            other for other in self.failed_paths.get(true, ()) if len(true) >= MIN_DISTINCTIVE_LENGTH and other != path
        ]
        return _closest_confusion(path, others) or ErrorType.MISSING

    def _cause_of_extra(self, path: str, predicted: str, element: str) -> ErrorType:
        if any(path.startswith((f"{field}.", f"{field}[")) for field in self.replaced_by_structure):
            return ErrorType.WRONG_TYPE
        item = _LIST_ITEM.fullmatch(path)
        if item and (item[1], int(item[2])) not in self.row_statuses:
            return ErrorType.ROW_SPLIT if self._is_part_of_split_row(item[1], item[2]) else ErrorType.ROW_EXTRA
        if element == UNKNOWN_ELEMENT:
            return ErrorType.UNKNOWN_FIELD
        if self._is_other_print(path, predicted):
            return ErrorType.DECOY_TAKEN
        failed = [other for other in self.true_paths.get(predicted, ()) if other in self.failed]
        return _closest_confusion(path, failed) or ErrorType.HALLUCINATED

    def _is_part_of_split_row(self, name: str, index: str) -> bool:
        """Return whether every value of an extra row is part of the same true row that was split."""
        rows = self.row_statuses.items()
        split = [row for (list_name, row), status in rows if list_name == name and status is RowStatus.SPLIT]
        if not split:
            return False
        prefix = f"{name}[{index}]."
        values = {
            path.removeprefix(prefix): value
            for path, value in self.scored.comparison.predicted.items()
            if path.startswith(prefix)
        }
        truth = self.scored.comparison.truth
        return any(
            all(value in truth.get(f"{name}[{row}].{column}", "") for column, value in values.items()) for row in split
        )

    def _cause_of_wrong(self, path: str, true: str, predicted: str) -> ErrorType:
        error = classify_misreading(path, true, predicted, self.context)
        if is_exact(error):
            return error
        predicted = without_currency(predicted)  # which may have come along with another field's amount
        others = [other for other in self.true_paths.get(predicted, ()) if other != path]
        exchanged = [other for other in others if other in self.failed and self.failed[other].predicted == true]
        is_distinctive = len(predicted.strip("0.-")) >= MIN_DISTINCTIVE_LENGTH
        if exchanged or is_distinctive or error in (ErrorType.GARBLED, ErrorType.WRONG_TYPE):
            if not others and self._is_other_print(path, predicted):
                return ErrorType.DECOY_TAKEN
            if (confusion := _closest_confusion(path, exchanged or others)) is not None:
                return confusion
        return ErrorType.WRONG_LINE if error is ErrorType.GARBLED and self._is_nearly_other(path, predicted) else error

    def _is_nearly_other(self, path: str, predicted: str) -> bool:
        """Return whether a predicted text is nearly the true text of another field."""
        if len(predicted) < MIN_DISTINCTIVE_LENGTH:
            return False
        most = int(MAX_WRONG_LINE_ERROR_RATE * len(predicted))
        return any(
            Levenshtein.distance(predicted, true, score_cutoff=most) <= most
            for true, paths in self.true_paths.items()
            if abs(len(true) - len(predicted)) <= most and paths != [path]
        )

    def _is_other_print(self, path: str, predicted: str) -> bool:
        """Return whether a predicted value is printed on the page, though it is not the value of any field."""
        return any(reads_as(path, text, predicted, self.context) for text in self.page.others)


def _paths_by_value(values: Mapping[str, str]) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for path, value in values.items():
        paths.setdefault(value, []).append(path)
    return paths


def _closest_confusion(path: str, others: list[str]) -> ErrorType | None:
    """Return which confusion a value taken from one of some other fields is, the closest first; None without any."""
    confusions = {confusion for other in others if (confusion := _confusion(path, other)) is not None}
    closest_first = (
        ErrorType.PARTY_SWAP,
        ErrorType.CURRENCY,
        ErrorType.COLUMN_SWAP,
        ErrorType.WRONG_TOTAL,
        ErrorType.ROW_SHIFT,
        ErrorType.LABEL_SWAP,
    )
    return next((confusion for confusion in closest_first if confusion in confusions), None)


def _confusion(path: str, other: str) -> ErrorType | None:
    """Return which confusion of two fields it is; None if their types of value differ too much."""
    value_types = {value_type_of(field) or ValueType.TEXT for field in (path, other)}
    if len(value_types) > 1 and value_types != {ValueType.TEXT, ValueType.IDENTIFIER}:
        return None
    item, other_item = _LIST_ITEM.fullmatch(path), _LIST_ITEM.fullmatch(other)
    if item and other_item and item[1] == other_item[1]:
        return ErrorType.COLUMN_SWAP if item[2] == other_item[2] else ErrorType.ROW_SHIFT
    party, other_party = _PARTY.fullmatch(path), _PARTY.fullmatch(other)
    if party and other_party and party[2] == other_party[2]:
        return ErrorType.PARTY_SWAP
    if {path, other} == _IN_TWO_CURRENCIES:
        return ErrorType.CURRENCY
    if path.startswith(_SUMMARIES) and other.startswith(_SUMMARIES):
        return ErrorType.WRONG_TOTAL
    return ErrorType.LABEL_SWAP
