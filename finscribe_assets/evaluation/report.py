"""All predictions against all truths: the evaluation report, a file that machines read by a published schema.

`finscribe schema --of report` prints that schema; `html.py` writes the same for people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.elements import field_of
from finscribe_assets.evaluation.calibration import LISTED, Calibration, UnsureField, calibration, unsure
from finscribe_assets.evaluation.document_scoring import RuleOutcome, ScoredDocument, score_each
from finscribe_assets.evaluation.field_comparison import FieldOutcome, FieldStatus, RowOutcome, RowStatus
from finscribe_assets.evaluation.metrics import Figure, figures
from finscribe_assets.evaluation.paired_comparison import PairedComparison, compare_readers
from finscribe_assets.evaluation.prediction_files import InputProblems, Prediction, Truth
from finscribe_assets.evaluation.slices import Circumstances, Slice, slices
from finscribe_assets.evaluation.worst_documents import PoorDocument, worst_documents

TARGETS = {"field_accuracy": 0.95, "teds": 0.90, "numeric_consistency": 0.98}
SECONDS_TARGET = 2.0

Verdict = Literal["met", "not met", "not measured"]


class Target(BaseModel):
    """One aim of the training strategy, and what was measured of it."""

    model_config = ConfigDict(frozen=True)

    name: str
    wanted: str
    verdict: Verdict
    certain: bool = Field(description="the whole 95 % interval says so")
    measured: Figure | None = None
    seconds: float | None = Field(default=None, description="per document, where the target is of time")

    @property
    def said(self) -> str:
        """Return the verdict with its evidence, in words."""
        if self.seconds is not None:
            return f"{self.verdict} ({self.seconds:.2f} s)"
        if self.measured is None:
            return self.verdict
        figure = self.measured
        doubt = "" if self.certain else ", which the target lies within"
        return (
            f"{self.verdict} ({figure.value:.1%}, n = {figure.n:,}; "
            f"interval {figure.low:.1%} to {figure.high:.1%}{doubt})"
        )


class FieldTally(BaseModel):
    """How the fields of one element, or one field over all documents, came out."""

    model_config = ConfigDict(frozen=True)

    name: str
    asked: int
    correct: int
    wrong: int
    missing: int
    extra: int
    accuracy: float | None = Field(description="right of those asked")
    precision: float | None
    recall: float | None
    f1: float | None


class RowTally(BaseModel):
    """What became of the rows of one list, such as lines."""

    model_config = ConfigDict(frozen=True)

    list: str
    matched: int
    missing: int = Field(description="of the truth, in no predicted row")
    extra: int = Field(description="predicted, of no row of the truth")
    merged: int = Field(description="predicted rows that run two or more of the truth together")
    split: int = Field(description="rows of the truth that are told over several predicted ones")


class RuleTally(BaseModel):
    """How often a rule of arithmetic, which the truth keeps, is kept by the prediction."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(description="EN 16931's, or ours, as documents/calculation_rules.py has it")
    determines: str = Field(description="the field whose amount the rule gives")
    kept: int
    of: int
    rate: float


class EvaluationReport(BaseModel):
    """What `finscribe evaluate` writes and `evaluation_report` holds."""

    model_config = ConfigDict(frozen=True)

    reader: str = Field(description="which model's predictions these are")
    layout: str = Field(description="where regions came from, such as renderer boxes (oracle)")
    documents: int
    predicted: int = Field(description="documents with a prediction")
    headline: dict[str, Figure | None] = Field(description="None where nothing was there to measure")
    targets: list[Target]
    by_element: list[FieldTally]
    by_field: list[FieldTally]
    by_rule: list[RuleTally]
    by_row: list[RowTally]
    slices: list[Slice] = Field(description="by document type, locale and what else is known, and by all of it crossed")
    parse_statuses: dict[str, int] = Field(description="documents by what was found when their responses were parsed")
    dropped: int = Field(description="members of responses that were begun and are not whole, as of truncated ones")
    notes: dict[str, int] = Field(description="predicted values that are none of their kind, or that nothing decides")
    problems: dict[str, int] = Field(description="what was wrong with the predictions file")
    problem_places: dict[str, list[str]]
    calibration: Calibration | None = Field(description="None where no prediction has a confidence")
    low_confidence: list[UnsureField] = Field(description=f"the least sure values, {LISTED} at most")
    low_confidence_fields: int = Field(description="how many there are")
    comparisons: dict[str, PairedComparison] = Field(default={}, description="how this reader differs from others")
    worst: list[PoorDocument] = Field(description="the documents with the lowest field F1")

    def to_json(self) -> str:
        """Return the report as its file has it."""
        return self.model_dump_json(indent=2, by_alias=True) + "\n"

    def sliced_by(self, *names: str) -> list[Slice]:
        """Return the slices of these dimensions."""
        return [one for one in self.slices if tuple(one.of) == names]


def evaluate(
    truths: Mapping[str, Truth],
    predictions: Mapping[str, Prediction],
    *,
    reader: str = "unnamed reader",
    layout: str = "the reader's own",
    problems: InputProblems | None = None,
    seconds_per_document: float | None = None,
    others: Mapping[str, Mapping[str, Prediction]] | None = None,
    circumstances: Circumstances | None = None,
    on_documents: Callable[[int], None] | None = None,
) -> EvaluationReport:
    """Measure predictions against truths.

    Args:
        truths: by id.
        predictions: by id; a document without one has every field missing.
        reader: name of the model.
        layout: where its regions came from.
        problems: what reading the predictions file met with.
        seconds_per_document: what reading took; absent where nobody measured it.
        others: further readers' predictions for the same truths; the report says how this reader differs from each.
        circumstances: what documents are counted by, besides type and locale.
        on_documents: told how many documents were measured since it was last told.
    """

    def measured(read: Mapping[str, Prediction]) -> list[ScoredDocument]:
        found = []
        for one in score_each(truths, read):
            found.append(one)
            if on_documents:
                on_documents(1)
        return found

    scored = measured(predictions)
    fields = [outcome for one in scored for outcome in one.outcomes]
    headline = figures(scored)
    doubtful = unsure(scored)
    met = problems or InputProblems()
    return EvaluationReport(
        reader=reader,
        layout=layout,
        documents=len(scored),
        predicted=len(predictions),
        headline=headline,
        targets=_targets(headline, seconds_per_document),
        by_element=tallies(fields, lambda outcome: outcome.element),
        # An unknown field's name is a model's invention; they are counted together.
        by_field=tallies(fields, lambda outcome: "unknown" if outcome.element == "unknown" else field_of(outcome.path)),
        by_rule=_by_rule(rule for one in scored for rule in one.rules),
        by_row=_by_row(row for one in scored for row in one.comparison.rows),
        slices=slices(scored, circumstances or {}),
        parse_statuses=dict(sorted(Counter(str(status) for one in scored for status in one.parse_statuses).items())),
        dropped=sum(one.dropped for one in scored),
        notes=dict(sorted(Counter(str(outcome.note) for outcome in fields if outcome.note).items())),
        problems=dict(sorted(met.counts.items())),
        problem_places=met.locations,
        calibration=calibration(fields),
        low_confidence=doubtful[:LISTED],
        low_confidence_fields=len(doubtful),
        comparisons={name: compare_readers(scored, measured(other)) for name, other in (others or {}).items()},
        worst=worst_documents(scored, predictions),
    )


def _targets(headline: Mapping[str, Figure | None], seconds: float | None) -> list[Target]:
    found = []
    for name, wanted in TARGETS.items():
        figure = headline[name]
        verdict: Verdict = "not measured" if figure is None else "met" if figure.value > wanted else "not met"
        certain = figure is not None and (figure.low > wanted or figure.high <= wanted)
        found.append(Target(name=name, wanted=f"> {wanted:.0%}", verdict=verdict, certain=certain, measured=figure))
    timed: Verdict = "not measured" if seconds is None else "met" if seconds < SECONDS_TARGET else "not met"
    return [
        *found,
        Target(
            name="seconds per document",
            wanted=f"< {SECONDS_TARGET:g}",
            verdict=timed,
            certain=seconds is not None,
            seconds=seconds,
        ),
    ]


def tallies(fields: Iterable[FieldOutcome], key: Callable[[FieldOutcome], str]) -> list[FieldTally]:
    """Count fields by a key, in its order."""
    counts: dict[str, Counter[FieldStatus]] = {}
    for outcome in fields:
        counts.setdefault(key(outcome), Counter())[outcome.status] += 1
    return [_tally(name, count) for name, count in sorted(counts.items())]


def _tally(name: str, count: Counter[FieldStatus]) -> FieldTally:
    right, wrong, missing, extra = (
        count[status] for status in (FieldStatus.CORRECT, FieldStatus.WRONG, FieldStatus.MISSING, FieldStatus.EXTRA)
    )
    asked, said = right + wrong + missing, right + wrong + extra

    def of(part: int, whole: int) -> float | None:
        return round(part / whole, 4) if whole else None

    return FieldTally(
        name=name,
        asked=asked,
        correct=right,
        wrong=wrong,
        missing=missing,
        extra=extra,
        accuracy=of(right, asked),
        precision=of(right, said),
        recall=of(right, asked),
        f1=of(2 * right, asked + said),
    )


def _by_rule(outcomes: Iterable[RuleOutcome]) -> list[RuleTally]:
    counts: dict[tuple[str, str], Counter[bool]] = {}
    for outcome in outcomes:
        counts.setdefault((outcome.code, field_of(outcome.path)), Counter())[outcome.satisfied] += 1
    return [
        RuleTally(
            code=code, determines=amount, kept=count[True], of=count.total(), rate=round(count[True] / count.total(), 4)
        )
        for (code, amount), count in sorted(counts.items())
    ]


def _by_row(outcomes: Iterable[RowOutcome]) -> list[RowTally]:
    counts: dict[str, Counter[RowStatus]] = {}
    for outcome in outcomes:
        counts.setdefault(outcome.list, Counter())[outcome.status] += 1
    return [
        RowTally(list=name, **{str(status): count[status] for status in RowStatus}) for name, count in counts.items()
    ]


def headline_rows(report: EvaluationReport) -> list[dict[str, str | int | float | None]]:
    """Return the headline figures as rows of a table."""
    return [
        {"measure": name, "value": figure.value, "low": figure.low, "high": figure.high, "n": figure.n}
        if figure
        else {"measure": name, "value": None, "low": None, "high": None, "n": 0}
        for name, figure in report.headline.items()
    ]


def target_rows(targets: Sequence[Target]) -> list[dict[str, str]]:
    """Return the targets as rows of a table."""
    return [{"target": f"{target.name} {target.wanted}", "verdict": target.said} for target in targets]
