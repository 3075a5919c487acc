"""Find the lines beside, below and at the same place of other pages as a line.

What belongs here: relations of boxes alone. What they mean is decided in `label_assignment` and `line_tables`.
"""

from __future__ import annotations

from collections.abc import Sequence

from finscribe_assets.inference.text_spans import TextLine
from finscribe_assets.rendering.pages import Box

_MAX_LINE_GAP = 1.0  # line heights between a label and the value below it


def right_neighbours(lines: Sequence[TextLine]) -> dict[int, int]:
    """Return line → the nearest line to its right whose middle lies within its height, as indices."""
    neighbours = {}
    for index, line in enumerate(lines):
        right = [
            (other.box.x0, other_index)
            for other_index, other in enumerate(lines)
            if other.page == line.page
            and other.box.x0 >= line.box.x0 + line.box.width / 2
            and other_index != index
            and line.box.y0 < (other.box.y0 + other.box.y1) / 2 < line.box.y1
        ]
        if right:
            neighbours[index] = min(right)[1]
    return neighbours


def lower_neighbours(lines: Sequence[TextLine]) -> dict[int, int]:
    """Return line → the nearest line below it that begins or ends where it does, or is centred below it, as indices."""
    neighbours = {}
    for index, line in enumerate(lines):
        box = line.box
        below = [
            (other.box.y0, other_index)
            for other_index, other in enumerate(lines)
            if other.page == line.page
            and other_index != index
            and box.y0 + box.height / 2 < other.box.y0 < box.y1 + _MAX_LINE_GAP * box.height
            and _are_aligned(box, other.box)
        ]
        if below:
            neighbours[index] = min(below)[1]
    return neighbours


def _are_aligned(box: Box, below: Box) -> bool:
    """Tell whether two boxes begin, end or have their middle at the same place."""
    left, right = below.x0 - box.x0, below.x1 - box.x1
    return min(abs(left), abs(right), abs(left + right) / 2) < box.height / 2


def repeated_lines(lines: Sequence[TextLine]) -> set[int]:
    """Return the indices of lines that other pages have with the same text at the same height, such as footers."""
    by_text: dict[str, list[int]] = {}
    for index, line in enumerate(lines):
        by_text.setdefault(line.text.strip(), []).append(index)
    return {
        index
        for indices in by_text.values()
        for index in indices
        if any(_is_repeated(lines[index], lines[other]) for other in indices)
    }


def _is_repeated(line: TextLine, other: TextLine) -> bool:
    between = abs(line.box.y0 + line.box.y1 - other.box.y0 - other.box.y1) / 2
    return line.page != other.page and between < line.box.height / 2
