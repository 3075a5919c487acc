"""Score the prediction for one document: its fields, its line table and its arithmetic.

What belongs here: what is measured of a single document. Metrics over documents are in `metrics.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from finscribe_assets.documents import calculation_rules
from finscribe_assets.documents.locales import is_known_currency, minor_unit
from finscribe_assets.evaluation.anls import anls_star
from finscribe_assets.evaluation.field_comparison import (
    DocumentComparison,
    FieldOutcome,
    FieldStatus,
    compare_fields,
    rows_by_list,
)
from finscribe_assets.evaluation.grounding import GroundedDocument, ground
from finscribe_assets.evaluation.normalise import without_currency
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.response_parsing import ParseStatus, parse_response
from finscribe_assets.evaluation.teds import rows_to_html, teds
from finscribe_assets.evaluation.verbatim import verbatim_share

LINE_TABLE_COLUMNS = ("line_id", "item_name", "quantity", "unit_code", "net_price", "vat_rate", "net_amount")


@dataclass(frozen=True)
class TableScore:
    """TEDS of the predicted line table, and TEDS of its structure alone; both in [0, 1]."""

    teds: float
    structure: float


@dataclass(frozen=True)
class RuleOutcome:
    """Whether a prediction satisfies a calculation rule that the truth satisfies.

    Attributes:
        code: of the rule.
        path: of the amount that the rule determines.
        satisfied: whether the predicted amounts satisfy it.
    """

    code: str
    path: str
    satisfied: bool


@dataclass(frozen=True)
class ScoredDocument:
    """What was measured of the prediction for one document.

    Attributes:
        truth: the ground truth.
        comparison: outcomes of fields and rows.
        parse_statuses: what was found when the response was parsed; empty if there is no prediction.
        dropped: number of incomplete members of the response.
        anls: ANLS* of the canonical values.
        table: scores of the line table; None if the truth has no lines.
        rules: outcomes of the calculation rules.
        grounding: whether values have the right boxes; None if no expected value has a true box.
        has_boxes: whether the prediction has boxes.
        verbatim: share of the members of a truth in a user's own keys that are predicted as they are written; None for
            a truth in the schema.
    """

    truth: Truth
    comparison: DocumentComparison
    parse_statuses: tuple[ParseStatus, ...]
    dropped: int
    anls: float
    table: TableScore | None
    rules: tuple[RuleOutcome, ...]
    grounding: GroundedDocument | None = None
    has_boxes: bool = False
    verbatim: float | None = None

    @property
    def outcomes(self) -> tuple[FieldOutcome, ...]:
        """Return the outcomes of the document's fields."""
        return self.comparison.outcomes

    @cached_property
    def _statuses(self) -> Counter[FieldStatus]:
        return Counter(outcome.status for outcome in self.outcomes)

    @property
    def correct(self) -> int:
        """Return the number of correct fields."""
        return self._statuses[FieldStatus.CORRECT]

    @property
    def expected(self) -> int:
        """Return the number of expected fields: correct, wrong and missing ones."""
        return len(self.outcomes) - self._statuses[FieldStatus.EXTRA]

    @property
    def predicted(self) -> int:
        """Return the number of predicted fields: correct, wrong and extra ones."""
        return len(self.outcomes) - self._statuses[FieldStatus.MISSING]

    @property
    def is_empty(self) -> bool:
        """Tell whether there is a prediction without any value."""
        return bool(self.parse_statuses) and not self.comparison.predicted

    @property
    def f1(self) -> float:
        """Return the F1 of the document's fields; 1 if none is expected and none predicted."""
        fields = self.expected + self.predicted
        return 2 * self.correct / fields if fields else 1.0


def score(truths: Mapping[str, Truth], predictions: Mapping[str, Prediction]) -> list[ScoredDocument]:
    """Score every document that has a truth; without a prediction, all of its fields are missing."""
    return list(score_each(truths, predictions))


def score_each(truths: Mapping[str, Truth], predictions: Mapping[str, Prediction]) -> Iterator[ScoredDocument]:
    """Score documents like ``score``, one at a time, so that a caller can show progress."""
    for name, truth in truths.items():
        yield _score(truth, predictions.get(name))


def _score(truth: Truth, prediction: Prediction | None) -> ScoredDocument:
    response = parse_response(None) if prediction is None else prediction.parsed or parse_response(prediction.response)
    comparison = compare_fields(truth, response.document, prediction.confidence if prediction else {})
    boxes = prediction.boxes if prediction and prediction.boxes else response.boxes
    if truth.inferred:
        boxes = truth.inferred.rename(boxes)
    expected = {outcome.path: outcome.truth for outcome in comparison.outcomes if outcome.truth is not None}
    predicted = {outcome.path: outcome.predicted for outcome in comparison.outcomes if outcome.predicted is not None}
    return ScoredDocument(
        truth,
        comparison,
        tuple(response.statuses) if prediction else (),
        response.dropped,
        anls_star(*(_nested(values, comparison.true_index) for values in (expected, predicted))),
        score_line_table(comparison, expected.keys()),
        check_rules(comparison, expected.keys(), truth.currency or ""),
        ground(comparison, truth.boxes, boxes) if truth.boxes else None,
        bool(boxes),
        _verbatim(truth, prediction),
    )


def _verbatim(truth: Truth, prediction: Prediction | None) -> float | None:
    if truth.written is None:
        return None
    return verbatim_share(truth.written, parse_response(prediction.response).document if prediction else {})


def _nested(leaves: Mapping[str, str], names: Iterable[str]) -> dict[str, Any]:
    """Return leaves with their lists as lists; groups stay flat, since ANLS* adds up leaves either way."""
    lists = {
        name: [row for _, row in sorted(rows.items())] for name, rows in rows_by_list(leaves, names).items() if rows
    }
    return {path: value for path, value in leaves.items() if path.partition("[")[0] not in lists} | lists


def score_line_table(comparison: DocumentComparison, expected: Set[str]) -> TableScore | None:
    """Score the line table as data with TEDS and structure-only TEDS.

    Both tables are written from canonical values: a row for each line, a column for each expected field, and predicted
    rows at the indices that row matching gave them. So the markup that a model wrote has no effect. True values that
    are not expected, such as a quantity that some lines print and others do not, are in neither table.

    Args:
        comparison: the document's values.
        expected: paths of the expected fields.

    Returns:
        The scores; None if no field of a line is expected.
    """
    true_rows = rows_by_list(comparison.truth)["lines"]
    columns = [name for name in LINE_TABLE_COLUMNS if any(f"lines[{index}].{name}" in expected for index in true_rows)]
    if not columns:
        return None
    unexpected = comparison.truth.keys() - expected
    true_table, predicted_table = (
        rows_to_html(
            [
                ["" if f"lines[{index}].{name}" in unexpected else row.get(name, "") for name in columns]
                for index, row in sorted(rows.items())
            ]
        )
        for rows in (true_rows, rows_by_list(comparison.predicted)["lines"])
    )
    return TableScore(teds(predicted_table, true_table), teds(predicted_table, true_table, structure_only=True))


def check_rules(comparison: DocumentComparison, expected: Collection[str], currency: str) -> tuple[RuleOutcome, ...]:
    """Check the calculation rules of a document on its predicted amounts.

    A rule is checked if the truth satisfies it on the expected values. A prediction that lacks one of its amounts does
    not satisfy it. The tolerance is half of the currency's smallest amount, such as half a cent.

    Args:
        comparison: the document's values.
        expected: paths of the expected fields.
        currency: ISO 4217 code; without a known one, no rule is checked.
    """
    if not is_known_currency(currency):
        return ()
    tolerance = minor_unit(currency) / 2

    def satisfied(leaves: Mapping[str, str]) -> dict[tuple[str, str], bool]:
        amounts = calculation_rules.amounts_of_leaves(leaves)
        return {
            (outcome.code, outcome.path): abs(outcome.expected - outcome.actual) <= tolerance
            for outcome in calculation_rules.check_calculations(amounts, currency)
        }

    by_truth = satisfied({path: comparison.truth[path] for path in expected})
    by_prediction = satisfied({path: without_currency(value) for path, value in comparison.predicted.items()})
    return tuple(
        RuleOutcome(code, path, by_prediction.get((code, path), False))
        for (code, path), holds in by_truth.items()
        if holds
    )
