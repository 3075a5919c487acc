import json
import re
from itertools import pairwise

import jsonschema
import pytest
from lxml import html as lxml_html

from finscribe_assets.evaluation.field_comparison import FieldStatus
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.report import EvaluationReport, evaluate
from finscribe_assets.evaluation.report_html import difference, to_html
from finscribe_assets.evaluation.worst_documents import ComparedField, page_pictures
from finscribe_assets.instructions.responses import unflatten

TRUTH = Truth("d", {"document_type": "invoice", "locale": "de_DE", "document_number": "A-1", "currency_code": "EUR"})


@pytest.fixture(scope="module")
def report(batch):
    """A report with everything in it."""
    documents = batch.documents[:8]
    truths = {one.id: Truth(one.id, one.document.to_json(), frozenset(one.printed)) for one in documents}
    said = {one.id: dict(one.printed) for one in documents}
    said[documents[0].id] = {"document_number": "<script>alert(1)</script>"}
    read = {name: Prediction(name, unflatten(values), dict.fromkeys(values, 0.4)) for name, values in said.items()}
    return evaluate(
        truths,
        read,
        reader="<img src=x>",
        others={"nobody": {}},
        circumstances={name: {"exposure": "seen", "pages": "1"} for name in truths},
    )


def test_the_file_keeps_to_the_published_schema(report):
    schema = EvaluationReport.model_json_schema(mode="serialization", by_alias=True)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    validator.validate(json.loads(report.to_json()))
    assert EvaluationReport.model_validate_json(report.to_json()) == report


def test_the_page_is_open_to_a_screen_reader_and_loads_nothing(report, batch):
    pages = {one.id: page_pictures(poor, one) for one in batch.rendered for poor in report.worst if poor.id == one.id}
    assert pages
    text = to_html(report, "a note", pages)
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
    assert not re.search(r"(src|href)=\"(?!data:)|url\(|@import|<script", text)


def test_what_a_model_wrote_stays_text(report):
    text = to_html(report)
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
    assert (len(report.worst[0].fields), report.worst[0].left_off) == (400, 4601)
    assert len(to_html(report)) < 300_000


def test_pictures_number_what_failed(report, batch):
    poor = report.worst[0]
    rendered = next(one for one in batch.rendered if one.id == poor.id)
    first, *_ = page_pictures(poor, rendered)
    assert "1 " + poor.failed[0].path in first.text or "not read right" in first.text
    assert first.width <= 800


@pytest.mark.parametrize(
    ("truth", "said", "marked"),
    [
        ("1234.50", "1284.50", "12<del>3</del><ins>8</ins>4.50"),
        ("abc", "abc", "abc"),
        ("A & B", "A & <B>", "A &amp; <ins>&lt;</ins>B<ins>&gt;</ins>"),
        (None, "x", "x"),
        ("x", None, ""),
    ],
)
def test_a_difference_shows_what_was_left_out_and_made_up(truth, said, marked):
    assert str(difference(ComparedField(path="p", status=FieldStatus.WRONG, truth=truth, predicted=said))) == marked


def test_a_report_of_nothing_is_still_a_page():
    empty = evaluate({}, {})
    assert {target.verdict for target in empty.targets} == {"not measured"}
    assert "not measured" in to_html(empty)


def test_targets_tell_doubt_from_certainty():
    truths = {str(number): TRUTH for number in range(40)}
    for right, verdict, certain in ((40, "met", True), (39, "met", False), (20, "not met", True)):
        read = {str(number): Prediction(str(number), {"document_number": "A-1"}) for number in range(right)}
        target = evaluate(truths, read).targets[0]
        assert (target.name, target.verdict, target.certain) == ("field_accuracy", verdict, certain)
