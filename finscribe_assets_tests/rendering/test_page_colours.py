"""Pages are grey or coloured, and turned to grey in one place."""

from __future__ import annotations

import numpy as np
import pytest

from finscribe_assets.rendering.page_colours import names_colour, to_colour, to_grey, without_empty_colour


@pytest.mark.parametrize(
    ("html", "named"),
    [
        ("h1 { color: #111; border: 1pt solid #ECECEC }", False),
        ("h1 { color: #1f3a5f }", True),
        ("td { background: #f0F }", True),
        ("<b>No. #1234</b>", False),
        ("", False),
    ],
)
def test_html_without_colours_is_recognised(html, named):
    assert names_colour(html) is named


def test_grey_pixels_survive_colour_and_back():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert to_grey(grey) is grey
    assert np.array_equal(to_grey(to_colour(grey)), grey)
    assert np.array_equal(without_empty_colour(to_colour(grey)), grey)


def test_one_coloured_pixel_keeps_a_page_in_colour():
    page = np.full((9, 9, 3), 200, np.uint8)
    page[4, 4, 2] = 199
    assert without_empty_colour(page) is page
