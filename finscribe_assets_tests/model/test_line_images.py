import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from finscribe_assets.model.line_images import LINE_HEIGHT, MAX_LINE_WIDTH, WHITE, fit_line


@given(st.integers(1, 3000), st.integers(1, 120))
def test_any_crop_becomes_a_line_that_the_model_takes(width, height):
    line = fit_line(Image.new("L", (width, height), 0))
    assert line.mode == "L"
    assert line.height == LINE_HEIGHT
    assert line.width % 28 == 0
    assert 0 < line.width <= MAX_LINE_WIDTH
    ink = np.flatnonzero((np.asarray(line) < WHITE).any(axis=0))
    wanted = min(max(1, width * LINE_HEIGHT / height), MAX_LINE_WIDTH)
    assert abs(len(ink) - wanted) <= 0.5, "the aspect ratio is kept"
    assert ink[0] == 0, "padding is on the right alone"


def test_a_line_that_fits_already_is_left_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 84), dtype=np.uint8)
    assert np.array_equal(np.asarray(fit_line(Image.fromarray(pixels))), pixels)


def test_colour_becomes_grey():
    assert np.asarray(fit_line(Image.new("RGB", (28, 28), "white"))).min() == WHITE
