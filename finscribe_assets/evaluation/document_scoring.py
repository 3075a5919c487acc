"""One document, measured: its fields, its line table, its arithmetic, and what reading its response met with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from finscribe_assets.documents import calculation_rules
from finscribe_assets.documents.locales import MINOR_UNITS, minor_unit
from finscribe_assets.evaluation.anls import anls_star
from finscribe_assets.evaluation.field_comparison import Comparison, FieldOutcome, Status, compare, rows_of
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.response_parsing import ParseStatus, parse_response
from finscribe_assets.evaluation.teds import teds, to_html

COLUMNS = ("line_id", "item_name", "quantity", "unit_code", "net_price", "vat_rate", "net_amount")


@dataclass(frozen=True)
class TableScore:
    """How like the truth's line table the predicted one is, in [0, 1]."""

    teds: float
    structure: float  # TEDS of the empty cells


@dataclass(frozen=True)
class RuleOutcome:
    """A rule of arithmetic at one place, which the truth keeps; whether the prediction keeps it too."""

    code: str
    path: str  # of the amount that it determines
    kept: bool


@dataclass(frozen=True)
class Scored:
    """One document, measured."""

    truth: Truth
    comparison: Comparison
    parse_statuses: tuple[ParseStatus, ...]
    dropped: int  # members of the response that were begun and are not whole
    anls: float  # ANLS* of the canonical values
    table: TableScore | None  # None where the truth has no lines
    rules: tuple[RuleOutcome, ...]

    @property
    def outcomes(self) -> tuple[FieldOutcome, ...]:
        """Return the document's fields."""
        return self.comparison.outcomes

    @cached_property
    def _statuses(self) -> Counter[Status]:
        return Counter(outcome.status for outcome in self.outcomes)

    @property
    def correct(self) -> int:
        """Return how many fields are right."""
        return self._statuses[Status.CORRECT]

    @property
    def asked(self) -> int:
        """Return how many fields the truth has: those right, wrong and missing."""
        return len(self.outcomes) - self._statuses[Status.EXTRA]

    @property
    def said(self) -> int:
        """Return how many fields the prediction has: those right, wrong and extra."""
        return len(self.outcomes) - self._statuses[Status.MISSING]

    @property
    def f1(self) -> float:
        """Return the F1 of the document's fields; 1 where nothing is asked and nothing said."""
        return 2 * self.correct / (self.asked + self.said) if self.asked + self.said else 1.0


def score(truths: Mapping[str, Truth], predictions: Mapping[str, Prediction]) -> list[Scored]:
    """Measure every document with a truth; one without a prediction has every field missing."""
    return list(scoring(truths, predictions))


def scoring(truths: Mapping[str, Truth], predictions: Mapping[str, Prediction]) -> Iterator[Scored]:
    """Measure documents one by one, for those who show how far it has come."""
    for name, truth in truths.items():
        yield _score(truth, predictions.get(name))


def _score(truth: Truth, prediction: Prediction | None) -> Scored:
    response = parse_response(prediction.response if prediction else None)
    comparison = compare(truth, response.document, prediction.confidence if prediction else {})
    asked = {outcome.path: outcome.truth for outcome in comparison.outcomes if outcome.truth is not None}
    told = {outcome.path: outcome.predicted for outcome in comparison.outcomes if outcome.predicted is not None}
    return Scored(
        truth,
        comparison,
        tuple(response.statuses) if prediction else (),
        response.dropped,
        anls_star(_nested(asked), _nested(told)),
        table_score(comparison, asked.keys()),
        arithmetic(comparison, asked.keys(), truth.currency or ""),
    )


def _nested(leaves: Mapping[str, str]) -> dict[str, Any]:
    """Return leaves with their lists as lists; groups may stay flat, as ANLS* adds up the leaves of both alike."""
    rows = {name: [row for _, row in sorted(members.items())] for name, members in rows_of(leaves).items() if members}
    return {path: value for path, value in leaves.items() if path.partition("[")[0] not in rows} | rows


def table_score(comparison: Comparison, asked: Collection[str]) -> TableScore | None:
    """Return TEDS and structure-only TEDS of the line table, None where the truth has no lines.

    Both tables are written from canonical values: a row for each line, a column for each field that is asked for, rows
    of the prediction in the positions that matching gave them. Scores are therefore of the content as data; how a model
    wrote a table as markup is not part of it.
    """
    true_rows = rows_of(comparison.truth)["lines"]
    columns = [name for name in COLUMNS if any(f"lines[{index}].{name}" in asked for index in true_rows)]
    if not columns:
        return None
    true_table, said_table = (
        to_html([[row.get(name, "") for name in columns] for _, row in sorted(rows.items())])
        for rows in (true_rows, rows_of(comparison.predicted)["lines"])
    )
    return TableScore(teds(said_table, true_table), teds(said_table, true_table, structure_only=True))


def arithmetic(comparison: Comparison, asked: Collection[str], currency: str) -> tuple[RuleOutcome, ...]:
    """Return which of the document's rules the prediction keeps.

    A rule counts where the truth keeps it on the values that are asked for; a prediction that lacks one of its amounts
    breaks it. Kept means equal to within half of the currency's smallest amount: to the cent, to the yen.
    """
    if currency not in MINOR_UNITS:
        return ()
    tolerance = minor_unit(currency) / 2

    def kept(leaves: Mapping[str, str]) -> dict[tuple[str, str], bool]:
        return {
            (found.code, found.path): abs(found.expected - found.actual) <= tolerance
            for found in calculation_rules.check_calculations(calculation_rules.amounts_of_leaves(leaves), currency)
        }

    true, said = kept({path: comparison.truth[path] for path in asked}), kept(comparison.predicted)
    return tuple(
        RuleOutcome(code, path, said.get((code, path), False)) for (code, path), holds in true.items() if holds
    )
