"""Effects of printing: fading thermal print, dot-matrix print and fax.

Each effect takes a page (height × width, or × 3 in colour; uint8) and its draw, and returns a new page of its size.
These devices print in black, so the print itself becomes grey.
"""

from __future__ import annotations

import cv2
import numpy as np

from finscribe_assets.rendering.damage.draws import Draw, between_colours, clouds, dimmed, faded, grain
from finscribe_assets.rendering.page_colours import to_grey

# Thresholds of ordered dithering (Bayer matrix, 4 × 4), in grey levels.
BAYER_MATRIX = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) * 16 + 8).astype(np.int16)

_THERMAL_PAPERS = ((0, 4, 24), (0, 0, 0), (4, 2, 10), (10, 4, 0))  # levels by which each channel is darker
_THERMAL_PRINTS = ((20, 20, 22), (30, 30, 70), (52, 34, 74), (45, 40, 38))


def thermal_fade(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Fade print in patches, fade the columns of dead heating elements, and darken the paper."""
    random = draw.random
    page = to_grey(page)
    height, width = page.shape
    middle, spread = draw.at(250, 85), draw.at(5, 60)
    kept = clouds(random, page.shape, draw.pixels(random.uniform(15, 40)), middle - spread, middle + spread)
    columns = np.full((1, width), 255, np.uint8)
    for x in random.integers(0, width, random.poisson(draw.at(0, 5))):
        columns[:, x : x + int(random.integers(1, 3))] = random.integers(0, 120)
    kept = dimmed(kept, cv2.repeat(columns, height, 1))
    paper = 255 - draw.at(0, 1) * random.uniform(5, 35)
    fading = faded(page, kept)
    if not draw.in_colour:
        return cv2.convertScaleAbs(fading, alpha=paper / 255)
    # Old thermal paper is yellow or grey, and its print black, blue or violet.
    sheet = paper - np.array(random.choice(_THERMAL_PAPERS)) * draw.at(0.3, 1)
    print_ = np.array(random.choice(_THERMAL_PRINTS))
    return between_colours(fading, print_, sheet)


def dot_matrix(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Print in dots with gaps between them; the ribbon wears off from line to line, and a needle may be broken."""
    random = draw.random
    page = to_grey(page)
    height = page.shape[0]
    pitch = draw.dpi / 72 * random.uniform(1.15, 1.45)
    gap = draw.at(1, 0.25)  # share of the ink that is left between two dots
    phases = random.uniform(0, 2 * np.pi, 2)
    # Dots lie where the crests of a horizontal and a vertical wave meet; they are wider than the gaps.
    waves = [
        np.clip(0.65 + 0.6 * np.cos(2 * np.pi * np.arange(side) / pitch + phase), 0, 1)
        for side, phase in zip(page.shape, phases, strict=True)
    ]
    rows, columns = (255 * (gap + (1 - gap) * wave) for wave in waves)
    line = round(draw.dpi / 6)  # height of a printed line, 1/6 inch
    ribbon = np.repeat(random.uniform(1 - draw.at(0, 0.45), 1, height // line + 2), line)
    start = int(random.integers(0, line))
    rows *= ribbon[start : start + height]
    if random.random() < draw.strength * 0.6:
        needle = int(random.integers(0, line))
        broken = (np.arange(height) + needle) % line < round(pitch * 0.7)
        rows[broken] = np.minimum(rows[broken], draw.at(160, 20))
    dots = np.minimum.outer(rows.astype(np.uint8), columns.astype(np.uint8))
    steps = np.clip((np.arange(256) - 90.0) * 2.2, 0, 255)  # of pixels partly covered by ink, only dark ones get a dot
    crisp = cv2.LUT(page, np.rint(steps + (np.arange(256) - steps) * (1 - draw.strength)).astype(np.uint8))
    return faded(crisp, dots)


def fax(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Fax the page: few scan lines, black and white with dithered greys, faulty lines and specks."""
    random = draw.random
    page = to_grey(page)
    height, width = page.shape
    # 196 lines per inch are the fine resolution of fax machines, 98 the standard one (ITU-T T.4).
    lines = min(height, round(height * draw.at(196, 98) / draw.dpi))
    sent = cv2.resize(page, (width, lines), interpolation=cv2.INTER_AREA)
    sent = cv2.addWeighted(sent, 1, grain(random, sent.shape), 0.3, -0.3 * 128)
    # Fax machines dither weakly, so that letters stay whole.
    level = random.uniform(105, 150)
    steps = np.clip(level + (BAYER_MATRIX - 128) * draw.at(0.2, 0.55), 1, 254).astype(np.uint8)
    limits = np.tile(steps, (lines // 4 + 1, width // 4 + 1))[:lines, :width]
    sent = cv2.compare(sent, limits, cv2.CMP_GT)
    specks = round(lines * width * draw.at(0, 4e-4))
    sent[random.integers(0, lines, specks), random.integers(0, width, specks)] = 0
    for y in random.integers(0, lines, random.poisson(draw.at(0, 9))):
        if random.random() < 0.5:  # a line is repeated over the next ones, or partly lost
            sent[y : y + int(random.integers(2, 4))] = sent[y]
        else:
            x = int(random.integers(0, width))
            sent[y, x : x + int(random.integers(width // 8, width))] = random.choice((0, 255))
    return cv2.resize(sent, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
