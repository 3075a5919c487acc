"""A picture of the loop so far: what each batch cost, what it promised, and what the exam says happened."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finscribe_assets.iteration.batch_documents import BASE
from finscribe_assets.iteration.batch_storage import BatchStorage, PlanFiles
from finscribe_assets.iteration.decision import IterationRecord
from finscribe_assets.iteration.history import records_until
from finscribe_assets.iteration.next_batch import exam_results
from finscribe_assets.iteration.promise import FactorPromise, promises
from finscribe_assets.mining.factor_plan import planned_factors
from finscribe_assets.promotion.exam_results import BASE_PART, mean_accuracy

GAINED, LOST, SAME = "#2e7d32", "#c62828", "#757575"


@dataclass(frozen=True)
class LoopStep:
    """One iteration: its record, what became of its plan's promises, and the bare base's accuracy on its exam."""

    record: IterationRecord
    kept: tuple[FactorPromise, ...]
    base_accuracy: float


def loop_steps(storage: BatchStorage, plans: PlanFiles, key: str) -> list[LoopStep]:
    """Return the iterations up to and including ``key``, oldest first."""
    steps = []
    for record in records_until(storage, key):
        results = exam_results(storage, record.key)
        kept = promises(planned_factors(plans.read(record.key)), results)
        steps.append(LoopStep(record, tuple(kept), mean_accuracy(results[BASE].parts()[BASE_PART])))
    return steps


def loop_picture(steps: Sequence[LoopStep]) -> bytes:
    """Draw the iterations as a PNG below about 100 KB.

    Above: accuracy on the exam's base part, filled where the adapter was promoted, beside the bare base. Below: each
    factor that a batch's plan aimed at, from its accuracy before the batch to the one after it.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.4 + 1.9 * max(2, len(steps)), 6.2), dpi=90, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2.2))
    for number, step in enumerate(steps):
        record = step.record
        above.plot(
            number,
            record.accuracy,
            "o",
            color=GAINED if record.promoted else SAME,
            fillstyle="full" if record.promoted else "none",
        )
    above.plot([step.base_accuracy for step in steps], "k:", label="bare base")
    above.set_ylabel("usual documents")
    above.legend(fontsize=7, loc="lower right")
    for number, step in enumerate(steps):
        _draw_promises(below, number, step.kept)
    below.set_ylabel("documents that show the factor")
    spent = [sum(step.record.documents for step in steps[: number + 1]) for number in range(len(steps))]
    below.set_xticks(
        range(len(steps)),
        [
            f"{step.record.key}\n{documents:,} documents\n{'promoted' if step.record.promoted else 'refused'}"
            for step, documents in zip(steps, spent, strict=True)
        ],
        fontsize=8,
    )
    below.set_xlim(-0.6, len(steps) - 0.2)
    figure.suptitle("accuracy of fields on the exam; arrows: before the batch → after it", fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _draw_promises(axes: Any, number: int, kept: Sequence[FactorPromise]) -> None:
    for index, promise in enumerate(sorted(kept, key=lambda one: one.after)):
        x = number - 0.3 + 0.6 * index / max(1, len(kept) - 1)
        colour = GAINED if promise.low > 0 else LOST if promise.high < 0 else SAME
        axes.annotate(
            "",
            (x, promise.after),
            (x, promise.before),
            arrowprops={"arrowstyle": "->", "color": colour, "shrinkA": 0, "shrinkB": 0},
        )
        axes.plot(
            [x, x], [promise.before + promise.low, promise.before + promise.high], color=colour, alpha=0.25, linewidth=4
        )
        axes.plot(x, promise.expected, "_", color="black", markersize=7)
        axes.annotate(promise.factor, (x, promise.after), (2, 3), textcoords="offset points", fontsize=6, rotation=25)
