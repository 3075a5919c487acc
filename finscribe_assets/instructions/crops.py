"""Regions cut from page images."""

from __future__ import annotations

import math

from PIL import Image

from finscribe_assets.rendering.pages import Box

MARGIN = 2  # pixels around a box, so that no stroke is cut


def crop(page: Image.Image, box: Box, margin: int = MARGIN) -> Image.Image:
    """Return a box of a page with a margin, clipped to the page.

    Raises:
        ValueError: the box lies outside the page, or has no area on it.
    """
    grown = box.padded(margin)
    x0, y0 = max(0, math.floor(grown.x0)), max(0, math.floor(grown.y0))
    x1, y1 = min(page.width, math.ceil(grown.x1)), min(page.height, math.ceil(grown.y1))
    if x1 <= x0 or y1 <= y0:
        raise ValueError(f"the box {box} has no area on a page of {page.width} × {page.height} pixels")
    return page.crop((x0, y0, x1, y1))
