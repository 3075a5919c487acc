"""Find the printed lines of a block or a table in the pixels of its crop.

What belongs here: from a region's crop to horizontal strips, one for each printed line, top to bottom. Pretraining and
inference cut regions with it, so that a model reads what it has learnt to read. It knows nothing of cells and texts.

The method:

1. Turn the region upright: choose the angle at which the ink falls into the fewest rows of pixels, that is, with the
   greatest sum of squares of the horizontal projection profile.
2. Ink is what differs from the median of its row of pixels. So a dark table head, a shaded row or a rule across the
   page is background, like white paper.
3. Remove what is left of rules: long strokes across and down.
4. The remaining ink falls into runs of rows, which are split and joined by the usual height of a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from PIL import Image

_MAX_SKEW = 2.0  # degrees
_COARSE_STEP, _FINE_STEP = 0.2, 0.04  # degrees between the angles that are tried
_MIN_CONTRAST = 18.0  # grey levels between ink and its background
_CONTRAST_SHARE = 0.3  # of the strongest contrast: weaker pixels are not ink
_LONGEST_STROKE = 40  # pixels: longer strokes are rules
_DASH_GAP = 7  # pixels between the dashes of a rule, at most
_DASHED_COVERAGE = 0.9  # share of the region's height that a dashed vertical rule covers
_MAX_RULE_THICKNESS = 5  # pixels
_MIN_STROKE_HEIGHT = 4  # pixels: lower ink, such as hyphens and remains of crossing rules, does not make a line
_SPECKS = 2  # inked pixels: a row of pixels with no more of them has no print
_SLIVER = 0.4  # of the usual line height: lower runs are accents, dots or remains of rules
_CLIPPED = 0.7  # the same at the region's edges, where descenders of text outside the region may show
_ACCENT_GAP = 0.3  # of the usual line height: how near an accent is to its line, at most
_TWO_LINES = 1.6  # of the usual line height: higher runs are several lines that touch
_STRIP_MARGIN = 0.25  # of the usual line height, added above and below each line if there is room

RowSpan = tuple[int, int]
"""First row of pixels, and the row after the last."""


@dataclass(frozen=True)
class UprightRegion:
    """A region turned upright, with its printed lines."""

    pixels: np.ndarray  # (height, width), uint8
    ink: np.ndarray  # (height, width), 0 or 1; without rules
    angle: float  # degrees by which the region was turned
    strips: tuple[RowSpan, ...]  # rows of pixels of each line with a margin, top to bottom; they do not overlap

    def images(self) -> list[Image.Image]:
        """Return an image of each strip, as wide as the region."""
        return [Image.fromarray(self.pixels[top:bottom]) for top, bottom in self.strips]

    def to_upright(self, x: float, y: float) -> tuple[float, float]:
        """Convert a point of the original region to the upright one; both in pixels from the top left."""
        matrix = _rotation(self.pixels.shape, self.angle)
        return float(matrix[0] @ (x, y, 1)), float(matrix[1] @ (x, y, 1))


def find_lines(region: Image.Image) -> UprightRegion:
    """Find the printed lines of a region.

    Args:
        region: crop of a block or a table, of any mode; skewed by up to 2 degrees.

    Returns:
        The upright region and its lines; a blank region has none.
    """
    pixels = np.asarray(region.convert("L"))
    angle = _upright_angle(_ink_mask(pixels))
    if angle:
        height, width = pixels.shape
        pixels = cv2.warpAffine(
            pixels,
            _rotation(pixels.shape, angle),
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    ink = _without_rules(_ink_mask(pixels).astype(np.uint8))
    profile = _opened(ink, _MIN_STROKE_HEIGHT, 1).sum(axis=1)  # (height,): inked pixels of each row
    return UprightRegion(pixels, ink, angle, _with_margins(_line_spans(profile), len(pixels)))


def _rotation(shape: tuple[int, ...], angle: float) -> np.ndarray:
    height, width = shape
    return cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)


def _ink_mask(pixels: np.ndarray) -> np.ndarray:
    background = np.median(pixels, axis=1, keepdims=True)
    contrast = np.abs(cv2.GaussianBlur(pixels, (3, 3), 0) - background)
    strongest = float(np.quantile(contrast, 0.995))
    mask: np.ndarray = contrast > max(_MIN_CONTRAST, _CONTRAST_SHARE * strongest)
    return mask


def _upright_angle(ink: np.ndarray) -> float:
    """Return the angle in degrees that turns a region upright; 0 if it is upright, or nearly so."""
    rows, columns = np.nonzero(ink)
    if not len(rows):
        return 0.0
    columns = columns - ink.shape[1] / 2

    def energy(angle: float) -> float:
        turned = np.round(rows - np.tan(np.radians(angle)) * columns).astype(np.int64)
        profile = np.bincount(turned - turned.min()).astype(float)
        return float((profile**2).sum())

    def best(angles: np.ndarray) -> float:
        return max(angles.tolist(), key=energy)

    coarse = best(np.arange(-_MAX_SKEW, _MAX_SKEW + _COARSE_STEP / 2, _COARSE_STEP))
    fine = best(coarse + np.arange(-_COARSE_STEP, _COARSE_STEP + _FINE_STEP / 2, _FINE_STEP))
    # Turning blurs, so it must pay: more than two rows of pixels from one side to the other, and clearly more energy.
    shift = abs(np.tan(np.radians(fine))) * ink.shape[1]
    return fine if shift > 2 and energy(fine) > 1.02 * energy(0.0) else 0.0


def _without_rules(ink: np.ndarray) -> np.ndarray:
    # Closing gaps makes one stroke of dashes. It joins letters as well, but their strokes are higher than a rule.
    across = _opened(ink, 1, _LONGEST_STROKE) | _opened(_closed(ink, 1, _DASH_GAP), 1, 5 * _LONGEST_STROKE)
    across &= ~_opened(ink, _MAX_RULE_THICKNESS + 1, 1)
    down = cv2.dilate(_opened(ink, _LONGEST_STROKE, 1), np.ones((1, 5), np.uint8))
    remaining: np.ndarray = ink & ~(across | down)
    if len(ink) > 2 * _LONGEST_STROKE:
        remaining[:, _closed(ink, _DASH_GAP, 1).mean(axis=0) > _DASHED_COVERAGE] = 0
    return remaining


def _opened(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    opened: np.ndarray = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((height, width), np.uint8))
    return opened


def _closed(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    closed: np.ndarray = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((height, width), np.uint8))
    return closed


def _true_spans(values: np.ndarray) -> list[RowSpan]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], values, [0]]).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _line_spans(profile: np.ndarray) -> list[RowSpan]:
    """Return the rows of pixels of each line.

    Args:
        profile: (height,), number of inked pixels of each row.
    """
    runs = _true_spans(profile > _SPECKS)
    if not runs:
        return []
    # The usual height is the median over inked rows, not over runs: specks and slivers count little.
    heights = np.sort([bottom - top for top, bottom in runs])
    usual = float(heights[np.searchsorted(heights.cumsum(), heights.sum() / 2)])
    single = [part for run in runs for part in _split_lines(profile, run, usual)]
    return [
        (top, bottom)
        for top, bottom in _join_accents(single, usual)
        if bottom - top >= (_CLIPPED if top == 0 or bottom == len(profile) else _SLIVER) * usual
    ]


def _split_lines(profile: np.ndarray, run: RowSpan, usual: float) -> list[RowSpan]:
    """Split a run that is too high for one line where it has least ink; return any other run as it is."""
    top, bottom = run
    if bottom - top <= _TWO_LINES * usual:
        return [run]
    room = max(1, round(0.6 * usual))
    inner = profile[top + room : bottom - room]
    if not len(inner):
        return [run]
    cut = top + room + int(np.argmin(inner))
    around = min(profile[top:cut].max(), profile[cut:bottom].max())
    if profile[cut] > 0.5 * around:
        return [run]
    return [*_split_lines(profile, (top, cut), usual), *_split_lines(profile, (cut, bottom), usual)]


def _join_accents(runs: Sequence[RowSpan], usual: float) -> list[RowSpan]:
    """Join accents and dots to the line that is nearest to them."""
    joined = list(runs)
    for index in range(len(joined) - 1, -1, -1):
        top, bottom = joined[index]
        if bottom - top >= _SLIVER * usual:
            continue
        gaps = {}
        if index > 0:
            gaps[index - 1] = top - joined[index - 1][1]
        if index + 1 < len(joined):
            gaps[index + 1] = joined[index + 1][0] - bottom
        if gaps and min(gaps.values()) <= _ACCENT_GAP * usual:
            nearest = min(gaps, key=gaps.__getitem__)
            joined[nearest] = (min(top, joined[nearest][0]), max(bottom, joined[nearest][1]))
            del joined[index]
    return joined


def _with_margins(lines: Sequence[RowSpan], height: int) -> tuple[RowSpan, ...]:
    """Add a margin above and below each line, at most half the way to the next line."""
    if not lines:
        return ()
    margin = round(_STRIP_MARGIN * float(np.median([bottom - top for top, bottom in lines])))
    limits = [0, *((above[1] + below[0] + 1) // 2 for above, below in pairwise(lines)), height]
    return tuple(
        (max(top - margin, first), min(bottom + margin, last))
        for (top, bottom), (first, last) in zip(lines, pairwise(limits), strict=True)
    )
