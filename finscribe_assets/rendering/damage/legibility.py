"""Which values can still be read: the damaged page is compared with the clean one, window by window.

The clean page has been bent like the damaged one, so that both show the same letters in the same places. In each window
of about a letter's size, what is seen is the clean print times a gain, plus something else: noise, blur, ink that lies
over it. The correlation of the two tells how much of what is seen is the print, the gain how strong it is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from finscribe_assets.rendering.pages import Box

LINE = 1 / 6  # inch: higher boxes are several lines
WINDOW = 0.8  # width of a window as a share of the line's height
INKED = 0.4  # a window counts if its clean contrast is this share of its box's greatest; others are gaps and rules
# Calibrated by eye and with an OCR engine on some thousand damaged values.
WORST = 0.4  # correlation in the worst window: less is a lost letter, as below a hole
MEAN = 0.6  # mean correlation: less is a blurred, noisy or faded value of which no letter is sure
CONTRAST = 25  # grey levels between print and paper that are left in the faintest window
SPAN = 48  # grey levels between the darkest and the lightest pixel; checks of stored pages want 40


@dataclass(frozen=True)
class Legibility:
    """What is left of the print in boxes; arrays of one number a box. A box without print has lost nothing."""

    worst: np.ndarray  # correlation of the worst window
    mean: np.ndarray  # correlation, mean of its windows
    contrast: np.ndarray  # grey levels between print and paper that are left in the faintest window
    span: np.ndarray  # grey levels between the darkest and the lightest pixel

    @property
    def readable(self) -> np.ndarray:
        """Tell for each box whether it can be read."""
        return (self.worst >= WORST) & (self.mean >= MEAN) & (self.contrast >= CONTRAST) & (self.span >= SPAN)


def legibility_of(clean: np.ndarray, picture: np.ndarray, boxes: Sequence[Box], dpi: int) -> Legibility:
    """Measure what a picture (height × width, uint8) shows of the print in boxes of a clean page as large."""
    sides = _pixels(boxes, clean.shape)
    # Integral images cost the most, so they are made of no more of the page than there are boxes.
    (y0, _, x0, _), (_, y1, _, x1) = sides.min(axis=0), sides.max(axis=0)
    clean, picture, sides = clean[y0:y1, x0:x1], picture[y0:y1, x0:x1], sides - (y0, y0, x0, x0)
    span_before, span = _spans(clean, sides), _spans(picture, sides)
    owner, windows = _windows(sides, dpi)
    of_clean, of_picture, shared = _variances(clean, picture, windows)
    firsts = np.flatnonzero(np.diff(owner, prepend=-1))
    greatest = np.maximum(np.maximum.reduceat(of_clean, firsts), 1.0)
    counts = of_clean > INKED**2 * greatest[owner]
    printed = np.where(counts, of_clean, 1.0)
    correlation = np.where(counts, shared / np.sqrt(printed * np.maximum(of_picture, 1.0)), 1.0)
    contrast = np.where(counts, shared / printed * span_before[owner], 255.0)
    how_many = np.add.reduceat(counts, firsts, dtype=int)
    total = np.add.reduceat(np.where(counts, correlation, 0.0), firsts)
    return Legibility(
        np.minimum.reduceat(correlation, firsts),
        np.where(how_many > 0, total / np.maximum(how_many, 1), 1.0),
        np.minimum.reduceat(contrast, firsts),
        np.where(how_many > 0, span, 255),
    )


def _pixels(boxes: Sequence[Box], shape: tuple[int, ...]) -> np.ndarray:
    """Return y0, y1, x0, x1 (n × 4) of the pixels that boxes touch, at least one each."""
    height, width = shape
    y0, x0 = (np.floor([getattr(box, side) for box in boxes]) for side in ("y0", "x0"))
    y1, x1 = (np.ceil([getattr(box, side) for box in boxes]) for side in ("y1", "x1"))
    y0, x0 = np.clip(y0, 0, height - 1), np.clip(x0, 0, width - 1)
    return np.column_stack([y0, np.clip(y1, y0 + 1, height), x0, np.clip(x1, x0 + 1, width)]).astype(int)


def _spans(pixels: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Return the grey levels between the darkest and the lightest pixel within sides (n × 4)."""
    ends = [cv2.minMaxLoc(pixels[y0:y1, x0:x1]) for y0, y1, x0, x1 in sides.tolist()]
    return np.array([lightest - darkest for darkest, lightest, _, _ in ends])


def _windows(sides: np.ndarray, dpi: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide boxes (n × 4) into lines and lines into windows that overlap by half.

    Returns whose each window is, in order, and its y0, y1, x0, x1 (windows × 4).
    """
    heights = sides[:, 1] - sides[:, 0]
    lines = np.maximum(1, np.rint(heights / (LINE * dpi) - 0.25).astype(int))
    of_line, line = _numbered(lines)
    y0 = sides[of_line, 0] + heights[of_line] * line // lines[of_line]
    y1 = sides[of_line, 0] + heights[of_line] * (line + 1) // lines[of_line]
    widths = sides[of_line, 3] - sides[of_line, 2]
    wide = np.minimum(widths, np.maximum(4, np.rint((y1 - y0) * WINDOW).astype(int)))
    steps = np.maximum(1, np.rint(2 * (widths - wide) / wide).astype(int))
    of_window, number = _numbered(steps + 1)
    x0 = sides[of_line[of_window], 2] + (widths - wide)[of_window] * number // steps[of_window]
    return of_line[of_window], np.column_stack([y0[of_window], y1[of_window], x0, x0 + wide[of_window]])


def _numbered(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the owners of as many things as each has, and the number of each thing among its owner's, from 0."""
    owners = np.repeat(np.arange(len(counts)), counts)
    return owners, np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)


def _variances(
    clean: np.ndarray, picture: np.ndarray, windows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the variances of two pages and their covariance in windows (n × 4), from integral images."""
    y0, y1, x0, x1 = windows.T
    area = (y1 - y0) * (x1 - x0)

    def mean(integral: np.ndarray) -> np.ndarray:
        return (integral[y1, x1] - integral[y0, x1] - integral[y1, x0] + integral[y0, x0]) / area

    (one, one_square), (other, other_square), (_, difference) = (
        tuple(map(mean, cv2.integral2(pixels))) for pixels in (clean, picture, cv2.absdiff(clean, picture))
    )
    product = (one_square + other_square - difference) / 2
    return one_square - one**2, other_square - other**2, product - one * other
