"""Changes of a page's shape and viewpoint: each maps points forth and back, and is drawn at random by a function.

Points are x and y in pixels, measured as boxes are: the centre of the first pixel is at 0.5, 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from finscribe_assets.rendering.damage.draws import LIGHT_MIX, Draw

Size = tuple[int, int]  # height, width in pixels


class Bend(Protocol):
    """A mapping between points of the page and points of the picture of the bent page."""

    def forward(self, points: np.ndarray) -> np.ndarray:
        """Map points (n × 2) of the page to the picture."""

    def backward(self, points: np.ndarray) -> np.ndarray:
        """Map points (n × 2) of the picture to the page."""


@dataclass(frozen=True)
class Projection:
    """A projective transform: rotation, shift, scale and perspective of a flat page."""

    matrix: np.ndarray  # homography from page to picture, 3 × 3

    def forward(self, points: np.ndarray) -> np.ndarray:
        """Map points (n × 2) of the page to the picture."""
        return _projected(points, self.matrix)

    def backward(self, points: np.ndarray) -> np.ndarray:
        """Map points (n × 2) of the picture to the page."""
        return _projected(points, np.linalg.inv(self.matrix))


def _projected(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    x, y, depth = matrix @ np.vstack([points.T, np.ones(len(points))])
    return np.column_stack([x / depth, y / depth])


@dataclass(frozen=True)
class Curl:
    """Paper that rises towards one side or in the middle, so that lines of text are curved."""

    width: float  # of the page, in pixels
    height: float
    rise: float  # largest vertical shift at the top of the page, in pixels; may be negative
    growth: float  # relative growth of the rise from the top to the bottom
    power: float  # exponent of the curve; 0 for an arch over the whole width
    from_right: bool  # the paper rises towards the right side, otherwise towards the left

    def profile(self, x: np.ndarray) -> np.ndarray:
        """Return the rise at each x as a share of the largest, 0 to 1."""
        share = np.clip(x / self.width, 0, 1)
        if not self.power:
            return np.sin(np.pi * share)
        return (share if self.from_right else 1 - share) ** self.power

    def forward(self, points: np.ndarray) -> np.ndarray:
        """Map points (n × 2) of the page to the picture."""
        x, y = points.T
        return np.column_stack([x, y + self.rise * (1 + self.growth * y / self.height) * self.profile(x)])

    def backward(self, points: np.ndarray) -> np.ndarray:
        """Map points (n × 2) of the picture to the page."""
        x, y = points.T
        rise = self.rise * self.profile(x)
        return np.column_stack([x, (y - rise) / (1 + rise * self.growth / self.height)])


@dataclass(frozen=True)
class Fold:
    """Tilted panels between creases: a crease that stands up is nearer to the viewer and looks wider."""

    middle: float  # x about which the panels widen
    knots: np.ndarray  # y on the page of its edges and creases, and of one point far outside at each end
    heights: np.ndarray  # y of the knots in the picture
    widths: np.ndarray  # factor by which the page is wider at the knots

    def forward(self, points: np.ndarray) -> np.ndarray:
        """Map points (n × 2) of the page to the picture."""
        x, y = points.T
        wider = np.interp(y, self.knots, self.widths)
        return np.column_stack([self.middle + (x - self.middle) * wider, np.interp(y, self.knots, self.heights)])

    def backward(self, points: np.ndarray) -> np.ndarray:
        """Map points (n × 2) of the picture to the page."""
        x, y_in_picture = points.T
        y = np.interp(y_in_picture, self.heights, self.knots)
        return np.column_stack([self.middle + (x - self.middle) / np.interp(y, self.knots, self.widths), y])


def curl_of(draw: Draw, size: Size) -> Curl:
    """Draw a curl at random."""
    random = draw.random
    rise = size[1] * draw.at(0.003, 0.028) * random.choice((-1, 1))
    power = random.choice((0.0, 2.0, 2.5, 3.5))
    return Curl(size[1], size[0], rise, random.uniform(-0.5, 0.5), power, bool(random.random() < 0.5))


def creases_of(draw: Draw, size: Size) -> np.ndarray:
    """Draw the y of a fold's creases, from the top.

    These are the first random numbers of the effect, so `fold_of` and the shading of creases agree on them.
    """
    shares = (0.5,) if draw.random.random() < 0.35 else (1 / 3, 2 / 3)
    return (np.array(shares) + draw.random.uniform(-0.02, 0.02, len(shares))) * size[0]


def fold_of(draw: Draw, size: Size) -> Fold:
    """Draw a fold at random."""
    height, width = size
    creases, random = creases_of(draw, size), draw.random
    knots = np.array([0.0, *creases, height])
    tilt = draw.at(0.0015, 0.012) * random.choice((-1, 1))
    ups = tilt * (-1.0) ** np.arange(len(knots)) * random.uniform(0.4, 1, len(knots))
    ups[[0, -1]] *= 0.3  # the page's edges lie nearly flat
    shorter = 1 - draw.at(0.001, 0.012) * random.uniform(0.3, 1, len(knots) - 1)
    heights = np.concatenate([[0], np.cumsum(np.diff(knots) * shorter)])
    heights += (height - heights[-1]) / 2
    far = 2.0 * height
    return Fold(
        width / 2,
        np.array([-far, *knots, height + far]),
        np.array([heights[0] - far, *heights, heights[-1] + far]),
        1 + np.array([ups[0], *ups, ups[-1]]),
    )


def rotation(size: Size, degrees: float) -> Projection:
    """Return a rotation about the centre of the page, counter-clockwise for positive angles."""
    turn = cv2.getRotationMatrix2D((size[1] / 2, size[0] / 2), degrees, 1.0)
    return Projection(np.vstack([turn, [0, 0, 1]]))


def skew_of(draw: Draw, size: Size) -> Projection:
    """Draw the skew of a crookedly scanned sheet."""
    return rotation(size, draw.at(0.2, 3) * draw.random.uniform(0.7, 1) * draw.random.choice((-1, 1)))


def slight_skew_of(draw: Draw, size: Size) -> Projection:
    """Draw the slight skew of the light mix."""
    return rotation(size, draw.random.uniform(-0.5, 0.5) * draw.strength)


def perspective_of(draw: Draw, size: Size) -> Projection:
    """Draw an oblique view of the page, scaled to fit the page's size."""
    tilts = draw.random.uniform(0.5, 1, 2) * draw.random.choice((-1, 1), 2) * draw.at(1.5, 13)
    return _view(size, (0, 0, size[1], size[0]), tilts[0], tilts[1], 0.0)


def photo_of(draw: Draw, size: Size) -> Projection:
    """Draw an oblique view of the sheet on a desk, in a picture of `photo_size`."""
    height, width = photo_size(draw, size)
    random = draw.random
    free_x, free_y = width - size[1], height - size[0]
    left, top = random.uniform(0.25, 0.75) * free_x, random.uniform(0.25, 0.75) * free_y
    tilts = random.uniform(-1, 1, 2) * draw.at(1, 10)
    # 40 % of the desk on each side stays free; the rest leaves the sheet room to turn.
    frame = (left * 0.4, top * 0.4, width - (free_x - left) * 0.4, height - (free_y - top) * 0.4)
    return _view(size, frame, tilts[0], tilts[1], random.uniform(-1, 1) * draw.at(0.5, 5))


def photo_size(draw: Draw, size: Size) -> Size:
    """Return the size of a photograph of a page, which shows some of the desk around it."""
    more = draw.at(0.05, 0.16)
    return round(size[0] * (1 + more * 0.8)), round(size[1] * (1 + more))


def _view(
    size: Size, frame: tuple[float, float, float, float], tilt_x: float, tilt_y: float, turn: float
) -> Projection:
    """Return the view of a tilted and turned page, as large as fits into a frame.

    Args:
        size: height and width of the page in pixels.
        frame: x0, y0, x1, y1 of the frame in the picture, in pixels.
        tilt_x: rotation of the page about its horizontal axis, in degrees.
        tilt_y: rotation about its vertical axis, in degrees.
        turn: rotation in its plane, in degrees.
    """
    height, width = size
    a, b, c = np.radians([tilt_x, tilt_y, turn])
    about_x = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    about_y = np.array([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
    about_z = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    distance = 1.6 * max(size)  # from the camera to the page, in pixels
    turned = about_x @ about_y @ about_z
    # The page lies in the plane z = 0 with its centre at the origin, and the camera looks at the origin.
    camera = np.array([[distance, 0, 0], [0, distance, 0], [0, 0, 1]]) @ np.column_stack(
        [turned[:, 0], turned[:, 1], [0, 0, distance]]
    )
    matrix = camera @ np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    corners = _projected(np.array([[0, 0], [width, 0], [0, height], [width, height]], float), matrix)
    low, high = corners.min(axis=0), corners.max(axis=0)
    start, end = np.array(frame[:2]), np.array(frame[2:])
    scale = min((end - start) / (high - low))
    return Projection(scaling(scale, (start + end) / 2 - scale * (low + high) / 2) @ matrix)


def scaling(scale: float, shift: np.ndarray) -> np.ndarray:
    """Return the matrix (3 × 3) that scales points about the origin and then shifts them, in pixels."""
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1]])


# By effect, in the order in which they are applied.
BENDS: dict[str, Callable[[Draw, Size], Bend]] = {
    "fold": fold_of,
    "curl": curl_of,
    "skew": skew_of,
    LIGHT_MIX: slight_skew_of,
    "perspective": perspective_of,
    "photo": photo_of,
}
