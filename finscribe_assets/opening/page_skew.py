"""Estimate by how many degrees the lines of a page are skewed, from the contrast between its rows, and straighten it.

Rows of ink and rows of gaps alternate most sharply where the lines are horizontal. That holds for every script, needs
no model, and gives the same angle on every machine.
"""

from __future__ import annotations

import cv2
import numpy as np

MAX_SKEW = 10.0  # degrees; what is skewed more is not straightened
LEAST_SKEW = 0.3  # degrees; less does not harm reading, and straightening blurs pixels

_SEARCHED = MAX_SKEW + 1  # degrees, so that the best angle at the limit is a maximum
_COARSE_SIDE, _FINE_SIDE = 640, 1400  # pixels of the longer side
_COARSE_STEP, _FINE_STEP, _FINEST_STEP = 0.5, 0.1, 0.05  # degrees
_LEAST_GAIN = 1.08  # contrast of the straightened page over that of the page as it is
_DARK_PAGE = 80  # median level of a page that is white on black
_BACKGROUND = 31  # pixels; wider than a stroke, narrower than shadows


def ink_of(grey: np.ndarray, longer_side: int) -> np.ndarray:
    """Return the ink of a page (height × width, uint8) as float32 from 0 to 1, shrunk, without shadows and edges."""
    scale = min(1.0, longer_side / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    if np.median(small) < _DARK_PAGE:
        small = 255 - small  # white on black
    background = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), _BACKGROUND)
    darker = cv2.subtract(background, small)
    return (darker > max(20, int(darker.max()) // 4)).astype(np.float32)


def estimate_skew(grey: np.ndarray) -> float:
    """Return the degrees by which a page must be turned clockwise for its lines to be horizontal; 0 if it is unknown.

    Args:
        grey: pixels of the page, height × width, uint8, upright or upside down.
    """
    ink = ink_of(grey, _COARSE_SIDE)
    if ink.sum() < 200:
        return 0.0
    angles = np.arange(-_SEARCHED, _SEARCHED + _COARSE_STEP / 2, _COARSE_STEP)
    coarse = max(angles, key=lambda angle: (row_contrast(ink, angle), -abs(angle)))
    fine_ink = ink_of(grey, _FINE_SIDE)
    for step, reach in ((_FINE_STEP, _COARSE_STEP), (_FINEST_STEP, _FINE_STEP)):
        near = coarse + np.arange(-reach, reach + step / 2, step)
        coarse = max(near, key=lambda angle: (row_contrast(fine_ink, angle), -abs(angle)))
    best = round(float(coarse), 2)
    if not LEAST_SKEW <= abs(best) <= MAX_SKEW + _COARSE_STEP:
        return 0.0
    return best if row_contrast(fine_ink, best) >= _LEAST_GAIN * row_contrast(fine_ink, 0.0) else 0.0


def row_contrast(ink: np.ndarray, angle: float) -> float:
    """Return how much the rows of a page differ from their neighbours after a turn by ``angle`` degrees clockwise."""
    # A shear moves the ink of each column as the turn would, and keeps the image's size.
    height, width = ink.shape
    slope = np.tan(np.radians(angle))
    matrix = np.array([[1, 0, 0], [slope, 1, -slope * width / 2]], np.float32)
    rows = cv2.warpAffine(ink, matrix, (width, height), flags=cv2.INTER_LINEAR).sum(1)
    return float((np.diff(rows) ** 2).sum())


def turned(pixels: np.ndarray, rotation: int, skew: float) -> np.ndarray:
    """Return a page turned clockwise: by quarters, then by the skew, on a canvas that holds all of it.

    Args:
        pixels: height × width (× 3), uint8.
        rotation: 0, 90, 180 or 270 degrees.
        skew: further degrees.

    Returns:
        The turned page. New corners have the median colour of the page's border.
    """
    pixels = np.ascontiguousarray(np.rot90(pixels, -rotation // 90))
    if not skew:
        return pixels
    matrix, (width, height) = _skew_matrix(pixels.shape[1], pixels.shape[0], skew)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colour = np.atleast_1d(np.median(border, axis=0)).tolist()
    return cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=colour)


def _skew_matrix(width: int, height: int, skew: float) -> tuple[np.ndarray, tuple[int, int]]:
    """Return the matrix of a clockwise turn about the middle, and the size of the page after it."""
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -skew, 1)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = round(width * cosine + height * sine), round(width * sine + height * cosine)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return matrix, size
