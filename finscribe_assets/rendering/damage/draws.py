"""What an effect is drawn from: its strength and its own random numbers; and the random fields that several share."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np

from finscribe_assets.documents.drawn_document import Presentation
from finscribe_assets.rendering.pages import Box

PAPER = 255
LIGHT_MIX = "degradation"  # the effect that is always there: a little of skew, blur, noise and JPEG damage
TILE = (2048, 1536)  # rows × columns of the noise that is drawn once; larger than most pages
TILE_DEVIATION = 32  # grey levels


def strengths_of(look: Presentation) -> dict[str, float]:
    """Return the strength of every effect that a document's pages suffer; empty when they are to stay as they are."""
    strengths = {LIGHT_MIX: look.degradation, **look.damage}
    return {name: strength for name, strength in strengths.items() if strength > 0}


@dataclass(frozen=True)
class Draw:
    """One effect on one page. Two draws of the same effect and page give the same numbers, whatever else is drawn."""

    effect: str
    page: int  # from 0
    look: Presentation
    dpi: int
    values: tuple[Box, ...] = ()  # where the page's values are printed, before its shape changes

    @property
    def strength(self) -> float:
        """Return the effect's strength, from 0 to 1."""
        return strengths_of(self.look).get(self.effect, 0.0)

    @cached_property
    def random(self) -> np.random.Generator:
        """Return the effect's own random numbers."""
        # Python's hash of a text differs between processes.
        return np.random.default_rng([self.look.noise_seed, self.page, zlib.crc32(self.effect.encode())])

    def at(self, weakest: float, strongest: float) -> float:
        """Return what lies between two values where the strength lies between 0 and 1."""
        return weakest + (strongest - weakest) * self.strength

    def pixels(self, millimetres: float) -> float:
        """Return a length on the paper in pixels."""
        return millimetres / 25.4 * self.dpi

    def spot(self, shape: tuple[int, ...]) -> tuple[float, float]:
        """Return the x and y of a place on a page (height × width): on one of its values, if it has any."""
        if self.values:
            box = self.values[self.random.integers(len(self.values))]
            return self.random.uniform(box.x0, box.x1), self.random.uniform(box.y0, box.y1)
        height, width = shape
        return self.random.uniform(0.15, 0.85) * width, self.random.uniform(0.15, 0.85) * height


def clouds(random: np.random.Generator, shape: tuple[int, ...], cell: float, low: float, high: float) -> np.ndarray:
    """Return a smooth field (height × width, uint8) from low to high that changes over about ``cell`` pixels."""
    height, width = shape
    grid = random.uniform(low, high, (math.ceil(height / cell) + 3, math.ceil(width / cell) + 3))
    return cv2.resize(np.clip(grid, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


def grain(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return noise (height × width, uint8) around 128, TILE_DEVIATION wide: a piece of one tile, drawn once."""
    tile = _tile()
    height, width = shape
    if height > tile.shape[0] or width > tile.shape[1]:
        tile = np.tile(tile, [math.ceil(side / whole) for side, whole in zip(shape, tile.shape, strict=True)])
    y, x = (int(random.integers(0, whole - side + 1)) for side, whole in zip(shape, tile.shape, strict=True))
    piece = tile[y : y + height, x : x + width]
    # Few places are left for a page nearly as large as the tile, so it is turned over as well.
    return piece[:: random.choice((-1, 1)), :: random.choice((-1, 1))]


@lru_cache(maxsize=1)
def _tile() -> np.ndarray:
    drawn = np.random.default_rng(0).standard_normal(TILE, dtype=np.float32)
    return np.clip(drawn * TILE_DEVIATION + 128, 0, 255).astype(np.uint8)


def with_grain(page: np.ndarray, random: np.random.Generator, deviation: float) -> np.ndarray:
    """Return a page with noise of a standard deviation in grey levels."""
    share = deviation / TILE_DEVIATION
    return cv2.addWeighted(page, 1, np.ascontiguousarray(grain(random, page.shape)), share, -128 * share)


def dimmed(page: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Return a page on which falls what a field of the same size says: 255 all light, 0 none."""
    return cv2.multiply(page, light, scale=1 / 255)


def faded(page: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return a page with what a field of the same size leaves of its ink: 255 all, 0 none."""
    return cv2.bitwise_not(cv2.multiply(cv2.bitwise_not(page), left, scale=1 / 255))


def overlaid(page: np.ndarray, mask: np.ndarray, grey: int, x: float, y: float) -> None:
    """Lay ink of a grey level on the page, in place, where a mask (0 none, 255 opaque) centred at x, y has it.

    Ink darkens what it covers; what of the mask lies outside the page is lost.
    """
    top, left = round(y - mask.shape[0] / 2), round(x - mask.shape[1] / 2)
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(page.shape[0], top + mask.shape[0]), min(page.shape[1], left + mask.shape[1])
    if y0 < y1 and x0 < x1:
        inked = mask[y0 - top : y1 - top, x0 - left : x1 - left]
        left_over = cv2.convertScaleAbs(inked, alpha=-(1 - grey / 255), beta=255)
        page[y0:y1, x0:x1] = dimmed(page[y0:y1, x0:x1], left_over)
