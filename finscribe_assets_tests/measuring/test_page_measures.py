"""Measures of pages are held to what was drawn: the angle of a rotation, the size of type, the strength of damage."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from finscribe_assets.documents.document_outline import MIN_DAMAGE
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.measuring.page_measures import PAGE_MEASURES, measure_page
from finscribe_assets.rendering.render import render

_RECIPE = Recipe(
    document_types={"invoice": 1}, locales={"de_DE": 1}, colours={"grey": 1}, fonts={"Lato": 1}, knobs=NO_KNOBS
)


@cache
def _page(index: int = 0, **look: object) -> np.ndarray:
    drawn = draw_document(seed_plan("batch-000", 8, 5, _RECIPE), index)
    changed = drawn.presentation.model_copy(
        update={key: dict(value) if key == "damage" else value for key, value in look.items()}
    )
    page = render(drawn.model_copy(update={"presentation": changed})).pages[0]
    return np.asarray(page.open())


def _damaged(name: str, strength: float) -> dict[str, float]:
    return measure_page(_page(damage=((name, strength),)))


def test_every_measure_is_finite_and_the_same_for_the_same_pixels() -> None:
    page = _page()
    first, second = measure_page(page), measure_page(page.copy())
    assert first == second
    assert first.keys() == PAGE_MEASURES.keys()
    assert all(np.isfinite(value) for value in first.values())


@pytest.mark.parametrize("pixels", [np.full((40, 30), 255, np.uint8), np.zeros((300, 200, 3), np.uint8)])
def test_pages_without_print_are_measured(pixels: np.ndarray) -> None:
    assert all(np.isfinite(value) for value in measure_page(pixels).values())


@pytest.mark.parametrize("angle", [-6.0, -1.3, -0.4, 0.7, 2.5, 8.0])
def test_the_angle_is_that_of_the_rotation(angle: float) -> None:
    page = _page()
    height, width = page.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    turned = cv2.warpAffine(page, matrix, (width, height), borderValue=255, flags=cv2.INTER_LINEAR)
    assert measure_page(turned)["angle"] == pytest.approx(angle, abs=0.1)


def test_the_x_height_follows_the_size_of_type() -> None:
    sizes = (7.0, 9.0, 11.0)
    heights = [measure_page(_page(font_size=size))["x_height"] for size in sizes]
    # Lato's small letters are 0.506 em high; 144 pixels are an inch of 72 points.
    assert heights == pytest.approx([size * 0.506 * 2 for size in sizes], abs=1.6)
    assert heights == sorted(heights)


@pytest.mark.parametrize(
    ("knob", "measure"),
    [("blur", "edge_width"), ("noise", "noise"), ("jpeg", "blockiness"), ("low_resolution", "edge_width")],
)
def test_measures_grow_with_the_strength_of_damage(knob: str, measure: str) -> None:
    clean = measure_page(_page())[measure]
    values = [_damaged(knob, strength)[measure] for strength in (MIN_DAMAGE, 0.65, 1.0)]
    assert [clean, *values] == sorted([clean, *values])
    assert values[-1] > 1.3 * max(clean, 0.1)


def test_photographs_show_what_surrounds_the_sheet_and_files_do_not() -> None:
    assert measure_page(_page())["surroundings"] == 0
    assert _damaged("photo", 0.8)["surroundings"] > 0.05


def test_levels_of_paper_and_print_are_measured_as_drawn() -> None:
    captured = measure_page(_page(paper_level=230, ink_level=60))
    clean = measure_page(_page())
    assert captured["paper_level"] == pytest.approx(230, abs=3)
    assert captured["ink_level"] > clean["ink_level"] + 30


def test_pages_of_another_resolution_have_proportional_lengths() -> None:
    low, high = measure_page(_page(dpi=120)), measure_page(_page(dpi=240))
    assert high["width"] == pytest.approx(2 * low["width"], abs=2)
    assert high["x_height"] == pytest.approx(2 * low["x_height"], rel=0.25)
