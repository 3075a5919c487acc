"""Payment slips: their values are the document's, their codes follow the standards, and they are at the sheet's foot.

The codes are read from the page by OpenCV; references are checked by python-stdnum.
"""

import base64
from decimal import Decimal
from functools import cache

import cv2
import pytest
import stdnum.ch.esr
import stdnum.iban
import stdnum.iso11649

from finscribe_assets.documents.drawn_document import DrawnDocument, Engine
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.rendering.page_colours import to_grey
from finscribe_assets.rendering.pages import MarkType, RenderedDocument
from finscribe_assets.rendering.render import render

DPI = 144
LOCALES = ["de_CH", "de_DE", "de_AT", "en_GB", "en_US", "en_AU", "fr_FR", "it_IT", "nl_NL", "pl_PL", "sv_SE"]
WITH_CODE = ["de_CH", "de_DE", "de_AT", "pl_PL"]


@cache
def invoices(locale: str, count: int = 6, *names: str) -> list[DrawnDocument]:
    knobs = NO_KNOBS.model_copy(update=dict.fromkeys(names or ("payment_slips",), 1.0))
    recipe = Recipe(document_types={DocumentType.INVOICE: 1.0}, locales={locale: 1.0}, knobs=knobs)
    plan = seed_plan("batch-000", count, 3, recipe)
    return [draw_document(plan, index) for index in range(count)]


def with_slip(locale: str) -> list[DrawnDocument]:
    return [drawn for drawn in invoices(locale) if drawn.presentation.payment_slip]


def rendered_by(drawn: DrawnDocument, engine: Engine) -> RenderedDocument:
    look = drawn.presentation.model_copy(update={"engine": engine, "degradation": 0.0})
    return render(drawn.model_copy(update={"presentation": look}), DPI)


def texts_of_slip(rendered: RenderedDocument) -> list[str]:
    """Return the marked lines at the height of the slip."""
    (slip,) = (mark for mark in rendered.of_type(MarkType.REGION) if mark.name == "slip_stub")
    top = slip.fragments[0]
    return [
        part.text
        for mark in rendered.of_type(MarkType.LINE)
        for part in mark.fragments
        if part.page == top.page and part.box.y0 >= top.box.y0 - 2
    ]


@pytest.mark.parametrize(
    ("locale", "engine"), [("de_CH", Engine.WEASYPRINT), *((locale, Engine.PLUTOPRINT) for locale in WITH_CODE)]
)
def test_a_decoder_reads_the_code_of_the_slip_at_the_foot_of_the_last_sheet(locale, engine):
    drawn = with_slip(locale)[0]
    rendered = rendered_by(drawn, engine)
    page = to_grey(rendered.pages[-1].grey())
    foot = page[-round(page.shape[0] * 120 / 297) :]
    assert cv2.QRCodeDetector().detectAndDecode(cv2.resize(foot, None, fx=2, fy=2))[0] == (
        drawn.presentation.payment_slip.code
    )


@pytest.mark.parametrize("locale", LOCALES)
def test_a_slip_repeats_account_amount_and_reference_of_its_document(locale):
    drawn = with_slip(locale)[0]
    document, slip = drawn.document, drawn.presentation.payment_slip
    texts = texts_of_slip(rendered_by(drawn, Engine.PLUTOPRINT))
    assert texts.count(drawn.printed["payment_account"]) == 2
    assert texts.count(slip.amount) == 2
    digits = "".join(character for character in slip.amount if character.isdigit())
    assert Decimal(digits) / 100 == document.totals.amount_due
    assert document.seller.name in texts and document.buyer.name in texts
    reference = document.payment_reference or document.document_number
    assert any(reference.replace(" ", "") in text.replace(" ", "") for text in texts)


@pytest.mark.parametrize("engine", list(Engine))
def test_a_slip_ends_at_the_edge_of_the_first_sheet_or_near_that_of_a_sheet_of_its_own(engine):
    for drawn in with_slip("de_CH")[:2]:
        rendered = rendered_by(drawn, engine)
        (slip,) = (mark for mark in rendered.of_type(MarkType.REGION) if mark.name == "slip_stub")
        page, top = slip.fragments[0].page, slip.fragments[0].box.y0 / DPI * 25.4 - 5
        assert page == len(rendered.pages) - 1
        assert 192 - (1 if page == 0 else 6) < top < 192.5


def test_swiss_codes_have_the_lines_of_the_guidelines():
    drawn_slips = [drawn for drawn in invoices("de_CH", 40) if drawn.presentation.payment_slip]
    kinds = set()
    for drawn in drawn_slips:
        document, lines = drawn.document, drawn.presentation.payment_slip.code.split("\n")
        assert len(lines) == 31 and len(drawn.presentation.payment_slip.code) <= 997
        assert lines[:3] == ["SPC", "0200", "1"] and lines[30] == "EPD"
        assert lines[3] == document.payment_account and stdnum.iban.is_valid(lines[3])
        assert lines[4] == "S" and lines[10] == "CH" and lines[11:18] == [""] * 7
        assert lines[18:20] == [f"{document.totals.amount_due:.2f}", "CHF"]
        assert lines[20] == "S" and lines[21] == document.buyer.name
        kind, reference, is_qr_account = lines[27], lines[28], 30000 <= int(lines[3][4:9]) <= 31999
        kinds.add(kind)
        assert is_qr_account == (kind == "QRR")
        if kind == "QRR":
            assert len(reference) == 27 and stdnum.ch.esr.is_valid(reference)
        elif kind == "SCOR":
            assert stdnum.iso11649.is_valid(reference)
        else:
            assert (kind, reference) == ("NON", "")
    assert {"QRR", "SCOR", "NON"} <= kinds


@pytest.mark.parametrize("locale", ["de_DE", "de_AT"])
def test_giro_codes_have_the_lines_of_the_epc_guidelines(locale):
    for drawn in with_slip(locale):
        document, code = drawn.document, drawn.presentation.payment_slip.code
        lines = code.split("\n")
        assert 10 <= len(lines) <= 11 and len(code.encode()) <= 331
        assert lines[:4] == ["BCD", "002", "1", "SCT"]
        assert lines[5] == document.seller.name[:70] and lines[6] == document.payment_account
        assert lines[7] == f"EUR{document.totals.amount_due:.2f}"
        is_structured = len(lines) == 10
        reference = document.payment_reference or document.document_number
        assert stdnum.iso11649.is_valid(reference) == is_structured
        assert lines[9] == ("".join(reference.split()) if is_structured else "")
        assert is_structured or lines[10] == reference


def test_codes_of_arabic_tax_invoices_have_five_tagged_values():
    drawn = next(drawn for drawn in invoices("ar_AE", 6, "payment_codes") if drawn.presentation.payment_code)
    data, values = base64.b64decode(drawn.presentation.payment_code), {}
    while data:
        values[data[0]], data = data[2 : 2 + data[1]].decode(), data[2 + data[1] :]
    document = drawn.document
    assert list(values) == [1, 2, 3, 4, 5]
    assert values[1] == document.seller.name and values[2] == document.seller.vat_identifier
    assert values[3].startswith(f"{document.issue_date.isoformat()}T")
    assert Decimal(values[4]) == document.totals.total_with_vat and Decimal(values[5]) == document.totals.total_vat
