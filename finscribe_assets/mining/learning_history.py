"""What cells have learnt from the batches that were drawn for them, and which of them do not learn.

A cell's rate is taken to fall by the same factor with each document, so that its *learning* is the fall of the rate's
logarithm a document. Before anything is known of a cell it is assumed that a whole batch spent on it would halve its
rate, and that assumption counts as much as one batch of evidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finscribe_assets.mining.error_cells import Z95, ErrorCell

ASSUMPTION = "of a cell that had no documents yet: a whole batch of them would halve its rate"
MATTERS = 0.25  # of its rate: what a cell must possibly have gained from a batch, not to count as stuck
PATIENCE = 2  # batches without a gain after which a cell is retired


@dataclass(frozen=True)
class Earlier:
    """An earlier iteration: each cell's rate, with its number of effective trials, and the documents then planned."""

    rates: Mapping[str, tuple[float, float]]
    documents: Mapping[str, int]

    @classmethod
    def from_json(cls, report: Mapping[str, Any]) -> Earlier:
        """Return it from a mining report's JSON; reports of before rates were kept tell failures and trials."""
        rates = {}
        for cell in report["cells"]:
            plain = cell["failures"] / max(cell["trials"], 1)
            rates[f"{cell['element']}×{cell['error_type']}"] = (
                cell.get("rate", plain),
                cell.get("effective", cell["trials"]),
            )
        planned = {f"{cell['element']}×{cell['error_type']}": cell.get("documents", 0) for cell in report["weak"]}
        return cls(rates, planned)


@dataclass(frozen=True)
class CellProgress:
    """What a cell has learnt so far."""

    learning: float  # fall of the rate's logarithm a document
    retired: str = ""  # why nothing more is spent on it


def progress_of(cell: ErrorCell, history: Sequence[Earlier], batch: int) -> CellProgress:
    """Return the progress of a cell through earlier iterations, oldest first; ``batch`` documents are to be planned."""
    name = cell.name
    measured = [*(one.rates.get(name, (0.0, 0.0)) for one in history), (cell.rate, cell.effective)]
    given = [one.documents.get(name, 0) for one in history]
    steps = [
        (before, after, documents)
        for before, after, documents in zip(measured[:-1], measured[1:], given, strict=True)
        if documents and before[1]
    ]
    fallen = sum(math.log(_kept_from_zero(before) / _kept_from_zero(after)) for before, after, _ in steps)
    learning = (math.log(2) + fallen) / (batch + sum(documents for *_, documents in steps))
    recent = steps[-PATIENCE:]
    gains = [_largest_gain(before, after) / max(before[0], 1e-9) for before, after, _ in recent]
    retired = ""
    if len(recent) == PATIENCE and max(gains) < MATTERS:
        spent = " and ".join(str(documents) for *_, documents in recent)
        said = " and ".join(f"{max(0.0, gain):.0%}" for gain in gains)
        retired = f"retired: {spent} documents took at most {said} off its rate; this model does not learn it so"
    return CellProgress(max(0.0, learning), retired)


def _kept_from_zero(measured: tuple[float, float]) -> float:
    """Return a rate as if half a trial more had failed (Anscombe 1956), so that it has a logarithm."""
    rate, trials = measured
    return (rate * trials + 0.5) / (trials + 1)


def _largest_gain(before: tuple[float, float], after: tuple[float, float]) -> float:
    """Return the one-sided 95 % upper bound of how much a rate fell."""
    variance = sum(rate * (1 - rate) / max(trials, 1) for rate, trials in (before, after))
    return before[0] - after[0] + Z95 * math.sqrt(variance)
