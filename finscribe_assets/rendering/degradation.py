"""Damage to a page's pixels: skew, blur, noise and JPEG. Boxes follow the pixels; strength 0 touches nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from finscribe_assets.rendering.pages import Box, Mark

MAX_SKEW_DEGREES = 0.5
MAX_BLUR_SIGMA = 1.0
MAX_NOISE = 14.0  # standard deviation in grey levels
PAPER = 255


def encode(pixels: np.ndarray, strength: float) -> bytes:
    """Return a grey page (height × width, uint8) as a file: PNG when untouched, JPEG when damaged."""
    if strength == 0:
        ok, file = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 2])
    else:
        ok, file = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, round(92 - 45 * strength)])
    if not ok:
        raise ValueError(f"the page of {pixels.shape} pixels could not be encoded")
    return file.tobytes()


def degrade(
    pages: list[np.ndarray], marks: list[Mark], strength: float, seed: int
) -> tuple[list[np.ndarray], list[Mark]]:
    """Damage pages (height × width, uint8) with a strength from 0 to 1, as a function of the seed; move marks along."""
    if strength == 0:
        return pages, marks
    random = np.random.default_rng(seed)
    matrices, damaged = [], []
    for page in pages:
        height, width = page.shape
        angle = random.uniform(-1, 1) * MAX_SKEW_DEGREES * strength
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
        turned = cv2.warpAffine(page, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=PAPER)
        sigma = random.uniform(0.3, 1) * MAX_BLUR_SIGMA * strength
        if sigma > 0.15:
            turned = cv2.GaussianBlur(turned, (0, 0), sigma)
        noise = _noise(random, page.shape, MAX_NOISE * strength)
        damaged.append(np.clip(turned.astype(np.int16) + noise, 0, 255).astype(np.uint8))
        matrices.append(matrix)
    moved = [replace(mark, fragments=tuple(replace(part, box=_moved(part.box, matrices[part.page]))
                                           for part in mark.fragments)) for mark in marks]  # fmt: skip
    return damaged, moved


def _noise(random: np.random.Generator, shape: tuple[int, ...], deviation: float) -> np.ndarray:
    """Return noise tiled from one drawn tile at a random offset: drawing it for every pixel would cost the most."""
    tile = (random.standard_normal((512, 512), dtype=np.float32) * deviation).astype(np.int16)
    repeats = [math.ceil(side / 512) + 1 for side in shape]
    offset = random.integers(0, 512, 2)
    return np.tile(tile, repeats)[offset[0] : offset[0] + shape[0], offset[1] : offset[1] + shape[1]]


def _moved(box: Box, matrix: np.ndarray) -> Box:
    corners = np.array([[box.x0, box.y0, 1], [box.x1, box.y0, 1], [box.x0, box.y1, 1], [box.x1, box.y1, 1]]) @ matrix.T
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return Box(float(x0), float(y0), float(x1), float(y1))
