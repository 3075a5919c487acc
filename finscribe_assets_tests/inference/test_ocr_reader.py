"""The OCR engine as a reader: the same records as a model's, by the engine's own recogniser."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFont

from finscribe_assets.documents.schema import flatten
from finscribe_assets.inference.extraction import Extractor
from finscribe_assets.inference.json_constraint import JsonGrammar
from finscribe_assets.inference.ocr_reader import OcrReader
from finscribe_assets.inference.prediction import Mode, predict_document
from finscribe_assets.inference.reader import ReadRequest
from finscribe_assets.inference.region_layout import DetectedLines, RendererBoxes
from finscribe_assets.instructions.pair import TABLE_PROMPT


@pytest.fixture(scope="module")
def ocr_reader():
    return OcrReader()


def printed(*lines: str) -> Image.Image:
    image = Image.new("L", (420, 40 * len(lines)), 255)
    pen = ImageDraw.Draw(image)
    for row, text in enumerate(lines):
        pen.text((10, 40 * row + 8), text, font=ImageFont.load_default(22))
    return image


def test_a_page_gives_fields_with_boxes_and_the_engine_as_reader(ocr_reader, tmp_path):
    printed("Invoice No. 2024-117", "Due Date 10/10/2024").save(tmp_path / "page.png")
    with Image.open(tmp_path / "page.png") as page:
        padded = Image.new("L", (600, 800), 255)
        padded.paste(page, (60, 60))
        padded.save(tmp_path / "page.png")
    record = Extractor(ocr_reader, DetectedLines(), locale="en_GB").read_file(tmp_path / "page.png")
    fields = flatten(record["response"])
    assert (fields["document_number"], fields["due_date"]) == ("2024-117", "10/10/2024")
    assert record["reader"] == "OCR engine (PP-OCRv6_rec_small of RapidOCR)"
    assert record["boxes"].keys() >= {"document_number", "due_date"}
    assert all(0.5 < record["confidence"][path] <= 1 for path in fields)


def test_a_rendered_document_is_read_at_the_renderers_boxes(ocr_reader, batch):
    rendered = batch.rendered[0]
    record = predict_document(ocr_reader, rendered, Mode.REGIONS, RendererBoxes())
    assert record["response"]["document_number"] == batch.documents[0].document.document_number


def test_a_block_is_read_line_by_line(ocr_reader):
    (text,) = ocr_reader.read([ReadRequest((printed("Seaside Road 12", "Brighton BN1 4GH"),), "OCR:", is_block=True)])
    assert text.text == "Seaside Road 12\nBrighton BN1 4GH"


@pytest.mark.parametrize(
    ("request_", "grammar", "words"),
    [
        (ReadRequest((printed("x"),), TABLE_PROMPT), None, "takes no prompt; give --base or --adapter"),
        (ReadRequest((printed("x"), printed("y")), "OCR:"), None, "2 images in one request"),
        (ReadRequest((printed("x"),), "OCR:"), JsonGrammar(), "writes no JSON"),
    ],
)
def test_what_the_engine_cannot_do_is_refused(ocr_reader, request_, grammar, words):
    with pytest.raises(ValueError, match=words):
        ocr_reader.read([request_], grammar=grammar)
