"""Effects of scanners, cameras and files: blur, low resolution, noise and JPEG compression.

Each effect takes a page (height × width, or × 3 in colour; uint8) and its draw, and returns a new page of its size.
"""

from __future__ import annotations

import cv2
import numpy as np

from finscribe_assets.documents.drawn_document import Presentation
from finscribe_assets.rendering.damage.draws import LIGHT_MIX, PAPER_GREY, Draw, strengths_of, with_grain
from finscribe_assets.rendering.page_colours import to_colour
from finscribe_assets.rendering.png_encoding import to_png

BLUR_DPI = 144  # resolution at which the pixels of blur are meant
BEST_JPEG_QUALITY = 92  # on OpenCV's scale from 0 to 100


def _blurred(page: np.ndarray, draw: Draw, sigma_x: float, sigma_y: float | None = None) -> np.ndarray:
    """Blur a page; sigmas are in pixels at BLUR_DPI, and ``sigma_y`` is ``sigma_x`` by default."""
    scale = draw.dpi / BLUR_DPI
    if sigma_x * scale <= 0.15:  # no pixel would change
        return page
    return cv2.GaussianBlur(page, (0, 0), sigma_x * scale, sigmaY=(sigma_y or sigma_x) * scale)


def tone(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Capture paper and black print at the document's own levels, and what is between them in proportion.

    Paper with a cast is brighter in red than in blue, or darker, by as many levels as its warmth.
    """
    look = draw.look
    shares = np.arange(256) / PAPER_GREY
    casts = (look.paper_warmth / 2, 0.0, -look.paper_warmth / 2) if draw.in_colour and look.paper_warmth else (0.0,)
    tables = [
        np.rint(look.ink_level + (look.paper_level + cast - look.ink_level) * shares).clip(0, 255).astype(np.uint8)
        for cast in casts
    ]
    if len(tables) == 1:
        return np.asarray(cv2.LUT(page, tables[0]))
    return np.asarray(cv2.LUT(to_colour(page), np.stack(tables, axis=-1)[None]))


def blur(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Put the page out of focus, more along one axis than the other, as by a shaking hand."""
    sigma = draw.at(0.5, 2.4) * draw.random.uniform(0.85, 1.1)
    sigma_x, sigma_y = draw.random.permutation([sigma, sigma * draw.random.uniform(0.5, 1)])
    return _blurred(page, draw, sigma_x, sigma_y)


def low_resolution(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Scan at a resolution of down to 40 % of the page's, mostly to a JPEG file, and scale back up."""
    share = draw.at(0.8, 0.42) * draw.random.uniform(0.95, 1.05)
    height, width = page.shape[:2]
    small = cv2.resize(page, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    if draw.random.random() < 0.7:
        small = _recompressed(small, round(draw.at(90, 50) * draw.random.uniform(0.9, 1.05)))
    smooth = cv2.INTER_LINEAR if draw.random.random() < 0.5 else cv2.INTER_CUBIC
    return cv2.resize(small, (width, height), interpolation=smooth)


def noise(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Add sensor noise, possibly coarser than a pixel."""
    deviation = draw.at(4, 32)
    noisy = with_grain(page, draw.random, deviation, darker=deviation * draw.random.uniform(0.5, 1.5))
    return _blurred(noisy, draw, draw.random.uniform(0, 0.55))


def jpeg(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Compress strongly: in the pixels already, not only in the file, so that legibility is measured with the loss."""
    return _recompressed(page, _quality(draw.look))


def _recompressed(page: np.ndarray, quality: int) -> np.ndarray:
    """Return the page as a JPEG file of a quality shows it."""
    flags = cv2.IMREAD_GRAYSCALE if page.ndim == 2 else cv2.IMREAD_COLOR_RGB
    return np.asarray(cv2.imdecode(np.frombuffer(_to_jpeg(page, quality), np.uint8), flags), np.uint8)


def _to_jpeg(page: np.ndarray, quality: int) -> bytes:
    """Encode a page as JPEG; colours are stored at half the resolution, as scanners and cameras do.

    Raises:
        ValueError: the page has no pixels.
    """
    if not page.size:
        raise ValueError(f"a page of {page.shape[0]} × {page.shape[1]} pixels cannot be encoded as JPEG")
    pixels = page if page.ndim == 2 else cv2.cvtColor(page, cv2.COLOR_RGB2BGR)
    _, file = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return file.tobytes()


def light_mix(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Blur a little and add a little noise."""
    blurred = _blurred(page, draw, draw.random.uniform(0.3, 1) * draw.strength)
    return with_grain(blurred, draw.random, 12 * draw.strength, darker=6 * draw.strength)


def photo_sensor(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Blur a photograph slightly and add noise."""
    return with_grain(_blurred(page, draw, draw.at(0.3, 0.9)), draw.random, draw.at(1, 7))


def _quality(look: Presentation) -> int:
    """Return the JPEG quality of a document's files."""
    strengths = strengths_of(look)
    quality = BEST_JPEG_QUALITY - 45 * strengths.get(LIGHT_MIX, 0.0)
    if "jpeg" in strengths:
        quality = min(quality, 55 - 48 * strengths["jpeg"])
    return round(quality)


def encode(pixels: np.ndarray, look: Presentation) -> bytes:
    """Encode a page (height × width, or × 3 in colour; uint8): as PNG if the document has no damage, as JPEG otherwise.

    Raises:
        ValueError: the page has no pixels.
    """
    if not strengths_of(look):
        return to_png(pixels)
    return _to_jpeg(pixels, _quality(look))
