"""Pages are turned upright by what is printed on them, and upright pages are left as they are."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfWriter
from weasyprint import HTML

from finscribe_assets.opening.input_limits import DEFAULT_DPI, InputLimits
from finscribe_assets.opening.page_content import PageContent
from finscribe_assets.opening.page_orientation import find_rotation
from finscribe_assets.opening.page_reader import read_pages
from finscribe_assets.opening.page_skew import estimate_skew, turned
from finscribe_assets.opening.upright_pages import PageTurner
from finscribe_assets.rendering.pages import Page

LINES = "<br>".join(f"Invoice line {number}: delivery of goods, {number * 37}.50 EUR net" for number in range(1, 25))


def letter(style: str = "") -> bytes:
    return HTML(
        string=f"<style>@page {{size: 180mm 240mm; margin: 15mm}} p {{{style}}}</style><p>{LINES}</p>"
    ).write_pdf()


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    return read_pages([letter()], DEFAULT_DPI, InputLimits()).pages[0].grey()


def image_content(pixels: np.ndarray) -> PageContent:
    return PageContent((Page.of_pixels(pixels),), DEFAULT_DPI)


@pytest.fixture(scope="module")
def turner() -> PageTurner:
    return PageTurner()


@pytest.mark.parametrize(
    "rotation", [0, 270, pytest.param(90, marks=pytest.mark.slow), pytest.param(180, marks=pytest.mark.slow)]
)
def test_a_page_in_any_direction_becomes_the_upright_page(page, turner, rotation):
    upright = turner.upright(image_content(turned(page, rotation, 0)))
    assert np.array_equal(upright.pages[0].grey(), page)
    assert [turn.rotation for turn in upright.turns] == ([360 - rotation] if rotation else [])
    assert upright.notes == ()


@pytest.mark.parametrize("skew", [-10, -5, -2, 0, 1, 2, 5, 10])
def test_a_skewed_page_is_straightened(page, skew):
    assert estimate_skew(turned(page, 0, skew)) == pytest.approx(-skew, abs=0.3)


@pytest.mark.parametrize(
    ("read", "expected"),
    [  # of the page as it is, upside down, turned by 90 and by 270
        ((["Invoice 123"] * 3, ["Invoice 123"] * 6, [], []), 0),
        (([], [], [], ["Invoice 123"] * 3), 270),
        (([], [], [], ["Invoice 123"] * 2 + ["23"] * 4), 0),
        (([], [], [], ["1234567890"] * 6), 0),
        (([], [], [], ["ede de de de"] * 6), 0),
        ((["1234567890"] * 2, [], ["Invoice 123"] * 3, []), 0),
        ((["1234567890"], ["Invoice 123"] * 3, ["Invoice 123"] * 4, []), 90),
    ],
)
def test_a_page_is_turned_only_by_several_lines_of_words(page, read, expected):
    answers = iter(read)
    rotation, _ = find_rotation(page, lambda lines: [(text, 0.95) for text in next(answers)])
    assert rotation == expected


def test_words_that_are_read_with_little_confidence_turn_no_page(page):
    answers = iter([0.0, 0.8, 0.8, 0.8])
    assert find_rotation(page, lambda lines: [("Invoice 123", next(answers))] * 6)[0] == 0


@pytest.mark.slow
def test_a_page_that_is_skewed_and_upside_down_is_both_turned_and_straightened(page, turner):
    content = image_content(turned(page, 180, 4))
    (turn,) = turner.upright(content).turns
    assert (turn.page, turn.rotation) == (1, 180)
    assert turn.skew == pytest.approx(-4, abs=0.3)
    assert (turn.width, turn.height) == (content.pages[0].width, content.pages[0].height)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_page_without_text_is_left_as_it_is(level):
    content = image_content(np.full((600, 400), level, np.uint8))
    assert PageTurner().upright(content) == content


def test_a_small_image_is_left_as_it_is():
    content = image_content(np.zeros((1, 1), np.uint8))
    assert PageTurner().upright(content) == content


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_pdf_page_is_turned_by_its_text(rotation):
    writer = PdfWriter(clone_from=io.BytesIO(letter()))
    writer.pages[0].rotate(rotation)
    stream = io.BytesIO()
    writer.write(stream)
    content = read_pages([stream.getvalue()], DEFAULT_DPI, InputLimits())
    assert [turn.rotation for turn in PageTurner().upright(content).turns] == ([360 - rotation] if rotation else [])


def test_a_pdf_page_is_straightened_by_its_text():
    content = read_pages([letter("transform: rotate(5deg)")], DEFAULT_DPI, InputLimits())
    (turn,) = PageTurner().upright(content).turns
    assert (turn.rotation, turn.skew) == (0, -5)


def test_without_an_engine_a_page_is_straightened_and_the_record_says_what_was_not_checked(page, monkeypatch):
    monkeypatch.setattr("finscribe_assets.ocr.rapidocr_engine.find_spec", lambda name: None)
    upright = PageTurner().upright(image_content(turned(page, 0, 3)))
    assert [turn.rotation for turn in upright.turns] == [0]
    (note,) = upright.notes
    assert "was not checked: the OCR engine needs rapidocr" in note


@given(st.sampled_from([0, 90, 180, 270]), st.floats(-10, 10))
def test_a_turned_page_holds_the_whole_page(rotation, skew):
    pixels = np.full((60, 40), 255, np.uint8)
    pixels[0, 0] = pixels[-1, -1] = pixels[0, -1] = pixels[-1, 0] = 254
    height, width = turned(pixels, rotation, skew).shape
    assert width * height >= 60 * 40
    assert (turned(pixels, rotation, 0) == np.rot90(pixels, -rotation // 90)).all()
