"""Order documents for correction: first those with the most values that a person is expected to change.

The probability that a value is wrong is what a reader's confidence leaves open, raised by evidence against the value:
another reader has read another one, the value breaks a calculation rule, or it is not a value of its field's type. A
document's expected gain is the sum over its values, and over the usual fields that it lacks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents import calculation_rules
from finscribe_assets.documents.labelled_fields import LabelledFields, is_labelled
from finscribe_assets.documents.locales import MINOR_UNITS, minor_unit
from finscribe_assets.documents.schema import DocumentType, flatten
from finscribe_assets.evaluation.field_comparison import FieldStatus, compare_fields
from finscribe_assets.evaluation.normalise import CanonicalValue, Note, ValueContext, canonical_value
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.response_parsing import parse_response

UNSTATED_CONFIDENCE = 0.9  # of a reader that states none
NOTHING_KNOWN: LabelledFields = frozenset()
DISPUTED = 0.5  # probability of an error if two readers differ, or if the amount of a calculation rule does not fit
UNREADABLE = 0.9  # probability of an error of a value that is not of its field's type
DOUBTFUL_CONFIDENCE = 0.8  # a value below it is named as a reason
_USUAL_OF_SALES = ("document_number", "issue_date", "seller.name", "totals.amount_due")
USUAL_FIELDS: dict[DocumentType, tuple[str, ...]] = {
    **dict.fromkeys(DocumentType, _USUAL_OF_SALES),
    DocumentType.RECEIPT: ("issue_date", "seller.name", "totals.amount_due"),
    DocumentType.PURCHASE_ORDER: ("document_number", "issue_date", "buyer.name", "seller.name"),
    DocumentType.BANK_STATEMENT: ("issue_date", "bank_name", "statement.account_number", "statement.closing_balance"),
}
"""Fields that nearly every document of a type prints; one that a reader has not found is as good as a disputed one."""
_EITHER = {"totals.amount_due": "totals.total_with_vat", "issue_date": "period_end"}  # one of the two is enough
_USUAL_CURRENCY = "EUR"  # whose two decimals amounts are rounded to if the prediction has no known currency
MAX_NAMED = 3  # values that a reason names


class DoubtfulValue(BaseModel):
    """A value that may be wrong."""

    model_config = ConfigDict(frozen=True)

    path: str
    predicted: str | None = Field(description="the value as printed; None if it was not read")
    wrong: float = Field(description="estimated probability that a person changes it")
    because: tuple[str, ...] = Field(description="evidence against the value, such as low confidence")


class QueuedDocument(BaseModel):
    """A document that waits for correction."""

    model_config = ConfigDict(frozen=True)

    id: str
    gain: float = Field(description="expected number of values that a person changes")
    values: int = Field(description="number of predicted values")
    reasons: tuple[str, ...] = Field(description="reasons for its position in the queue, most important first")
    doubtful: tuple[DoubtfulValue, ...] = Field(description="values that are likeliest to be wrong, first")

    @property
    def why(self) -> str:
        """Return the reasons as one text."""
        return "; ".join(self.reasons)

    def row(self, rank: int) -> dict[str, str | int | float]:
        """Return the document as a row of a table."""
        return {
            "rank": rank,
            "document": self.id,
            "gain": self.gain,
            "values": self.values,
            "why": self.why,
        }


def order_for_review(
    predictions: Mapping[str, Prediction],
    others: Mapping[str, Mapping[str, Prediction]] | None = None,
    known: Mapping[str, LabelledFields | None] | None = None,
) -> list[QueuedDocument]:
    """Return the documents in the order in which their correction is worth most.

    Args:
        predictions: A reader's predictions by document id.
        others: Predictions of further readers for the same documents, by reader name.
        known: By id of the documents with ground truth the fields that it states, or None for all. These values need
            no correction; a document in which nothing else is in doubt is left out.
    """
    known = known or {}
    queue = [
        queue_document(
            prediction,
            {reader: read[name] for reader, read in (others or {}).items() if name in read},
            known.get(name, NOTHING_KNOWN),
        )
        for name, prediction in predictions.items()
    ]
    open_ = (document for document in queue if document.id not in known or document.doubtful)
    return sorted(open_, key=lambda document: (-document.gain, document.id))


def queue_document(
    prediction: Prediction, others: Mapping[str, Prediction], known: LabelledFields | None = NOTHING_KNOWN
) -> QueuedDocument:
    """Estimate what the correction of one document is worth.

    Args:
        prediction: What a reader has read.
        others: What further readers have read, by reader name.
        known: Fields whose values are known; None for all.
    """
    leaves = predicted_leaves(prediction)
    forms = _canonical(leaves)
    evidence: dict[str, list[tuple[float, str]]] = {}

    def against(path: str, wrong: float, because: str) -> None:
        evidence.setdefault(path, []).append((wrong, because))

    for path, form in forms.items():
        sure = prediction.confidence.get(path, UNSTATED_CONFIDENCE)
        against(path, 1 - sure, f"confidence {sure:.2f}" if sure < DOUBTFUL_CONFIDENCE else "")
        if form.note is Note.UNREADABLE:
            against(path, UNREADABLE, "not a value of its type")
    for path, code in _broken_rules(forms):
        against(path, DISPUTED, f"breaks {code}")
    for reader, other in others.items():
        for path in _disagreements(prediction.id, forms, _canonical(predicted_leaves(other))):
            against(path, DISPUTED, f"{reader} reads another value" if path in forms else f"only {reader} reads it")
    for path in usual_fields(leaves):
        if path not in forms and path not in evidence and _EITHER.get(path) not in forms:
            against(path, DISPUTED, "not found")
    doubtful = [
        DoubtfulValue(
            path=path,
            predicted=None if path not in forms else str(leaves[path]),
            wrong=round(max(wrong for wrong, _ in found), 4),
            because=tuple(dict.fromkeys(because for _, because in found if because)),
        )
        for path, found in evidence.items()
        if not is_labelled(path, known)
    ]
    doubtful.sort(key=lambda value: (-value.wrong, value.path))
    return QueuedDocument(
        id=prediction.id,
        gain=round(sum(value.wrong for value in doubtful), 2),
        values=len(forms),
        reasons=_reasons(doubtful, len(forms)),
        doubtful=tuple(value for value in doubtful if value.because),
    )


def usual_fields(leaves: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that nearly every document of a prediction's type prints; of an unknown type, as on invoices.

    Args:
        leaves: The predicted values by path, whose ``document_type`` states the type. Without it, a document with
            values of a bank statement is one.
    """
    stated = str(leaves.get("document_type", ""))
    if stated in USUAL_FIELDS:
        return USUAL_FIELDS[DocumentType(stated)]
    is_statement = any(path.startswith(("statement.", "entries[")) for path in leaves)
    return USUAL_FIELDS[DocumentType.BANK_STATEMENT] if is_statement else _USUAL_OF_SALES


def predicted_leaves(prediction: Prediction) -> dict[str, Any]:
    """Return the values of a prediction by path, without empty ones."""
    parsed = prediction.parsed or parse_response(prediction.response)
    return {path: value for path, value in flatten(parsed.document).items() if value}


def _canonical(leaves: Mapping[str, Any]) -> dict[str, CanonicalValue]:
    context = ValueContext.of(leaves).with_decimal_mark_of(leaves)
    forms = {path: canonical_value(path, value, context) for path, value in leaves.items()}
    return {path: form for path, form in forms.items() if form is not None}


def _broken_rules(forms: Mapping[str, CanonicalValue]) -> list[tuple[str, str]]:
    """Return path and code of the amounts that do not follow from the other amounts as a calculation rule wants it."""
    texts = {path: form.text for path, form in forms.items()}
    stated = texts.get("currency_code", "")
    currency = stated if stated in MINOR_UNITS else _USUAL_CURRENCY
    tolerance = minor_unit(currency) / 2
    outcomes = calculation_rules.check_calculations(calculation_rules.amounts_of_leaves(texts), currency)
    return [(out.path, out.code) for out in outcomes if abs(out.expected - out.actual) > tolerance]


def _disagreements(name: str, forms: Mapping[str, CanonicalValue], others: Mapping[str, CanonicalValue]) -> list[str]:
    """Return the paths at which two readings of a document differ, after their rows are matched.

    A value that only this reader has counts; a value that only the other one has counts outside of lists, where rows
    that one reader has not found would count with all their values.
    """
    mine = {path: form.text for path, form in forms.items()}
    theirs = {path: form.text for path, form in others.items()}
    outcomes = compare_fields(Truth(name, mine, frozenset(forms)), theirs, {}).outcomes
    return [
        out.path
        for out in outcomes
        if out.status in (FieldStatus.WRONG, FieldStatus.MISSING)
        or (out.status is FieldStatus.EXTRA and "[" not in out.path)
        if not _same_numbers(forms.get(out.path), others.get(out.path))
    ]


def _same_numbers(one: CanonicalValue | None, other: CanonicalValue | None) -> bool:
    """Tell whether two values that could mean several things, such as 5.11.26 and 05.11.26, have the same numbers."""
    if not one or not other or not one.note is other.note is Note.AMBIGUOUS:
        return False
    numbers, others = (list(map(int, re.findall(r"\d+", value.text))) for value in (one, other))
    return numbers == others


def _reasons(doubtful: list[DoubtfulValue], values: int) -> tuple[str, ...]:
    """Name the evidence by its type, that of most values first, with the first values of each."""
    if not values:
        return ("nothing was read",)
    by_type: dict[str, list[str]] = {}
    for value in doubtful:
        for because in value.because:
            is_low = because.startswith("confidence")
            group = "low confidence" if is_low else because
            by_type.setdefault(group, []).append(f"{value.path} {because.split()[1]}" if is_low else value.path)
    if not by_type and doubtful and doubtful[0].wrong > 0:
        sure = 1 - sum(value.wrong for value in doubtful) / len(doubtful)
        return (f"no value stands out: {len(doubtful)} values with a mean confidence of {sure:.2f}",)
    ranked = sorted(by_type.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        f"{group}: {', '.join(paths[:MAX_NAMED])}{f' and {more} more' if (more := len(paths) - MAX_NAMED) > 0 else ''}"
        for group, paths in ranked
    )
