"""Pages with numbered boxes, for people: the numbers are those of the lines in `extract`'s answer."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from finscribe_assets.rendering.pages import Box

_BOX, _NUMBER = (200, 30, 30), (20, 60, 200)


def draw_boxes(page: Image.Image, numbered: Sequence[tuple[int, Box]]) -> Image.Image:
    """Return a page in colours with a box, and its number at the box's top left corner, for each of ``numbered``."""
    drawn = page.convert("RGB")
    pen = ImageDraw.Draw(drawn)
    size = max(10, page.height // 130)
    font = ImageFont.load_default(size)
    for number, box in numbered:
        pen.rectangle(tuple(box), outline=_BOX)
        pen.text((box.x0, max(0, box.y0 - size)), str(number), fill=_NUMBER, font=font)
    return drawn
