"""All predictions against all truths: the evaluation report.

Every headline figure comes with its number of observations and a 95 % bootstrap interval over documents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.evaluation.fields import Comparison, FieldOutcome, Status, compare
from finscribe_assets.evaluation.inputs import InputProblems, Prediction, Truth
from finscribe_assets.evaluation.measures import arithmetic, calibration, interval, table_similarity
from finscribe_assets.evaluation.response import Fate, read_response

TARGETS = {"field_accuracy": 0.95, "teds": 0.90, "numeric_consistency": 0.98}
SECONDS_TARGET = 2.0


class Figure(BaseModel):
    """A measured value with its interval and the number of things it was measured on."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    n: int


class EvaluationReport(BaseModel):
    """What `finscribe evaluate` writes and `evaluation_report` holds."""

    model_config = ConfigDict(frozen=True)

    reader: str = Field(description="which model's predictions these are")
    layout: str = Field(description="where regions came from, such as renderer boxes (oracle)")
    documents: int
    predicted: int = Field(description="documents with a prediction")
    headline: dict[str, Figure | None] = Field(description="None where nothing was there to measure")
    targets: dict[str, str] = Field(description="met, not met or not measured")
    by_element: list[dict[str, Any]]
    by_field: list[dict[str, Any]]
    by_slice: list[dict[str, Any]]
    by_exposure: list[dict[str, Any]] = Field(
        default=[], description="by how much of what a document uses the training had shown, where that is known"
    )
    fates: dict[str, int] = Field(description="what reading the responses met with")
    problems: dict[str, int] = Field(description="what was wrong with the predictions file")
    problem_places: dict[str, list[str]]
    calibration: dict[str, Any] | None
    comparisons: dict[str, dict[str, Any]] = Field(default={}, description="paired differences from other readers")


@dataclass(frozen=True)
class Scored:
    """One document, measured."""

    truth: Truth
    comparison: Comparison
    fates: tuple[Fate, ...]
    teds: tuple[float, float] | None
    rules: tuple[int, int]  # kept, to keep

    @property
    def outcomes(self) -> tuple[FieldOutcome, ...]:
        """Return the document's fields."""
        return self.comparison.outcomes

    def count(self, *statuses: Status) -> int:
        """Return how many fields came out so."""
        return sum(outcome.status in statuses for outcome in self.outcomes)


def score(truths: Mapping[str, Truth], predictions: Mapping[str, Prediction]) -> list[Scored]:
    """Measure every document with a truth; one without a prediction has every field missing."""
    return [_score(truth, predictions.get(name)) for name, truth in truths.items()]


def _score(truth: Truth, prediction: Prediction | None) -> Scored:
    response = read_response(prediction.response if prediction else None)
    comparison = compare(truth, response.document, prediction.confidence if prediction else {})
    asked = {outcome.path for outcome in comparison.outcomes if outcome.truth is not None}
    currency = truth.document.get("currency_code")
    return Scored(truth, comparison, tuple(response.fates) if prediction else (), table_similarity(comparison, asked),
                  arithmetic(comparison, asked, currency if isinstance(currency, str) else ""))  # fmt: skip


# What each document contributes to a figure: a numerator and a denominator.
_RATIOS = {
    "field_accuracy": lambda scored: (scored.count(Status.CORRECT), _asked(scored)),
    "field_precision": lambda scored: (scored.count(Status.CORRECT), _said(scored)),
    "field_recall": lambda scored: (scored.count(Status.CORRECT), _asked(scored)),
    "field_f1": lambda scored: (2 * scored.count(Status.CORRECT), _asked(scored) + _said(scored)),
    "exact_match": lambda scored: (float(scored.count(Status.CORRECT) == len(scored.outcomes)), 1),
    "teds": lambda scored: (scored.teds[0], 1) if scored.teds else (0, 0),
    "teds_structure": lambda scored: (scored.teds[1], 1) if scored.teds else (0, 0),
    "numeric_consistency": lambda scored: scored.rules,
}


def _asked(scored: Scored) -> int:
    return scored.count(Status.CORRECT, Status.WRONG, Status.MISSING)


def _said(scored: Scored) -> int:
    return scored.count(Status.CORRECT, Status.WRONG, Status.EXTRA)


def _figure(scored: Sequence[Scored], name: str) -> Figure | None:
    pairs = [_RATIOS[name](one) for one in scored]
    found = interval(pairs)
    if found is None:
        return None
    n = sum(1 for _, denominator in pairs if denominator) if name in ("exact_match", "teds", "teds_structure") else sum(
        int(denominator) for _, denominator in pairs)  # fmt: skip
    return Figure(value=round(found[0], 4), low=round(found[1], 4), high=round(found[2], 4), n=n)


def evaluate(truths: Mapping[str, Truth], predictions: Mapping[str, Prediction], *, reader: str = "unnamed reader",
             layout: str = "the reader's own", problems: InputProblems | None = None,
             seconds_per_document: float | None = None,
             others: Mapping[str, Mapping[str, Prediction]] | None = None,
             exposures: Mapping[str, str] | None = None) -> EvaluationReport:  # fmt: skip
    """Measure predictions against truths.

    ``exposures`` names each document's exposure, by id; documents that it does not name are in no such slice.
    ``others`` are further readers' predictions for the same truths; the report says how this reader differs from each,
    paired over documents.
    """
    scored = score(truths, predictions)
    headline = {name: _figure(scored, name) for name in _RATIOS}
    fields = [outcome for one in scored for outcome in one.outcomes]
    calibrated = calibration(fields)
    return EvaluationReport(
        reader=reader, layout=layout, documents=len(scored), predicted=len(predictions), headline=headline,
        targets=_targets(headline, seconds_per_document),
        by_element=_by(fields, "element"), by_field=_by(fields, "field"), by_slice=_slices(scored),
        by_exposure=_exposed(scored, exposures or {}),
        fates=dict(sorted(Counter(str(fate) for one in scored for fate in one.fates).items())),
        problems=dict(sorted((problems or InputProblems()).counts.items())),
        problem_places=(problems or InputProblems()).places,
        calibration=None if calibrated is None else vars(calibrated),
        comparisons={name: _paired(scored, score(truths, other)) for name, other in (others or {}).items()},
    )  # fmt: skip


def _targets(headline: Mapping[str, Figure | None], seconds: float | None) -> dict[str, str]:
    verdicts = {}
    for name, wanted in TARGETS.items():
        figure = headline[name]
        verdicts[f"{name} > {wanted:.0%}"] = "not measured" if figure is None else (
            f"{'met' if figure.value > wanted else 'not met'} ({figure.value:.1%}, n = {figure.n})")  # fmt: skip
    verdicts[f"seconds per document < {SECONDS_TARGET:g}"] = "not measured" if seconds is None else (
        f"{'met' if seconds < SECONDS_TARGET else 'not met'} ({seconds:.2f} s)")  # fmt: skip
    return verdicts


def _by(fields: Iterable[FieldOutcome], what: str) -> list[dict[str, Any]]:
    from finscribe_assets.documents.elements import field_of

    counts: dict[str, Counter[Status]] = {}
    for outcome in fields:
        # An unknown field's name is a model's invention; they are counted together.
        name = outcome.element if what == "element" or outcome.element == "unknown" else field_of(outcome.path)
        counts.setdefault(name, Counter())[outcome.status] += 1
    rows = []
    for name, count in sorted(counts.items()):
        right, wrong, missing, extra = (
            count[status] for status in (Status.CORRECT, Status.WRONG, Status.MISSING, Status.EXTRA)
        )
        asked, said = right + wrong + missing, right + wrong + extra
        rows.append({what: name, "asked": asked, "accuracy": round(right / asked, 4) if asked else None,
                     "f1": round(2 * right / (asked + said), 4) if asked + said else None, "correct": right,
                     "wrong": wrong, "missing": missing, "extra": extra})  # fmt: skip
    return rows


_OF_A_SLICE = ("field_accuracy", "teds", "numeric_consistency")


def _slices(scored: Sequence[Scored]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[Scored]] = {}
    for one in scored:
        key = (str(one.truth.document.get("document_type", "")), str(one.truth.document.get("locale", "")))
        groups.setdefault(key, []).append(one)
    return [{"document_type": kind, "locale": locale, **_sliced(members, _OF_A_SLICE)}
            for (kind, locale), members in sorted(groups.items())]  # fmt: skip


def _exposed(scored: Sequence[Scored], exposures: Mapping[str, str]) -> list[dict[str, Any]]:
    groups: dict[str, list[Scored]] = {}
    for one in scored:
        if one.truth.id in exposures:
            groups.setdefault(exposures[one.truth.id], []).append(one)
    return [{"exposure": exposure, **_sliced(members, (*_OF_A_SLICE, "field_f1"))}
            for exposure, members in sorted(groups.items())]  # fmt: skip


def _sliced(members: Sequence[Scored], names: Sequence[str]) -> dict[str, Any]:
    figures = {name: _figure(members, name) for name in names}
    return {"documents": len(members), **{name: figure.value if figure else None for name, figure in figures.items()}}


def _paired(mine: Sequence[Scored], others: Sequence[Scored], draws: int = 1000) -> dict[str, Any]:
    """Return the difference in field F1 from another reader on the same documents, with its bootstrap interval."""
    ratio = _RATIOS["field_f1"]
    both = np.array([[*ratio(one), *ratio(other)] for one, other in zip(mine, others, strict=True)], dtype=float)
    random = np.random.default_rng(0)
    sums = both[random.integers(0, len(both), (draws, len(both)))].sum(axis=1)
    total = both.sum(axis=0)

    def difference(counts: np.ndarray) -> np.ndarray:
        return counts[..., 0] / np.maximum(counts[..., 1], 1) - counts[..., 2] / np.maximum(counts[..., 3], 1)

    low, high = np.percentile(difference(sums), [2.5, 97.5])
    own, theirs = (both[:, place] / np.maximum(both[:, place + 1], 1) for place in (0, 2))
    return {"field_f1_difference": round(float(difference(total)), 4), "low": round(float(low), 4),
            "high": round(float(high), 4), "better": int((own > theirs).sum()), "worse": int((own < theirs).sum()),
            "documents": len(both), "other_field_f1": round(float(total[2] / max(total[3], 1)), 4)}  # fmt: skip
