"""How well cells have learnt from the documents that were planned for them, and which cells do not learn.

Every document is assumed to lower the failure rate of a cell by the same factor, so that the *learning* of a cell is
the decrease of the logarithm of its rate for each document. For an untried cell, one full batch is assumed to halve the
rate. The assumption has the weight of one batch of evidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from finscribe_assets.mining.error_cells import Z95, ErrorCell

LEARNING_ASSUMPTION = "untried cells: one full batch halves the failure rate"
MIN_RELATIVE_GAIN = 0.25  # of a cell's rate that one batch must possibly have gained, otherwise the cell is stuck
MAX_STUCK_BATCHES = 2  # batches in a row without that gain, after which a cell is retired


class MeasuredRate(NamedTuple):
    """A failure rate, and the effective number of trials that it was measured on."""

    rate: float
    trials: float


_UNMEASURED = MeasuredRate(0.0, 0.0)


@dataclass(frozen=True)
class EarlierIteration:
    """What mining found and planned in an earlier iteration.

    Attributes:
        rates: by name of cell.
        documents: number of documents that were planned for a cell, by name of cell.
    """

    rates: Mapping[str, MeasuredRate]
    documents: Mapping[str, int]

    @classmethod
    def from_json(cls, report: Mapping[str, Any]) -> EarlierIteration:
        """Read it from the JSON of a mining report; early reports have only numbers of failures and trials."""
        rates = {
            _cell_name(cell): MeasuredRate(
                cell.get("rate", cell["failures"] / max(cell["trials"], 1)), cell.get("effective", cell["trials"])
            )
            for cell in report["cells"]
        }
        return cls(rates, {_cell_name(cell): cell.get("documents", 0) for cell in report["weak"]})


def _cell_name(cell: Mapping[str, Any]) -> str:
    return f"{cell['element']}×{cell['error_type']}"


@dataclass(frozen=True)
class CellProgress:
    """How well a cell has learnt so far.

    Attributes:
        learning: decrease of the logarithm of its rate for each document, at least 0.
        retired: why no more documents are spent on it; empty if some may be.
    """

    learning: float
    retired: str = ""


def cell_progress(cell: ErrorCell, history: Sequence[EarlierIteration], batch: int) -> CellProgress:
    """Return how well a cell has learnt in earlier iterations.

    Args:
        cell: as it is now.
        history: earlier iterations, oldest first.
        batch: number of documents of the batch to plan, which is the weight of the assumption.
    """
    measured = [iteration.rates.get(cell.name, _UNMEASURED) for iteration in history]
    measured.append(MeasuredRate(cell.rate, cell.effective))
    planned = [iteration.documents.get(cell.name, 0) for iteration in history]
    steps = [
        (before, after, documents)
        for before, after, documents in zip(measured[:-1], measured[1:], planned, strict=True)
        if documents and before.trials
    ]
    decrease = sum(math.log(_positive_rate(before) / _positive_rate(after)) for before, after, _ in steps)
    learning = (math.log(2) + decrease) / (batch + sum(documents for *_, documents in steps))
    recent = steps[-MAX_STUCK_BATCHES:]
    gains = [_largest_gain(before, after) / max(before.rate, 1e-9) for before, after, _ in recent]
    retired = ""
    if len(recent) == MAX_STUCK_BATCHES and max(gains) < MIN_RELATIVE_GAIN:
        spent = " and ".join(str(documents) for *_, documents in recent)
        lowered = " and ".join(f"{max(0.0, gain):.0%}" for gain in gains)
        retired = f"retired: {spent} documents lowered its rate by at most {lowered}; this model does not learn it so"
    return CellProgress(max(0.0, learning), retired)


def _positive_rate(measured: MeasuredRate) -> float:
    """Return a rate with half a failure added (Anscombe 1956), so that its logarithm exists."""
    return (measured.rate * measured.trials + 0.5) / (measured.trials + 1)


def _largest_gain(before: MeasuredRate, after: MeasuredRate) -> float:
    """Return the one-sided 95 % upper bound of the decrease of a rate."""
    variance = sum(rate * (1 - rate) / max(trials, 1) for rate, trials in (before, after))
    return before.rate - after.rate + Z95 * math.sqrt(variance)
