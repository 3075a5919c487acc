"""Draw numbered boxes on a page, so that a person can find the lines of an extraction record on it."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from finscribe_assets.rendering.pages import Box

_BOX_COLOUR, _NUMBER_COLOUR = (200, 30, 30), (20, 60, 200)


def draw_boxes(page: Image.Image, numbered: Sequence[tuple[int, Box]]) -> Image.Image:
    """Draw boxes on a page, each with its number above its top left corner.

    Args:
        page: The page, in any mode.
        numbered: Number and box, in pixels of the page.

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
    return drawn
