"""Vary line images, so that a line looks a little different whenever it is trained.

What belongs here: changes to a fitted line that keep its text and its size. Damage to whole pages is in
`rendering.damage`.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageFilter

from finscribe_assets.model.line_images import WHITE

Augmentation = Callable[[Image.Image, str], Image.Image]
"""Varies an image, given the id of its sample; the result has the same size."""


def augmentation_of_step(strength: float, seed: int, step: int) -> Augmentation | None:
    """Return the augmentation of a training step, a function of seed, step and sample; None at strength 0."""
    if not strength:
        return None
    return lambda image, sample: augment_line(image, Random(f"vary:{seed}:{step}:{sample}"), strength)


def augment_line(line: Image.Image, random: Random, strength: float) -> Image.Image:
    """Move, slant, stretch, blur, fade or grain a line at random.

    Args:
        line: of mode L.
        random: the only source of randomness.
        strength: from 0 (no change) to 1: moved by up to 2 pixels, up to a tenth lower or 8 % higher, up to 4 %
            narrower, slanted by up to 3 degrees, contrast down to three quarters, grain of up to 6 of 255 grey levels.

    Returns:
        A line of mode L and of the same size.
    """
    if strength <= 0:
        return line
    varied = line
    if random.random() < 0.8:
        varied = _move(varied, random, strength)
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


def _move(line: Image.Image, random: Random, strength: float) -> Image.Image:
    """Move, slant and stretch a line within its frame; it may get narrower but not wider, so that no end is lost."""
    narrower = 1 + strength * random.uniform(0.0, 0.04)
    higher = 1 + strength * random.uniform(-0.1, 0.08)
    slant = strength * random.uniform(-0.06, 0.06)
    right, down = strength * random.uniform(-2, 1), strength * random.uniform(-1.2, 1.2)
    middle = line.height / 2
    # Pillow's matrix maps each pixel of the result to the point of the source that it is taken from.
    matrix = (narrower, slant, -slant * middle - right, 0.0, 1 / higher, middle - middle / higher - down)
    corner = int(np.median(np.asarray(line)[[0, -1], :8]))
    # The colour of what comes in at the edges: paper is white, reversed print has the ground of its corner.
    background = WHITE if corner > WHITE * 0.8 else corner
    return line.transform(line.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=background)
