"""The printed lines of a region of a page, found in its pixels alone: a table's or a block's, each to be read alone.

What belongs here: from a region's crop to strips, one a printed line, top to bottom. Pretraining cuts its lines with it
and inference is to do the same, so that a model reads what it has learnt to read. It knows nothing of cells or texts.

The region is turned upright by the angle at which its ink falls into the fewest rows: where the sum of the projection
profile's squares is greatest. Ink is what differs from the median of its row of pixels, so that a dark head, a shaded
row or a rule across is ground like any other. What is left of rules is taken out, and the rest falls into runs of inked
rows: the lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from PIL import Image

STEEPEST = 2.0  # degrees by which a page may lie askew
COARSE, FINE = 0.2, 0.04  # degrees between the angles that are tried
FAINTEST = 18.0  # grey levels that ink differs from its ground by, at the least
CONTRAST = 0.3  # share of the strongest contrast that is still ink
LONGEST_STROKE = 40  # pixels: longer strokes are rules
DASH = 7  # pixels between the dashes of a rule, at the most
DOWN = 0.9  # share of the height that a rule of dashes goes over
THICKEST = 5  # pixels of a rule across
STROKE = 4  # pixels: what of print is no higher tells no line, as hyphens, and what is left where rules cross
SPECKS = 2  # inked pixels of a row that are no print
SLIVER = 0.4  # runs lower than this share of the usual are accents and dots, or what is left of rules
CLIPPED = 0.7  # the same of runs at the region's edge, which may be ends of letters outside it
NEAR = 0.3  # of the usual height: how near an accent stands to its line
DOUBLE = 1.6  # runs higher than so many usual ones are several lines that touch
AROUND = 0.25  # of the usual height that a strip shows above and below its line, if there is room

Run = tuple[int, int]
"""First row of pixels, and the one after the last."""


@dataclass(frozen=True)
class PrintedLines:
    """A region turned upright, and the lines on it."""

    pixels: np.ndarray  # height × width, uint8
    ink: np.ndarray  # the same, 0 or 1; without rules
    angle: float  # degrees that it was turned by
    strips: tuple[Run, ...]  # rows of pixels of each line with some room around, top to bottom, none in two

    def images(self) -> list[Image.Image]:
        """Return the strips, as wide as the region."""
        return [Image.fromarray(self.pixels[top:bottom]) for top, bottom in self.strips]

    def upright(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the region as it was lies now."""
        matrix = _turn(self.pixels.shape, self.angle)
        return float(matrix[0] @ (x, y, 1)), float(matrix[1] @ (x, y, 1))


def find_lines(region: Image.Image) -> PrintedLines:
    """Find the printed lines of a region; a blank one has none."""
    pixels = np.asarray(region.convert("L"))
    angle = _askew(_ink(pixels))
    if angle:
        height, width = pixels.shape
        pixels = cv2.warpAffine(
            pixels, _turn(pixels.shape, angle), (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    ink = _without_rules(_ink(pixels).astype(np.uint8))
    return PrintedLines(pixels, ink, angle, _strips(_runs(_opened(ink, STROKE, 1).sum(axis=1)), len(pixels)))


def _turn(shape: tuple[int, ...], angle: float) -> np.ndarray:
    height, width = shape
    return cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)


def _ink(pixels: np.ndarray) -> np.ndarray:
    ground = np.median(pixels, axis=1, keepdims=True)
    contrast = np.abs(cv2.GaussianBlur(pixels, (3, 3), 0) - ground)
    found: np.ndarray = contrast > max(FAINTEST, CONTRAST * float(np.quantile(contrast, 0.995)))
    return found


def _askew(ink: np.ndarray) -> float:
    """Return the angle in degrees to turn a region by, 0 where it is upright."""
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

    coarse = best(np.arange(-STEEPEST, STEEPEST + COARSE / 2, COARSE))
    fine = best(coarse + np.arange(-COARSE, COARSE + FINE / 2, FINE))
    # Turning smears, so it has to be worth it: a row of pixels and more from one side to the other.
    return fine if abs(np.tan(np.radians(fine))) * ink.shape[1] > 2 and energy(fine) > 1.02 * energy(0.0) else 0.0


def _without_rules(ink: np.ndarray) -> np.ndarray:
    # Dashes are one stroke once gaps are closed. Letters touch as well, but their strokes are higher than a rule.
    across = _opened(ink, 1, LONGEST_STROKE) | _opened(_closed(ink, 1, DASH), 1, 5 * LONGEST_STROKE)
    across &= ~_opened(ink, THICKEST + 1, 1)
    upright = cv2.dilate(_opened(ink, LONGEST_STROKE, 1), np.ones((1, 5), np.uint8))
    left: np.ndarray = ink & ~(across | upright)
    if len(ink) > 2 * LONGEST_STROKE:
        left[:, _closed(ink, DASH, 1).mean(axis=0) > DOWN] = 0
    return left


def _opened(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    found: np.ndarray = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((height, width), np.uint8))
    return found


def _closed(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    found: np.ndarray = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((height, width), np.uint8))
    return found


def _stretches(inside: np.ndarray) -> list[Run]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside, [0]]).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _runs(profile: np.ndarray) -> list[Run]:
    """Return the lines as runs of inked rows, from the number of inked pixels of each row."""
    runs = _stretches(profile > SPECKS)
    if not runs:
        return []
    # Half of all inked rows are in runs at least so high: specks and slivers have little say.
    heights = np.sort([bottom - top for top, bottom in runs])
    usual = float(heights[np.searchsorted(heights.cumsum(), heights.sum() / 2)])
    parts = [part for run in runs for part in _parted(profile, run, usual)]
    return [
        (top, bottom)
        for top, bottom in _joined(parts, usual)
        if bottom - top >= (CLIPPED if top == 0 or bottom == len(profile) else SLIVER) * usual
    ]


def _parted(profile: np.ndarray, run: Run, usual: float) -> list[Run]:
    """Return a run, or the lines of one that is too high for one line, cut where there is least ink."""
    top, bottom = run
    if bottom - top <= DOUBLE * usual:
        return [run]
    room = max(1, round(0.6 * usual))
    inner = profile[top + room : bottom - room]
    if not len(inner):
        return [run]
    at = top + room + int(np.argmin(inner))
    around = min(profile[top:at].max(), profile[at:bottom].max())
    if profile[at] > 0.5 * around:
        return [run]
    return [*_parted(profile, (top, at), usual), *_parted(profile, (at, bottom), usual)]


def _joined(runs: Sequence[Run], usual: float) -> list[Run]:
    """Return runs with accents and dots joined to the line that they are nearest to."""
    joined = list(runs)
    for number in range(len(joined) - 1, -1, -1):
        top, bottom = joined[number]
        if bottom - top >= SLIVER * usual:
            continue
        gaps = {}
        if number > 0:
            gaps[number - 1] = top - joined[number - 1][1]
        if number + 1 < len(joined):
            gaps[number + 1] = joined[number + 1][0] - bottom
        if gaps and min(gaps.values()) <= NEAR * usual:
            other = min(gaps, key=gaps.__getitem__)
            joined[other] = (min(top, joined[other][0]), max(bottom, joined[other][1]))
            del joined[number]
    return joined


def _strips(runs: Sequence[Run], height: int) -> tuple[Run, ...]:
    """Return lines with room around them: a share of the usual height, but no more than half way to the next."""
    if not runs:
        return ()
    room = round(AROUND * float(np.median([bottom - top for top, bottom in runs])))
    ends = [0, *((above[1] + below[0] + 1) // 2 for above, below in pairwise(runs)), height]
    return tuple(
        (max(top - room, first), min(bottom + room, last))
        for (top, bottom), (first, last) in zip(runs, pairwise(ends), strict=True)
    )
