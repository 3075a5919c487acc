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

    A row for each factor that a batch's plan aimed at, from its accuracy before the batch to the one after it, and a
    row for the exam's base part, filled where the adapter was promoted, beside the bare base.
    """
    from matplotlib.figure import Figure

    rows = sum(len(step.kept) + 2 for step in steps)  # a heading, the factors and the usual documents
    figure = Figure(figsize=(7.6, 1.1 + 0.21 * rows), dpi=90, layout="constrained")
    axes = figure.subplots()
    labels, y, documents = [], 0, 0
    for step in steps:
        documents += step.record.documents
        state = "promoted" if step.record.promoted else "refused"
        labels.append((y, f"{step.record.key}, {documents:,} documents so far: {state}"))
        y += 1
        for promise in sorted(step.kept, key=lambda one: one.before):
            _draw_promise(axes, y, promise)
            labels.append((y, f"{promise.factor}, {promise.documents} documents"))
            y += 1
        _draw_usual(axes, y, step)
        labels.append((y, "usual documents"))
        y += 1
    axes.set_yticks([at for at, _ in labels], [text for _, text in labels], fontsize=7)
    for tick, (_, text) in zip(axes.get_yticklabels(), labels, strict=True):
        tick.set_fontweight("bold" if text.startswith("batch-") else "normal")
    axes.set_ylim(y - 0.3, -0.7)
    axes.set_xlim(-0.03, 1.03)
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel(
        "accuracy of fields on the exam: before → after the batch, with the gain's 95 % interval;\n"
        "| expected; dotted: bare base on usual documents",
        fontsize=8,
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _draw_promise(axes: Any, y: int, promise: FactorPromise) -> None:
    colour = GAINED if promise.low > 0 else LOST if promise.high < 0 else SAME
    axes.plot(
        [promise.before + promise.low, promise.before + promise.high], [y, y], color=colour, alpha=0.3, linewidth=5
    )
    axes.plot(promise.before, y, "o", color=colour, markersize=3)
    axes.annotate(
        "",
        (promise.after, y),
        (promise.before, y),
        arrowprops={"arrowstyle": "->", "color": colour, "shrinkA": 0, "shrinkB": 0},
    )
    axes.plot(promise.expected, y, "|", color="black", markersize=8)


def _draw_usual(axes: Any, y: int, step: LoopStep) -> None:
    style = "full" if step.record.promoted else "none"
    axes.plot(step.record.accuracy, y, "D", color="black", fillstyle=style, markersize=4)
    axes.plot([step.base_accuracy] * 2, [y - 0.4, y + 0.4], ":", color="black")
