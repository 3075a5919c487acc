"""PDF pages → grey pixels, and the scale between them."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

import numpy as np
import pypdfium2

POINTS_PER_INCH = 72


def pixel_size(points: float, scale: float) -> int:
    """Return how many pixels a page's side has: pypdfium2 rounds up, so that boxes scale by this, not by ``scale``."""
    return ceil(points * scale)


def rasterise(pdf: pypdfium2.PdfDocument, scale: float, heights: Mapping[int, int]) -> list[np.ndarray]:
    """Return each page as grey pixels (height × width, uint8), ``scale`` pixels a point.

    ``heights`` cuts pages, by number from 0, to so many pixels from the top.
    """
    images = []
    for number, page in enumerate(pdf):
        whole = pixel_size(page.get_height(), scale)
        below = max(0, whole - heights.get(number, whole)) / scale
        bitmap = page.render(
            scale=scale, grayscale=True, crop=(0, below, 0, 0), may_draw_forms=False, draw_annots=False
        )
        images.append(bitmap.to_numpy().squeeze().copy())
    return images
