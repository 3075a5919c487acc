"""Effects on the sheet: print showing through, stains, holes, staples, highlighter, creases and shading of a curl.

Each effect takes a page (height × width, or × 3 in colour; uint8) and its draw, and returns a new page of its size.
"""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np

from finscribe_assets.rendering.damage.bends import creases_of, curl_of
from finscribe_assets.rendering.damage.draws import PAPER_GREY, Colour, Draw, clouds, dimmed, overlaid


def bleed_through(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Let the back of the sheet show through, mirrored and blurred: bands of the front in another order."""
    random = draw.random
    cuts = np.sort(random.integers(0, page.shape[0], random.integers(3, 8)))
    bands = np.split(cv2.flip(page, 1), cuts)
    back = np.concatenate([bands[index] for index in random.permutation(len(bands))])
    back = cv2.GaussianBlur(back, (0, 0), random.uniform(0.8, 1.6) * draw.dpi / 144)
    share = draw.at(0.06, 0.5) * random.uniform(0.8, 1)
    return cv2.addWeighted(page, 1, back, share, -share * PAPER_GREY)


def coffee_stain(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Leave one or two rings of a cup, and a few drops."""
    stained = draw.coloured(page)
    for _ in range(1 + (draw.random.random() < draw.strength * 0.4)):
        overlaid(stained, _ring(draw), _coffee(draw, round(draw.at(175, 95))), *draw.spot(page.shape))
    for _ in range(draw.random.poisson(2 * draw.strength)):
        radius = draw.pixels(draw.random.uniform(0.6, 3))
        overlaid(stained, _blot(draw, radius), _coffee(draw, round(draw.at(190, 120))), *draw.spot(page.shape))
    return stained


def _coffee(draw: Draw, grey: int) -> Colour:
    """Return coffee as dark as a grey level."""
    return draw.ink(grey, (min(255, grey + 45), grey + 8, max(0, grey - 40)))


def _polar(radius: float, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Return polar coordinates from a circle's centre of the pixels of a square around it.

    Args:
        radius: of the circle, in pixels.
        margin: pixels between the circle and the square's sides.

    Returns:
        Distance in pixels (float32) and angle in whole degrees (int16), each height × width.
    """
    reach = math.ceil(radius + margin)
    axis = np.arange(-reach, reach + 1, dtype=np.float32)
    distance, angle = cv2.cartToPolar(*np.meshgrid(axis, axis), angleInDegrees=True)
    return distance, angle.astype(np.int16)


def _wobble(draw: Draw, angle: np.ndarray, waves: int) -> np.ndarray:
    """Draw a smooth random function of an angle (whole degrees), roughly from -1 to 1, as a sum of sine waves."""
    steps = np.radians(np.arange(361))
    total = sum(
        draw.random.normal() / number * np.cos(number * steps + draw.random.uniform(0, 6.3))
        for number in range(1, waves + 1)
    )
    return np.asarray(total, np.float32)[angle]


def _ring(draw: Draw) -> np.ndarray:
    """Draw the mask of a cup's ring: dark and sharp outside, with a thin film inside."""
    random = draw.random
    radius, width = draw.pixels(random.uniform(28, 42)), draw.pixels(random.uniform(1.0, 2.4))
    distance, angle = _polar(radius, 4 * width)
    depth = (distance - radius - _wobble(draw, angle, 5) * width * 0.25) / width  # 0 on the dark outer edge
    edge = np.exp(np.minimum(1.3 * depth, -7 * depth))  # sharp outside, fading inwards
    wet = np.clip(0.55 + 0.5 * _wobble(draw, angle, 4), 0.05, 1)
    film = 0.1 * (depth < 0)
    ring = (np.minimum(edge * wet + film, 1) * 255).astype(np.uint8)
    return dimmed(ring, clouds(random, ring.shape, draw.pixels(2.5), 170, 255))


def _blot(draw: Draw, radius: float) -> np.ndarray:
    """Draw the mask of a drop of a radius in pixels, with a dark rim."""
    distance, angle = _polar(radius, radius)
    depth = (distance - radius * (1 + 0.15 * _wobble(draw, angle, 4))) / radius
    inside, outside = 0.45 + 0.55 * np.exp(7 * np.minimum(depth, 0)), np.exp(-25 * np.maximum(depth, 0))
    return (255 * inside * outside).astype(np.uint8)


def punch_holes(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Punch two or four holes near the left edge, possibly through print; they show what lies below the sheet."""
    random = draw.random
    height = page.shape[0]
    punched = page.copy()
    from_edge, radius = draw.pixels(draw.at(9, 21) * random.uniform(0.9, 1.05)), draw.pixels(random.uniform(2.6, 3.2))
    apart, middle = draw.pixels(80), height / 2 + draw.pixels(random.uniform(-6, 6))
    below = int(random.choice((random.integers(20, 80), random.integers(200, 245))))
    tilt = random.uniform(-0.02, 0.02)
    for number in (-0.5, 0.5) if random.random() < 0.75 else (-1.5, -0.5, 0.5, 1.5):
        centre = np.array([from_edge + number * apart * tilt, middle + number * apart])
        _disc(punched, centre, radius * 1.08, 205)  # the rim casts a shadow
        _disc(punched, centre + 0.04 * radius, radius, below)
    return punched


def staple(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Staple the sheet near an upper corner; where the staple was pulled, its two holes and a dent are left."""
    random = draw.random
    stapled = page.copy()
    length, thick = draw.pixels(random.uniform(9, 13)), draw.pixels(random.uniform(0.45, 0.7))
    near = draw.pixels(random.uniform(6, 14)), draw.pixels(random.uniform(6, 14))
    is_left = random.random() < 0.8
    centre = np.array([near[0] if is_left else page.shape[1] - near[0], near[1]])
    turn = np.radians(random.choice((0, 90, 45 if is_left else -45)) + random.uniform(-12, 12))
    half = np.array([np.cos(turn), -np.sin(turn)]) * length / 2
    ends = [centre - half, centre + half]
    is_pulled = random.random() < 0.4
    shadow = round(draw.at(225, 185))
    for shift, grey, width in ((0.5 * thick, shadow, 1.6 * thick), *(() if is_pulled else ((0, 95, thick),))):
        start, end = (tuple(np.rint((point + shift) * 16).astype(int).tolist()) for point in ends)
        cv2.line(stapled, start, end, (grey, grey, grey), max(1, round(width)), cv2.LINE_AA, 4)
    if not is_pulled:  # light on the wire
        start, end = (tuple(np.rint((point - 0.2 * thick) * 16).astype(int).tolist()) for point in ends)
        cv2.line(stapled, start, end, (205, 205, 205), max(1, round(0.3 * thick)), cv2.LINE_AA, 4)
    for point in ends:
        _disc(stapled, point, thick * random.uniform(0.6, 0.9), round(draw.at(120, 60)))
    return stapled


def _disc(page: np.ndarray, centre: np.ndarray, radius: float, grey: int) -> None:
    """Draw a disc on the page in place, to a sixteenth of a pixel."""
    x, y = (round(16 * float(coordinate)) for coordinate in centre)
    cv2.circle(page, (x, y), round(16 * radius), (grey, grey, grey), cv2.FILLED, cv2.LINE_AA, 4)


_MARKERS = ((255, 242, 40), (120, 245, 90), (255, 130, 190), (255, 175, 60), (110, 205, 255))
_MARKER_SHARES = (0.6, 0.12, 0.12, 0.08, 0.08)


def highlighter(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Draw strokes of a highlighter over some values."""
    random = draw.random
    marked = draw.coloured(page)
    pen = _MARKERS[random.choice(len(_MARKERS), p=_MARKER_SHARES)]
    for _ in range(1 + random.poisson(3 * draw.strength)):
        if draw.values:
            box = draw.values[random.integers(len(draw.values))]
            x, y, length, thickness = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, box.width, box.height
        else:
            (x, y), length, thickness = draw.spot(page.shape), draw.pixels(40), draw.pixels(4)
        thickness = max(thickness * random.uniform(0.9, 1.25), draw.pixels(3))
        length = length * random.uniform(0.9, 1.05) + thickness * 0.6
        ink = _marker(draw, round(length), round(thickness))
        grey, depth = round(draw.at(222, 105) * random.uniform(0.9, 1.05)), draw.at(0.45, 1) * random.uniform(0.9, 1)
        red, green, blue = (round(255 - depth * (255 - level)) for level in pen)
        overlaid(marked, ink, draw.ink(grey, (red, green, blue)), x, y)
    return marked


def _marker(draw: Draw, length: int, thickness: int) -> np.ndarray:
    """Draw the mask of one stroke, with slanted ends and darker rims; length and thickness are in pixels."""
    random = draw.random
    mask = np.zeros((thickness * 2, length + thickness * 2), np.uint8)
    slant, rise = random.uniform(0.1, 0.4) * thickness, random.uniform(-0.15, 0.15) * thickness
    steps = np.linspace(0, 1, 12)
    rims = [thickness * share + rise * (2 * steps - 1) + random.normal(0, 0.02 * thickness, 12) for share in (0.5, 1.5)]
    x = thickness + length * steps
    stroke = np.concatenate([np.column_stack([x + slant, rims[0]]), np.column_stack([x - slant, rims[1]])[::-1]])
    cv2.fillPoly(mask, [np.rint(stroke * 16).astype(np.int32)], 200, cv2.LINE_AA, 4)
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8))
    mask = cv2.addWeighted(mask, 1.2, inner, -0.2, 0)
    return dimmed(mask, clouds(random, mask.shape, thickness * 0.8, 215, 255))


def creases(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Shade the panels of a folded sheet, and flake off print along its creases."""
    height, width = page.shape[:2]
    lines = creases_of(draw, (height, width))
    random = draw.random
    light = np.full(height, 1.0)
    rows = np.arange(height)
    for start, end in pairwise([0, *lines.astype(int), height]):
        from_, to = random.permutation([0.2, 1])
        light[start:end] -= draw.at(0.02, 0.16) * random.uniform(0, 1) * np.linspace(from_, to, end - start)
    for line in lines:
        # One side of a crease is lit and the other is in shade.
        depth = (rows - line) / draw.pixels(random.uniform(0.8, 2.5))
        light -= draw.at(0.05, 0.35) * np.exp(-np.abs(depth)) * (depth > 0)
        light += draw.at(0.0, 0.05) * np.exp(-np.abs(depth)) * (depth <= 0)
    column = np.clip(light * 255, 0, 255).astype(np.uint8)[:, None]
    folded = dimmed(page, cv2.repeat(column, 1, width))
    for line in lines:  # toner flakes off
        top, reach = round(line), max(1, round(draw.pixels(draw.at(0.15, 0.9))))
        band = folded[max(0, top - reach) : top + reach + 1]
        flaked = clouds(random, band.shape[:2], draw.pixels(0.35), 0, 255)
        flat = np.abs(np.linspace(-1, 1, band.shape[0]))[:, None]
        band[flaked > 255 * (0.42 + 0.5 * flat)] = round(230 * random.uniform(0.95, 1.05))
    return folded


def curl_shading(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Shade curled paper by its slope."""
    height, width = page.shape[:2]
    curl = curl_of(draw, (height, width))
    slope = np.gradient(curl.profile(np.arange(width, dtype=np.float64))) * width / 3.5
    light = 1 - draw.at(0.03, 0.4) * np.abs(slope) * (0.7 + 0.3 * np.sign(slope))
    row = np.clip(light * 255, 0, 255).astype(np.uint8)[None]
    return dimmed(page, cv2.repeat(row, height, 1))
