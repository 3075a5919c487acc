"""Rasterise PDF pages to grey pixels, and convert between points and pixels."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

import numpy as np
import pypdfium2

POINTS_PER_INCH = 72


def pixel_size(points: float, scale: float) -> int:
    """Return the length in pixels of a page side of ``points`` points.

    pypdfium2 rounds up to whole pixels, so boxes must be scaled by this length over ``points``, not by ``scale``.
    """
    return ceil(points * scale)


def rasterise(pdf: pypdfium2.PdfDocument, scale: float, heights: Mapping[int, int]) -> list[np.ndarray]:
    """Rasterise the pages of a PDF.

    Args:
        pdf: the document.
        scale: pixels per point.
        heights: height in pixels, from the top, to which a page is cut, by page index; other pages stay whole.

    Returns:
        The pages in grey, each height × width, uint8.
    """
    images = []
    for number, page in enumerate(pdf):
        whole = pixel_size(page.get_height(), scale)
        cut = max(0, whole - heights.get(number, whole)) / scale
        bitmap = page.render(scale=scale, grayscale=True, crop=(0, cut, 0, 0), may_draw_forms=False, draw_annots=False)
        images.append(bitmap.to_numpy().squeeze().copy())
    return images
