"""Rasterise PDF pages to pixels, and convert between points and pixels."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

import cv2
import numpy as np
import pypdfium2

POINTS_PER_INCH = 72


def pixel_size(points: float, scale: float) -> int:
    """Return the length in pixels of a page side of ``points`` points.

    pypdfium2 rounds up to whole pixels, so boxes must be scaled by this length over ``points``, not by ``scale``.
    """
    return ceil(points * scale)


def rasterise(
    pdf: pypdfium2.PdfDocument, scale: float, heights: Mapping[int, int], *, in_colour: bool
) -> list[np.ndarray]:
    """Rasterise the pages of a PDF.

    Args:
        pdf: the document.
        scale: pixels per point.
        heights: height in pixels, from the top, to which a page is cut, by page index; other pages stay whole.
        in_colour: whether pages are in colour; grey takes half the time.

    Returns:
        The pages, each height × width × 3 (red, green, blue) or, in grey, height × width; uint8.
    """
    images = []
    for number, page in enumerate(pdf):
        whole = pixel_size(page.get_height(), scale)
        cut = max(0, whole - heights.get(number, whole)) / scale
        images.append(rasterise_page(page, scale, in_colour=in_colour, cut=cut))
    return images


def rasterise_page(page: pypdfium2.PdfPage, scale: float, *, in_colour: bool, cut: float = 0) -> np.ndarray:
    """Rasterise one page, without its form fields and annotations; see `rasterise`.

    Args:
        page: the page.
        scale: pixels per point.
        in_colour: whether the page is in colour.
        cut: points to leave out at the bottom.
    """
    # PDFium draws into four bytes for each pixel in half the time that it takes with three, and into memory of its
    # own a sixth faster than into memory that Python has cleared before.
    bitmap = page.render(
        scale=scale,
        bitmap_maker=pypdfium2.PdfBitmap.new_foreign,
        grayscale=not in_colour,
        prefer_bgrx=in_colour,
        crop=(0, cut, 0, 0),
        may_draw_forms=False,
        draw_annots=False,
    )
    pixels = bitmap.to_numpy()
    return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB) if in_colour else pixels.squeeze().copy()
