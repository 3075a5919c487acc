"""Draw the losses of a training."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any


def loss_curve(metrics: Sequence[dict[str, Any]]) -> bytes:
    """Draw training and validation loss by step.

    Args:
        metrics: the records of metrics.jsonl.

    Returns:
        A PNG of less than 60 KB; the same losses give the same bytes.
    """
    # Not through pyplot, which keeps every figure alive and is not made for threads.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 2.9), dpi=96, layout="constrained")
    axes = figure.subplots()
    styles: dict[str, dict[str, Any]] = {
        "loss": {"label": "training", "color": "#9aa7b4", "linewidth": 0.9},
        "validation_loss": {"label": "validation", "color": "#b3261e", "marker": "o", "markersize": 3},
    }
    for name, style in styles.items():
        points = [(record["step"], record[name]) for record in metrics if name in record]
        if points:
            axes.plot(*zip(*points, strict=True), **style)
    axes.set(xlabel="step", ylabel="loss (nats per token)", yscale="log")
    axes.grid(alpha=0.3, which="both", linewidth=0.5)
    axes.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})  # without matplotlib's version
    return buffer.getvalue()
