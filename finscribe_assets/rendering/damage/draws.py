"""The strength and the random numbers of an effect, and the random fields and blending that effects share."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np

from finscribe_assets.documents.drawn_document import Colours, Presentation
from finscribe_assets.documents.mail_room_knobs import NEIGHBOUR_KNOB
from finscribe_assets.rendering.page_colours import to_colour
from finscribe_assets.rendering.pages import Box

PAPER_GREY = 255  # level of clean paper in every channel
PAPER_COLOUR = (PAPER_GREY,) * 4  # for images of up to four channels
TONE = "tone"  # the levels of paper and ink, which are no knob
LIGHT_MIX = "degradation"  # the knob of slight skew, blur, noise and JPEG compression together
GRAIN_TILE_SIZE = (2048, 1536)  # height, width in pixels of the noise that is drawn once; larger than most pages
GRAIN_DEVIATION = 32  # standard deviation of that noise, in grey levels


def strengths_of(look: Presentation) -> dict[str, float]:
    """Return the strengths (0 to 1) of a document's effects by name, without those of strength 0."""
    has_tone = (look.ink_level, look.paper_level, look.paper_warmth) != (0, PAPER_GREY, 0)
    beside = float(look.neighbour is not None)
    strengths = {LIGHT_MIX: look.degradation, **look.damage, TONE: float(has_tone), NEIGHBOUR_KNOB: beside}
    return {name: strength for name, strength in strengths.items() if strength > 0}


Colour = tuple[int, int, int]  # red, green, blue; each 0 to 255


@dataclass(frozen=True)
class Draw:
    """One effect on one page: two draws of it give the same random numbers, whatever other effects there are."""

    effect: str
    page: int  # index, from 0
    look: Presentation
    dpi: int
    values: tuple[Box, ...] = ()  # boxes of the page's values before its shape changes, in pixels

    @property
    def strength(self) -> float:
        """Return the effect's strength, from 0 to 1."""
        return strengths_of(self.look).get(self.effect, 0.0)

    @cached_property
    def random(self) -> np.random.Generator:
        """Return the generator of the effect's own random numbers."""
        # Not Python's hash of a string, which differs between processes.
        return np.random.default_rng([self.look.noise_seed, self.page, zlib.crc32(self.effect.encode())])

    @property
    def in_colour(self) -> bool:
        """Return whether the page's picture may have colours; otherwise every effect is grey."""
        return self.look.colours is not Colours.GREY

    def coloured(self, page: np.ndarray) -> np.ndarray:
        """Return a copy of a page that can take coloured ink, or a grey copy if its picture is grey."""
        return to_colour(page) if self.in_colour and page.ndim == 2 else page.copy()

    def ink(self, grey: int, colour: Colour) -> Colour:
        """Return the colour of an ink, or its grey level in every channel if the page's picture is grey."""
        return colour if self.in_colour else (grey, grey, grey)

    def at(self, weakest: float, strongest: float) -> float:
        """Interpolate between two values by the strength: ``weakest`` at 0, ``strongest`` at 1."""
        return weakest + (strongest - weakest) * self.strength

    def pixels(self, millimetres: float) -> float:
        """Convert a length on the paper to pixels."""
        return millimetres / 25.4 * self.dpi

    def spot(self, shape: tuple[int, ...]) -> tuple[float, float]:
        """Draw a point (x, y in pixels) on a page of a shape (height, width): on one of its values, if it has any."""
        if self.values:
            box = self.values[self.random.integers(len(self.values))]
            return self.random.uniform(box.x0, box.x1), self.random.uniform(box.y0, box.y1)
        height, width = shape[:2]
        return self.random.uniform(0.15, 0.85) * width, self.random.uniform(0.15, 0.85) * height


def clouds(random: np.random.Generator, shape: tuple[int, ...], cell: float, low: float, high: float) -> np.ndarray:
    """Draw a smooth random field (value noise).

    Args:
        random: generator of the random numbers.
        shape: height and width of the field in pixels.
        cell: distance in pixels over which the field changes.
        low: smallest grey level; clipped to 0 to 255.
        high: largest grey level.

    Returns:
        The field, height × width, uint8.
    """
    height, width = shape[:2]
    grid = random.uniform(low, high, (math.ceil(height / cell) + 3, math.ceil(width / cell) + 3))
    return cv2.resize(np.clip(grid, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


def grain(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw scanner noise with mean 128 and standard deviation GRAIN_DEVIATION, in grey or in colour as the shape says.

    It is a random piece of one tile of noise that is made once, because drawing noise for each page is slow.
    """
    (height, width), tile = shape[:2], _tile(in_colour=len(shape) == 3)
    repeats = [math.ceil(side / of_tile) for side, of_tile in zip((height, width), GRAIN_TILE_SIZE, strict=True)]
    if max(repeats) > 1:
        tile = np.tile(tile, (*repeats, 1)[: tile.ndim])
    y, x = (int(random.integers(0, tile.shape[axis] - shape[axis] + 1)) for axis in (0, 1))
    piece = tile[y : y + height, x : x + width]
    # A page nearly as large as the tile leaves few positions, so the piece is flipped at random as well.
    return cv2.flip(piece, int(random.integers(-1, 2))) if random.random() < 0.75 else np.ascontiguousarray(piece)


@lru_cache(maxsize=2)
def _tile(*, in_colour: bool) -> np.ndarray:
    """Return the tile: neighbouring pixels are correlated, as a sensor's are once its picture has been resampled.

    Noise is finer in brightness than in colour, since cameras and JPEG store colours at half the resolution.
    """
    random = np.random.default_rng(0)

    def noise(sigma: float) -> np.ndarray:
        """Return white noise blurred by a sigma in pixels, with standard deviation 1."""
        field = cv2.GaussianBlur(random.standard_normal(GRAIN_TILE_SIZE, dtype=np.float32), (0, 0), sigma)
        return np.asarray(field / field.std(), np.float32)

    brightness = 0.94 * noise(0.6) + 0.34 * noise(1.5)
    if in_colour:
        brightness = cv2.merge([0.9 * brightness + 0.44 * noise(1.6) for _ in range(3)])
    return np.clip(brightness * GRAIN_DEVIATION + 128, 0, 255).astype(np.uint8)


def with_grain(page: np.ndarray, random: np.random.Generator, deviation: float, *, darker: float = 0.0) -> np.ndarray:
    """Return the page with added noise.

    Args:
        page: the page.
        random: generator of the random numbers.
        deviation: standard deviation of the noise, in levels of each channel.
        darker: levels by which the page becomes darker: on pure white, half of the noise would be lost, and the other
            half look like specks.
    """
    share = deviation / GRAIN_DEVIATION
    return cv2.addWeighted(page, 1, grain(random, page.shape), share, -128 * share - darker)


def dimmed(page: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Multiply a page by a field of light of the same size: 255 leaves it as it is, 0 makes it black.

    Coloured light makes a grey page coloured.
    """
    if page.ndim != light.ndim:
        page, light = to_colour(page), to_colour(light)
    return cv2.multiply(page, light, scale=1 / 255)


def between_colours(page: np.ndarray, dark: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Return a grey page in colours: ``dark`` for black, ``light`` for white, and blends of both between."""
    steps = np.linspace(dark, light, 256)
    table = np.clip(steps, 0, 255).astype(np.uint8)[:, None]
    return cv2.applyColorMap(page, table)


def faded(page: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Fade the ink of a page by a field of the same size: 255 leaves all of it, 0 none."""
    return cv2.bitwise_not(dimmed(cv2.bitwise_not(page), kept))


def overlaid(page: np.ndarray, mask: np.ndarray, ink: Colour, x: float, y: float) -> None:
    """Lay ink on a page in place: it darkens what it covers.

    Args:
        page: the page, height × width, or × 3 in colour; uint8; changed in place.
        mask: coverage of the ink, uint8: 0 none, 255 opaque. Parts outside the page are lost.
        ink: colour of opaque ink on white paper; a grey page takes its first channel.
        x: horizontal centre of the mask on the page, in pixels.
        y: vertical centre.
    """
    top, left = round(y - mask.shape[0] / 2), round(x - mask.shape[1] / 2)
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(page.shape[0], top + mask.shape[0]), min(page.shape[1], left + mask.shape[1])
    if y0 < y1 and x0 < x1:
        inked = mask[y0 - top : y1 - top, x0 - left : x1 - left]
        channels = [cv2.convertScaleAbs(inked, alpha=-(1 - level / 255), beta=255) for level in ink[: page[0, 0].size]]
        light = channels[0] if page.ndim == 2 else cv2.merge(channels)
        page[y0:y1, x0:x1] = dimmed(page[y0:y1, x0:x1], light)
