"""Determine which values can still be read, by comparing the damaged page with the clean one window by window.

The clean page is bent like the damaged one, so that both show the same letters at the same positions. In each window of
about a letter's size, the damaged page is modelled as the clean print times a gain, plus something else: noise, blur or
ink on top. The correlation of the two windows measures how much of the picture is the print; the gain measures how much
contrast the print has kept.

A window that has lost its print loses the value, unless it hides a few letters of a longer word, which people supply: a
punched hole through a name. Digits, codes, and letters of scripts without capitals cannot be supplied.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from finscribe_assets.rendering.pages import Box

LINE_INCHES = 1 / 6  # height of a line of text; taller boxes hold several lines
WINDOW_SHARE = 0.8  # width of a window as a share of the line's height
# Windows count if their clean contrast is at least this share of the box's greatest; others are gaps and rules.
INKED_CONTRAST_SHARE = 0.4
# Thresholds of readable text, calibrated by eye and with an OCR engine on some thousand damaged values.
MIN_WORST_CORRELATION = 0.4  # in the worst window; below it a letter is lost, as under a punched hole
MIN_MEAN_CORRELATION = 0.6  # over all windows; below it the text is so blurred, noisy or faded that no letter is sure
MIN_PRINT_CONTRAST = 25  # grey levels between print and paper in the faintest window
MAX_HIDDEN_LETTERS = 4  # of one word; windows overlap, so that they count about a letter too many on either side
MIN_LEFT_SHARE = 0.6  # of the letters of a word that has lost some
MIN_GREY_SPAN = 48  # grey levels between the darkest and the lightest pixel; page_checks requires 40


@dataclass(frozen=True)
class Legibility:
    """What damage has left of the print in boxes, one number for each box; boxes without print count as intact."""

    worst: np.ndarray  # correlation in the worst window, without windows whose letters can be supplied
    mean: np.ndarray  # mean correlation of these windows
    contrast: np.ndarray  # grey levels between print and paper in the faintest of them
    span: np.ndarray  # grey levels between the darkest and the lightest pixel

    @property
    def readable(self) -> np.ndarray:
        """Return for each box whether its text can be read (n, bool)."""
        return (
            (self.worst >= MIN_WORST_CORRELATION)
            & (self.mean >= MIN_MEAN_CORRELATION)
            & (self.contrast >= MIN_PRINT_CONTRAST)
            & (self.span >= MIN_GREY_SPAN)
        )


def legibility_of(
    clean: np.ndarray, picture: np.ndarray, boxes: Sequence[Box], dpi: int, texts: Sequence[str] = ()
) -> Legibility:
    """Measure what a picture shows of the print of a clean page.

    Args:
        clean: the clean page, bent like the picture: height × width, uint8.
        picture: the damaged page, of the same shape.
        boxes: at least one box with text, in pixels.
        dpi: resolution of the page.
        texts: what is printed in each box; without it no letter can be supplied.
    """
    sides = _pixels(boxes, clean.shape)
    # Integral images take most of the time, so they are made only of the columns and rows that have boxes.
    left, right = sides[:, 2].min(), sides[:, 3].max()
    rows = np.zeros(len(clean) + 1, dtype=bool)
    for y0, y1 in sides[:, :2].tolist():
        rows[y0:y1] = True
    row_index = np.cumsum(rows) - rows  # of each row of the page among the rows that are kept
    clean, picture = (pixels[rows[:-1], left:right] for pixels in (clean, picture))
    sides = np.column_stack([row_index[sides[:, :2]], sides[:, 2:] - left])
    span_before, span = _spans(clean, sides), _spans(picture, sides)
    owner, windows = _windows(sides, dpi)
    of_clean, of_picture, shared = _variances(clean, picture, windows)
    firsts = np.flatnonzero(np.diff(owner, prepend=-1))
    greatest = np.maximum(np.maximum.reduceat(of_clean, firsts), 1.0)
    inked = of_clean > INKED_CONTRAST_SHARE**2 * greatest[owner]
    printed = np.where(inked, of_clean, 1.0)
    correlation = np.where(inked, shared / np.sqrt(printed * np.maximum(of_picture, 1.0)), 1.0)
    contrast = np.where(inked, shared / printed * span_before[owner], 255.0)
    lost = inked & ((correlation < MIN_WORST_CORRELATION) | (contrast < MIN_PRINT_CONTRAST))
    supplied = _supplied(lost, owner, windows, sides, texts)
    inked, correlation = inked & ~supplied, np.where(supplied, 1.0, correlation)
    contrast = np.where(supplied, 255.0, contrast)
    count = np.add.reduceat(inked, firsts, dtype=int)
    total = np.add.reduceat(np.where(inked, correlation, 0.0), firsts)
    return Legibility(
        np.minimum.reduceat(correlation, firsts),
        np.where(count > 0, total / np.maximum(count, 1), 1.0),
        np.minimum.reduceat(contrast, firsts),
        np.where(count > 0, span, 255),
    )


def _supplied(
    lost: np.ndarray, owner: np.ndarray, windows: np.ndarray, sides: np.ndarray, texts: Sequence[str]
) -> np.ndarray:
    """Return which of the lost windows hide nothing but letters that people supply (windows, bool)."""
    supplied = np.zeros(len(lost), dtype=bool)
    for box in np.unique(owner[lost]) if texts else ():
        y0, y1, x0, x1 = sides[box]
        of_box = np.flatnonzero(lost & (owner == box))
        hidden_windows = windows[of_box]
        is_one_line = bool((hidden_windows[:, 1] - hidden_windows[:, 0] == y1 - y0).all())
        shares = (hidden_windows[:, 2:] - x0) / (x1 - x0)
        supplied[of_box] = is_one_line and can_be_supplied(texts[box], shares)
    return supplied


def can_be_supplied(text: str, hidden: np.ndarray) -> bool:
    """Return whether people read a text although parts of it are hidden.

    Args:
        text: the text of one line.
        hidden: start and end of each hidden part as shares of the line's width (n × 2). Letters differ in width, so the
            neighbours of hidden characters may not be digits either.
    """
    starts = np.floor(hidden[:, 0] * len(text)).astype(int)
    ends = np.ceil(hidden[:, 1] * len(text)).astype(int)
    covered = np.zeros(len(text), dtype=bool)
    for start, end in zip(starts, ends, strict=True):
        if any(character.isdigit() for character in text[max(0, start - 1) : end + 1]):
            return False
        covered[start:end] = True
    for word in re.finditer(r"\S+", text):
        of_word = covered[word.start() : word.end()]
        is_word = any(map(str.islower, word[0])) and not any(map(str.isdigit, word[0]))  # "XISS8B" is a code
        gone = int(of_word.sum())
        if gone and (not is_word or gone > MAX_HIDDEN_LETTERS or 1 - gone / len(word[0]) < MIN_LEFT_SHARE):
            return False
    return True


def _pixels(boxes: Sequence[Box], shape: tuple[int, ...]) -> np.ndarray:
    """Return y0, y1, x0, x1 (n × 4) of the pixels that boxes touch, at least one pixel for each box."""
    height, width = shape
    y0, x0 = (np.floor([getattr(box, side) for box in boxes]) for side in ("y0", "x0"))
    y1, x1 = (np.ceil([getattr(box, side) for box in boxes]) for side in ("y1", "x1"))
    y0, x0 = np.clip(y0, 0, height - 1), np.clip(x0, 0, width - 1)
    return np.column_stack([y0, np.clip(y1, y0 + 1, height), x0, np.clip(x1, x0 + 1, width)]).astype(int)


def _spans(pixels: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Return the difference in grey levels of the lightest and the darkest pixel of each box (n × 4)."""
    ends = [cv2.minMaxLoc(pixels[y0:y1, x0:x1]) for y0, y1, x0, x1 in sides.tolist()]
    return np.array([lightest - darkest for darkest, lightest, _, _ in ends])


def _windows(sides: np.ndarray, dpi: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide boxes (n × 4) into lines, and lines into windows that overlap by half.

    Returns:
        For each window the index of its box, in rising order; and its y0, y1, x0, x1 (windows × 4).
    """
    heights = sides[:, 1] - sides[:, 0]
    lines = np.maximum(1, np.rint(heights / (LINE_INCHES * dpi) - 0.25).astype(int))
    of_line, line = _numbered(lines)
    y0 = sides[of_line, 0] + heights[of_line] * line // lines[of_line]
    y1 = sides[of_line, 0] + heights[of_line] * (line + 1) // lines[of_line]
    widths = sides[of_line, 3] - sides[of_line, 2]
    wide = np.minimum(widths, np.maximum(4, np.rint((y1 - y0) * WINDOW_SHARE).astype(int)))
    steps = np.maximum(1, np.rint(2 * (widths - wide) / wide).astype(int))
    of_window, number = _numbered(steps + 1)
    x0 = sides[of_line[of_window], 2] + (widths - wide)[of_window] * number // steps[of_window]
    return of_line[of_window], np.column_stack([y0[of_window], y1[of_window], x0, x0 + wide[of_window]])


def _numbered(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each of all items the index of its owner and its number among the owner's items, from 0.

    ``counts`` has the number of items of each owner.
    """
    owners = np.repeat(np.arange(len(counts)), counts)
    return owners, np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)


def _variances(
    clean: np.ndarray, picture: np.ndarray, windows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the variances of two pages and their covariance in each window (n × 4), from integral images.

    The covariance follows from the squared difference: ab = (a² + b² - (a - b)²) / 2.
    """
    y0, y1, x0, x1 = windows.T
    area = (y1 - y0) * (x1 - x0)

    def mean(integral: np.ndarray) -> np.ndarray:
        return (integral[y1, x1] - integral[y0, x1] - integral[y1, x0] + integral[y0, x0]) / area

    (mean_clean, clean_square), (mean_picture, picture_square), (_, difference_square) = (
        tuple(map(mean, cv2.integral2(pixels))) for pixels in (clean, picture, cv2.absdiff(clean, picture))
    )
    product = (clean_square + picture_square - difference_square) / 2
    return clean_square - mean_clean**2, picture_square - mean_picture**2, product - mean_clean * mean_picture
