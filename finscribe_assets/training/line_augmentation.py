"""Lines as another scanner would have seen them, so that the same line is a little different in every epoch.

What belongs here: changes to a fitted line that leave its text and its size as they are. Damage to whole pages is the
renderer's business.
"""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image, ImageFilter

from finscribe_assets.model.line_images import WHITE


def vary_line(line: Image.Image, random: Random, strength: float) -> Image.Image:
    """Return a line moved, slanted, stretched, blurred, faded or grained at random, in mode L and of the same size.

    ``strength`` is from 0, no change, to 1: moved by up to 2 pixels, a tenth lower or less than a tenth higher, up to
    4 % narrower, slanted by 3 degrees, contrast down to three quarters, grain of up to 6 of 255 grey levels.
    """
    if strength <= 0:
        return line
    varied = line
    if random.random() < 0.8:
        varied = _moved(varied, random, strength)
    if random.random() < 0.2 * strength:
        varied = varied.filter(ImageFilter.GaussianBlur(random.uniform(0.2, 0.7)))
    pixels = np.asarray(varied, dtype=np.float32)
    if random.random() < 0.5:
        contrast = 1 + strength * random.uniform(-0.25, 0.1)
        pixels = (pixels - 128) * contrast + 128 + strength * random.uniform(-10, 10)
    if random.random() < 0.3 * strength:
        grain = np.random.default_rng(random.getrandbits(32)).standard_normal(pixels.shape, dtype=np.float32)
        pixels = pixels + grain * random.uniform(1, 6)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _moved(line: Image.Image, random: Random, strength: float) -> Image.Image:
    """Move, slant and stretch a line within its frame; its width may shrink but not grow, so that no end is lost."""
    narrower = 1 + strength * random.uniform(0.0, 0.04)
    higher = 1 + strength * random.uniform(-0.1, 0.08)
    slant = strength * random.uniform(-0.06, 0.06)
    right, down = strength * random.uniform(-2, 1), strength * random.uniform(-1.2, 1.2)
    middle = line.height / 2
    # Pillow wants, for each pixel of the result, the place in the source that it comes from.
    source = (narrower, slant, -slant * middle - right, 0.0, 1 / higher, middle - middle / higher - down)
    corner = int(np.median(np.asarray(line)[[0, -1], :8]))
    ground = WHITE if corner > WHITE * 0.8 else corner  # what comes in at the edges, on light and on dark grounds
    return line.transform(line.size, Image.Transform.AFFINE, source, Image.Resampling.BILINEAR, fillcolor=ground)
