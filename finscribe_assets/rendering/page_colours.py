"""Colours of page images: the one place that turns a page to grey, and that decides whether a page has colours.

A page's pixels are grey (height × width, uint8) or colours (height × width × 3, uint8, in the order red, green, blue).
A page without colours is grey throughout: in memory, in its file and in the exports.
"""

from __future__ import annotations

import re

import cv2
import numpy as np

GREY_MODES = ("1", "L", "LA", "I;16", "I", "F")  # Pillow's modes without colours

_HEX_COLOUR = re.compile(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")


def to_grey(pixels: np.ndarray) -> np.ndarray:
    """Return a page in grey (ITU-R BT.601); a grey page is returned as it is."""
    return pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)


def to_colour(pixels: np.ndarray) -> np.ndarray:
    """Return a page in colour; a coloured page is returned as it is."""
    return pixels if pixels.ndim == 3 else cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)


def without_empty_colour(pixels: np.ndarray) -> np.ndarray:
    """Return a page in grey if all its pixels are grey, and as it is otherwise."""
    if pixels.ndim == 3 and (pixels[..., :1] == pixels[..., 1:]).all():
        return np.ascontiguousarray(pixels[..., 0])
    return pixels


def names_colour(html: str) -> bool:
    """Return whether HTML names a colour, as #rrggbb or #rgb, that is not a grey.

    A page whose HTML names none is rasterised in grey, which takes half the time. A text such as "#12ab34" only costs
    that time.
    """
    return any(not _is_grey(colour) for colour in set(_HEX_COLOUR.findall(html)))


def _is_grey(colour: str) -> bool:
    """Return whether the hexadecimal digits of a colour give all three channels the same level."""
    digits = len(colour) // 3
    return colour == colour[:digits] * 3
