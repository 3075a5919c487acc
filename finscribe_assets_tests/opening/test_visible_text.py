"""Which text of a PDF page people can see, on pages written here operator by operator."""

import io

import pypdfium2
import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, RectangleObject

from finscribe_assets.opening.input_limits import InputLimits
from finscribe_assets.opening.pdf_files import read_pdf

VISIBLE = "BT /F1 12 Tf 0 g 72 700 Td (Total 119.00) Tj ET"


def pdf_of(operators: str, *, crop: tuple[float, ...] | None = None, rotation: int = 0) -> bytes:
    """Return a PDF of one A4 page with the operators of its content stream; Helvetica is /F1."""
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    stream = DecodedStreamObject()
    stream.set_data(operators.encode("latin-1"))
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    fonts = DictionaryObject({NameObject("/F1"): font})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    page[NameObject("/Contents")] = writer._add_object(stream)
    if crop:
        page[NameObject("/CropBox")] = RectangleObject(crop)
    if rotation:
        page.rotate(rotation)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def read(content: bytes):
    return read_pdf(content, 144, InputLimits())


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("white on white", "BT /F1 12 Tf 1 g 72 600 Td (Secret) Tj ET"),
        ("nearly white", "BT /F1 12 Tf 0.97 g 72 600 Td (Secret) Tj ET"),
        ("invisible mode", "q BT /F1 12 Tf 3 Tr 72 600 Td (Secret) Tj ET Q"),
        ("below a box", "BT /F1 12 Tf 0 g 72 600 Td (Secret) Tj ET 1 g 60 590 200 30 re f"),
        ("outside of the page", "BT /F1 12 Tf 0 g 72 -50 Td (Secret) Tj ET"),
        ("clipped away", "q 0 0 10 10 re W n BT /F1 12 Tf 0 g 72 600 Td (Secret) Tj ET Q"),
    ],
)
def test_what_nobody_sees_is_no_text(name, hidden):
    content = read(pdf_of(f"{hidden} {VISIBLE}"))
    assert "Secret" not in content.texts[0]
    assert "Total 119.00" in content.texts[0]
    assert any("cannot be seen" in note for note in content.notes) or name == "outside of the page"


@pytest.mark.parametrize(
    "shown",
    [
        "BT /F1 12 Tf 0.75 g 72 600 Td (Secret) Tj ET",
        "BT /F1 5 Tf 0.4 g 72 600 Td (Secret) Tj ET",
        "0 g 60 590 200 30 re f BT /F1 12 Tf 1 g 72 600 Td (Secret) Tj ET",
        "BT /F1 12 Tf 1 Tr 72 600 Td (Secret) Tj ET",
    ],
    ids=["grey", "small", "light on dark", "outlined"],
)
def test_faint_small_and_light_on_dark_text_is_seen(shown):
    content = read(pdf_of(f"{shown} {VISIBLE}"))
    assert "Secret" in content.texts[0]
    assert not content.notes


def test_text_outside_of_the_crop_box_is_not_seen():
    outside = "BT /F1 12 Tf 0 g 72 100 Td (Secret) Tj ET"
    content = read(pdf_of(f"{outside} {VISIBLE}", crop=(0, 400, 595, 842)))
    assert content.texts[0].split() == ["Total", "119.00"]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotated_page_is_seen_as_it_is_drawn(rotation):
    hidden = "BT /F1 12 Tf 1 g 72 600 Td (Secret) Tj ET"
    assert read(pdf_of(f"{hidden} {VISIBLE}", rotation=rotation)).texts[0].split() == ["Total", "119.00"]


def test_the_text_of_an_ocr_engine_over_a_scan_says_nothing():
    layer = "BT /F1 12 Tf 3 Tr 72 600 Td (Tota1 ll9.O0 and many more words) Tj ET"
    content = read(pdf_of(f"{layer} {VISIBLE}"))
    assert content.texts == ("",)
    assert "OCR engine" in content.notes[0]


def test_the_picture_has_the_text(tmp_path):
    content = read(pdf_of(VISIBLE))
    plain = pypdfium2.PdfDocument(pdf_of(VISIBLE))[0].render(scale=2).to_numpy()
    assert content.pages[0].open().convert("L").getextrema()[0] == plain.min()
