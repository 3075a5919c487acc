"""Measure whether a reader's confidence agrees with how often it is right."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.field_comparison import FieldOutcome, FieldStatus

CALIBRATION_BINS = 10
NULL_DRAWS = 200
LOW_CONFIDENCE = 0.6
MAX_LOW_CONFIDENCE_FIELDS = 200  # that reports list


class CalibrationBin(BaseModel):
    """The fields whose confidence lies in one tenth of the range from 0 to 1."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    from_: float = Field(alias="from", description="lower end of the tenth")
    n: int = Field(description="number of fields")
    confidence: float = Field(description="mean confidence")
    accuracy: float = Field(description="share of the fields that is right")


class Calibration(BaseModel):
    """Expected calibration error (Guo et al. 2017), and the bins that it is computed from."""

    model_config = ConfigDict(frozen=True)

    error: float = Field(description="mean over fields of the difference between confidence and accuracy of their bin")
    expected_if_calibrated: float = Field(
        description="mean error of a perfectly calibrated reader with the same confidences, which is not 0 for small n"
    )
    highest_if_calibrated: float = Field(description="error that such a reader exceeds in 5 % of samples")
    n: int = Field(description="number of fields with a confidence")
    bins: list[CalibrationBin]


class LowConfidenceField(BaseModel):
    """A predicted value of low confidence, which a person should review."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="of the document")
    path: str
    predicted: str | None
    confidence: float
    correct: bool


def measure_calibration(outcomes: Iterable[FieldOutcome], seed: int = 0) -> Calibration | None:
    """Compute the expected calibration error of the fields that have a confidence.

    Args:
        outcomes: of fields; those without a confidence are left out.
        seed: of the draws that estimate the error of a calibrated reader.

    Returns:
        The error; None if no field has a confidence.
    """
    pairs = [
        (outcome.confidence, outcome.status is FieldStatus.CORRECT)
        for outcome in outcomes
        if outcome.confidence is not None
    ]
    if not pairs:
        return None
    confidence = np.array([value for value, _ in pairs])
    correct = np.array([value for _, value in pairs], dtype=float)
    bin_index = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    random = np.random.default_rng(seed)
    null = [_error(confidence, random.random(len(pairs)) < confidence, bin_index) for _ in range(NULL_DRAWS)]
    bins = [
        CalibrationBin(
            from_=index / CALIBRATION_BINS,
            n=int(inside.sum()),
            confidence=round(float(confidence[inside].mean()), 4),
            accuracy=round(float(correct[inside].mean()), 4),
        )
        for index in range(CALIBRATION_BINS)
        if (inside := bin_index == index).any()
    ]
    return Calibration(
        error=round(_error(confidence, correct, bin_index), 4),
        n=len(pairs),
        bins=bins,
        expected_if_calibrated=round(float(np.mean(null)), 4),
        highest_if_calibrated=round(float(np.quantile(null, 0.95)), 4),
    )


def _error(confidence: np.ndarray, correct: np.ndarray, bin_index: np.ndarray) -> float:
    gaps = np.bincount(bin_index, confidence, CALIBRATION_BINS) - np.bincount(bin_index, correct, CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def low_confidence_fields(scored: Sequence[ScoredDocument], below: float = LOW_CONFIDENCE) -> list[LowConfidenceField]:
    """Return the predicted values whose confidence is below a limit, the lowest first."""
    fields = [
        LowConfidenceField(
            id=document.truth.id,
            path=outcome.path,
            predicted=outcome.predicted,
            confidence=round(outcome.confidence, 4),
            correct=outcome.status is FieldStatus.CORRECT,
        )
        for document in scored
        for outcome in document.outcomes
        if outcome.confidence is not None and outcome.confidence < below and outcome.predicted is not None
    ]
    return sorted(fields, key=lambda field: (field.confidence, field.id, field.path))


def reliability_diagram(calibration: Calibration) -> bytes:
    """Return a PNG of accuracy by confidence, with the diagonal of perfect calibration and each bin's n."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.0), dpi=90, layout="constrained")
    axes = figure.subplots()
    width = 1 / CALIBRATION_BINS
    axes.bar(
        [part.from_ for part in calibration.bins],
        [part.accuracy for part in calibration.bins],
        width,
        align="edge",
        color="#9ecae1",
        edgecolor="#1f4e79",
        label="share that is right",
    )
    axes.plot([0, 1], [0, 1], color="#333333", linestyle="--", linewidth=1, label="perfectly calibrated")
    means = [part.confidence for part in calibration.bins], [part.accuracy for part in calibration.bins]
    axes.plot(*means, "o", color="#1f4e79")
    for part in calibration.bins:
        axes.text(part.from_ + width / 2, 0.02, f"{part.n:,}", ha="center", fontsize=7, rotation=90)
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel="confidence",
        ylabel="accuracy",
        title=f"calibration error {calibration.error:.3f} (by chance {calibration.expected_if_calibrated:.3f})",
    )
    axes.title.set_fontsize(10)
    axes.legend(loc="upper left", fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
