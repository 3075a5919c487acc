"""The shape of a page: all its bends in one warp, and the boxes that follow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from finscribe_assets.rendering.damage.bends import BENDS, Bend, Projection, Size, photo_size, scaling
from finscribe_assets.rendering.damage.draws import PAPER, Draw
from finscribe_assets.rendering.pages import Box

STEP = 16  # pixels between the nodes for which a bend is computed; between them it is interpolated
SIDE_POINTS = np.linspace(0, 1, 6)[:-1]  # of a box's side, that are moved along
EDGE = 1.0  # pixels that print keeps from the picture's edge


@dataclass(frozen=True)
class Shape:
    """All bends of one page, first to last, and the size of the picture (height × width)."""

    bends: tuple[Bend, ...]
    size: Size

    def forward(self, points: np.ndarray) -> np.ndarray:
        """Return where points (n × 2) of the page lie in the picture."""
        for bend in self.bends:
            points = bend.forward(points)
        return points

    def warped(self, page: np.ndarray) -> np.ndarray:
        """Return the picture of a page (height × width, uint8) by one warp for all bends; white where no page is."""
        if not self.bends:
            return page
        out = self.size[::-1]
        if all(isinstance(bend, Projection) for bend in self.bends):
            matrix = np.eye(3)
            for bend in self.bends:
                matrix = bend.matrix @ matrix  # type: ignore[attr-defined]
            half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # OpenCV counts from the middle of a pixel
            matrix = np.linalg.inv(half) @ matrix @ half
            if np.allclose(matrix[2], [0, 0, 1]):
                return cv2.warpAffine(page, matrix[:2], out, flags=cv2.INTER_LINEAR, borderValue=PAPER)
            return cv2.warpPerspective(page, matrix, out, flags=cv2.INTER_LINEAR, borderValue=PAPER)
        return cv2.remap(page, self._sources, None, cv2.INTER_LINEAR, borderValue=PAPER)

    @cached_property
    def _sources(self) -> np.ndarray:
        """Return for each pixel of the picture where it comes from (height × width × 2), interpolated between nodes."""
        rows, columns = (side // STEP + 3 for side in self.size)  # one node more than needed at each end
        x, y = np.meshgrid(np.arange(-1, columns - 1), np.arange(-1, rows - 1))
        points = (np.column_stack([x.ravel(), y.ravel()]) + 0.5) * STEP
        for bend in reversed(self.bends):
            points = bend.backward(points)
        nodes = (points - 0.5).astype(np.float32).reshape(rows, columns, 2)
        fine = cv2.resize(nodes, (columns * STEP, rows * STEP), interpolation=cv2.INTER_LINEAR)
        return fine[STEP : STEP + self.size[0], STEP : STEP + self.size[1]]

    def moved(self, boxes: Sequence[Box]) -> list[Box]:
        """Return the smallest upright boxes around what was in the given ones."""
        if not boxes or not self.bends:
            return list(boxes)
        sides = np.array([[box.x0, box.y0, box.x1, box.y1] for box in boxes])
        points = self.forward(_rim(sides).reshape(-1, 2)).reshape(len(boxes), -1, 2)
        hulls = np.hstack([points.min(axis=1), points.max(axis=1)])
        return [Box(*sides) for sides in hulls.tolist()]

    def outline(self, size: Size) -> np.ndarray:
        """Return the rim (points × 2) of a page of a size as it lies in the picture."""
        return self.forward(_rim(np.array([[0.0, 0.0, size[1], size[0]]])).reshape(-1, 2))


def _rim(boxes: np.ndarray) -> np.ndarray:
    """Return points around boxes (n × 4), clockwise (n × points × 2): bent sides need more than their corners."""
    across, zero, one = SIDE_POINTS, np.zeros_like(SIDE_POINTS), np.ones_like(SIDE_POINTS)
    x = np.concatenate([across, one, 1 - across, zero])
    y = np.concatenate([zero, across, one, 1 - across])
    x0, y0, x1, y1 = boxes.T[:, :, None]
    return np.stack([x0 + (x1 - x0) * x, y0 + (y1 - y0) * y], axis=-1)


def shape_of(draws: Sequence[Draw], size: Size, boxes: Sequence[Box]) -> Shape:
    """Return the shape that a page of a size takes under those of the draws that bend it.

    Print that a bend would push out of the picture is brought back by a smaller scale: a value must not be cut off.
    """
    by_name = {draw.effect: draw for draw in draws}
    bends = tuple(make(by_name[name], size) for name, make in BENDS.items() if name in by_name)
    shape = Shape(bends, photo_size(by_name["photo"], size) if "photo" in by_name else size)
    back = _way_back(shape.moved(boxes), shape.size)
    return Shape((*bends, back), shape.size) if back else shape


def _way_back(boxes: Sequence[Box], size: Size) -> Projection | None:
    """Return what brings boxes that reach over the picture's edges back into it; none if none does."""
    low = np.array([min((box.x0 for box in boxes), default=EDGE), min((box.y0 for box in boxes), default=EDGE)])
    high = np.array([max((box.x1 for box in boxes), default=EDGE), max((box.y1 for box in boxes), default=EDGE)])
    end = np.array(size[::-1]) - EDGE
    if (low >= EDGE).all() and (high <= end).all():
        return None
    scale = min(1.0, *((end - EDGE) / (high - low)))
    middle = (end + EDGE) / 2
    low, high = (middle + scale * (corner - middle) for corner in (low, high))
    shift = np.maximum(0, EDGE - low) + np.minimum(0, end - high)
    return Projection(scaling(scale, middle * (1 - scale) + shift))
