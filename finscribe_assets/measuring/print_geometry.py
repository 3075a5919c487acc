"""Find the print of a page in its pixels: ink, its angle, its lines, and the rules and dark areas beside it.

What belongs here: masks and positions that several measures share. The measures themselves are in the `…_measures.py`
modules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MAX_PIXELS = 2_000_000  # of the working image: larger pages are scaled down, and lengths are scaled back
MAX_ANGLE = 10.0  # degrees to either side within which the angle is sought
_COARSE_STEP, _FINE_STEP = 0.25, 0.025  # degrees
_SPREAD_POINTS = 20_000  # ink pixels that an angle is computed from
_BACKGROUND_SCALE = 4  # pixels of the page for one of the background
_BACKGROUND_REACH = 15  # pixels of the background within which paper is brighter than print
_MIN_CONTRAST, _CONTRAST_SHARE = 18.0, 0.35  # of ink: grey levels, and share of the strongest contrast
_RULE_SHARE = 0.12  # of the page's width: longer strokes across are rules
_SHORTEST_RULE = 60  # pixels: strokes down from here on are rules
_DARK_SIDE = 0.02  # of the page's longer side: blobs that are wider and higher are dark areas
_MIN_LINE_HEIGHT = 3  # pixels
_SURROUNDINGS_CONTRAST = 25.0  # grey levels by which what surrounds a sheet is darker than the sheet


@dataclass(frozen=True)
class InkLine:
    """A printed line of an upright page, in pixels of the working image."""

    top: int
    bottom: int
    left: int
    right: int
    widest_gap: int  # widest space between two inked columns
    core: float  # rows of its x-height


@dataclass(frozen=True)
class PrintGeometry:
    """The print of a page.

    Attributes:
        grey: the working image, height × width, uint8; turned by ``angle``.
        background: brightness of the paper at each pixel, float32.
        ink: 1 where there is print, without rules and dark areas, uint8.
        scale: pixels of the page for a pixel of the working image, at least 1.
        angle: degrees by which the print is turned, anticlockwise.
        lines: printed lines from top to bottom.
        pieces: left, top, width, height and area of each connected piece of ink, pieces × 5.
        rules_across: number of long horizontal strokes.
        rules_down: number of long vertical strokes.
        dark_share: share of the page in dark areas, such as reversed heads and logos.
        surroundings: share of the picture that does not show the sheet.
    """

    grey: np.ndarray
    background: np.ndarray
    ink: np.ndarray
    scale: float
    angle: float
    lines: tuple[InkLine, ...]
    pieces: np.ndarray
    rules_across: int
    rules_down: int
    dark_share: float
    surroundings: float


def find_print(grey: np.ndarray) -> PrintGeometry:
    """Find the print of a page.

    Args:
        grey: height × width, uint8.
    """
    import cv2

    scale = max(1.0, (grey.size / MAX_PIXELS) ** 0.5)
    if scale > 1:
        size = max(1, round(grey.shape[1] / scale)), max(1, round(grey.shape[0] / scale))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    background = paper_background(grey)
    sheet = _sheet_mask(background)
    ink = _ink_mask(grey, background, sheet)
    angle = _angle_of(_without_blobs(ink)[0])
    if abs(angle) >= _FINE_STEP:
        grey, ink = (_turned(image, angle, fill) for image, fill in ((grey, 255), (ink, 0)))
        background = paper_background(grey)
    ink, dark = _without_blobs(ink)
    ink, across, down = _without_rules(ink)
    return PrintGeometry(
        grey=grey,
        background=background,
        ink=ink,
        scale=scale,
        angle=angle,
        lines=tuple(_lines_of(ink)),
        pieces=cv2.connectedComponentsWithStats(ink)[2][1:],
        rules_across=across,
        rules_down=down,
        dark_share=dark,
        surroundings=float(1 - sheet.mean()),
    )


def paper_background(grey: np.ndarray) -> np.ndarray:
    """Return the brightness of the paper at each pixel: print is darker than the paper around it."""
    import cv2

    size = tuple(max(1, side // _BACKGROUND_SCALE) for side in grey.shape[::-1])
    small = cv2.medianBlur(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), 3)
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((_BACKGROUND_REACH, _BACKGROUND_REACH), np.uint8))
    smooth = cv2.GaussianBlur(closed, (0, 0), 3)
    return np.asarray(cv2.resize(smooth, grey.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _sheet_mask(background: np.ndarray) -> np.ndarray:
    """Return 1 where the picture shows the sheet: what touches its border and is darker than paper is not of it."""
    import cv2

    small = cv2.resize(background, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
    paper = float(np.median(small[small >= np.median(small)]))
    dark = (small < paper - _SURROUNDINGS_CONTRAST).astype(np.uint8)
    count, labels = cv2.connectedComponents(dark)
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    outside = np.bincount(border, minlength=count)
    outside[0] = 0
    # A shadow reaches in from one side; surroundings run along a good part of the picture's border.
    is_outside = outside > 0.08 * len(border)
    mask = (~is_outside[labels]).astype(np.uint8)
    return np.asarray(cv2.resize(mask, background.shape[::-1], interpolation=cv2.INTER_NEAREST))


def _ink_mask(grey: np.ndarray, background: np.ndarray, sheet: np.ndarray) -> np.ndarray:
    import cv2

    contrast = (background - cv2.GaussianBlur(grey, (3, 3), 0)) * sheet
    strongest = float(np.quantile(contrast[::3, ::3], 0.995))
    return np.asarray(contrast > max(_MIN_CONTRAST, _CONTRAST_SHARE * strongest), np.uint8)


def _angle_of(ink: np.ndarray) -> float:
    """Return the angle at which the ink falls into the fewest rows of pixels, in degrees."""
    rows, columns = np.nonzero(ink)
    if len(rows) < 50:
        return 0.0
    step = max(1, len(rows) // _SPREAD_POINTS)
    heights, offsets = rows[::step].astype(np.float32), (columns[::step] - ink.shape[1] / 2).astype(np.float32)
    reach = int(ink.shape[1] * np.tan(np.radians(MAX_ANGLE))) + 2

    def energy(angle: float) -> float:
        turned = (heights + np.float32(np.tan(np.radians(angle))) * offsets + reach).astype(np.int32)
        return float((np.bincount(turned).astype(np.float64) ** 2).sum())

    def best(angles: np.ndarray) -> float:
        return max(angles.tolist(), key=lambda angle: (energy(angle), -abs(angle)))

    coarse = best(np.arange(-MAX_ANGLE, MAX_ANGLE + _COARSE_STEP / 2, _COARSE_STEP))
    fine = best(coarse + np.arange(-_COARSE_STEP, _COARSE_STEP + _FINE_STEP / 2, _FINE_STEP))
    return fine if energy(fine) > 1.01 * energy(0.0) else 0.0


def _turned(image: np.ndarray, angle: float, fill: int) -> np.ndarray:
    import cv2

    height, width = image.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -angle, 1.0)
    how = cv2.INTER_LINEAR if fill else cv2.INTER_NEAREST
    border = cv2.BORDER_REPLICATE if fill else cv2.BORDER_CONSTANT
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=how, borderMode=border))


def _without_blobs(ink: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the ink without dark areas, and their share of the page."""
    import cv2

    side = max(9, round(_DARK_SIDE * max(ink.shape) / 2) * 2 + 1)
    core = cv2.erode(ink, np.ones((side, side), np.uint8))
    if not core.any():
        return ink, 0.0
    blobs = cv2.dilate(core, np.ones((side + 4, side + 4), np.uint8)) & ink
    return ink & ~blobs, float(blobs.mean())


def _without_rules(ink: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Return the ink without rules, and the numbers of rules across and down."""
    import cv2

    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8))
    length = max(_SHORTEST_RULE, round(_RULE_SHARE * ink.shape[1]))
    across = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    down = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((_SHORTEST_RULE, 1), np.uint8))
    counts = []
    for rules in (across, down):
        _, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(rules, np.ones((3, 3), np.uint8)))
        counts.append(len(stats) - 1)
    left = ink & ~cv2.dilate(across, np.ones((3, 1), np.uint8)) & ~cv2.dilate(down, np.ones((1, 3), np.uint8))
    return left, counts[0], counts[1]


def _lines_of(ink: np.ndarray) -> list[InkLine]:
    """Return the printed lines of upright ink, by its horizontal projection."""
    profile = ink.sum(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (profile > 2).astype(np.int8), [0]])))
    runs = [(int(top), int(end)) for top, end in edges.reshape(-1, 2) if end - top >= _MIN_LINE_HEIGHT]
    if not runs:
        return []
    usual = float(np.median([end - top for top, end in runs]))
    lines = []
    for top, end in runs:
        for first, last in _split(profile, top, end, usual):
            columns = np.flatnonzero(ink[first:last].any(axis=0))
            if not len(columns):
                continue
            core = profile[first:last]
            strong = np.quantile(core, 0.85)
            lines.append(
                InkLine(
                    first,
                    last,
                    int(columns[0]),
                    int(columns[-1]) + 1,
                    int(np.diff(columns).max(initial=1)) - 1,
                    float((core >= 0.5 * strong).sum()),
                )
            )
    return [line for line in lines if line.bottom - line.top >= 0.5 * usual or line.right - line.left > 3 * usual]


def _split(profile: np.ndarray, top: int, end: int, usual: float) -> list[tuple[int, int]]:
    """Split a run of rows that is as high as several lines at the emptiest rows between them."""
    count = round((end - top) / max(usual, 1) / 1.15)
    if end - top < 1.8 * usual or count < 2:
        return [(top, end)]
    cuts = [top]
    for number in range(1, count):
        middle = top + round(number * (end - top) / count)
        reach = max(1, round(usual / 3))
        low, high = max(cuts[-1] + 1, middle - reach), min(end - 1, middle + reach)
        if high > low:
            cuts.append(low + int(np.argmin(profile[low:high])))
    return list(zip(cuts, [*cuts[1:], end], strict=True))
