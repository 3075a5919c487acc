"""What a scanner, a camera or the file does to a page: blur, few dots, noise and JPEG.

Each effect takes a page (height × width, uint8) and its draw and returns a new page of the same size.
"""

from __future__ import annotations

import cv2
import numpy as np

from finscribe_assets.documents.drawn_document import Presentation
from finscribe_assets.errors import UserError
from finscribe_assets.rendering.damage.draws import LIGHT_MIX, Draw, strengths_of, with_grain
from finscribe_assets.rendering.png_encoding import to_png

REFERENCE_DPI = 144  # at which blur is given in pixels
BEST_QUALITY = 92  # of JPEG, on OpenCV's scale to 100

# Rows of print are much alike as they are: filters cost three times as long and make the file no smaller.


def _blurred(page: np.ndarray, draw: Draw, sigma: float, other: float | None = None) -> np.ndarray:
    scale = draw.dpi / REFERENCE_DPI
    if sigma * scale <= 0.15:  # no pixel would change
        return page
    return cv2.GaussianBlur(page, (0, 0), sigma * scale, sigmaY=(other or sigma) * scale)


def blur(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Put the page out of focus, a little more along one side, as by a shaking hand."""
    sigma = draw.at(0.5, 2.4) * draw.random.uniform(0.85, 1.1)
    one, other = draw.random.permutation([sigma, sigma * draw.random.uniform(0.5, 1)])
    return _blurred(page, draw, one, other)


def low_resolution(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Scan with few dots, down to half of what is usual, and scale back up."""
    share = draw.at(0.8, 0.42) * draw.random.uniform(0.95, 1.05)
    height, width = page.shape
    small = cv2.resize(page, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    smooth = cv2.INTER_LINEAR if draw.random.random() < 0.5 else cv2.INTER_CUBIC
    return cv2.resize(small, (width, height), interpolation=smooth)


def noise(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Add a sensor's noise, coarser than a pixel where the light was poor."""
    noisy = with_grain(page, draw.random, draw.at(4, 42))
    return _blurred(noisy, draw, draw.random.uniform(0, 0.55))


def jpeg(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Compress hard. Done to the pixels, and not in the file alone, so that what is lost is seen by who measures it."""
    _, file = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, _quality(draw.look)])
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)


def light_mix(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Blur a little and add a little noise."""
    blurred = _blurred(page, draw, draw.random.uniform(0.3, 1) * draw.strength)
    return with_grain(blurred, draw.random, 14 * draw.strength)


def photo_sensor(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Soften a photograph and give it noise."""
    return with_grain(_blurred(page, draw, draw.at(0.3, 0.9)), draw.random, draw.at(1, 7))


def _quality(look: Presentation) -> int:
    strengths = strengths_of(look)
    quality = BEST_QUALITY - 45 * strengths.get(LIGHT_MIX, 0.0)
    if "jpeg" in strengths:
        quality = min(quality, 55 - 48 * strengths["jpeg"])
    return round(quality)


def encode(pixels: np.ndarray, look: Presentation) -> bytes:
    """Return a grey page (height × width, uint8) as a file: PNG when nothing damages it, JPEG otherwise.

    Raises:
        UserError: the page has no pixels.
    """
    if not strengths_of(look):
        return to_png(pixels)
    ok, file = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _quality(look)])
    if not ok:
        raise UserError(f"the page of {pixels.shape} pixels could not be encoded")
    return file.tobytes()
