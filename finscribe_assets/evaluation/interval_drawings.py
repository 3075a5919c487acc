"""Draw estimates and their intervals as inline SVG: a bar against a target, and forest plots.

A drawing carries its numbers as text, so that nothing depends on colour or on reading a scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

BAR_WIDTH, BAR_HEIGHT = 260, 34  # pixels
LABEL_WIDTH, PLOT_WIDTH, NUMBER_WIDTH, ROW_HEIGHT = 190, 200, 215, 22  # pixels, of a forest plot
MAX_LABEL_LENGTH = 30  # characters
INK, MUTED, ACCENT = "#1b1f24", "#8c959f", "#0b5cad"


@dataclass(frozen=True)
class ForestRow:
    """A row of a forest plot: an estimate with its 95 % interval.

    Attributes:
        label: of the row.
        value: the estimate.
        low: lower bound of the interval; None if there is no interval.
        high: upper bound of the interval; None if there is no interval.
        note: printed after the numbers, such as the number of documents.
    """

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the interval, or the value twice where there is none."""
        if self.low is None or self.high is None:
            return self.value, self.value
        return self.low, self.high


def interval_bar(value: float, low: float, high: float, target: float) -> Markup:
    """Draw an estimate with its interval on a scale from 0 to 1 that is cut where it is empty, beside a target."""
    start = max(0.0, math.floor(10 * (min(low, target) - 0.05)) / 10)

    def x(at: float) -> float:
        return round(6 + (BAR_WIDTH - 12) * (at - start) / (1 - start), 1)

    text = f"{value:.1%}, 95 % interval {low:.1%} to {high:.1%}, target {target:.0%}"
    return Markup(
        '<svg class="bar" role="img" aria-label="{text}" viewBox="0 0 {width} {height}" width="{width}" '
        'height="{height}"><line x1="6" x2="{end}" y1="11" y2="11" stroke="#d8dee4" stroke-width="4"/>'
        '<line x1="{low}" x2="{high}" y1="11" y2="11" stroke="{accent}" stroke-width="4"/>'
        '<circle cx="{value}" cy="11" r="5" fill="{accent}"/>'
        '<line x1="{target}" x2="{target}" y1="2" y2="20" stroke="{ink}" stroke-width="2"/>'
        '<text x="{target}" y="31" font-size="10" text-anchor="{anchor}" fill="{ink}">target {percent}</text>'
        '<text x="6" y="31" font-size="10" fill="{muted}">{first}</text></svg>'
    ).format(
        text=text,
        width=BAR_WIDTH,
        height=BAR_HEIGHT,
        end=BAR_WIDTH - 6,
        low=x(low),
        high=max(x(high), x(low) + 1),
        value=x(value),
        target=x(target),
        anchor="end" if x(target) > BAR_WIDTH / 2 else "middle",
        percent=f"{target:.0%}",
        first=f"{start:.0%}",
        accent=ACCENT,
        ink=INK,
        muted=MUTED,
    )


def forest_plot(rows: Sequence[ForestRow], reference: float, reference_label: str, *, points: bool = False) -> Markup:
    """Draw estimates below each other with their intervals, and a reference line.

    Args:
        rows: From top to bottom; at least one.
        reference: Position of the line, such as the estimate over all documents, or 0 for differences.
        reference_label: What it means.
        points: Whether values are differences, written in points with their sign, and not shares in per cent.
    """
    bounds = [bound for row in rows for bound in row.bounds]
    start, end = min(*bounds, reference), max(*bounds, reference)
    if not points:
        start, end = max(0.0, math.floor(10 * start) / 10), min(1.0, math.ceil(10 * end) / 10)
    margin = 0.05 * (end - start) if points else 0.0
    start, end = start - margin, max(end + margin, start + 0.01)

    def x(at: float) -> float:
        return round(LABEL_WIDTH + 8 + (PLOT_WIDTH - 16) * (at - start) / (end - start), 1)

    height = ROW_HEIGHT * len(rows) + 20
    width = LABEL_WIDTH + PLOT_WIDTH + NUMBER_WIDTH
    base = ROW_HEIGHT * len(rows) + 4
    parts = [
        Markup(
            '<line x1="{x}" x2="{x}" y1="2" y2="{base}" stroke="{muted}" stroke-dasharray="4 3"/>'
            '<text x="{x}" y="{below}" font-size="11" text-anchor="middle" fill="#57606a">{label}</text>'
        ).format(x=x(reference), base=base, below=base + 13, muted=MUTED, label=reference_label)
    ]
    if not points:
        parts += [
            Markup('<text x="{x}" y="{y}" font-size="11" text-anchor="{anchor}" fill="#57606a">{text}</text>').format(
                x=x(at), y=base + 13, anchor=anchor, text=f"{at:.0%}"
            )
            for at, anchor in ((start, "start"), (end, "end"))
            if abs(x(at) - x(reference)) > 60
        ]
    parts += [_forest_row(row, index, x, width, points=points) for index, row in enumerate(rows)]
    numbers = "; ".join(f"{row.label} {_numbers(row, points=points)}" for row in rows)
    return Markup(
        '<svg class="forest" role="img" aria-label="{text}" viewBox="0 0 {width} {height}" width="{width}" '
        'height="{height}">{drawn}</svg>'
    ).format(text=numbers, width=width, height=height, drawn=Markup("").join(parts))


def _forest_row(row: ForestRow, index: int, position: Callable[[float], float], width: int, *, points: bool) -> Markup:
    middle = ROW_HEIGHT * index + ROW_HEIGHT // 2
    label = row.label if len(row.label) <= MAX_LABEL_LENGTH else row.label[: MAX_LABEL_LENGTH - 1] + "…"
    return Markup(
        '<text x="0" y="{text}" font-size="12" fill="{ink}">{label}</text>'
        '<line x1="{low}" x2="{high}" y1="{middle}" y2="{middle}" stroke="{accent}" stroke-width="2"/>'
        '<circle cx="{value}" cy="{middle}" r="4" fill="{accent}"/>'
        '<text x="{end}" y="{text}" font-size="12" text-anchor="end" fill="{ink}">{numbers}</text>'
    ).format(
        text=middle + 4,
        middle=middle,
        label=label,
        low=position(row.bounds[0]),
        high=position(row.bounds[1]),
        value=position(row.value),
        end=width,
        numbers=_numbers(row, points=points),
        ink=INK,
        accent=ACCENT,
    )


def _numbers(row: ForestRow, *, points: bool) -> str:
    write = in_points if points else "{:.1%}".format
    interval = "" if row.low is None else f"[{write(row.bounds[0])}, {write(row.bounds[1])}]"
    return " ".join(filter(None, (write(row.value), interval, row.note)))


def in_points(share: float) -> str:
    """Return a difference of shares in points, with its sign."""
    return f"{100 * share:+.1f}".replace("-", "−")
