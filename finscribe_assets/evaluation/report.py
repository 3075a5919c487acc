"""The evaluation report: predictions of a reader measured against the truth of a set of documents.

`report.json` is this model as JSON; `finscribe schema --of report` prints its schema. What belongs here: the report and
its tables. `report_html.py` writes it as a page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.elements import field_of
from finscribe_assets.evaluation.calibration import (
    MAX_LOW_CONFIDENCE_FIELDS,
    Calibration,
    LowConfidenceField,
    low_confidence_fields,
    measure_calibration,
)
from finscribe_assets.evaluation.document_scoring import RuleOutcome, ScoredDocument, score_each
from finscribe_assets.evaluation.field_comparison import (
    UNKNOWN_ELEMENT,
    FieldOutcome,
    FieldStatus,
    RowOutcome,
    RowStatus,
)
from finscribe_assets.evaluation.grounding_scores import GroundingScores, score_grounding
from finscribe_assets.evaluation.leading_failures import ClassifyErrors, LeadingFailure, leading_failures
from finscribe_assets.evaluation.metrics import METRICS, Estimate, estimate_metrics, with_verbatim
from finscribe_assets.evaluation.paired_comparison import PairedComparison, compare_readers
from finscribe_assets.evaluation.prediction_files import InputProblems, Prediction, Truth
from finscribe_assets.evaluation.score_interval import wilson
from finscribe_assets.evaluation.slices import DocumentAttributes, Slice, slice_documents
from finscribe_assets.evaluation.worst_documents import WorstDocument, worst_documents

TARGETS = {"field_accuracy": 0.95, "teds": 0.90, "numeric_consistency": 0.98}
"""Values that metrics are to exceed, as docs/training-strategy.md sets them."""
SECONDS_TARGET = 2.0  # for each document

Verdict = Literal["met", "not met", "not measured", "kept apart"]
Proof = Literal["met", "missed", "not provable", "not measured", "kept apart"]


class Target(BaseModel):
    """A target of the training strategy, and whether the reader meets it."""

    model_config = ConfigDict(frozen=True)

    name: str
    required: str = Field(description="such as > 95%")
    verdict: Verdict
    certain: bool = Field(description="whether the whole 95 % interval is on one side of the required value")
    measured: Estimate | None = None
    seconds: float | None = Field(
        default=None, exclude=True, description="for each document, if the target is a time; not part of the JSON"
    )

    @property
    def proof(self) -> Proof:
        """Return the verdict as far as the interval proves it: not provable if it includes the required value."""
        if self.verdict in ("not measured", "kept apart"):
            return self.verdict
        return "not provable" if not self.certain else "met" if self.verdict == "met" else "missed"

    def without_time(self) -> Target:
        """Return what does not differ from run to run: whether a time is short enough is not said of a time."""
        if self.seconds is None:
            return self
        return self.model_copy(update={"seconds": None, "verdict": "kept apart", "certain": False})

    def timed(self, seconds: float, verdict: Verdict) -> Target:
        """Return the target with a time and its verdict, which were kept apart."""
        return self.model_copy(update={"seconds": seconds, "verdict": verdict, "certain": True})

    @property
    def summary(self) -> str:
        """Return the verdict with its evidence, as text."""
        if self.seconds is not None:
            return f"{self.verdict} ({self.seconds:.2f} s)"
        if self.measured is None:
            return self.verdict
        estimate = self.measured
        doubt = "" if self.certain else ", which includes the target"
        return (
            f"{self.verdict} ({estimate.value:.1%}, n = {estimate.n:,}; "
            f"interval {estimate.low:.1%} to {estimate.high:.1%}{doubt})"
        )


class FieldTally(BaseModel):
    """Counts and metrics of the fields of one element, or of one field, over all documents."""

    model_config = ConfigDict(frozen=True)

    name: str
    expected: int
    correct: int
    wrong: int
    missing: int
    extra: int
    accuracy: float | None = Field(description="correct fields / expected fields")
    precision: float | None = Field(description="correct fields / predicted fields")
    recall: float | None
    f1: float | None


class RowTally(BaseModel):
    """Counts of what happened to the rows of one list, such as lines."""

    model_config = ConfigDict(frozen=True)

    list: str
    matched: int
    missing: int = Field(description="true rows without a predicted row")
    extra: int = Field(description="predicted rows without a true row")
    merged: int = Field(description="predicted rows that hold several true rows")
    split: int = Field(description="true rows that are spread over several predicted rows")


class RuleTally(BaseModel):
    """How often predictions satisfy a calculation rule that the truth satisfies."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(description="of EN 16931, or of documents/calculation_rules.py")
    determines: str = Field(description="the field whose amount the rule determines")
    satisfied: int
    checked: int
    rate: float = Field(description="satisfied / checked")


class Judged(BaseModel):
    """How much of the documents and predictions was judged; the rest is outside of what the ground truth labels."""

    model_config = ConfigDict(frozen=True)

    fields: int = Field(description="number of expected fields and of additions that count as errors")
    partly_labelled: int = Field(description="number of documents whose ground truth labels some of the fields only")
    left_out: int = Field(description="number of predicted values of fields that are not labelled, which do not count")

    def row(self) -> dict[str, int]:
        """Return the counts as a row of a table."""
        return {
            "fields judged": self.fields,
            "documents labelled in part": self.partly_labelled,
            "predicted values not judged": self.left_out,
        }


class EvaluationReport(BaseModel):
    """What `finscribe evaluate` and the asset `evaluation_report` write."""

    model_config = ConfigDict(frozen=True)

    reader: str = Field(description="name of the model that made the predictions")
    layout: str = Field(description="source of the regions that were read, such as renderer boxes (oracle)")
    documents: int
    predicted: int = Field(description="number of documents with a prediction")
    judged: Judged | None = Field(default=None, description="None in reports of earlier versions")
    empty: int = Field(default=0, description="number of predictions without any value")
    headline: dict[str, Estimate | None] = Field(description="by metric; None for one without observations")
    targets: list[Target]
    by_element: list[FieldTally]
    by_field: list[FieldTally]
    by_rule: list[RuleTally]
    by_row: list[RowTally]
    slices: list[Slice] = Field(description="by document type, locale and further attributes, and by all of them")
    parse_statuses: dict[str, int] = Field(
        description="number of documents by what was found when their responses were parsed"
    )
    dropped: int = Field(description="number of members of responses that were begun and are incomplete")
    notes: dict[str, int] = Field(description="number of predicted values that are unreadable or ambiguous")
    problems: dict[str, int] = Field(description="number of problems of the predictions file")
    problem_locations: dict[str, list[str]] = Field(description="the first locations of each problem")
    calibration: Calibration | None = Field(description="None if no prediction has a confidence")
    low_confidence: list[LowConfidenceField] = Field(
        description=f"the predicted values of lowest confidence, at most {MAX_LOW_CONFIDENCE_FIELDS}"
    )
    low_confidence_count: int = Field(description="number of predicted values of low confidence")
    failures: list[LeadingFailure] = Field(
        default=[],
        description="failed fields by error type, the most frequent first; empty if they were not classified",
    )
    grounding: GroundingScores | None = Field(default=None, description="None if the reader gives no boxes of its own")
    grounding_note: str = Field(default="", description="why grounding was not measured")
    comparisons: dict[str, PairedComparison] = Field(default={}, description="with other readers, by their names")
    worst: list[WorstDocument] = Field(description="the documents with the lowest field F1")

    def to_json(self) -> str:
        """Return the report as the text of `report.json`."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"

    def sliced_by(self, *dimensions: str) -> list[Slice]:
        """Return the slices of these dimensions."""
        return [part for part in self.slices if tuple(part.attributes) == dimensions]


def evaluate(
    truths: Mapping[str, Truth],
    predictions: Mapping[str, Prediction],
    *,
    reader: str = "unnamed reader",
    layout: str = "the reader's own",
    problems: InputProblems | None = None,
    seconds_per_document: float | None = None,
    others: Mapping[str, Mapping[str, Prediction]] | None = None,
    attributes: DocumentAttributes | None = None,
    classify: ClassifyErrors | None = None,
    on_documents: Callable[[int], None] | None = None,
) -> EvaluationReport:
    """Measure predictions against the truth.

    Args:
        truths: by document id.
        predictions: by document id; without a prediction, all fields of a document are missing.
        reader: name of the model.
        layout: source of the regions that it read.
        problems: of the predictions file.
        seconds_per_document: reading time; None if it was not measured.
        others: predictions of further readers for the same documents, by reader; the report compares with each.
        attributes: of documents, besides document type and locale, by which slices are made.
        classify: returns the failed fields of a document with their error types; None if they are not counted.
        on_documents: called with the number of documents that were measured since the last call.
    """

    def measure(read: Mapping[str, Prediction]) -> list[ScoredDocument]:
        documents = []
        for document in score_each(truths, read):
            documents.append(document)
            if on_documents:
                on_documents(1)
        return documents

    scored = measure(predictions)
    fields = [outcome for document in scored for outcome in document.outcomes]
    headline = estimate_metrics(scored, with_verbatim(METRICS, scored))
    doubtful = low_confidence_fields(scored)
    problems = problems or InputProblems()
    any_value = not all(document.is_empty for document in scored if document.parse_statuses)
    grounding, grounding_note = score_grounding(scored, layout)
    return EvaluationReport(
        reader=reader,
        layout=layout,
        documents=len(scored),
        predicted=len(predictions),
        judged=Judged(
            fields=len(fields),
            partly_labelled=sum(truth.labelled is not None for truth in truths.values()),
            left_out=sum(document.comparison.unjudged for document in scored),
        ),
        headline=headline,
        empty=sum(document.is_empty for document in scored),
        # A reader that reads nothing is fast; its time says nothing.
        targets=_targets(headline, seconds_per_document if any_value else None),
        by_element=tally_fields(fields, lambda outcome: outcome.element),
        by_field=tally_fields(fields, _field_or_unknown),
        by_rule=_tally_rules(rule for document in scored for rule in document.rules),
        by_row=_tally_rows(row for document in scored for row in document.comparison.rows),
        slices=slice_documents(scored, attributes or {}),
        parse_statuses=_counts(status for document in scored for status in document.parse_statuses),
        dropped=sum(document.dropped for document in scored),
        notes=_counts(outcome.note for outcome in fields if outcome.note),
        problems=dict(sorted(problems.counts.items())),
        problem_locations=problems.locations,
        calibration=measure_calibration(fields),
        low_confidence=doubtful[:MAX_LOW_CONFIDENCE_FIELDS],
        low_confidence_count=len(doubtful),
        failures=leading_failures(scored, classify) if classify else [],
        grounding=grounding,
        grounding_note=grounding_note,
        comparisons={name: compare_readers(scored, measure(other)) for name, other in (others or {}).items()},
        worst=worst_documents(scored, predictions),
    )


def _counts(values: Iterable[object]) -> dict[str, int]:
    return dict(sorted(Counter(map(str, values)).items()))


def _field_or_unknown(outcome: FieldOutcome) -> str:
    """Return the field of an outcome; fields that the schema does not have are counted together."""
    return UNKNOWN_ELEMENT if outcome.element == UNKNOWN_ELEMENT else field_of(outcome.path)


def _targets(headline: Mapping[str, Estimate | None], seconds: float | None) -> list[Target]:
    targets = []
    for name, value in TARGETS.items():
        estimate = _with_room_for_chance(headline[name])
        verdict: Verdict = "not measured" if estimate is None else "met" if estimate.value > value else "not met"
        certain = estimate is not None and (estimate.low > value or estimate.high <= value)
        targets.append(
            Target(name=name, required=f"> {value:.0%}", verdict=verdict, certain=certain, measured=estimate)
        )
    in_time: Verdict = "not measured" if seconds is None else "met" if seconds < SECONDS_TARGET else "not met"
    required = f"< {SECONDS_TARGET:g}"
    time = Target(
        name="seconds per document",
        required=required,
        verdict=in_time,
        certain=seconds is not None,
        seconds=seconds,
    )
    return [*targets, time]


def _with_room_for_chance(estimate: Estimate | None) -> Estimate | None:
    """Widen an interval to what as many independent observations leave open (Wilson's).

    Where every observation is right, resampling finds no variance: 7 tables of 7 would prove any target.
    """
    if estimate is None:
        return None
    low, high = (round(float(bound), 4) for bound in wilson(estimate.value, estimate.n))
    return estimate.model_copy(update={"low": min(low, estimate.low), "high": max(high, estimate.high)})


def tally_fields(fields: Iterable[FieldOutcome], key: Callable[[FieldOutcome], str]) -> list[FieldTally]:
    """Count the outcomes of fields by a key, in the order of the key."""
    counts: dict[str, Counter[FieldStatus]] = {}
    for outcome in fields:
        counts.setdefault(key(outcome), Counter())[outcome.status] += 1
    return [_field_tally(name, count) for name, count in sorted(counts.items())]


def _field_tally(name: str, count: Counter[FieldStatus]) -> FieldTally:
    correct, wrong = count[FieldStatus.CORRECT], count[FieldStatus.WRONG]
    missing, extra = count[FieldStatus.MISSING], count[FieldStatus.EXTRA]
    expected, predicted = correct + wrong + missing, correct + wrong + extra

    def ratio(numerator: int, denominator: int) -> float | None:
        return round(numerator / denominator, 4) if denominator else None

    return FieldTally(
        name=name,
        expected=expected,
        correct=correct,
        wrong=wrong,
        missing=missing,
        extra=extra,
        accuracy=ratio(correct, expected),
        precision=ratio(correct, predicted),
        recall=ratio(correct, expected),
        f1=ratio(2 * correct, expected + predicted),
    )


def _tally_rules(outcomes: Iterable[RuleOutcome]) -> list[RuleTally]:
    counts: dict[tuple[str, str], Counter[bool]] = {}
    for outcome in outcomes:
        counts.setdefault((outcome.code, field_of(outcome.path)), Counter())[outcome.satisfied] += 1
    return [
        RuleTally(
            code=code,
            determines=field,
            satisfied=count[True],
            checked=count.total(),
            rate=round(count[True] / count.total(), 4),
        )
        for (code, field), count in sorted(counts.items())
    ]


def _tally_rows(outcomes: Iterable[RowOutcome]) -> list[RowTally]:
    counts: dict[str, Counter[RowStatus]] = {}
    for outcome in outcomes:
        counts.setdefault(outcome.list, Counter())[outcome.status] += 1
    return [
        RowTally(list=name, **{str(status): count[status] for status in RowStatus}) for name, count in counts.items()
    ]


def headline_rows(report: EvaluationReport) -> list[dict[str, str | int | float | None]]:
    """Return the headline metrics as rows of a table."""
    return _estimate_rows(report.headline)


def grounding_rows(report: EvaluationReport) -> list[dict[str, str | int | float | None]]:
    """Return the scores of grounding as rows of a table; no rows if it was not measured."""
    return _estimate_rows(report.grounding.metrics) if report.grounding else []


def _estimate_rows(estimates: Mapping[str, Estimate | None]) -> list[dict[str, str | int | float | None]]:
    return [
        {"metric": name, "value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}
        if estimate
        else {"metric": name, "value": None, "low": None, "high": None, "n": 0}
        for name, estimate in estimates.items()
    ]


def target_rows(targets: Sequence[Target]) -> list[dict[str, str]]:
    """Return the targets as rows of a table."""
    return [{"target": f"{target.name} {target.required}", "verdict": target.summary} for target in targets]
