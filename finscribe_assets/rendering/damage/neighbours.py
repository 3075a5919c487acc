"""A receipt beside the page: both lie on the same glass or desk, and the edge of the capture cuts the other one off.

The page and its neighbour are put into one image before anything bends it, so that both have the same shape, light and
device. `geometry.py` bends it, and `light.py` draws what is visible between and around the papers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from finscribe_assets.rendering.damage import ink
from finscribe_assets.rendering.damage.bends import Projection, Size, rotation, scaling
from finscribe_assets.rendering.damage.draws import PAPER_COLOUR, Draw
from finscribe_assets.rendering.page_colours import to_colour, to_grey

GAPS_MM = (1.5, 9.0)  # between the papers
SHOWN_SHARES = (0.15, 0.45)  # of the neighbour's width that a scan shows; a photograph shows more of what is around
MAX_TURN = 2.5  # degrees between the papers
# Parts of the capture's width and height by which the image reaches further, for pictures that are turned or tilted.
BEYOND_SIDE, BEYOND_TOP = 0.35, 0.15
_PRINT_EFFECTS = {"thermal_fade": ink.thermal_fade, "dot_matrix": ink.dot_matrix, "fax": ink.fax}


@dataclass(frozen=True)
class PairedPages:
    """The page and its neighbour in one image.

    Attributes:
        image: both papers; white outside them.
        clean: the same in grey, with the page as it was before any damage.
        page_at: x and y of the page's corner in the image, in pixels.
        frame_at: x and y of the captured part's corner in the image.
        frame: height and width of the captured part.
        outline: outline of the neighbour in the image (4 × 2).
    """

    image: np.ndarray
    clean: np.ndarray
    page_at: tuple[int, int]
    frame_at: tuple[int, int]
    frame: Size
    outline: np.ndarray

    @property
    def framing(self) -> Projection:
        """Return the mapping from points of the image to points of the captured part."""
        return Projection(scaling(1.0, -np.array(self.frame_at, float)))


def paired(
    page: np.ndarray, clean: np.ndarray, neighbour: np.ndarray, draw: Draw, draw_of: Callable[[str, int], Draw]
) -> PairedPages:
    """Lay a neighbour beside a page.

    Args:
        page: the page with what people and printers did to it; height × width, or × 3 in colour; uint8.
        clean: the page as it was laid out, of the same size.
        neighbour: the other document's page, without damage.
        draw: the random numbers of where it lies.
        draw_of: gives the draw of an effect, by its name and the index of the page that it acts on.

    Returns:
        The image of both. The part that is captured holds all of the page and one side of the neighbour.
    """
    for name, effect in _PRINT_EFFECTS.items():  # both are of one printer
        other = draw_of(name, draw.page + 1)
        if other.strength:
            neighbour = effect(neighbour, other)
    random, (height, width) = draw.random, page.shape[:2]
    on_right, gap = bool(random.random() < 0.5), draw.pixels(random.uniform(*GAPS_MM))
    shown = random.uniform(*SHOWN_SHARES) * neighbour.shape[1]
    turn, lower = random.uniform(-MAX_TURN, MAX_TURN), random.uniform(-0.3, 0.3) * height
    # In pixels from the page's corner: x0 and x1 of what is captured, and x0, y0, x1, y1 of the image of both.
    x0, x1 = (0.0, width + gap + shown) if on_right else (-gap - shown, float(width))
    beyond = BEYOND_SIDE * (x1 - x0)
    x0, x1, left, right = round(x0), round(x1), round(min(0, x0 - beyond)), round(max(width, x1 + beyond))
    left, right = (0, right) if on_right else (left, width)
    top, bottom = -round(BEYOND_TOP * height), height + round(BEYOND_TOP * height)
    # Turned about its centre, then moved so that its nearest corner is at the gap.
    turned = rotation(neighbour.shape[:2], turn)
    high, wide = neighbour.shape[:2]
    corners = turned.forward(np.array([[0.0, 0.0], [wide, 0.0], [wide, high], [0.0, high]]))
    near = width + gap - corners[:, 0].min() if on_right else -gap - corners[:, 0].max()
    move = scaling(1.0, np.array([near - left, lower - corners[:, 1].min() - top])) @ turned.matrix
    outline = Projection(move).forward(np.array([[0.0, 0.0], [wide, 0.0], [wide, high], [0.0, high]]))
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # OpenCV measures from the centre of a pixel
    matrix = (np.linalg.inv(half) @ move @ half)[:2]
    size = (right - left, bottom - top)
    beside = cv2.warpAffine(neighbour, matrix, size, flags=cv2.INTER_LINEAR, borderValue=PAPER_COLOUR)
    grey = to_grey(beside)
    if page.ndim != beside.ndim:
        page, beside = to_colour(page), to_colour(beside)
    for image, sheet in ((beside, page), (grey, to_grey(clean))):
        image[-top : height - top, -left : width - left] = sheet
    return PairedPages(beside, grey, (-left, -top), (x0 - left, -top), (height, x1 - x0), outline)
