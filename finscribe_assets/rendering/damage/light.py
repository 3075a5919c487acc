"""Effects of light: shadows, uneven light, and the surroundings of a sheet that does not fill the picture.

Each effect takes a page (height × width, or × 3 in colour; uint8) and its draw, and returns a new page of its size.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import cv2
import numpy as np

from finscribe_assets.rendering.damage.draws import Draw, between_colours, clouds, dimmed
from finscribe_assets.rendering.page_colours import to_colour

LIGHT_GRID = 16  # page pixels for each pixel of a field of light, which changes slowly


def _coarse(page: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the x and y of a coarse grid over the page, each from 0 to 1."""
    height, width = (side // LIGHT_GRID + 2 for side in page.shape[:2])
    x, y = np.meshgrid(np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32))
    return x, y


def _lit(page: np.ndarray, light: np.ndarray, tint: np.ndarray | None = None) -> np.ndarray:
    """Return the page under a coarse field of light, from 0 (none) to 1 (all).

    ``tint`` is the colour of the light: the share of each channel, which makes a grey page coloured; white by default.
    """
    light = light if tint is None else np.asarray(light[..., None] * tint)
    size = page.shape[1::-1]
    fine = cv2.resize(np.clip(light * 255, 0, 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    return dimmed(page, fine)


def shadow(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Cast the shadow of a hand, a telephone or an edge on the page."""
    random = draw.random
    x, y = _coarse(page)
    angle = random.uniform(0, 2 * np.pi)
    along = (x - random.uniform(0.25, 0.75)) * np.cos(angle) + (y - random.uniform(0.25, 0.75)) * np.sin(angle)
    across = (y - 0.5) * np.cos(angle) - (x - 0.5) * np.sin(angle)
    # The edge of the object is curved, and the light comes back over the width of the penumbra.
    depth = along + random.uniform(-0.9, 0.9) * (across - random.uniform(-0.3, 0.3)) ** 2
    penumbra = random.uniform(0.015, 0.12)
    dark = 1 / (1 + np.exp(np.clip(-depth / penumbra, -30, 30)))
    return _lit(page, 1 - dark * draw.at(0.1, 0.72) * random.uniform(0.85, 1))


def uneven_light(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Make the light fall off from one side and towards the corners."""
    random = draw.random
    x, y = _coarse(page)
    angle = random.uniform(0, 2 * np.pi)
    slope = 0.5 + ((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)) / 1.42
    lamp_x, lamp_y = random.uniform(0.3, 0.7, 2)
    corners = ((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / 0.6
    patches = clouds(random, x.shape, 20, 0, 255) / 255
    lost = draw.at(0.1, 0.75) * (0.6 * slope**1.5 + 0.3 * corners + 0.15 * patches)
    return _lit(page, 1 - lost)


def photo_light(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Light a photograph by a lamp on one side."""
    random = draw.random
    x, y = _coarse(page)
    angle = random.uniform(0, 2 * np.pi)
    slope = 0.5 + ((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)) / 1.42
    light = random.uniform(0.86, 0.98) - draw.at(0.1, 0.4) * slope
    # From the yellow of a bulb to the blue of a window; cameras correct most of it.
    warmth = random.normal(0, 0.05) * draw.at(0.6, 1.4)
    tint = 1 + np.array([min(warmth, 0.0), -abs(warmth) * 0.3, -max(warmth, 0.0) * 1.6])
    return _lit(page, light, tint if draw.in_colour else None)


Outlines = Sequence[np.ndarray]  # of the sheets in a picture, which do not overlap; each points × 2, in pixels


def on_lid(page: np.ndarray, outlines: Outlines, draw: Draw) -> np.ndarray:
    """Return the page with the lid of a scanner outside the sheets, and the thin shadows of their edges on it."""
    random = draw.random
    level, width = random.uniform(225, 254), draw.pixels(random.uniform(0.4, 1.2))
    lid = np.full(page.shape[:2], round(level), np.uint8)
    offset = width * np.array([random.uniform(-0.5, 0.5), random.uniform(0.2, 0.8)])  # the lamp is on one side
    moved = [np.rint(outline + offset).astype(np.int32) for outline in outlines]
    cv2.polylines(lid, moved, isClosed=True, color=round(level * random.uniform(0.6, 0.85)), thickness=round(width) + 1)
    lid = cv2.GaussianBlur(lid, (0, 0), max(0.4, width / 3))
    return _around(page, outlines, lid if page.ndim == 2 else to_colour(lid))


def on_grey(page: np.ndarray, outlines: Outlines, draw: Draw) -> np.ndarray:
    """Return the page with plain grey outside the sheets."""
    return _around(page, outlines, np.full_like(page, round(draw.random.uniform(150, 225))))


def on_desk(page: np.ndarray, outlines: Outlines, draw: Draw) -> np.ndarray:
    """Return the page with a desk and the shadows of the sheets outside them."""
    random = draw.random
    shape = page.shape[:2]
    middle, spread = random.uniform(90, 185), random.uniform(6, 22)
    is_wood = random.random() < 0.6
    if is_wood:  # with a grain far longer than wide
        length, width = draw.pixels(60), draw.pixels(random.uniform(0.5, 1.5))
        short = (max(8, round(shape[0] / length * width)), shape[1])  # stretched to the page's height afterwards
        desk = cv2.resize(clouds(random, short, width, middle - spread, middle + spread), shape[::-1])
        desk = desk if random.random() < 0.5 else cv2.resize(cv2.transpose(desk), shape[::-1])
    else:  # a tabletop or a cloth
        desk = clouds(random, shape, draw.pixels(random.uniform(0.4, 25)), middle - spread, middle + spread)
    sheet = np.zeros([side // LIGHT_GRID + 1 for side in shape], np.uint8)
    offset = random.uniform(-0.8, 0.8, 2)
    cv2.fillPoly(sheet, [np.rint(outline / LIGHT_GRID + offset).astype(np.int32) for outline in outlines], 255)
    cast = cv2.GaussianBlur(sheet, (0, 0), draw.pixels(random.uniform(3, 6)) / LIGHT_GRID)
    desk = dimmed(desk, cv2.resize(cv2.convertScaleAbs(cast, alpha=-0.55, beta=255), shape[::-1]))
    if draw.in_colour:
        light = _WOODS[random.integers(len(_WOODS))] if is_wood else _tabletop(random)
        desk = between_colours(desk, np.array(light) * 0.05, np.array(light) * 1.25)
        page = to_colour(page)
    return _around(page, outlines, desk)


_WOODS = ((196, 154, 108), (160, 110, 70), (222, 184, 135), (120, 78, 50), (205, 170, 125), (170, 140, 110))


def _tabletop(random: np.random.Generator) -> tuple[int, int, int]:
    """Draw the colour of a tabletop or a cloth: of any hue, mostly pale."""
    red, green, blue = colorsys.hsv_to_rgb(random.uniform(), random.choice((0.06, 0.15, 0.35, 0.7)), 0.82)
    return round(red * 255), round(green * 255), round(blue * 255)


def _around(page: np.ndarray, outlines: Outlines, surroundings: np.ndarray) -> np.ndarray:
    """Return the page inside the sheets and the surroundings outside them."""
    sheet = np.zeros(page.shape[:2], np.uint8)
    cv2.fillPoly(sheet, [np.rint(outline).astype(np.int32) for outline in outlines], 255)
    return cv2.copyTo(page, sheet, surroundings)
