"""The shape of a page: one warp of its pixels for all bends, and the same mapping of its boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from finscribe_assets.rendering.damage.bends import BENDS, Bend, Projection, Size, photo_size, scaling
from finscribe_assets.rendering.damage.draws import PAPER_COLOUR, Draw
from finscribe_assets.rendering.pages import Box

NODE_SPACING = 16  # pixels between the nodes at which bends are computed; between nodes they are interpolated
SIDE_SHARES = np.linspace(0, 1, 6)[:-1]  # mapped points on a side of a box, as shares of its length
PRINT_MARGIN = 1.0  # smallest distance in pixels of print from the picture's edge


@dataclass(frozen=True)
class Shape:
    """All bends of one page, in the order in which they are applied, and the size of the picture."""

    bends: tuple[Bend, ...]
    size: Size

    def forward(self, points: np.ndarray) -> np.ndarray:
        """Map points (n × 2) of the page to the picture."""
        for bend in self.bends:
            points = bend.forward(points)
        return points

    def warped(self, page: np.ndarray) -> np.ndarray:
        """Warp a page (height × width, or × 3 in colour; uint8) once for all bends; outside the page is white."""
        if not self.bends:
            return page
        if page.ndim == 2:
            return self._warped_channels(page)
        # OpenCV warps four channels in less than half the time that it takes for three.
        return cv2.cvtColor(self._warped_channels(cv2.cvtColor(page, cv2.COLOR_RGB2RGBA)), cv2.COLOR_RGBA2RGB)

    def warped_together(self, page: np.ndarray, clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Warp a damaged page and the clean one, which is in grey, as `warped` does."""
        if not self.bends or page.ndim == 2:
            return self.warped(page), self.warped(clean)
        channels = cv2.cvtColor(page, cv2.COLOR_RGB2RGBA)
        cv2.insertChannel(clean, channels, 3)
        channels = self._warped_channels(channels)
        return cv2.cvtColor(channels, cv2.COLOR_RGBA2RGB), cv2.extractChannel(channels, 3)

    def _warped_channels(self, page: np.ndarray) -> np.ndarray:
        """Warp an image of one or four channels."""
        if page.ndim == 2 and all(isinstance(bend, Projection) for bend in self.bends):
            matrix = np.eye(3)
            for bend in self.bends:
                matrix = bend.matrix @ matrix  # type: ignore[attr-defined]
            half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # OpenCV measures from the centre of a pixel
            matrix = np.linalg.inv(half) @ matrix @ half
            if np.allclose(matrix[2], [0, 0, 1]):
                size = self.size[::-1]
                return cv2.warpAffine(page, matrix[:2], size, flags=cv2.INTER_LINEAR, borderValue=PAPER_COLOUR)
        return cv2.remap(page, self._sources, None, cv2.INTER_LINEAR, borderValue=PAPER_COLOUR)

    @cached_property
    def _sources(self) -> np.ndarray:
        """Return the point of the page that each pixel of the picture shows (height × width × 2: x, y)."""
        rows, columns = (side // NODE_SPACING + 3 for side in self.size)  # one node more than needed at each end
        x, y = np.meshgrid(np.arange(-1, columns - 1), np.arange(-1, rows - 1))
        points = (np.column_stack([x.ravel(), y.ravel()]) + 0.5) * NODE_SPACING
        for bend in reversed(self.bends):
            points = bend.backward(points)
        nodes = (points - 0.5).astype(np.float32).reshape(rows, columns, 2)
        fine = cv2.resize(nodes, (columns * NODE_SPACING, rows * NODE_SPACING), interpolation=cv2.INTER_LINEAR)
        return fine[NODE_SPACING : NODE_SPACING + self.size[0], NODE_SPACING : NODE_SPACING + self.size[1]]

    def moved(self, boxes: Sequence[Box]) -> list[Box]:
        """Map boxes of the page to the picture: the smallest upright boxes around their mapped sides."""
        if not boxes or not self.bends:
            return list(boxes)
        sides = np.array([[box.x0, box.y0, box.x1, box.y1] for box in boxes])
        points = self.forward(_outlines(sides).reshape(-1, 2)).reshape(len(boxes), -1, 2)
        hulls = np.hstack([points.min(axis=1), points.max(axis=1)])
        return [Box(*sides) for sides in hulls.tolist()]

    def outline(self, sheet: Box) -> np.ndarray:
        """Return the outline (points × 2) in the picture of a sheet, which is a box of the page."""
        return self.forward(_outlines(np.array([sheet])).reshape(-1, 2))


def _outlines(boxes: np.ndarray) -> np.ndarray:
    """Return points on the sides of boxes, clockwise: bent sides need more points than their corners.

    Args:
        boxes: n × 4: x0, y0, x1, y1.

    Returns:
        n × points × 2: x, y.
    """
    across, zero, one = SIDE_SHARES, np.zeros_like(SIDE_SHARES), np.ones_like(SIDE_SHARES)
    x = np.concatenate([across, one, 1 - across, zero])
    y = np.concatenate([zero, across, one, 1 - across])
    x0, y0, x1, y1 = boxes.T[:, :, None]
    return np.stack([x0 + (x1 - x0) * x, y0 + (y1 - y0) * y], axis=-1)


def shape_of(draws: Sequence[Draw], size: Size, boxes: Sequence[Box], framing: Projection | None = None) -> Shape:
    """Return the shape of a page: the bends of all effects that have one.

    If the bends push print out of the picture, the picture is scaled down and shifted, since no value may be cut off.

    Args:
        draws: all effects of the page.
        size: height and width of the page in pixels.
        boxes: boxes of all print on the page, in pixels.
        framing: maps the image in which the boxes are to the page, if the image shows more than the page.
    """
    by_name = {draw.effect: draw for draw in draws}
    bends: tuple[Bend, ...] = (framing,) if framing else ()
    bends += tuple(make(by_name[name], size) for name, make in BENDS.items() if name in by_name)
    shape = Shape(bends, photo_size(by_name["photo"], size) if "photo" in by_name else size)
    correction = _back_into_picture(shape.moved(boxes), shape.size)
    return Shape((*bends, correction), shape.size) if correction else shape


def _back_into_picture(boxes: Sequence[Box], size: Size) -> Projection | None:
    """Return the scale and shift that bring all boxes back into the picture; None if they all lie inside it."""
    low = np.array([min((getattr(box, side) for box in boxes), default=PRINT_MARGIN) for side in ("x0", "y0")])
    high = np.array([max((getattr(box, side) for box in boxes), default=PRINT_MARGIN) for side in ("x1", "y1")])
    end = np.array(size[::-1]) - PRINT_MARGIN
    if (low >= PRINT_MARGIN).all() and (high <= end).all():
        return None
    scale = min(1.0, *((end - PRINT_MARGIN) / (high - low)))
    middle = (end + PRINT_MARGIN) / 2
    low, high = (middle + scale * (corner - middle) for corner in (low, high))
    shift = np.maximum(0, PRINT_MARGIN - low) + np.minimum(0, end - high)
    return Projection(scaling(scale, middle * (1 - scale) + shift))
