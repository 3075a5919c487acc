"""Parse the boxes that people type. Files are opened by the package `opening`."""

from __future__ import annotations

from finscribe_assets.errors import UserError
from finscribe_assets.rendering.pages import Box

_MAX_SIDE = 50_000_000  # pixels


def parse_box(text: str) -> Box:
    """Parse a box such as ``120,80,460,112``: x0,y0,x1,y1 in pixels from the top left corner.

    Raises:
        UserError: The text is not four numbers, or the box has no area.
    """
    try:
        x0, y0, x1, y1 = (float(side) for side in text.split(","))
    except ValueError as error:
        raise UserError(f"box: {text!r} is not x0,y0,x1,y1 in pixels, such as 120,80,460,112") from error
    if not (0 <= x0 < x1 < _MAX_SIDE and 0 <= y0 < y1 < _MAX_SIDE):
        raise UserError(
            f"box: {text!r} has no area on a page; give x0 < x1 and y0 < y1, in pixels from the top left corner"
        )
    return Box(x0, y0, x1, y1)
