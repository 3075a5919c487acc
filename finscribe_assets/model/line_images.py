"""Images of single printed lines, as the embedded base takes them.

What belongs here: the size of such an image and what is known about one. Finding lines on a region is in
`line_finding`, cutting them from rendered pages in `pretraining.line_cutting`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PIL import Image

from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT

LINE_HEIGHT = 28  # pixels: one row of merged patches, PATCH_SIZE · MERGE_SIZE
MAX_LINE_WIDTH = 28 * 48
WHITE = 255


class LineType(StrEnum):
    """Where a line was taken from, which decides how it is read."""

    DRAWN = "drawn"  # a text drawn directly, not from a page
    FIELD = "field"  # one printed line of a field's value
    BLOCK = "block"  # one printed line of a block, with its label
    ROW = "row"  # one printed line across a table; read as OTSL

    @property
    def prompt(self) -> str:
        """The prompt that asks for such a line."""
        return TABLE_PROMPT if self is LineType.ROW else OCR_PROMPT


@dataclass(frozen=True)
class PrintedLine:
    """A line image with the text on it."""

    pixels: np.ndarray  # (28, width), uint8; the width is a multiple of 28
    text: str
    line_type: LineType
    element: str = ""  # of a field: its element; of a block's line: its region
    centres: tuple[float, ...] = ()  # of a drawn line: x of each character's centre, in pixels


def fit_line(image: Image.Image) -> Image.Image:
    """Scale a line's crop to a grey image 28 pixels high, padded with white to a width that is a multiple of 28.

    The aspect ratio is kept, except for lines longer than MAX_LINE_WIDTH, which are compressed to this width.
    """
    image = image.convert("L")
    width = min(max(1, round(image.width * LINE_HEIGHT / image.height)), MAX_LINE_WIDTH)
    scaled = image.resize((width, LINE_HEIGHT), Image.Resampling.BILINEAR)
    canvas = Image.new("L", (math.ceil(width / LINE_HEIGHT) * LINE_HEIGHT, LINE_HEIGHT), WHITE)
    canvas.paste(scaled, (0, 0))
    return canvas
