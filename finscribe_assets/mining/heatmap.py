"""Draw the failures by element and error type as a heat map."""

from __future__ import annotations

import io
from collections.abc import Sequence

from finscribe_assets.mining.error_cells import ErrorCell


def heat_map(cells: Sequence[ErrorCell]) -> bytes:
    """Return a PNG of the number of failures by element and error type, darker for higher rates, below about 80 KB."""
    from matplotlib.figure import Figure

    elements = sorted({cell.element for cell in cells}) or ["no failures"]
    error_types = sorted({cell.error_type for cell in cells}) or [""]
    rates = [[0.0] * len(error_types) for _ in elements]
    figure = Figure(figsize=(1.8 + 0.55 * len(error_types), 1.7 + 0.36 * len(elements)), dpi=80, layout="constrained")
    axes = figure.subplots()
    for cell in cells:
        row, column = elements.index(cell.element), error_types.index(cell.error_type)
        rates[row][column] = cell.failures / max(cell.trials, 1)
    highest = max(max(row) for row in rates) or 1.0
    axes.imshow(rates, cmap="Blues", vmin=0, vmax=highest, aspect="auto")
    for cell in cells:
        row, column = elements.index(cell.element), error_types.index(cell.error_type)
        axes.text(
            column,
            row,
            str(cell.failures),
            ha="center",
            va="center",
            fontsize=8,
            fontweight="bold" if cell.weak else None,
            color="white" if rates[row][column] > 0.6 * highest else "black",
        )
    axes.set_xticks(range(len(error_types)), error_types, rotation=40, ha="right", fontsize=8)
    axes.set_yticks(range(len(elements)), elements, fontsize=8)
    axes.set_title("failures (bold: weak cell; shade: rate)", fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
