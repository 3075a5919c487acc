"""Draw boxes on a page, so that a person can find the lines and the values of an extraction record on it."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from finscribe_assets.rendering.pages import Box

_BOX_COLOUR, _NUMBER_COLOUR, _VALUE_COLOUR = (200, 30, 30), (20, 60, 200), (0, 130, 60)


def draw_boxes(
    page: Image.Image, numbered: Sequence[tuple[int, Box]], named: Sequence[tuple[str, Box]] = ()
) -> Image.Image:
    """Draw boxes on a page: lines with their number above their top left corner, values with their path below.

    Args:
        page: The page, in any mode.
        numbered: Number and box of each line, in pixels of the page.
        named: Field path and box of each value, in pixels of the page.

    Returns:
        A copy of the page in mode RGB.
    """
    drawn = page.convert("RGB")
    pen = ImageDraw.Draw(drawn)
    size = max(10, page.height // 130)
    font = ImageFont.load_default(size)
    for number, box in numbered:
        pen.rectangle(tuple(box), outline=_BOX_COLOUR)
        pen.text((box.x0, max(0, box.y0 - size)), str(number), fill=_NUMBER_COLOUR, font=font)
    small = ImageFont.load_default(max(8, page.height // 190))
    for path, box in named:
        pen.rectangle(tuple(box), outline=_VALUE_COLOUR, width=2)
        pen.text((box.x0, box.y1), path, fill=_VALUE_COLOUR, font=small)
    return drawn
