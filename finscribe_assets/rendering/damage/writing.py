"""Effects of people: rubber stamps, signatures, notes and approvals by hand, rings of a pen; and watermarks.

Each effect takes a page (height × width, or × 3 in colour; uint8) and its draw, and returns a new page of its size.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from PIL import Image, ImageDraw

from finscribe_assets.rendering.damage.draws import Colour, Draw, clouds, dimmed, overlaid
from finscribe_assets.rendering.damage.hand_digits import hand_lines
from finscribe_assets.rendering.font_faces import face

SPOTS_TRIED = 8  # for an approval
STROKE_OVERSAMPLING = 2  # strokes are drawn this many times larger and then scaled down
HANDWRITING_FONT = "Comic Neue"  # the nearest to handwriting; it has only Latin letters


def stamp(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Stamp the document's stamp text on the page: in a double frame, turned and unevenly inked."""
    random = draw.random
    text = (draw.look.stamp or "OK").upper()
    width = min(draw.pixels(draw.at(34, 62)) * random.uniform(0.85, 1.1), 0.7 * page.shape[1])
    letters = _text(text, draw.look.font, 90, bold=True)
    pad, line = round(random.uniform(22, 34)), 5
    plate = cv2.copyMakeBorder(letters, pad, pad, pad + 12, pad + 12, cv2.BORDER_CONSTANT, value=0)
    height, length = plate.shape
    for inset, thick in ((line, line), (3 * line, 2)):
        cv2.rectangle(plate, (inset, inset), (length - inset - 1, height - inset - 1), 255, thick)
    scale = min(width / length, draw.pixels(22) / height)
    plate = cv2.resize(plate, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    plate = _turned(plate, random.uniform(-28, 28))
    # Patches are faint, where the ink pad was dry or the stamp was not pressed on; specks have no ink at all.
    patches = clouds(random, plate.shape, draw.pixels(9), 60, 300)
    specks = clouds(random, plate.shape, draw.pixels(0.5), 120, 290)
    plate = dimmed(plate, dimmed(patches, specks))
    stamped = draw.coloured(page)
    spot = _near_print(page, draw, plate)
    overlaid(stamped, plate, _ink(draw, draw.at(160, 90), _STAMP_INKS), *spot)
    return stamped


def signature(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Sign the page over its print."""
    random = draw.random
    length = min(draw.pixels(draw.at(35, 75)) * random.uniform(0.85, 1.1), 0.75 * page.shape[1])
    tall = length * random.uniform(0.16, 0.26)
    lines = [_scrawl(random, length, tall)]
    if random.random() < 0.5:  # a flourish below
        sweep = np.array([[1, 0.3], [0.5, 0.75], [-0.05, 0.95], [0.4, 0.8], [1.15, 0.6]])
        lines.append(_spline((sweep + random.normal(0, 0.06, sweep.shape)) * (length, tall)))
    strokes = _strokes(lines, draw.pixels(draw.at(0.35, 0.65)), random)
    signed = draw.coloured(page)
    turned = _turned(strokes, random.uniform(-3, 14))
    spot = _near_print(page, draw, turned)
    overlaid(signed, turned, _ink(draw, draw.at(110, 35), _PEN_INKS), *spot)
    return signed


def _scrawl(random: np.random.Generator, length: float, tall: float) -> np.ndarray:
    """Draw the curve (n × 2: x, y) of a name: a tall capital, then low letters with a few ascenders and loops.

    ``length`` and ``tall`` are its width and height in pixels.
    """
    count = int(random.integers(5, 9))
    # A letter is a stroke up and a stroke down; where the pen swings back on its way down, it makes a loop.
    heights = tall * random.uniform(0.12, 0.4, count) * np.linspace(1.2, 0.6, count)
    heights[random.random(count) < 0.25] *= 2
    heights[0] = tall
    depths = np.where(random.random(count) < 0.2, 0.35, 0.02) * tall * random.uniform(0.5, 1.3, count)
    starts = np.cumsum(random.uniform(0.5, 1.3, count))
    swing = random.uniform(-0.1, 0.75, count)
    up = np.column_stack([starts + 0.35, -heights])
    back = np.column_stack([starts + 0.35 - 0.5 * swing, -0.45 * heights])
    down = np.column_stack([starts + 0.3, depths])
    curve = np.stack([up, back, down], axis=1).reshape(-1, 2)
    curve = np.vstack([[starts[0] - 0.5, -0.2 * tall], curve, [starts[-1] + random.uniform(1, 3), -0.1 * tall]])
    curve[:, 0] *= length / np.ptp(curve[:, 0])
    curve[:, 0] -= random.uniform(0.1, 0.5) * curve[:, 1]  # slanted
    return _spline(curve)


def handwritten_note(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Write the document's note by hand, sometimes underlined or with a tick."""
    random = draw.random
    text = draw.look.handwriting or "ok"
    is_latin = all(ord(letter) < 0x250 for letter in text)
    family, style = (HANDWRITING_FONT, "light") if is_latin else (draw.look.font, "")
    tall = draw.pixels(draw.at(6, 11) * random.uniform(0.9, 1.1))
    size = tall * STROKE_OVERSAMPLING
    letters = _text(text, family, round(size), style=style)
    slant = random.uniform(0.05, 0.35) if is_latin else 0.05
    note = _scaled_down(_shaken(letters, size, random, slant))
    height, length = note.shape
    extra = random.random()
    if extra < 0.6:
        is_underlined = extra < 0.35  # otherwise ticked
        points = np.array([[0, 0], [0.35, -0.02], [0.7, 0.03], [1, -0.05]]) * (max(length - height, height), height)
        if not is_underlined:
            points = np.array([[0, 0], [0.2, 0.3], [0.25, 0.3], [0.8, -0.5]]) * height
        points += random.normal(0, 0.03, points.shape) * height
        note = _joined(note, _strokes([_spline(points)], draw.pixels(0.45), random), below=is_underlined)
    note = _turned(note, random.uniform(-4, 16))
    noted = draw.coloured(page)
    spot = _near_print(page, draw, note)
    overlaid(noted, note, _ink(draw, draw.at(95, 30), _PEN_INKS), *spot)
    return noted


def approval(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Write the approved amount, the day and initials on the page by hand, as clerks do; some tick or underline it."""
    random = draw.random
    tall, pen = draw.pixels(draw.at(3.4, 5.5) * random.uniform(0.9, 1.1)), draw.pixels(random.uniform(0.22, 0.36))
    lines: list[np.ndarray] = []
    for row, text in enumerate(draw.look.approval):
        start = np.array([abs(random.normal(0, 0.4)), 1.6 * row]) * tall
        lines += [points + start for points in hand_lines(text, tall, random)]
    high = np.max([line.max(axis=0) for line in lines], axis=0) if lines else np.zeros(2)
    initials = _scrawl(random, tall * random.uniform(2, 3.5), tall * random.uniform(0.9, 1.4))
    curves = [_spline(line) for line in lines]
    curves.append(initials - initials.min(axis=0) + (high[0] + tall * random.uniform(0, 1), high[1] - tall * 1.2))
    extra = random.random()
    if extra < 0.3:
        tick = np.array([[-1.4, 0.4], [-1.1, 0.9], [-0.2, -0.3]]) * tall
        curves.append(_spline(tick + random.normal(0, 0.05, tick.shape) * tall))
    elif extra < 0.55:
        curves.append(_spline(np.array([[0, 1.35], [0.4, 1.3], [0.9, 1.38]]) * (high[0], tall)))
    note = _turned(_strokes(curves, pen, random), random.uniform(-3, 8))
    approved = draw.coloured(page)
    # People write where there is room; of some spots near print, the one with the least print below it.
    spot = min((_near_print(page, draw, note) for _ in range(SPOTS_TRIED)), key=lambda at: _print_below(page, note, at))
    overlaid(approved, note, _ink(draw, draw.at(90, 30), _PEN_INKS), *spot)
    return approved


def pen_ring(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Ring one to three values with a ballpoint pen, not quite closed, or going round twice."""
    random = draw.random
    ringed = draw.coloured(page)
    ink = _ink(draw, draw.at(120, 40), _PEN_INKS)
    for _ in range(1 + random.binomial(2, 0.6 * draw.strength)):
        if draw.values:
            box = draw.values[random.integers(len(draw.values))]
            x, y, length, tall = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, box.width, box.height
        else:
            (x, y), length, tall = draw.spot(page.shape), draw.pixels(25), draw.pixels(4)
        turns = random.uniform(0.97, 1.12) if random.random() < 0.7 else random.uniform(1.8, 2.1)
        angles = np.linspace(0, 2 * np.pi * turns, round(14 * turns)) + random.uniform(-2.6, -1.2)
        reach = np.array(
            [length / 2 + draw.pixels(random.uniform(2, 5)), tall / 2 + draw.pixels(random.uniform(1.2, 3))]
        )
        drift = 1 + 0.06 * np.cumsum(random.normal(0, 0.4, len(angles)))
        ellipse = np.column_stack([np.cos(angles), np.sin(angles)]) * reach * drift[:, None]
        mask = _strokes([_spline(ellipse)], draw.pixels(draw.at(0.3, 0.55)), random)
        overlaid(ringed, mask, ink, x + random.normal(0, 0.03) * length, y)
    return ringed


def watermark(page: np.ndarray, draw: Draw) -> np.ndarray:
    """Print the document's watermark across the page in pale letters below its print."""
    random = draw.random
    text = (draw.look.watermark or "OK").upper()
    letters = _text(text, draw.look.font, 160, bold=True)
    height, width = page.shape[:2]
    length = min(width * random.uniform(0.75, 1.0), height * 0.9)
    scale = min(length / letters.shape[1], draw.pixels(55) / letters.shape[0])
    letters = cv2.resize(letters, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    letters = _turned(letters, random.uniform(25, 55) if height > 0.9 * width else random.uniform(15, 30))
    grey = round(draw.at(236, 190))
    colour = (grey, grey, grey) if random.random() < 0.6 else (255, grey, grey)
    marked = draw.coloured(page)
    overlaid(marked, letters, draw.ink(grey, colour), width / 2, height * random.uniform(0.42, 0.58))
    return marked


# Colours at their darkest, and how often each is used.
_STAMP_INKS: dict[Colour, float] = {
    (28, 48, 150): 5,
    (180, 24, 36): 4,
    (20, 20, 24): 2,
    (88, 40, 130): 1,
    (16, 110, 60): 1,
    (10, 90, 160): 1,
}
_PEN_INKS: dict[Colour, float] = {
    (24, 38, 120): 5,
    (18, 18, 22): 4,
    (30, 70, 190): 2,
    (190, 30, 40): 0.6,
    (20, 110, 70): 0.3,
}


def _ink(draw: Draw, grey: float, inks: dict[Colour, float]) -> Colour:
    """Draw the colour of an ink that is as faint as a grey level, from white (255) to its darkest (0)."""
    shares = np.array(list(inks.values()))
    darkest = list(inks)[draw.random.choice(len(inks), p=shares / shares.sum())]
    depth = 1 - grey / 255 * 0.75
    red, green, blue = (round(255 - depth * (255 - level)) for level in darkest)
    return draw.ink(round(grey), (red, green, blue))


def _near_print(page: np.ndarray, draw: Draw, mask: np.ndarray) -> tuple[float, float]:
    """Draw the centre (x, y) of a mask near a value, such that the mask lies on the page if it is small enough."""
    centre = []
    for spot, side, page_side in zip(draw.spot(page.shape), mask.shape[::-1], page.shape[1::-1], strict=True):
        margin = min(side, page_side) / 2
        centre.append(float(np.clip(spot + draw.random.normal(0, 0.35) * side, margin, page_side - margin)))
    return centre[0], centre[1]


def _print_below(page: np.ndarray, mask: np.ndarray, centre: tuple[float, float]) -> float:
    """Return how dark the page is, on average, where a mask with this centre (x, y) would be."""
    height, width = mask.shape
    x, y = (max(0, round(middle - side / 2)) for middle, side in zip(centre, (width, height), strict=True))
    below = page[y : y + height, x : x + width]
    return 255.0 - float(below.mean()) if below.size else 255.0


def _text(text: str, family: str, size: int, *, bold: bool = False, style: str = "") -> np.ndarray:
    """Return the mask (height × width, uint8) of a text at a font size in pixels, with a small margin."""
    font = face(family, bold, style).font_variant(size=size)
    x0, y0, x1, y1 = font.getbbox(text)
    pad = size // 6
    image = Image.new("L", (round(x1 - x0) + 2 * pad, round(y1 - y0) + 2 * pad))
    ImageDraw.Draw(image).text((pad - x0, pad - y0), text, fill=255, font=font)
    return np.array(image)


def _shaken(mask: np.ndarray, size: float, random: np.random.Generator, slant: float) -> np.ndarray:
    """Return the mask of a text as if written by hand: slanted, with a wavy baseline and uneven letters.

    ``size`` is the font size in pixels, and ``slant`` the horizontal shift per pixel of height.
    """
    pad = round(size * 0.5)
    mask = cv2.copyMakeBorder(mask, pad, pad, 2 * pad, 2 * pad, cv2.BORDER_CONSTANT, value=0)
    x, y = np.meshgrid(np.arange(mask.shape[1], dtype=np.float32), np.arange(mask.shape[0], dtype=np.float32))
    for cell, reach in ((1.6, 0.12), (0.5, 0.04)):  # of the whole line, then of single strokes
        drift = [clouds(random, mask.shape, cell * size, 0, 255).astype(np.float32) / 127.5 - 1 for _ in range(2)]
        x += drift[0] * reach * size
        y += drift[1] * reach * size
    x += slant * (y - mask.shape[0] / 2)
    shaken = cv2.remap(mask, x, y, cv2.INTER_LINEAR)
    # Strokes are unevenly dark.
    return dimmed(shaken, clouds(random, mask.shape, 0.5 * size, 190, 300))


def _spline(points: np.ndarray) -> np.ndarray:
    """Return a smooth curve (n × 2) through points (points × 2): a Catmull-Rom spline."""
    padded = np.pad(points, ((1, 1), (0, 0)), mode="edge")
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, 24, endpoint=False)[:, None, None]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return np.vstack([curve.transpose(1, 0, 2).reshape(-1, 2), points[-1:]])


def _strokes(lines: list[np.ndarray], width: float, random: np.random.Generator) -> np.ndarray:
    """Return the mask of curves (n × 2, pixels) drawn with a pen that is pressed harder on its way down.

    ``width`` is the pen's usual width in pixels.
    """
    low = np.min([line.min(axis=0) for line in lines], axis=0) - 2 * width
    high = np.max([line.max(axis=0) for line in lines], axis=0) + 2 * width
    columns, rows = np.ceil((high - low) * STROKE_OVERSAMPLING).astype(int)
    mask = np.zeros((rows, columns), np.uint8)
    for line in lines:
        points = (line - low) * STROKE_OVERSAMPLING
        moves = np.diff(points, axis=0)
        speed = np.hypot(*moves.T)
        down = moves[:, 1] / np.maximum(speed, 1e-6)
        press = 1 + 0.35 * down - 0.35 * np.clip(speed / speed.max(), 0, 1) + 0.1 * random.normal()
        press *= np.minimum(1, np.linspace(0.2, 5, len(press))[::-1])  # the pen is lifted at the end
        press = np.convolve(np.pad(press, 5, mode="edge"), np.ones(11) / 11, mode="valid")
        thickness = np.maximum(1, np.rint(press * width * STROKE_OVERSAMPLING)).astype(int).tolist()
        for (start, end), wide in zip(pairwise(np.rint(points * 16).astype(int)), thickness, strict=True):
            cv2.line(mask, start, end, 255, wide, cv2.LINE_AA, 4)
    return _scaled_down(mask)


def _scaled_down(mask: np.ndarray) -> np.ndarray:
    """Undo the oversampling of strokes."""
    scale = 1 / STROKE_OVERSAMPLING
    return cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _joined(note: np.ndarray, more: np.ndarray, *, below: bool) -> np.ndarray:
    """Combine two masks: the second one below the first, or to its right with their bottoms aligned."""
    height, width = max(note.shape[0], more.shape[0]), max(note.shape[1], more.shape[1])
    if below:
        wide = [
            cv2.copyMakeBorder(part, 0, 0, 0, width - part.shape[1], cv2.BORDER_CONSTANT, value=0)
            for part in (note, more)
        ]
        return np.vstack(wide)
    tall = [
        cv2.copyMakeBorder(part, height - part.shape[0], 0, 0, 0, cv2.BORDER_CONSTANT, value=0) for part in (note, more)
    ]
    return np.hstack(tall)


def _turned(mask: np.ndarray, degrees: float) -> np.ndarray:
    """Return a mask rotated counter-clockwise by some degrees, large enough to hold it."""
    height, width = mask.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    out = (round(height * sin + width * cos), round(height * cos + width * sin))
    matrix[:, 2] += (out[0] - width) / 2, (out[1] - height) / 2
    return cv2.warpAffine(mask, matrix, out, flags=cv2.INTER_LINEAR)
