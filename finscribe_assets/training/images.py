"""What the embedded model is shown: one printed line, brought to its own height."""

from __future__ import annotations

import math

from PIL import Image

LINE_HEIGHT = 28  # one row of the model's merged patches: patch 14 × merge 2
MAX_LINE_WIDTH = 28 * 40
PAPER = 255


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
