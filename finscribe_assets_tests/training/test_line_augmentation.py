from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from finscribe_assets.model.line_images import WHITE
from finscribe_assets.training.line_augmentation import augment_line


def line(ink=0, paper=WHITE, width=280):
    """Two bars of ink, a few pixels from each end of the line."""
    image = Image.new("L", (width, 28), paper)
    draw = ImageDraw.Draw(image)
    for left in (4, width - 10):
        draw.rectangle((left, 6, left + 5, 21), fill=ink)
    return image


def test_a_variation_keeps_size_and_both_ends_of_the_line():
    for seed in range(200):
        varied = augment_line(line(), Random(seed), 1.0)
        assert varied.size == (280, 28)
        assert varied.mode == "L"
        pixels = np.asarray(varied, dtype=float)
        dark = (pixels < pixels.max() - 60).any(axis=0)
        assert dark[:20].any()
        assert dark[-30:].any()


def test_variations_differ_from_each_other_but_not_for_one_seed():
    varied = {augment_line(line(), Random(seed), 1.0).tobytes() for seed in range(40)}
    assert len(varied) > 30
    assert augment_line(line(), Random(7), 1.0).tobytes() == augment_line(line(), Random(7), 1.0).tobytes()


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 40)])
def test_what_comes_in_at_the_edges_is_the_ground(ink, paper):
    for seed in range(60):
        border = np.asarray(augment_line(line(ink, paper), Random(seed), 1.0), dtype=float)[[0, -1], :]
        assert abs(np.median(border) - paper) < 70
        assert np.abs(border - np.median(border)).mean() < 25


def test_strength_is_how_much_changes():
    text = Image.new("L", (140, 28), WHITE)
    ImageDraw.Draw(text).text((4, 4), "Rechnung 12", fill=0, font=ImageFont.load_default(18))

    def change(strength):
        plain = np.asarray(text, dtype=float)
        varied = [np.asarray(augment_line(text, Random(seed), strength), dtype=float) for seed in range(40)]
        return float(np.mean([np.abs(image - plain).mean() for image in varied]))

    assert change(0.0) == 0.0
    assert 0 < change(0.2) < change(0.6) < change(1.0)
