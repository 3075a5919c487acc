"""Measure a page: numbers that say how it was captured, printed and laid out, from its pixels alone.

The same function measures real and synthetic pages, so the two can be compared. `PAGE_MEASURES` describes each number;
`benchmarks/fitted_recipe.py` compares them with what was drawn on synthetic pages.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from finscribe_assets.measuring.print_geometry import PrintGeometry, find_print, paper_background
from finscribe_assets.rendering.page_colours import to_colour, to_grey

MeasureGroup = Literal["format", "capture", "print", "layout"]

_COLOURED = 40  # difference of channels from which a pixel is coloured
_SAMPLED = 1_500_000  # pixels of which noise is measured
_SAMPLED_COLOURS = 300_000
_LONE_STEP = 2  # grey levels
_FEW_STEPS = 20.0  # lone steps that say nothing yet
_MOST_NOISE = 40.0  # grey levels: larger residuals are print


@dataclass(frozen=True)
class MeasureFacts:
    """What a measure is.

    Attributes:
        group: what it depends on: the file's format, the capture, the print, or the layout.
        unit: of the number.
        meaning: in one line.
        is_skewed: whether its logarithm is compared, as it ranges over orders of magnitude.
    """

    group: MeasureGroup
    unit: str
    meaning: str
    is_skewed: bool = False


PAGE_MEASURES: dict[str, MeasureFacts] = {
    "width": MeasureFacts("format", "pixels", "width of the picture", is_skewed=True),
    "aspect": MeasureFacts("format", "1", "height of the picture over its width", is_skewed=True),
    "colour_share": MeasureFacts("format", "1", "share of coloured pixels", is_skewed=True),
    "is_colour_file": MeasureFacts("format", "0 or 1", "whether the picture has colours at all"),
    "paper_level": MeasureFacts("capture", "grey levels", "brightness of the paper"),
    "paper_warmth": MeasureFacts("capture", "grey levels", "red less blue of the paper"),
    "ink_level": MeasureFacts("capture", "grey levels", "brightness of the darker half of the print"),
    "contrast": MeasureFacts("capture", "grey levels", "difference of paper and print"),
    "unevenness": MeasureFacts("capture", "grey levels", "spread of the paper's brightness over the page"),
    "texture": MeasureFacts("capture", "grey levels", "spread of the paper over millimetres: folds, show-through"),
    "noise": MeasureFacts("capture", "grey levels", "standard deviation of the paper from pixel to pixel"),
    "edge_width": MeasureFacts("capture", "pixels", "width of the edges of print, which blur widens", is_skewed=True),
    "blockiness": MeasureFacts(
        "capture", "1", "logarithm of lone steps at the borders of JPEG's blocks over those elsewhere"
    ),
    "bilevel": MeasureFacts("capture", "1", "share of pixels that are black or white"),
    "specks": MeasureFacts("capture", "1", "specks for each hundred pieces of print", is_skewed=True),
    "surroundings": MeasureFacts("capture", "1", "share of the picture that does not show the sheet"),
    "angle": MeasureFacts("capture", "degrees", "angle of the print, anticlockwise"),
    "skew": MeasureFacts("capture", "degrees", "angle of the print without its sign", is_skewed=True),
    "x_height": MeasureFacts("print", "pixels", "height of small letters, or of capitals if there are no others"),
    "stroke": MeasureFacts("print", "x-heights", "width of the strokes of print"),
    "letter_width": MeasureFacts("print", "x-heights", "width of the pieces of print: condensed types have less"),
    "fixed_pitch": MeasureFacts("print", "1", "how regular letters follow each other: high for fixed-pitch types"),
    "stroke_contrast": MeasureFacts("print", "1", "upright strokes over level strokes: high for types with serifs"),
    "size_spread": MeasureFacts("print", "1", "height of the highest tenth of lines over the usual height"),
    "ink_share": MeasureFacts("layout", "1", "share of the page that is inked", is_skewed=True),
    "dark_share": MeasureFacts("layout", "1", "share of the page in dark areas", is_skewed=True),
    "lines": MeasureFacts("layout", "lines", "number of printed lines", is_skewed=True),
    "line_pitch": MeasureFacts("layout", "x-heights", "distance between lines"),
    "line_length": MeasureFacts("layout", "1", "length of lines over the width of the page"),
    "label_distance": MeasureFacts("layout", "1", "widest space inside lines over the width of the page"),
    "columns": MeasureFacts("layout", "columns", "columns of print that spaces separate over many lines"),
    "rules_across": MeasureFacts("layout", "rules", "number of horizontal rules", is_skewed=True),
    "rules_down": MeasureFacts("layout", "rules", "number of vertical rules", is_skewed=True),
    "left_margin": MeasureFacts("layout", "1", "left margin over the width of the page"),
    "right_margin": MeasureFacts("layout", "1", "right margin over the width of the page"),
    "top_margin": MeasureFacts("layout", "1", "upper margin over the width of the page"),
    "bottom_margin": MeasureFacts("layout", "1", "lower margin over the width of the page"),
}


def measure_page(pixels: np.ndarray) -> dict[str, float]:
    """Measure a page.

    Args:
        pixels: height × width, or × 3 in colour; uint8.

    Returns:
        A number for each of `PAGE_MEASURES`, finite; the same pixels give the same numbers.
    """
    grey = to_grey(pixels)
    found = find_print(grey)
    measured = {
        "width": float(grey.shape[1]),
        "aspect": grey.shape[0] / grey.shape[1],
        **_colours(pixels, grey),
        **_capture(grey, found),
        **_typeface(found),
        **_layout(found),
    }
    return {name: round(float(measured[name]), 5) for name in PAGE_MEASURES}


def mean_of_pages(pages: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return a document's measures: the medians of its pages, with the lines of all pages."""
    merged = {name: float(np.median([page[name] for page in pages])) for name in PAGE_MEASURES}
    return merged | {"lines": float(sum(page["lines"] for page in pages))}


def _colours(pixels: np.ndarray, grey: np.ndarray) -> dict[str, float]:
    if pixels.ndim == 2:
        return {"colour_share": 0.0, "is_colour_file": 0.0, "paper_warmth": 0.0}
    step = max(1, round((grey.size / _SAMPLED_COLOURS) ** 0.5))
    red, green, blue = (to_colour(pixels)[::step, ::step, channel].astype(np.int16) for channel in range(3))
    chroma = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    shade = grey[::step, ::step]
    paper = shade >= np.median(shade)
    return {
        "colour_share": float((chroma > _COLOURED).mean()),
        "is_colour_file": float((chroma > 0).any()),
        "paper_warmth": float((red - blue)[paper].mean()),
    }


def _capture(grey: np.ndarray, found: PrintGeometry) -> dict[str, float]:
    import cv2

    background, ink = found.background, found.ink
    near = cv2.dilate(ink, np.ones((9, 9), np.uint8)).astype(bool)
    paper = ~near
    paper_level = float(np.median(background[::4, ::4]))
    printed = found.grey[ink.astype(bool)]
    ink_level = float(np.quantile(printed, 0.25)) if len(printed) else paper_level
    coarse = cv2.resize(background, (24, 24), interpolation=cv2.INTER_AREA)
    return {
        "paper_level": paper_level,
        "ink_level": ink_level,
        "contrast": paper_level - ink_level,
        "unevenness": float(np.quantile(coarse, 0.95) - np.quantile(coarse, 0.05)),
        "texture": _texture(found.grey, paper),
        "noise": _noise(grey),
        "edge_width": _edge_width(found) * found.scale,
        "blockiness": _blockiness(grey),
        "bilevel": float(((grey < 4) | (grey > 251)).mean()),
        "specks": _specks(found.pieces),
        "surroundings": found.surroundings,
        "angle": found.angle,
        "skew": abs(found.angle),
    }


def _texture(grey: np.ndarray, paper: np.ndarray) -> float:
    """Return the spread of the paper's brightness over a few millimetres, where there is no print."""
    import cv2

    size = tuple(max(1, side // 4) for side in grey.shape[::-1])
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    free = cv2.resize(paper.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) == 255
    if free.sum() < 100:
        return 0.0
    weight = cv2.GaussianBlur(free.astype(np.float32), (0, 0), 6)
    smooth = cv2.GaussianBlur(small * free, (0, 0), 6) / np.maximum(weight, 1e-3)
    residual = (small - smooth)[free & (weight > 0.2)]
    return float(np.clip(residual, -_MOST_NOISE, _MOST_NOISE).std()) if len(residual) else 0.0


def _noise(grey: np.ndarray) -> float:
    """Return the noise of the paper at the page's own resolution, from its middle rows."""
    import cv2

    rows = max(32, min(grey.shape[0], _SAMPLED // grey.shape[1]))
    top = (grey.shape[0] - rows) // 2
    part = np.ascontiguousarray(grey[top : top + rows])
    background = paper_background(part)
    near = cv2.dilate(np.asarray(background - part > 14, np.uint8), np.ones((7, 7), np.uint8))
    values = part.astype(np.float32)
    residual = (values - cv2.blur(values, (3, 3)))[near == 0]
    # Where noise is so strong that nothing is paper, all pixels have it.
    if len(residual) < 500:
        residual = (values - cv2.medianBlur(part, 3)).ravel()
    return float(np.clip(residual, -_MOST_NOISE, _MOST_NOISE).std() * 1.06)


def _edge_width(found: PrintGeometry) -> float:
    """Return the median width of the edges of print: contrast over the steepest slope, in working pixels."""
    import cv2

    ink = found.ink
    edge = (ink - cv2.erode(ink, np.ones((3, 3), np.uint8))).astype(bool)
    if edge.sum() < 50:
        return 0.0
    values = found.grey.astype(np.float32)
    slope = cv2.magnitude(cv2.Scharr(values, cv2.CV_32F, 1, 0), cv2.Scharr(values, cv2.CV_32F, 0, 1)) / 32
    steepest = cv2.dilate(slope, np.ones((3, 3), np.uint8))[edge]
    darkest = cv2.erode(found.grey, np.ones((5, 5), np.uint8))[edge]
    contrast = found.background[edge] - darkest
    clear = contrast > _MOST_NOISE / 2
    return float(np.median(contrast[clear] / np.maximum(steepest[clear], 1))) if clear.any() else 0.0


def _blockiness(grey: np.ndarray) -> float:
    """Return the logarithm of how many more lone steps there are at the borders of JPEG's blocks than elsewhere.

    A lone step has calm pixels on both sides, as between two blocks of paper; the edges of print have not.
    """
    found = []
    for image in (grey[:: max(1, grey.shape[0] // 1200)], grey.T[:: max(1, grey.shape[1] // 1200)]):
        steps = np.abs(np.diff(image.astype(np.int16), axis=1))
        lone = (steps[:, 1:-1] >= _LONE_STEP) & (steps[:, :-2] < _LONE_STEP) & (steps[:, 2:] < _LONE_STEP)
        columns = lone.sum(axis=0).astype(float)
        phases = (np.arange(len(columns)) + 1) % 8
        counts = [float(columns[phases == phase].sum()) for phase in range(8)]
        found.append(np.log((counts[7] + _FEW_STEPS) / (np.mean(counts[:7]) + _FEW_STEPS)))
    return float(np.mean(found))


def _specks(pieces: np.ndarray) -> float:
    areas = pieces[:, 4]
    small = (areas <= 3).sum()
    return float(100 * small / max(len(areas) - small, 1))


def _typeface(found: PrintGeometry) -> dict[str, float]:
    lines = [line for line in found.lines if line.right - line.left > 2 * (line.bottom - line.top)] or found.lines
    x_height = float(np.median([line.core for line in lines])) if lines else 0.0
    heights = np.array([line.core for line in lines] or [1.0])
    empty = {"x_height": 0.0, "stroke": 0.0, "letter_width": 0.0, "fixed_pitch": 0.0, "stroke_contrast": 1.0}
    if x_height < 1:
        return empty | {"size_spread": 1.0}
    ink = found.ink
    area = float(ink.sum())
    across = float((np.diff(ink.astype(np.int8), axis=1) == 1).sum()) + 1  # strokes met along rows
    down = float((np.diff(ink.astype(np.int8), axis=0) == 1).sum()) + 1
    widths, tall = found.pieces[:, 2], found.pieces[:, 3]
    letters = (tall >= 0.7 * x_height) & (tall <= 2.2 * x_height) & (widths <= 3 * x_height)
    return {
        "x_height": x_height * found.scale,
        "stroke": area / across / x_height,
        "letter_width": float(np.mean(widths[letters])) / x_height if letters.any() else 0.0,
        "fixed_pitch": _fixed_pitch(found, x_height),
        "stroke_contrast": down / across,
        "size_spread": float(np.quantile(heights, 0.9) / np.median(heights)),
    }


def _fixed_pitch(found: PrintGeometry, x_height: float) -> float:
    """Return the highest autocorrelation of the ink along lines at a distance of about one letter."""
    low, high = max(2, round(0.7 * x_height)), round(2.4 * x_height) + 3
    total = np.zeros(high)
    for line in found.lines[:120]:
        profile = found.ink[line.top : line.bottom, line.left : line.right].sum(axis=0).astype(float)
        if len(profile) < 3 * high:
            continue
        profile -= profile.mean()
        spread = float(profile @ profile)
        if spread:
            total += [float(profile[lag:] @ profile[: len(profile) - lag]) / spread for lag in range(high)]
    return float(total[low:].max() / total[0]) if total[0] and len(total) > low else 0.0


def _layout(found: PrintGeometry) -> dict[str, float]:
    height, width = found.ink.shape
    lines = found.lines
    x_height = float(np.median([line.core for line in lines])) if lines else 1.0
    rows = np.flatnonzero(found.ink.any(axis=1))
    columns = np.flatnonzero(found.ink.sum(axis=0) > 1)
    gaps = [line.widest_gap / width for line in lines if line.right - line.left > 0.2 * width]
    pitches = np.diff([(line.top + line.bottom) / 2 for line in lines])
    return {
        "ink_share": float(found.ink.mean()),
        "dark_share": found.dark_share,
        "lines": float(len(lines)),
        "line_pitch": float(np.median(pitches)) / max(x_height, 1) if len(pitches) else 0.0,
        "line_length": float(np.mean([(line.right - line.left) / width for line in lines])) if lines else 0.0,
        "label_distance": float(np.median(gaps)) if gaps else 0.0,
        "columns": float(_column_count(found, x_height)),
        "rules_across": float(found.rules_across),
        "rules_down": float(found.rules_down),
        "left_margin": columns[0] / width if len(columns) else 1.0,
        "right_margin": 1 - (columns[-1] + 1) / width if len(columns) else 1.0,
        "top_margin": rows[0] / width if len(rows) else 1.0,
        "bottom_margin": (height - rows[-1] - 1) / width if len(rows) else 1.0,
    }


def _column_count(found: PrintGeometry, x_height: float) -> int:
    """Return the largest number of columns that clear spaces separate in a window of eight successive lines."""
    best = 0
    for first in range(0, max(1, len(found.lines) - 3), 4):
        block = found.lines[first : first + 8]
        if not block:
            break
        inked = found.ink[block[0].top : block[-1].bottom].any(axis=0)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], inked.astype(np.int8), [0]]))).reshape(-1, 2)
        clear = sum(1 for (_, end), (start, _) in itertools.pairwise(edges) if start - end > x_height)
        best = max(best, clear + 1 if len(edges) else 0)
    return best
