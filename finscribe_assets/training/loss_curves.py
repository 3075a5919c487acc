"""A training's losses as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any


def loss_curve(metrics: Sequence[dict[str, Any]]) -> bytes:
    """Return a PNG of training and validation loss by step, from the records of metrics.jsonl; below 60 KB."""
    # Without pyplot, which keeps every figure alive and is not made for threads.
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
    axes.set(xlabel="step", ylabel="loss (nats a token)", yscale="log")
    axes.grid(alpha=0.3, which="both", linewidth=0.5)
    axes.legend(frameon=False)
    buffer = io.BytesIO()
    # No creation time or version inside: the same losses give the same bytes.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
