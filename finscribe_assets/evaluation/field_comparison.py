"""Compare the prediction for one document with its truth, field by field.

A value is correct if its canonical form equals the truth's. A wrong value counts as a false positive and as a false
negative. Null means absent. The rows of a list, such as lines, are matched first, so that their order does not change a
score; a missing or an extra row counts with every field it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from finscribe_assets.documents.elements import IMPLIED_FIELDS, LIST_FIELDS, element_of, field_of
from finscribe_assets.documents.labelled_fields import is_labelled
from finscribe_assets.documents.schema import flatten
from finscribe_assets.evaluation.normalise import CanonicalValue, Note, ValueContext, canonical_value, truth_context
from finscribe_assets.evaluation.prediction_files import Truth
from finscribe_assets.evaluation.row_matching import RowOutcome, RowStatus, match_rows
from finscribe_assets.schema_mapping.mapping import is_custom

__all__ = [
    "DocumentComparison",
    "FieldOutcome",
    "FieldStatus",
    "Note",
    "RowOutcome",
    "RowStatus",
    "compare_fields",
    "rows_by_list",
]

UNKNOWN_ELEMENT = "unknown"  # of fields that the schema does not have
MAX_PREDICTED_ROWS = 400  # of a list that are compared, or as many as the truth has: a model may repeat a row for ever
_LIST_ITEM = re.compile(r"([a-z_]{1,99})\[([0-9]{1,7})\](?:\.(.*))?", re.DOTALL)


class FieldStatus(StrEnum):
    """How a predicted field compares with the truth."""

    CORRECT = "correct"
    WRONG = "wrong"
    MISSING = "missing"
    EXTRA = "extra"  # predicted, but the document has no such value


@dataclass(frozen=True)
class FieldOutcome:
    """How one field of one document compares with the truth.

    Attributes:
        path: of the field, with the truth's list indices.
        element: what the field is counted with; ``UNKNOWN_ELEMENT`` if the schema has no such field.
        status: whether the prediction is correct.
        truth: canonical true value; None if the field is extra.
        predicted: canonical predicted value; None if the field is missing.
        confidence: the reader's confidence in the predicted value, from 0 to 1; None if it gave none.
        note: why the predicted value could not be normalised; None if it was.
    """

    path: str
    element: str
    status: FieldStatus
    truth: str | None
    predicted: str | None
    confidence: float | None
    note: Note | None = None


@dataclass(frozen=True)
class DocumentComparison:
    """How the fields and rows of one document compare with the truth.

    Attributes:
        outcomes: of the expected fields and the extra ones.
        truth: every canonical value of the truth's labelled fields by path, expected or not.
        predicted: every canonical predicted value of labelled fields by path, with the truth's list indices.
        rows: outcomes of the rows, list by list, each in the order of the truth, extra rows last.
        true_index: by list, the true index of each predicted row; those of extra rows follow the last true one.
        unjudged: number of predicted values of fields that the truth does not label.
    """

    outcomes: tuple[FieldOutcome, ...]
    truth: dict[str, str]
    predicted: dict[str, str]
    rows: tuple[RowOutcome, ...] = ()
    true_index: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    unjudged: int = 0

    def true_path(self, path: str) -> str | None:
        """Return a path of the prediction with the truth's list index; None if its row is not compared."""
        return _with_true_index(path, self.true_index)

    def unmatched_rows(self) -> list[tuple[str, str]]:
        """Pair true rows that no predicted row matches with extra predicted rows, list by list in order.

        Returns:
            The prefixes of their paths, such as ``lines[2].`` and ``lines[7].``, both with the truth's list indices.
        """
        pairs = []
        true_rows = rows_by_list(self.truth, self.true_index)
        for name, indices in self.true_index.items():
            missing = sorted(set(true_rows[name]) - set(indices.values()))
            extra = sorted(set(indices.values()) - set(true_rows[name]))
            pairs += [(f"{name}[{true}].", f"{name}[{other}].") for true, other in zip(missing, extra, strict=False)]
        return pairs


def compare_fields(truth: Truth, document: dict[str, Any], confidence: Mapping[str, float]) -> DocumentComparison:
    """Compare a predicted JSON document with the truth.

    Args:
        truth: the true document, and which of its values are expected.
        document: the predicted document, of any shape.
        confidence: the reader's confidence by the prediction's own field paths.
    """
    true, expected = _true_values(truth)
    forms, unjudged = _predicted_values(truth, _leaves(truth, document))
    true_index, rows = _match_lists(truth, true, {path: form.text for path, form in forms.items()}, expected)
    if truth.inferred:
        confidence = truth.inferred.rename(confidence)

    def moved(path: str) -> str | None:
        return _with_true_index(path, true_index)

    predicted = {path: form.text for predicted_at, form in forms.items() if (path := moved(predicted_at)) is not None}
    notes = {moved(predicted_at): form.note for predicted_at, form in forms.items() if form.note}
    confidence = {
        path: value for predicted_at, value in confidence.items() if (path := moved(predicted_at)) is not None
    }
    outcomes = []
    for path, value in expected.items():
        prediction = predicted.get(path)
        sure = None if prediction is None else confidence.get(path)
        status = _status(value, prediction)
        outcomes.append(FieldOutcome(path, _element(path), status, value, prediction, sure, notes.get(path)))
    for path, prediction in sorted(predicted.items()):
        # A value that is true of the document, though it is not expected, is not an error.
        if path not in true and field_of(path) not in IMPLIED_FIELDS:
            sure, note = confidence.get(path), notes.get(path)
            outcomes.append(FieldOutcome(path, _element(path), FieldStatus.EXTRA, None, prediction, sure, note))
    return DocumentComparison(tuple(outcomes), true, predicted, tuple(rows), true_index, unjudged)


def align_rows(truth: Truth, document: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a predicted document by path, as predicted, with the truth's list indices."""
    true, expected = _true_values(truth)
    leaves = _leaves(truth, document)
    forms, _ = _predicted_values(truth, leaves)
    true_index, _ = _match_lists(truth, true, {path: form.text for path, form in forms.items()}, expected)
    return {path: value for own, value in leaves.items() if (path := _with_true_index(own, true_index)) is not None}


def _leaves(truth: Truth, document: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a document by path; those in a user's own keys by the paths of their custom fields."""
    leaves = flatten(document)
    return truth.inferred.rename(leaves) if truth.inferred else leaves


def _true_values(truth: Truth) -> tuple[dict[str, str], dict[str, str]]:
    """Return the canonical values of the truth's labelled fields by path, and those of them that are expected."""
    forms = _canonical_values(_leaves(truth, truth.document), truth_context(truth.document), _own_context(truth))
    true = {path: form.text for path, form in forms.items() if is_labelled(path, truth.labelled)}
    return true, {path: value for path, value in true.items() if _is_expected(path, truth)}


def _predicted_values(truth: Truth, leaves: Mapping[str, Any]) -> tuple[dict[str, CanonicalValue], int]:
    """Return the canonical predicted values of labelled fields by path, and the number of values of other fields."""
    context = ValueContext.of(truth.document).with_decimal_mark_of(leaves)
    forms = _canonical_values(leaves, context, _own_context(truth))
    judged = {path: form for path, form in forms.items() if is_labelled(path, truth.labelled)}
    return judged, len(forms) - len(judged)


def _own_context(truth: Truth) -> ValueContext | None:
    """Return the context of values in a user's own keys, true and predicted alike: neither side is canonical."""
    if truth.inferred is None:
        return None
    context = ValueContext.of(truth.document)
    return replace(context, locale=context.locale or truth.inferred.locale, decimal_mark=truth.inferred.decimal_mark)


def _match_lists(
    truth: Truth, true: Mapping[str, str], predicted: Mapping[str, str], expected: Mapping[str, str]
) -> tuple[dict[str, dict[int, int]], list[RowOutcome]]:
    """Match the rows of every list; return the true index of each predicted row by list, and the outcomes."""
    names = (*LIST_FIELDS, *(truth.inferred.lists.values() if truth.inferred else ()))
    true_rows, predicted_rows, expected_rows = (rows_by_list(values, names) for values in (true, predicted, expected))
    true_index: dict[str, dict[int, int]] = {}
    outcomes: list[RowOutcome] = []
    for name in names:
        compared = sorted(predicted_rows[name])[: max(MAX_PREDICTED_ROWS, len(true_rows[name]))]
        rows = {index: predicted_rows[name][index] for index in compared}
        true_index[name], matched = match_rows(name, true_rows[name], rows, expected_rows[name])
        outcomes += matched
    return true_index, outcomes


def _status(expected: str, predicted: str | None) -> FieldStatus:
    if predicted is None:
        return FieldStatus.MISSING
    return FieldStatus.CORRECT if predicted == expected else FieldStatus.WRONG


def _element(path: str) -> str:
    return str(element_of(path) or UNKNOWN_ELEMENT)


def _is_expected(path: str, truth: Truth) -> bool:
    """Return whether a prediction should have a value: one of those listed, or without a list the usual ones."""
    if truth.printed is not None:
        return path in truth.printed
    return path == "currency_code" or field_of(path) not in IMPLIED_FIELDS


def _canonical_values(
    leaves: Mapping[str, Any], context: ValueContext, own_context: ValueContext | None
) -> dict[str, CanonicalValue]:
    """Return the canonical form of each value; ``own_context`` is that of values in a user's own keys."""
    forms = {
        path: canonical_value(path, value, own_context if own_context and is_custom(path) else context)
        for path, value in leaves.items()
    }
    return {path: form for path, form in forms.items() if form is not None}


def rows_by_list(leaves: Mapping[str, str], names: Iterable[str] = LIST_FIELDS) -> dict[str, dict[int, dict[str, str]]]:
    """Return the rows of lists by index, each as its values by field.

    Args:
        leaves: values by path.
        names: of the lists; those of the schema if not given.
    """
    rows: dict[str, dict[int, dict[str, str]]] = {name: {} for name in names}
    for path, value in leaves.items():
        if (item := _LIST_ITEM.fullmatch(path)) and item[1] in rows:
            rows[item[1]].setdefault(int(item[2]), {})[item[3] or ""] = value
    return rows


def _with_true_index(path: str, true_index: Mapping[str, Mapping[int, int]]) -> str | None:
    """Return a predicted path with the truth's list index; None if its row is not compared."""
    item = _LIST_ITEM.fullmatch(path)
    if not item or item[1] not in true_index:
        return path
    index = true_index[item[1]].get(int(item[2]))
    return None if index is None else f"{item[1]}[{index}]" + (f".{item[3]}" if item[3] else "")
