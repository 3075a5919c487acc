"""Digits as people write them: the curves of a pen. No handwriting font is needed for them, and none would vary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_Points = tuple[tuple[float, float], ...]

# Points that the pen passes: x to the right, y down; a digit's height is 1, and its width too.
_CURVES: dict[str, tuple[_Points, ...]] = {
    "0": (((0.55, 0), (0.12, 0.3), (0.12, 0.75), (0.5, 1), (0.9, 0.7), (0.85, 0.25), (0.5, 0.02), (0.3, 0.08)),),
    "1": (((0.2, 0.32), (0.55, 0), (0.53, 0.5), (0.48, 1)),),
    "2": (((0.12, 0.25), (0.45, 0), (0.85, 0.25), (0.5, 0.65), (0.05, 1), (0.4, 0.92), (0.95, 0.98)),),
    "3": (((0.12, 0.12), (0.6, 0), (0.8, 0.25), (0.4, 0.45), (0.85, 0.7), (0.5, 1), (0.05, 0.88)),),
    "4": (((0.6, 0), (0.3, 0.35), (0.08, 0.62), (0.5, 0.63), (0.95, 0.58)), ((0.72, 0.3), (0.68, 0.65), (0.64, 1.05))),
    "5": (((0.25, 0.05), (0.18, 0.45), (0.6, 0.4), (0.9, 0.7), (0.5, 1), (0.05, 0.9)), ((0.24, 0.06), (0.9, 0))),
    "6": (((0.75, 0), (0.25, 0.4), (0.12, 0.8), (0.5, 1), (0.85, 0.78), (0.55, 0.52), (0.18, 0.75)),),
    "7": (((0.05, 0.08), (0.5, 0.03), (0.92, 0.03), (0.55, 0.5), (0.38, 1)), ((0.3, 0.5), (0.78, 0.46))),
    "8": (
        (
            (0.75, 0.15),
            (0.45, 0),
            (0.2, 0.2),
            (0.5, 0.45),
            (0.8, 0.75),
            (0.5, 1),
            (0.15, 0.8),
            (0.45, 0.5),
            (0.8, 0.2),
            (0.68, 0.06),
        ),
    ),
    "9": (((0.82, 0.22), (0.45, 0.5), (0.15, 0.25), (0.5, 0), (0.83, 0.18), (0.78, 0.6), (0.6, 1)),),
    ",": (((0.42, 0.92), (0.46, 1.02), (0.25, 1.22)),),
    ".": (((0.4, 0.95), (0.46, 1.0), (0.4, 1.02)),),
    "-": (((0.1, 0.56), (0.45, 0.53), (0.85, 0.52)),),
    "/": (((0.85, -0.05), (0.5, 0.5), (0.12, 1.1)),),
    "'": (((0.5, -0.08), (0.47, 0.03), (0.4, 0.14)),),
}
_WIDTHS = {"1": 0.55, ",": 0.4, ".": 0.4, "'": 0.4, " ": 0.45, "/": 0.7}  # of all others: 0.78
WRITABLE = frozenset((*_CURVES, " "))
"""The characters that there are curves for."""


def hand_lines(text: str, height: float, random: np.random.Generator) -> list[np.ndarray]:
    """Return the points (n × 2: x, y; pixels) that the pen passes while it writes a text; each array is one stroke.

    Args:
        text: of the characters in WRITABLE.
        height: of a digit in pixels.
        random: draws the slant and the unevenness of the hand.

    Raises:
        KeyError: the text has another character.
    """
    slant, drift = random.uniform(0.05, 0.35), random.normal(0, 0.02)
    lines, x = [], 0.0
    for character in text:
        width = _WIDTHS.get(character, 0.78) * random.uniform(0.9, 1.1)
        tall = random.uniform(0.88, 1.12)
        for curve in _strokes_of(character, random):
            points = np.array(curve) + random.normal(0, 0.025, (len(curve), 2))
            points[:, 0] = x + points[:, 0] * 0.62 + slant * (1 - points[:, 1])
            points[:, 1] = 1 + (points[:, 1] - 1) * tall + drift * x + random.normal(0, 0.01)
            lines.append(points * height)
        x += width
    return lines


def _strokes_of(character: str, random: np.random.Generator) -> Sequence[_Points]:
    if character == " ":
        return ()
    curves = _CURVES[character]
    # Not everybody crosses a seven.
    return curves[:1] if character == "7" and random.random() < 0.5 else curves
