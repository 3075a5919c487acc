"""Fit the box of a printed line to its ink: where its words begin and end, and where its typeface's line box is.

A line finder's boxes exceed the print, by as much as the print itself where it is a single digit. What belongs here:
from the pixels of a line and its text to the edges of its words. Where the pixels do not fit the text, nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_MIN_CONTRAST = 20.0  # grey levels between ink and paper
_CONTRAST_SHARE = 0.35  # of the strongest contrast: weaker pixels are not ink
_RULE = 0.95  # share of a row or column of pixels that a rule inks
_SEARCH = 1.5  # line heights around its expected place in which the gap between two words is looked for
_MIN_GAP = 0.08  # line heights between two words, at least
_DESCENDERS = frozenset("gjpqy,;()[]{}|/QçşŞµ§@$")
_LOW = frozenset("acemnorsuvwxzgpqy.,:;-–_+=~*·")  # characters without anything above the height of an x
# Of common typefaces, in ems: heights above the baseline and depths below it.
_CAPITALS, _SMALL, _DEPTH = 0.72, 0.53, 0.21
_ASCENT, _DESCENT = 0.95, 0.24  # of the line box


@dataclass(frozen=True)
class LineInk:
    """Where the print of a line is, in pixels of the page.

    Attributes:
        words: left and right edge of each word.
        top: of the line box of the typeface, as an HTML engine lays it out.
        bottom: of the same.
    """

    words: tuple[tuple[float, float], ...]
    top: float
    bottom: float


def find_ink(pixels: np.ndarray, text: str, shares: Sequence[float], left: float, top: float) -> LineInk | None:
    """Find the ink of a line.

    Args:
        pixels: of the line's box, (height, width), uint8, grey.
        text: of the line.
        shares: for each space between two words, how much of the text's width is to its left, from 0 to 1.
        left: of the box on the page, in pixels.
        top: of the box on the page, in pixels.

    Returns:
        The edges; None if there is no ink, or if it has no gap where one between words is expected.
    """
    ink = _ink(pixels)
    inked: np.ndarray = np.any(ink, axis=0)
    rows, columns = np.flatnonzero(np.any(ink, axis=1)), np.flatnonzero(inked)
    if len(rows) < 3 or not len(columns):
        return None
    first, after = int(columns[0]), int(columns[-1]) + 1
    gaps = _gaps(inked, first, after)
    height = len(pixels)
    words: list[tuple[float, float]] = []
    start = first
    for share in shares:
        expected = first + share * (after - first)
        near = [
            (right - begin - 0.5 * abs((begin + right) / 2 - expected), begin, right)
            for begin, right in gaps
            if begin > start
            and abs((begin + right) / 2 - expected) < _SEARCH * height
            and right - begin >= _MIN_GAP * height
        ]
        if not near:
            return None
        _, begin, right = max(near)
        words.append((left + start, left + begin))
        start = right
    words.append((left + start, left + after))
    ink_top, ink_bottom = top + int(rows[0]), top + int(rows[-1]) + 1
    return LineInk(tuple(words), *_line_box(text, ink_top, ink_bottom))


def _ink(pixels: np.ndarray) -> np.ndarray:
    """Return which pixels are ink, (height, width), without rules across or down."""
    contrast = np.abs(pixels.astype(float) - float(np.median(pixels)))
    ink: np.ndarray = contrast > max(_MIN_CONTRAST, _CONTRAST_SHARE * float(np.quantile(contrast, 0.995)))
    ink[:, ink.mean(axis=0) > _RULE] = False
    ink[ink.mean(axis=1) > _RULE] = False
    return ink


def _gaps(inked: np.ndarray, first: int, after: int) -> list[tuple[int, int]]:
    """Return the runs of columns without ink, each as its first column and the one after it."""
    edges = np.flatnonzero(np.diff(inked[first:after].astype(int))) + first + 1
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _line_box(text: str, top: float, bottom: float) -> tuple[float, float]:
    """Estimate top and bottom of a text's line box from the ink's, by how far its characters reach up and down."""
    above = _SMALL if all(character in _LOW or character.isspace() for character in text) else _CAPITALS
    below = _DEPTH if any(character in _DESCENDERS for character in text) else 0.0
    em = (bottom - top) / (above + below)
    baseline = bottom - below * em
    return baseline - _ASCENT * em, baseline + _DESCENT * em
