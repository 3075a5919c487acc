import base64
import io
import json
import re
from itertools import pairwise

import jsonschema
import pytest
from lxml import html as lxml_html
from PIL import Image

from finscribe_assets.evaluation.field_comparison import FieldStatus
from finscribe_assets.evaluation.prediction_files import InputProblems, Prediction, Truth
from finscribe_assets.evaluation.report import EvaluationReport, evaluate
from finscribe_assets.evaluation.report_html import mark_difference, report_to_html
from finscribe_assets.evaluation.report_opening import RobustnessSection
from finscribe_assets.evaluation.worst_documents import ComparedField, illustrate_document
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.iteration.batch_documents import PredictedDocuments
from finscribe_assets.iteration.measuring import write_report
from finscribe_assets.rendering.pages import MarkType

TRUTH = Truth("d", {"document_type": "invoice", "locale": "de_DE", "document_number": "A-1", "currency_code": "EUR"})
CHANGE = {"factor": "font:<b>", "element": "date", "base": 0.5, "adapter": 0.1, "status": "repaired"}


@pytest.fixture(scope="module")
def report(batch):
    """A report with everything in it."""
    documents = batch.documents[:8]
    truths = {one.id: Truth(one.id, one.document.to_json(), frozenset(one.printed)) for one in documents}
    printed = {one.id: dict(one.printed) for one in documents}
    printed[documents[0].id] = {"document_number": "<script>alert(1)</script>"}
    read = {name: Prediction(name, unflatten(values), dict.fromkeys(values, 0.4)) for name, values in printed.items()}
    return evaluate(
        truths,
        read,
        reader="<img src=x>",
        others={"nobody": {}},
        attributes={name: {"exposure": "seen", "pages": "1"} for name in truths},
    )


def test_the_file_keeps_to_the_published_schema(report):
    schema = EvaluationReport.model_json_schema(mode="serialization", by_alias=True)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    validator.validate(json.loads(report.to_json()))
    assert EvaluationReport.model_validate_json(report.to_json()) == report


def test_the_page_is_open_to_a_screen_reader_and_loads_nothing(report, batch):
    worst = {document.id: document for document in report.worst}
    pages = {one.id: illustrate_document(worst[one.id], one) for one in batch.rendered if one.id in worst}
    assert pages
    text = report_to_html(report, "a note", pages)
    page = lxml_html.fromstring(text)
    assert page.get("lang") == "en"
    assert len(page.findall(".//h1")) == len(page.findall(".//main")) == 1
    levels = [int(heading.tag[1]) for heading in page.iter("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for table in page.iter("table"):
        assert table.find("caption").text_content().strip()
        assert {cell.get("scope") for cell in table.findall("thead/tr/th")} == {"col"}
        for row in table.findall("tbody/tr"):
            assert len(row.findall("th[@scope='row']")) == 1
            assert len(row) == len(table.findall("thead/tr/th"))
    pictures = list(page.iter("img"))
    assert len(pictures) == 1 + sum(map(len, pages.values()))  # the reliability diagram
    assert all(picture.get("alt") and picture.get("src").startswith("data:image/") for picture in pictures)
    assert not re.search(r"(src|href)=\"(?!data:|#)|url\(|@import|<script", text)


@pytest.mark.parametrize("rows", [(), (CHANGE,)])
def test_the_robustness_map_has_its_numbers_as_a_table(report, rows):
    text = report_to_html(report, robustness=RobustnessSection(b"\x89PNG picture", rows))
    page = lxml_html.fromstring(text)
    picture = page.find(".//figure/img")
    assert base64.b64decode(picture.get("src").removeprefix("data:image/png;base64,")) == b"\x89PNG picture"
    assert ("table below" in picture.get("alt")) == bool(rows)
    captions = [caption.text_content() for caption in page.iter("caption", "figcaption")]
    position = next(index for index, caption in enumerate(captions) if "measured by a probe" in caption)
    assert (captions[position + 1] == "Effects that are harmful to the base or to the adapter") == bool(rows)
    assert "By element" in captions[position + 1 :]
    assert "font:<b>" not in text
    assert "Robustness map" not in report_to_html(report)


def test_a_written_report_has_the_robustness_map_beside_its_json(report, tmp_path):
    nothing = PredictedDocuments(truths={}, predictions={}, problems=InputProblems())
    write_report(report, nothing, tmp_path / "report.json", robustness=RobustnessSection(b"\x89PNG"))
    assert EvaluationReport.model_validate_json((tmp_path / "report.json").read_text(encoding="utf-8")) == report
    assert "Robustness map: what this adapter repaired" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_what_a_model_wrote_stays_text(report):
    text = report_to_html(report)
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_the_worst_documents_come_first_with_every_field(report, batch):
    worst = report.worst[0]
    assert worst.id == batch.documents[0].id
    assert len(report.worst) == 1  # the others are wholly right
    assert len(worst.fields) == len(batch.documents[0].printed)
    assert {field.status for field in worst.failed} == {FieldStatus.MISSING, FieldStatus.WRONG}
    assert worst.response.startswith('{"document_number"')


def test_a_model_that_makes_up_fields_without_end_does_not_fill_the_report():
    endless = {f"field {number}": "x" for number in range(5000)}
    report = evaluate({"d": TRUTH}, {"d": Prediction("d", endless)})
    # All that is made up, and the number and the currency, which are missing.
    assert (len(report.worst[0].fields), report.worst[0].omitted_fields) == (400, 5002 - 400)
    assert len(report_to_html(report)) < 300_000


def test_illustrations_number_the_failed_fields_and_frame_them(report, batch):
    worst = report.worst[0]
    rendered = next(one for one in batch.rendered if one.id == worst.id)
    numbers = {field.path: number for number, field in enumerate(worst.failed, 1)}
    boxes = {
        mark.name: fragment.box
        for mark in rendered.of_type(MarkType.FIELD)
        for fragment in mark.fragments
        if fragment.page == 0 and mark.name in numbers
    }
    first, *_ = illustrate_document(worst, rendered)
    assert len(boxes) > 5
    assert set(first.text.partition("failed fields: ")[2].rstrip(".").split(", ")) == {
        f"{numbers[name]} {name}" for name in boxes
    }
    image = Image.open(io.BytesIO(base64.b64decode(first.source.partition(",")[2]))).convert("RGB")
    assert image.size == (first.width, first.height) == (760, first.height)
    scale = first.width / rendered.pages[0].open().width
    for x0, y0, _, y1 in boxes.values():  # the left edge of each frame is red
        red, green, _ = image.getpixel((round((x0 - 2) * scale), round((y0 + y1) / 2 * scale)))
        assert red > green + 40


@pytest.mark.parametrize(
    ("truth", "predicted", "marked"),
    [
        ("1234.50", "1284.50", "12<del>3</del><ins>8</ins>4.50"),
        ("abc", "abc", "abc"),
        ("A & B", "A & <B>", "A &amp; <ins>&lt;</ins>B<ins>&gt;</ins>"),
        (None, "x", "x"),
        ("x", None, ""),
    ],
)
def test_a_difference_shows_what_was_left_out_and_made_up(truth, predicted, marked):
    field = ComparedField(path="p", status=FieldStatus.WRONG, truth=truth, predicted=predicted)
    assert str(mark_difference(field)) == marked


def test_a_report_of_nothing_is_still_a_page():
    empty = evaluate({}, {})
    assert {target.verdict for target in empty.targets} == {"not measured"}
    assert "not measured" in report_to_html(empty)


def test_targets_tell_doubt_from_certainty():
    truths = {str(number): TRUTH for number in range(40)}
    printed = {"document_number": "A-1", "currency_code": "EUR"}
    for right, verdict, certain in ((40, "met", True), (39, "met", False), (20, "not met", True)):
        read = {str(number): Prediction(str(number), printed) for number in range(right)}
        target = evaluate(truths, read).targets[0]
        assert (target.name, target.verdict, target.certain) == ("field_accuracy", verdict, certain)
