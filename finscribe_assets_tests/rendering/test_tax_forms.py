"""The form of Chinese tax invoices: a decoder reads its code, and it has the blocks of the form and all values."""

import re

import cv2
import pytest

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
from finscribe_assets.rendering.pages import MarkType


@pytest.fixture(scope="module")
def forms() -> list[DrawnDocument]:
    knobs = NO_KNOBS.model_copy(update={"tax_invoice_forms": 1.0, "optional_fields": 1.0})
    recipe = Recipe(document_types={DocumentType.INVOICE: 1.0}, locales={"zh_CN": 1.0}, knobs=knobs)
    plan = seed_plan("batch-000", 16, 4, recipe)
    drawn = [draw_document(plan, index) for index in range(16)]
    return [one for one in drawn if one.presentation.tax_form]


@pytest.mark.parametrize("engine", list(Engine))
def test_a_decoder_reads_the_code_and_the_page_has_all_values(forms, engine):
    for drawn in forms[:2]:
        laid_out = lay_out(to_markup(drawn, engine), 200)
        assert layout_problems(drawn, laid_out) == []
        document = drawn.document
        version, kind, _, number, total, day, *_ = (
            cv2.QRCodeDetector().detectAndDecode(to_grey(laid_out.pages[0]))[0].split(",")
        )
        assert version == "01"
        assert kind == ("31" if document.buyer.vat_identifier else "32")
        assert number == re.sub(r"\D", "", document.document_number)
        assert total == f"{document.totals.total_with_vat:.2f}"
        assert day == document.issue_date.isoformat().replace("-", "")
        regions = {mark.name for mark in laid_out.marks if mark.type is MarkType.REGION}
        assert {"header", "buyer", "seller", "totals"} <= regions


def test_the_form_has_the_captions_of_the_state(forms):
    assert len(forms) >= 12
    titles = set()
    for drawn in forms:
        labels, html = drawn.presentation.labels, to_markup(drawn).html
        titles.add(labels["title"])
        assert labels["document_number"] == "发票号码"
        assert labels["lines.item_name"] == "项目名称"
        assert {"unit", "vat_rate"} <= set(drawn.presentation.columns)
        assert "价税合计(大写)" in html
        assert drawn.presentation.amount_in_capitals in html
        assert "全国统一发票监制章" in html
        assert all(caption in html for caption in ("收款人", "复核人", "开票人"))
        address = drawn.document.seller.address
        assert (address.subdivision or address.city[:2]) in drawn.presentation.tax_form.office
        expected = "专用" if drawn.document.buyer.vat_identifier else "普通"
        assert expected in labels["title"]
    assert len(titles) == 2


def test_only_invoices_in_yuan_are_on_the_form():
    knobs = NO_KNOBS.model_copy(update={"tax_invoice_forms": 1.0, "dual_currency": 0.5})
    recipe = Recipe(locales={"zh_CN": 0.7, "de_DE": 0.3}, knobs=knobs)
    plan = seed_plan("batch-000", 80, 4, recipe)
    seen = set()
    for index in range(80):
        drawn = draw_document(plan, index)
        on_form = drawn.presentation.tax_form is not None
        seen.add((on_form, drawn.document.currency_code))
        assert on_form is bool(drawn.knobs["tax_invoice_forms"])
        if on_form:
            assert drawn.document.document_type is DocumentType.INVOICE
            assert (drawn.document.locale, drawn.document.currency_code) == ("zh_CN", "CNY")
    assert len({on_form for on_form, _ in seen}) == 2
