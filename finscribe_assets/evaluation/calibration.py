"""What a reader says of its own certainty, against what came true."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.field_comparison import FieldOutcome, FieldStatus

BINS = 10
NULL_DRAWS = 200
LOW_CONFIDENCE = 0.6
LISTED = 200  # fields of low confidence


class Bin(BaseModel):
    """Fields whose confidence lies in one tenth of the scale."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    from_: float = Field(alias="from", description="lower end; the upper one is a tenth more")
    n: int
    confidence: float = Field(description="mean confidence")
    accuracy: float = Field(description="share that is right")


class Calibration(BaseModel):
    """Expected calibration error (Guo et al. 2017) and the bins it comes from."""

    model_config = ConfigDict(frozen=True)

    error: float
    expected_if_calibrated: float = Field(
        description="the error that a perfectly calibrated reader would show at these counts; 95 % stay below the next"
    )
    highest_if_calibrated: float
    n: int
    bins: list[Bin]


class UnsureField(BaseModel):
    """A value that the reader itself is not sure of: for a person to look at."""

    model_config = ConfigDict(frozen=True)

    id: str
    path: str
    predicted: str | None
    confidence: float
    correct: bool


def calibration(outcomes: Iterable[FieldOutcome], seed: int = 0) -> Calibration | None:
    """Return the expected calibration error over fields with a confidence; None without any."""
    pairs = [
        (outcome.confidence, outcome.status is FieldStatus.CORRECT)
        for outcome in outcomes
        if outcome.confidence is not None
    ]
    if not pairs:
        return None
    confidence = np.array([value for value, _ in pairs])
    right = np.array([value for _, value in pairs], dtype=float)
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    random = np.random.default_rng(seed)
    null = [_error(confidence, random.random(len(pairs)) < confidence, place) for _ in range(NULL_DRAWS)]
    bins = [
        Bin(
            from_=number / BINS,
            n=int(inside.sum()),
            confidence=round(float(confidence[inside].mean()), 4),
            accuracy=round(float(right[inside].mean()), 4),
        )
        for number in range(BINS)
        if (inside := place == number).any()
    ]
    return Calibration(
        error=round(_error(confidence, right, place), 4),
        n=len(pairs),
        bins=bins,
        expected_if_calibrated=round(float(np.mean(null)), 4),
        highest_if_calibrated=round(float(np.quantile(null, 0.95)), 4),
    )


def _error(confidence: np.ndarray, right: np.ndarray, place: np.ndarray) -> float:
    gaps = np.bincount(place, confidence, BINS) - np.bincount(place, right, BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def unsure(scored: Sequence[ScoredDocument], below: float = LOW_CONFIDENCE) -> list[UnsureField]:
    """Return the values that the reader is not sure of, the least sure first."""
    found = [
        UnsureField(
            id=one.truth.id,
            path=outcome.path,
            predicted=outcome.predicted,
            confidence=round(outcome.confidence, 4),
            correct=outcome.status is FieldStatus.CORRECT,
        )
        for one in scored
        for outcome in one.outcomes
        if outcome.confidence is not None and outcome.confidence < below and outcome.predicted is not None
    ]
    return sorted(found, key=lambda row: (row.confidence, row.id, row.path))


def reliability_diagram(found: Calibration) -> bytes:
    """Return a PNG: accuracy over confidence, the diagonal of perfect calibration, and how many fields each bar has."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.0), dpi=90, layout="constrained")
    axes = figure.subplots()
    width = 1 / BINS
    axes.bar(
        [one.from_ for one in found.bins],
        [one.accuracy for one in found.bins],
        width,
        align="edge",
        color="#9ecae1",
        edgecolor="#1f4e79",
        label="share that is right",
    )
    axes.plot([0, 1], [0, 1], color="#333333", linestyle="--", linewidth=1, label="perfectly calibrated")
    axes.plot([one.confidence for one in found.bins], [one.accuracy for one in found.bins], "o", color="#1f4e79")
    for one in found.bins:
        axes.text(one.from_ + width / 2, 0.02, f"{one.n:,}", ha="center", fontsize=7, rotation=90)
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel="confidence",
        ylabel="accuracy",
        title=f"calibration error {found.error:.3f} (by chance {found.expected_if_calibrated:.3f})",
    )
    axes.title.set_fontsize(10)
    axes.legend(loc="upper left", fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
