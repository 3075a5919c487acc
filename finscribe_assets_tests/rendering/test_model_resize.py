"""Images are scaled just as the model's own processor scales them, and the size of print is estimated from boxes."""

import random

import numpy as np
import pytest
from transformers.models.paddleocr_vl.image_processing_pil_paddleocr_vl import smart_resize

from finscribe_assets.rendering.model_resize import (
    MAX_ASPECT_RATIO,
    PADDLEOCR_VL,
    PADDLEOCR_VL_1_5,
    as_model_sees,
    x_height,
)
from finscribe_assets.rendering.pages import Box, Fragment, MarkType


@pytest.mark.parametrize("budget", [PADDLEOCR_VL, PADDLEOCR_VL_1_5])
def test_the_size_is_that_of_the_processor(budget):
    draw = random.Random(3)
    for _ in range(4000):
        width, height = draw.randint(5, 3000), draw.randint(5, 3000)
        if max(width, height) / min(width, height) < MAX_ASPECT_RATIO / 2:
            new_height, new_width = smart_resize(height, width, 28, budget.min_pixels, budget.max_pixels)
            assert budget.resized(width, height) == (new_width, new_height)
            assert budget.tokens(width, height) == new_width * new_height // 28**2


def test_an_a4_page_keeps_its_pixels_or_has_101_dots_per_inch():
    assert PADDLEOCR_VL.scale(1191, 1684) == pytest.approx(1, abs=0.02)
    assert PADDLEOCR_VL_1_5.scale(1191, 1684) * 144 == pytest.approx(101, abs=1)


def test_boxes_follow_the_pages(batch):
    rendered = batch.rendered[0]
    seen = as_model_sees(rendered, PADDLEOCR_VL_1_5)
    for page, model_page in zip(rendered.pages, seen.pages, strict=True):
        assert (model_page.width, model_page.height) == PADDLEOCR_VL_1_5.resized(page.width, page.height)
        assert model_page.open().size == (model_page.width, model_page.height)
    for mark, moved in zip(rendered.of_type(MarkType.FIELD), seen.of_type(MarkType.FIELD), strict=True):
        for part, other in zip(mark.fragments, moved.fragments, strict=True):
            pixels = np.asarray(seen.pages[other.page].open().convert("L"))
            x0, y0, x1, y1 = (round(side) for side in other.box)
            assert not part.visible or np.ptp(pixels[y0:y1, x0:x1]) > 30, mark.name


def test_slanted_print_is_not_taken_for_large_print():
    straight = Fragment(0, Box(100, 100, 240, 118), "Total amount due")
    slanted = Fragment(0, Box(100, 100, 240, 140), "Total amount due")
    assert x_height(straight, "Lato") == pytest.approx(x_height(slanted, "Lato"), rel=0.15)
