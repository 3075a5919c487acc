"""What else is measured of one document: its line table, its arithmetic, and confidence over many documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from finscribe_assets.documents import rules
from finscribe_assets.documents.locales import MINOR_UNITS
from finscribe_assets.evaluation.fields import Comparison, FieldOutcome, Status
from finscribe_assets.evaluation.teds import teds, to_html

_LINE = re.compile(r"^lines\[(\d+)\]\.(\w+)$")
COLUMNS = ("line_id", "item_name", "quantity", "unit_code", "net_price", "vat_rate", "net_amount")


def table_similarity(comparison: Comparison, asked: set[str]) -> tuple[float, float] | None:
    """Return TEDS and structure-only TEDS of the line table, None where the truth has no lines.

    Both tables are written from canonical values: a row for each line, a column for each field that is asked for, rows
    of the prediction in the positions that matching gave them. Scores are therefore of the content as data; how a model
    wrote a table as markup is not part of it.
    """
    true_rows = _rows(comparison.truth)
    columns = [name for name in COLUMNS if any(f"lines[{index}].{name}" in asked for index in true_rows)]
    if not columns:
        return None
    true_table = to_html([[row.get(name, "") for name in columns] for _, row in sorted(true_rows.items())])
    said_rows = _rows(comparison.predicted)
    said_table = to_html([[row.get(name, "") for name in columns] for _, row in sorted(said_rows.items())])
    return teds(said_table, true_table), teds(said_table, true_table, structure_only=True)


def _rows(leaves: dict[str, str]) -> dict[int, dict[str, str]]:
    rows: dict[int, dict[str, str]] = {}
    for path, value in leaves.items():
        line = _LINE.match(path)
        if line:
            rows.setdefault(int(line[1]), {})[line[2]] = value
    return rows


def arithmetic(comparison: Comparison, asked: set[str], currency: str) -> tuple[int, int]:
    """Return how many of the document's rules the prediction keeps, and how many there are to keep.

    A rule counts where the truth keeps it on the values that are asked for; a prediction that lacks one of its amounts
    breaks it.
    """
    if currency not in MINOR_UNITS:
        return 0, 0
    true = rules.check(rules.amounts_of_leaves({path: comparison.truth[path] for path in asked}), currency)
    said = {(outcome.code, outcome.path): outcome
            for outcome in rules.check(rules.amounts_of_leaves(comparison.predicted), currency)}  # fmt: skip
    to_keep = [(outcome.code, outcome.path) for outcome in true if outcome.holds]
    return sum(key in said and said[key].holds for key in to_keep), len(to_keep)


@dataclass(frozen=True)
class Calibration:
    """Expected calibration error and the bins it comes from."""

    error: float
    expected_if_calibrated: float  # the error that a perfectly calibrated reader would show at these counts
    bins: list[dict[str, float]]


def calibration(outcomes: Iterable[FieldOutcome], bins: int = 10, seed: int = 0) -> Calibration | None:
    """Return the expected calibration error (Guo et al. 2017) over fields with a confidence; None without any."""
    pairs = [
        (outcome.confidence, outcome.status is Status.CORRECT) for outcome in outcomes if outcome.confidence is not None
    ]
    if not pairs:
        return None
    confidence = np.array([value for value, _ in pairs])
    right = np.array([value for _, value in pairs], dtype=float)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    random = np.random.default_rng(seed)
    null = np.mean([_error(confidence, random.random(len(pairs)) < confidence, place, bins) for _ in range(100)])
    table = [
        {
            "from": number / bins,
            "n": int((place == number).sum()),
            "confidence": round(float(confidence[place == number].mean()), 4),
            "accuracy": round(float(right[place == number].mean()), 4),
        }
        for number in range(bins)
        if (place == number).any()
    ]
    return Calibration(round(_error(confidence, right, place, bins), 4), round(float(null), 4), table)


def _error(confidence: np.ndarray, right: np.ndarray, place: np.ndarray, bins: int) -> float:
    return float(sum(abs(confidence[place == number].sum() - right[place == number].sum()) for number in range(bins))
                 / len(confidence))  # fmt: skip


def interval(
    values: Sequence[tuple[float, float]], seed: int = 0, draws: int = 1000
) -> tuple[float, float, float] | None:
    """Return Σ numerators / Σ denominators over documents, with the 95 % bootstrap interval over documents.

    ``values`` holds a numerator and a denominator for each document; None when the denominators sum to 0.
    """
    pairs = np.array(values, dtype=float).reshape(-1, 2)
    total = pairs.sum(axis=0)
    if total[1] == 0:
        return None
    random = np.random.default_rng(seed)
    sums = pairs[random.integers(0, len(pairs), (draws, len(pairs)))].sum(axis=1)
    ratios = sums[:, 0][sums[:, 1] > 0] / sums[:, 1][sums[:, 1] > 0]
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(total[0] / total[1]), float(low), float(high)
