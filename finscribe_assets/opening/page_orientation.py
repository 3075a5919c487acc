"""Find out which way up a page is, by reading a few of its lines in each direction with an independent OCR engine.

A line that is read the wrong way round gives few characters, and those with little confidence; but columns of figures,
read sideways, give sure digits. So only words speak for a turn: a page is turned where several lines in another
direction are surely words, with far more text than the page gives as it is. Otherwise it stays: a page that was turned
by mistake costs more than one that was not turned. Pages in scripts that the engine does not read are not turned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from finscribe_assets.opening.page_skew import estimate_skew, ink_of, turned

LineScorer = Callable[[Sequence[np.ndarray]], list[tuple[str, float]]]
"""Reads images of lines (height × width, uint8): the text of each, and the mean confidence of its characters."""

LEAST_SIDE = 200  # pixels; a smaller image has no lines to compare

_SIDE, _LINES = 1400, 6  # pixels of the longer side in which lines are sought; lines that are read
_GAP = 0.012  # of the page's longer side: the widest gap that is closed within a line
_LONGEST = 12  # times a line's height; a longer line is cut
_HEIGHTS = 7, 70  # pixels of a line
_SURE_CONFIDENCE, _SURE_CHARACTERS, _SURE_LETTERS = 0.9, 7, 3  # of a line of words; the characters are different ones
_LEAST_LINES = 3  # lines of words, for a direction to be the right one
# Times the text of the page as it is. Upside down, a third to a half of a line's characters are still read.
_BETTER = {90: 2.5, 180: 1.6, 270: 2.5}


def find_rotation(grey: np.ndarray, read_lines: LineScorer) -> tuple[int, float]:
    """Return by how many degrees a page must be turned clockwise: 0, 90, 180 or 270, and then its skew.

    Args:
        grey: pixels of the page, height × width, uint8.
        read_lines: an OCR engine.
    """
    if min(grey.shape) < LEAST_SIDE:
        return 0, 0.0
    found: dict[int, float] = {}
    skews: dict[int, float] = {}
    as_it_is = 0.0
    for quarter in (0, 90):
        page = turned(grey, quarter, 0)
        skews[quarter] = skews[quarter + 180] = estimate_skew(page)
        lines = _lines_of(turned(page, 0, skews[quarter]))
        for rotation in (quarter, quarter + 180):
            read = read_lines(lines)
            words = [(text, confidence) for text, confidence in read if _is_words(text, confidence)]
            if rotation == 0:
                as_it_is = _evidence(read)  # of all that is read, as against the words of other directions
                if len(words) >= _LEAST_LINES:
                    return 0, skews[0]
            elif len(words) >= _LEAST_LINES:
                found[rotation] = _evidence(words)
            lines = [np.ascontiguousarray(line[::-1, ::-1]) for line in lines]
    best = max(found, key=lambda rotation: (found[rotation], -rotation), default=0)
    if best and found[best] >= _BETTER[best] * as_it_is:
        return best, skews[best]
    return 0, skews[0]


def _evidence(read: Sequence[tuple[str, float]]) -> float:
    # Squared, as wrong directions give many characters of low confidence.
    return sum(len(text.replace(" ", "")) * confidence**2 for text, confidence in read)


def _is_words(text: str, confidence: float) -> bool:
    # Columns of figures, read sideways, give sure digits, and rows of dots sure letters, but few different ones.
    characters = set(text) - {" "}
    letters = sum(character.isalpha() for character in text)
    return confidence >= _SURE_CONFIDENCE and len(characters) >= _SURE_CHARACTERS and letters >= _SURE_LETTERS


def _lines_of(grey: np.ndarray) -> list[np.ndarray]:
    """Return images of a few long printed lines of a page with horizontal lines."""
    ink = ink_of(grey, _SIDE)
    scale = ink.shape[1] / grey.shape[1]
    gap = max(3, round(_GAP * max(ink.shape)))
    joined = cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, gap), np.uint8))
    _, _, boxes, _ = cv2.connectedComponentsWithStats(joined)  # x, y, width, height, area
    found = [
        (min(width / height, float(_LONGEST)), x, y, width, height)
        for x, y, width, height, area in boxes[1:].tolist()
        if _HEIGHTS[0] <= height <= _HEIGHTS[1] and width >= 3 * height and area >= 0.25 * width * height
    ]
    chosen = sorted(found, key=lambda line: (-line[0], line[2], line[1]))[:_LINES]
    images = []
    for _, x, y, width, height in chosen:
        margin = 0.15 * height
        top, bottom = max(0, round((y - margin) / scale)), round((y + height + margin) / scale)
        # The time that reading takes grows with the length.
        end = x + min(width, _LONGEST * height) + margin
        left, right = max(0, round((x - margin) / scale)), round(end / scale)
        images.append(np.ascontiguousarray(grey[top:bottom, left:right]))
    return images
