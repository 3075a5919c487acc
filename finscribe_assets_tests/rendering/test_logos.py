"""Logos: a function of the company, different for each, small, and drawn alike by both engines."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from finscribe_assets.documents.drawn_document import Engine
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.rendering import plutoprint_engine, weasyprint_engine
from finscribe_assets.rendering.logos import MAX_WIDTH_MM, draw_logo
from finscribe_assets.rendering.mark_boxes import lay_out
from finscribe_assets.rendering.page_checks import layout_problems
from finscribe_assets.rendering.page_colours import to_grey
from finscribe_assets.rendering.page_html import to_markup

COMPOSITIONS = ("symbol", "beside", "above", "wordmark")


@pytest.mark.parametrize("logo", COMPOSITIONS)
def test_every_company_has_a_logo_of_its_own(logo):
    logos = [draw_logo(logo, f"Company {number} <&> Ltd", "#1f3a5f", "DejaVu Sans") for number in range(400)]
    for drawn in logos:
        ElementTree.fromstring(drawn.svg)  # noqa: S314, our own
        assert 2 < drawn.width <= MAX_WIDTH_MM
        assert 1.5 < drawn.height < 20
    shapes = {re.sub("<text.*?</text>", "", drawn.svg) for drawn in logos}
    assert len(shapes) > 380


@pytest.mark.parametrize("company", ["\u682a\u5f0f\u4f1a\u793e\u5c71\u7530", "\u0634\u0631\u0643\u0629", "7 & Co", "A"])
def test_a_name_of_any_script_has_a_logo(company):
    for logo in COMPOSITIONS:
        ElementTree.fromstring(draw_logo(logo, company, "#000000", "DejaVu Sans").svg)  # noqa: S314, our own


@pytest.mark.parametrize("logo", COMPOSITIONS)
def test_both_engines_print_a_logo_alike(logo):
    drawn = draw_logo(logo, "Alder Services Ltd", "#c01020", "DejaVu Sans")
    page = (
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><style>@page { size: 60mm 40mm; margin: 5mm }</style></head>'
        f"<body>{drawn.svg}</body></html>"
    )
    ink = [
        int((to_grey(engine.paint(page, 144, None, in_colour=True).pages[0]) < 200).sum())
        for engine in (weasyprint_engine, plutoprint_engine)
    ]
    assert ink[0] == pytest.approx(ink[1], rel=0.05)


@pytest.mark.parametrize("engine", Engine)
@pytest.mark.parametrize("logo", COMPOSITIONS)
def test_every_value_keeps_its_place_beside_a_logo(logo, engine):
    drawn = draw_document(seed_plan("batch-000", 1, 3, Recipe(knobs=NO_KNOBS, locales={"en_GB": 1.0})), 0)
    look = drawn.presentation
    style = look.style.model_copy(update={"logo": logo})
    shown = drawn.model_copy(update={"presentation": look.model_copy(update={"style": style})})
    assert layout_problems(shown, lay_out(to_markup(shown, engine), 72)) == []
