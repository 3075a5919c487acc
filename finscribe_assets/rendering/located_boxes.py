"""Boxes of values in thousandths of their page, which do not depend on the resolution of its image.

What belongs here: the form in which ground truth and predictions state where a value is printed, and its conversion
from and to pixels. Marks, as the renderer gives them, are in `pages`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from finscribe_assets.rendering.pages import Box, MarkType, RenderedDocument

PAGE_UNITS = 1000  # the width and the height of a page
_DECIMALS = 1  # of a written coordinate: a tenth of a thousandth is an eighth of a pixel on A4 at 144 dpi


class LocatedBox(NamedTuple):
    """A box on a page of a document."""

    page: int  # from 1
    box: Box  # in thousandths of the page's width and height


LocatedBoxes = Mapping[str, Sequence[LocatedBox]]
"""Boxes by field path, one for each printed line of the value."""


def locate(page: int, box: Box, size: tuple[int, int]) -> LocatedBox:
    """Convert a box from pixels.

    Args:
        page: index of the page, from 0.
        box: in pixels.
        size: width and height of the page's image in pixels.
    """
    across, down = (PAGE_UNITS / side for side in size)
    sides = (box.x0 * across, box.y0 * down, box.x1 * across, box.y1 * down)
    return LocatedBox(page + 1, Box(*(round(side, _DECIMALS) for side in sides)))


def to_pixels(box: Box, size: tuple[int, int]) -> Box:
    """Convert a box from thousandths of a page to pixels of its image, whose width and height are ``size``."""
    across, down = (side / PAGE_UNITS for side in size)
    return Box(box.x0 * across, box.y0 * down, box.x1 * across, box.y1 * down)


def field_boxes(document: RenderedDocument) -> dict[str, tuple[LocatedBox, ...]]:
    """Return the renderer's boxes of every printed field, visible or not, by field path."""
    sizes = [(page.width, page.height) for page in document.pages]
    return {
        mark.name: tuple(locate(part.page, part.box, sizes[part.page]) for part in mark.fragments)
        for mark in document.of_type(MarkType.FIELD)
    }


def boxes_to_json(boxes: LocatedBoxes) -> dict[str, list[dict[str, Any]]]:
    """Return boxes as JSON: ``{path: [{"page": 1, "box": [x0, y0, x1, y1]}]}``."""
    return {path: [{"page": page, "box": list(box)} for page, box in located] for path, located in boxes.items()}


def boxes_from_json(value: Any) -> tuple[dict[str, tuple[LocatedBox, ...]], bool]:
    """Read boxes from JSON of any origin.

    Args:
        value: what `boxes_to_json` returns, or anything else.

    Returns:
        The boxes that are boxes, by field path; and whether all of them are.
    """
    if not isinstance(value, dict):
        return {}, value is None
    boxes: dict[str, tuple[LocatedBox, ...]] = {}
    complete = True
    for path, located in value.items():
        read = [_from_json(entry) for entry in located] if isinstance(located, list) else [None]
        kept = tuple(entry for entry in read if entry is not None)
        complete = complete and len(kept) == len(read)
        if kept:
            boxes[str(path)] = kept
    return boxes, complete


def _from_json(entry: Any) -> LocatedBox | None:
    """Return a box; None if the entry is not one with an area on a page."""
    if not isinstance(entry, dict):
        return None
    page, sides = entry.get("page"), entry.get("box")
    if not isinstance(page, int) or isinstance(page, bool) or page < 1 or not isinstance(sides, list):
        return None
    return LocatedBox(page, box) if (box := box_of_sides(sides)) else None


def box_of_sides(sides: Iterable[Any]) -> Box | None:
    """Return the box with these sides, x0, y0, x1, y1; None unless they are finite and enclose an area."""
    numbers = list(sides)
    if len(numbers) != len(Box._fields):
        return None
    if not all(isinstance(side, int | float) and not isinstance(side, bool) for side in numbers):
        return None
    try:
        box = Box(*map(float, numbers))
    except OverflowError:  # an integer beyond every float
        return None
    return box if all(map(math.isfinite, box)) and box.x1 > box.x0 and box.y1 > box.y0 else None
