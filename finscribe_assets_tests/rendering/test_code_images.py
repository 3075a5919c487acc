"""Codes that machines read: an independent decoder reads them on pages of both engines."""

from itertools import groupby

import cv2
import numpy as np
import pytest
from barcode.codex import Code128

from finscribe_assets.documents.drawn_document import DrawnDocument, Engine
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.rendering.mark_boxes import lay_out
from finscribe_assets.rendering.page_checks import layout_problems
from finscribe_assets.rendering.page_colours import to_grey
from finscribe_assets.rendering.page_html import to_markup
from finscribe_assets.rendering.pages import Box


def invoices(locale: str, count: int = 12) -> list[DrawnDocument]:
    knobs = NO_KNOBS.model_copy(update={"payment_codes": 1.0, "bar_codes": 1.0, "optional_fields": 1.0})
    recipe = Recipe(document_types={DocumentType.INVOICE: 1.0}, locales={locale: 1.0}, knobs=knobs)
    plan = seed_plan("batch-000", count, 6, recipe)
    return [draw_document(plan, index) for index in range(count)]


def code_of(locale: str, start: str) -> tuple[DrawnDocument, list[str]]:
    """Return an invoice whose payment code has a form, and the code's lines."""
    drawn = next(drawn for drawn in invoices(locale) if drawn.presentation.payment_code.startswith(start))
    return drawn, drawn.presentation.payment_code.split("\n")


@pytest.mark.parametrize("engine", list(Engine))
@pytest.mark.parametrize("locale", ["de_DE", "de_CH", "en_IN", "pl_PL", "en_US"])
def test_a_decoder_reads_the_payment_code_on_the_page(locale, engine):
    drawn = invoices(locale, 2)[0]
    laid_out = lay_out(to_markup(drawn, engine), 200)
    assert layout_problems(drawn, laid_out) == []
    read = {cv2.QRCodeDetector().detectAndDecode(to_grey(page))[0] for page in laid_out.pages}
    assert drawn.presentation.payment_code in read


def test_the_giro_code_has_account_and_amount():
    drawn, lines = code_of("de_DE", "BCD")
    assert lines[:4] == ["BCD", "002", "1", "SCT"]
    assert lines[6] == drawn.document.payment_account
    assert lines[7] == f"EUR{drawn.document.totals.amount_due:.2f}"


def test_the_swiss_code_has_the_lines_of_the_guidelines():
    drawn, lines = code_of("de_CH", "SPC")
    assert len(lines) == 31
    assert (lines[0], lines[1], lines[3], lines[-1]) == ("SPC", "0200", drawn.document.payment_account, "EPD")
    assert (lines[18], lines[19]) == (f"{drawn.document.totals.amount_due:.2f}", "CHF")
    assert lines[27] in ("QRR", "SCOR", "NON")
    assert bool(lines[28]) == (lines[27] != "NON")


@pytest.mark.parametrize("engine", list(Engine))
def test_the_bars_of_a_bar_code_are_those_of_its_number(engine):
    drawn = invoices("en_GB", 1)[0]
    style = drawn.presentation.style.model_copy(update={"bar_code_above": True, "code_place": "left"})
    look = drawn.presentation.model_copy(update={"style": style, "layout": "invoice_classic"})
    drawn = drawn.model_copy(update={"presentation": look})
    page = to_grey(lay_out(to_markup(drawn, engine), 300).pages[0])
    (modules,) = Code128(look.bar_code).build()
    left, top = round(style.side_margin / 25.4 * 300), round((style.top_margin + 2.5 + 4) / 25.4 * 300)
    length = 42 / 25.4 * 300
    middles = [round(left + (number + 0.5) * length / len(modules)) for number in range(len(modules))]
    rows = np.array([page[top + shift, middles] < 128 for shift in range(-8, 9)])
    assert any("".join("1" if dark else "0" for dark in row) == modules for row in rows)


# Widths of the bars and spaces of a digit in the right half of an EAN-13 code (GS1 General Specifications, 5.2).
EAN_RIGHT = ("3211", "2221", "2122", "1411", "1132", "1231", "1114", "1312", "1213", "3112")
EAN_PARITIES = ("LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL")


def ean_of(modules: str) -> str:
    """Decode the 95 modules of an EAN-13 code."""
    left = [modules[start : start + 7] for start in range(3, 45, 7)]
    right = [modules[start : start + 7] for start in range(50, 92, 7)]
    widths = [("".join(str(len(list(run))) for _, run in groupby(digit)), digit[0]) for digit in (*left, *right)]
    digits, parities = "", ""
    for number, (bars, _) in enumerate(widths):
        is_reversed = bars not in EAN_RIGHT or (number < 6 and left[number].count("1") % 2 == 0)
        digits += str(EAN_RIGHT.index(bars[::-1] if is_reversed else bars))
        parities += "G" if is_reversed else "L"
    return f"{EAN_PARITIES.index(parities[:6])}{digits}"


@pytest.mark.parametrize("engine", list(Engine))
def test_the_bars_above_the_number_of_an_article_are_its_ean_code(engine):
    knobs = NO_KNOBS.model_copy(update={"item_bar_codes": 1.0})
    recipe = Recipe(document_types={DocumentType.INVOICE: 1.0}, locales={"de_DE": 1.0}, knobs=knobs)
    plan = seed_plan("batch-000", 12, 6, recipe)
    drawn = next(one for one in (draw_document(plan, index) for index in range(12)) if one.knobs["item_bar_codes"])
    laid_out = lay_out(to_markup(drawn, engine), 300)
    assert layout_problems(drawn, laid_out) == []
    numbers = [mark.fragments[0] for mark in laid_out.marks if mark.name.endswith(".gtin")]
    assert {number.text for number in numbers} == {line.gtin for line in drawn.document.lines}
    for number in numbers:
        box, page = number.box, to_grey(laid_out.pages[number.page])
        row = page[round(box.y0 - box.height), int(box.x0 - 3) : int(box.x0 + 8 * box.height)] < 128
        dark = np.flatnonzero(row)
        start, length = dark[0], 6.4 / 1.8 * _bars_height(page, box, int(box.x0 - 3) + dark[0])
        end = dark[dark < start + 1.03 * length][-1] + 1
        middles = [int(start + (index + 0.5) * (end - start) / 95) for index in range(95)]
        assert ean_of("".join("1" if row[x] else "0" for x in middles)) == number.text


def _bars_height(page: np.ndarray, box: Box, x: int) -> int:
    """Return the height in pixels of the bar that crosses the row above a number."""
    column = page[: int(box.y0), x] < 128
    run = 0
    while not column[-1 - run]:
        run += 1
    height = 0
    while column[-1 - run - height]:
        height += 1
    return height
