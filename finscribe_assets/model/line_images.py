"""What the embedded model is shown: one printed line, brought to its own height."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PIL import Image

from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT

LINE_HEIGHT = 28  # one row of the model's merged patches: patch 14 × merge 2
MAX_LINE_WIDTH = 28 * 48
PAPER = 255


class LineKind(StrEnum):
    """Where a line comes from."""

    DRAWN = "drawn"  # a text drawn directly
    FIELD = "field"  # one line of a field's value
    BLOCK = "block"  # one line of a block with its label
    ROW = "row"  # one line across a table; read as OTSL

    @property
    def prompt(self) -> str:
        """Return what is asked of such a line."""
        return TABLE_PROMPT if self is LineKind.ROW else OCR_PROMPT


@dataclass(frozen=True)
class PrintedLine:
    """A line 28 pixels high, what is to be read, and each character's centre in pixels where it was drawn directly."""

    pixels: np.ndarray  # 28 × width, uint8, width a multiple of 28
    text: str
    kind: LineKind
    element: str = ""  # of a field; of a block's line its region
    centres: tuple[float, ...] = ()


def fit_line(image: Image.Image) -> Image.Image:
    """Return a line's crop as a grey image 28 pixels high, its width padded with white to a multiple of 28.

    The aspect ratio is kept, but for lines longer than ``MAX_LINE_WIDTH``, which are squeezed to it.
    """
    image = image.convert("L")
    width = min(max(1, round(image.width * LINE_HEIGHT / image.height)), MAX_LINE_WIDTH)
    scaled = image.resize((width, LINE_HEIGHT), Image.Resampling.BILINEAR)
    canvas = Image.new("L", (math.ceil(width / LINE_HEIGHT) * LINE_HEIGHT, LINE_HEIGHT), PAPER)
    canvas.paste(scaled, (0, 0))
    return canvas
