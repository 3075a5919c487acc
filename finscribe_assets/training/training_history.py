"""How far a training is and what it has measured: the records of metrics.jsonl, and events for TensorBoard."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch.utils.tensorboard import SummaryWriter


@dataclass(frozen=True)
class TrainingProgress:
    """One step of a training, as progress bars show it."""

    step: int
    steps: int
    loss: float
    validation_loss: float | None  # if it was measured after this step


OnStep = Callable[[TrainingProgress], None]


@dataclass
class TrainingHistory:
    """The steps taken and the metrics recorded so far."""

    step: int = 0
    metrics: list[dict[str, Any]] = field(default_factory=list)
    best_step: int | None = None  # with the lowest validation loss, if a trainer keeps its weights

    def record(self, step: int, **values: float | None) -> bool:
        """Append a record of the values that are known.

        Returns:
            Whether the record has the lowest validation loss so far.
        """
        lowest = min(self.values("validation_loss"), default=math.inf)
        # Keys are sorted, as a checkpoint's JSON returns them, so that a resumed training writes the same bytes.
        record = {
            name: round(value, 10 if name == "learning_rate" else 6)
            for name, value in sorted({"step": step, **values}.items())
            if value is not None
        }
        self.metrics.append(record)
        return "validation_loss" in record and record["validation_loss"] < lowest

    def values(self, metric: str) -> list[float]:
        """Return all recorded values of a metric, in order."""
        return [record[metric] for record in self.metrics if metric in record]

    def validations_since_best(self) -> int:
        """Return how often the validation loss was measured after the best step; 0 if there is none."""
        if self.best_step is None:
            return 0
        return sum("validation_loss" in record and record["step"] > self.best_step for record in self.metrics)


def log_step(writer: SummaryWriter, progress: TrainingProgress, rate: float) -> None:
    """Write a step's losses and learning rate for TensorBoard."""
    writer.add_scalar("loss/train", progress.loss, progress.step)
    writer.add_scalar("learning_rate", rate, progress.step)
    if progress.validation_loss is not None:
        writer.add_scalar("loss/validation", progress.validation_loss, progress.step)
