"""What a page-level model sees: its processor scales every image to a budget of pixels before it reads it.

The rule and the budgets are those of PaddleOCR-VL's image processor. The size of print after that step is the height of
a lower-case x in the model's pixels.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace
from functools import cache

from PIL import Image

from finscribe_assets.rendering.font_faces import face, line_extent, text_width
from finscribe_assets.rendering.pages import Box, Fragment, Mark, Page, RenderedDocument

TOKEN_SIDE = 28  # pixels: the model has one token for 2 × 2 patches of 14 × 14 pixels
MAX_ASPECT_RATIO = 200  # of an image that the processor accepts


@dataclass(frozen=True)
class PixelBudget:
    """The numbers of pixels to which a processor scales images that have fewer or more.

    Attributes:
        min_pixels: smaller images are enlarged to this number.
        max_pixels: larger images are reduced to this number.
    """

    min_pixels: int = 112_896
    max_pixels: int = 1_003_520

    def resized(self, width: int, height: int) -> tuple[int, int]:
        """Return the width and height that the processor gives an image: multiples of 28 within the budget."""
        width, height = float(width), float(height)  # type: ignore[assignment]
        if height < TOKEN_SIDE:
            width, height = round(width * TOKEN_SIDE / height), TOKEN_SIDE
        if width < TOKEN_SIDE:
            width, height = TOKEN_SIDE, round(height * TOKEN_SIDE / width)
        new_width, new_height = (max(1, round(side / TOKEN_SIDE)) * TOKEN_SIDE for side in (width, height))
        if new_width * new_height > self.max_pixels:
            factor = math.sqrt(width * height / self.max_pixels)
            new_width, new_height = (
                max(TOKEN_SIDE, math.floor(side / factor / TOKEN_SIDE) * TOKEN_SIDE) for side in (width, height)
            )
        elif new_width * new_height < self.min_pixels:
            factor = math.sqrt(self.min_pixels / (width * height))
            new_width, new_height = (math.ceil(side * factor / TOKEN_SIDE) * TOKEN_SIDE for side in (width, height))
        return new_width, new_height

    def tokens(self, width: int, height: int) -> int:
        """Return the number of tokens that an image takes of the model's context."""
        new_width, new_height = self.resized(width, height)
        return new_width * new_height // TOKEN_SIDE**2

    def scale(self, width: float, height: float) -> float:
        """Return the factor by which print in an image changes its height."""
        return self.resized(max(1, round(width)), max(1, round(height)))[1] / height


PADDLEOCR_VL = PixelBudget(147_384, 2_822_400)  # preprocessor_config.json of PaddlePaddle/PaddleOCR-VL
PADDLEOCR_VL_1_5 = PixelBudget()  # of PaddlePaddle/PaddleOCR-VL-1.5: an A4 page has 101 dots per inch


@cache
def x_height_share(family: str) -> float:
    """Return the height of a font's lower-case x in em."""
    font = face(family)
    _, top, _, bottom = font.getbbox("x", anchor="ls")
    return (bottom - top) / font.size


def as_model_sees(document: RenderedDocument, budget: PixelBudget) -> RenderedDocument:
    """Return a document with its pages as a processor resizes them (bicubic), and the boxes moved with them."""
    pages, factors = [], []
    for page in document.pages:
        width, height = budget.resized(page.width, page.height)
        content = io.BytesIO()
        page.open().resize((width, height), Image.Resampling.BICUBIC).save(content, "PNG")
        pages.append(Page(content.getvalue(), width, height))
        factors.append((width / page.width, height / page.height))

    def moved(part: Fragment) -> Fragment:
        x, y = factors[part.page]
        return replace(part, box=Box(part.box.x0 * x, part.box.y0 * y, part.box.x1 * x, part.box.y1 * y))

    marks = tuple(Mark(mark.type, mark.name, tuple(map(moved, mark.fragments))) for mark in document.marks)
    return RenderedDocument(document.id, document.dpi, tuple(pages), marks)


def x_height(part: Fragment, family: str) -> float:
    """Return the height of a lower-case x in the print of a fragment, in pixels of its page.

    A box around slanted print is too high, and one around print with wide spaces too wide: the smaller estimate counts.

    Args:
        part: one printed line.
        family: the font of its page.
    """
    by_height = part.box.height / line_extent(family)
    by_width = part.box.width / max(text_width(part.text, family), 0.1) if part.text else by_height
    return x_height_share(family) * min(by_height, by_width)
