"""What a person does in Label Studio becomes ground truth: confirmed, changed, deleted and added values."""

import base64
import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from PIL import Image

from finscribe_assets.documents.schema import flatten
from finscribe_assets.errors import UserError
from finscribe_assets.importing.folder_import import import_folder
from finscribe_assets.review.corrected_truth import truth_of
from finscribe_assets.review.correction_changes import Annotators
from finscribe_assets.review.label_studio_answers import read_label_studio, upright_box
from finscribe_assets.review.label_studio_config import (
    FIELD_TAG,
    PAGES_TAG,
    TEXT_TAG,
    UNPLACED_TAG,
    labelling_config,
)
from finscribe_assets.review.review_export import ReviewTool, export_review
from finscribe_assets.review.review_fields import FIELD_CHOICES, fields_to_label
from finscribe_assets.review.review_set import ReviewDocument, ReviewPage, ReviewSet
from finscribe_assets_tests.review.conftest import SIZE, truth_in

CONFIRMED = {
    "document_type": "invoice",
    "document_number": "RE-a/2025",
    "issue_date": "2025-04-03",
    "currency_code": "EUR",
    "locale": "de_DE",
    "seller.name": "Größe & Söhne GmbH",
    "seller.address.street": "Am Markt 1 Hinterhaus",
    "payment_means": "Überweisung",
    "lines[0].item_name": "Schrauben M8 <b>fest</b>",
    "lines[0].quantity": "10",
    "lines[0].unit_code": "C62",
    "lines[0].net_price": "1.5",
    "lines[0].net_amount": "15",
    "lines[1].item_name": "Muttern",
    "lines[1].quantity": "20",
    "lines[1].unit_code": "C62",
    "lines[1].net_price": "0.5",
    "lines[1].net_amount": "10",
    "totals.total_without_vat": "25",
    "totals.total_with_vat": "1029.75",
}


def results_of(results, label, row=None):
    """Return the two results of a region, by its label and its text."""
    ids = [item["id"] for item in results if item["value"].get("rectanglelabels") == [label]]
    return [item for item in results if item["id"] == ids[row or 0]]


def drawn(key, label, text, x, y, width=10.0, page=0):
    """Return the two results of a region that a person drew, in per cent of the page."""
    place = {"x": x, "y": y, "width": width, "height": 1.0, "rotation": 0}
    frame = {"id": key, "to_name": "page", "item_index": page, "original_width": SIZE[0], "original_height": SIZE[1]}
    return [
        {**frame, "from_name": "field", "type": "rectanglelabels", "value": {**place, "rectanglelabels": [label]}},
        {**frame, "from_name": "text", "type": "textarea", "value": {**place, "text": [text]}},
    ]


def test_a_task_shows_each_value_with_its_box_and_text(review):
    task, _ = review.tasks()
    assert task["data"]["name"] == "document a.tiff"
    pages = [Image.open(io.BytesIO(base64.b64decode(page.partition(",")[2]))) for page in task["data"]["pages"]]
    assert [page.size for page in pages] == [SIZE, SIZE]
    results = task["predictions"][0]["result"]
    label, text = results_of(results, "document_number")
    assert (label["type"], text["type"]) == ("rectanglelabels", "textarea")
    assert text["value"]["text"] == ["RE-a/2025"]
    assert label["score"] == text["score"] == 0.41
    assert [label["value"][name] for name in ("x", "y", "width", "height")] == [40, 5, 10, 1]
    assert results_of(results, "totals.total_with_vat")[0]["item_index"] == 1
    assert results_of(results, "seller.address.street")[0]["value"]["height"] == 2.2
    [unplaced] = [item for item in results if item["from_name"] == "values"]
    assert "payment_means = Überweisung" in unplaced["value"]["text"]
    config = etree.parse(review.folder / "config.xml")
    labels = {item.get("value") for item in config.iter("Label")}
    assert {label for item in results for label in item["value"].get("rectanglelabels", ())} <= labels
    assert {item["from_name"] for item in results} <= {item.get("name") for item in config.iter()}


def test_what_was_not_touched_is_confirmed(review, tmp_path):
    report = review.read(tmp_path / "out", review.submitted())
    truth = truth_in(tmp_path / "out")
    assert flatten(truth["document"]) == CONFIRMED
    assert truth["boxes"]["seller.address.street"] == [
        {"page": 1, "box": [50.0, 70.0, 150.0, 80.0]},
        {"page": 1, "box": [50.0, 82.0, 150.0, 92.0]},
    ]
    assert truth["boxes"]["issue_date"] == [{"page": 1, "box": [400.0, 70.0, 500.0, 80.0], "text": "03.04.2025"}]
    assert {"document_number", "due_date", "lines.sku", "payment_means"} <= set(truth["labelled"])
    assert "buyer.address.city" not in truth["labelled"]
    imported = import_folder(tmp_path / "out/documents", tmp_path / "real", "written by this test")
    assert (len(imported.accepted), imported.rejected) == (1, [])
    [line] = (tmp_path / "real/documents.jsonl").read_text(encoding="utf-8").splitlines()
    assert flatten(json.loads(line)["document"]).keys() == CONFIRMED.keys()
    totals = report.totals()
    assert totals["documents"] == {"done": 1, "open": 1}
    assert totals["values_confirmed"] == len(CONFIRMED) - 1  # the locale is no value
    assert not any(totals[f"values_{name}"] for name in ("changed", "moved", "added", "deleted"))
    assert totals["minutes"] == {"corrections_timed": 1, "total": 1.5, "median": 1.5}


def test_rows_are_corrected_added_and_deleted(review, tmp_path):
    def edit(results):
        results_of(results, "lines.net_price")[1]["value"]["text"] = ["1,40"]
        for name in ("item_name", "quantity", "net_price", "net_amount"):
            for result in results_of(results, f"lines.{name}", 1):
                results.remove(result)
        # A new row above the others, drawn from right to left; its name is on two lines, each with a box of its own.
        results += drawn("n1", "lines.net_amount", "7,00", 50, 28)
        results += drawn("n2", "lines.quantity", "1", 20, 28.3)
        results += drawn("n3", "lines.item_name", "Unterleg-", 5, 28)
        results += drawn("n4", "lines.item_name", "scheibe", 5, 29.1)

    report = review.read(tmp_path / "out", review.submitted(edit))
    lines = truth_in(tmp_path / "out")["document"]["lines"]
    assert lines == [
        {"net_amount": "7", "quantity": "1", "item_name": "Unterleg- scheibe"},
        {
            "item_name": "Schrauben M8 <b>fest</b>",
            "quantity": "10",
            "unit_code": "C62",
            "net_price": "1.4",
            "net_amount": "15",
        },
    ]
    record = report.documents[0]
    assert record["changes"]["changed"] == [{"path": "lines[0].net_price", "from": "1,50", "to": "1,40"}]
    assert {item["path"] for item in record["changes"]["deleted"]} == {
        f"lines[1].{name}" for name in ("item_name", "quantity", "net_price", "net_amount")
    }
    assert len(record["changes"]["added"]) == 4
    assert any("all its boxes were deleted" in problem for problem in record["problems"])


def test_a_moved_box_and_another_label(review, tmp_path):
    def edit(results):
        for result in results_of(results, "issue_date"):
            result["value"]["x"] += 20
        results_of(results, "document_number")[0]["value"]["rectanglelabels"] = ["purchase_order_reference"]

    report = review.read(tmp_path / "out", review.submitted(edit))
    truth = truth_in(tmp_path / "out")
    assert truth["document"]["purchase_order_reference"] == "RE-a/2025"
    assert "document_number" not in truth["document"]
    assert truth["boxes"]["issue_date"] == [{"page": 1, "box": [600.0, 70.0, 700.0, 80.0], "text": "03.04.2025"}]
    assert set(report.documents[0]["changes"]["moved"]) == {"issue_date", "document_number"}


def test_a_row_keeps_its_values_when_one_of_them_goes(review, tmp_path):
    def edit(results):
        for result in results_of(results, "lines.net_price", 0):
            results.remove(result)

    review.read(tmp_path / "out", review.submitted(edit))
    first, second = truth_in(tmp_path / "out")["document"]["lines"]
    assert "net_price" not in first
    assert second["net_price"] == "0.5"


@pytest.mark.parametrize(
    ("label", "text", "problem"),
    [
        ("issue_date", "", "has no text"),
        ("issue_date", "next Tuesday", "is not a date"),
        ("totals.total_with_vat", "about ten", "is not an amount"),
    ],
)
def test_a_value_that_cannot_be_taken_leaves_its_field_unlabelled(review, tmp_path, label, text, problem):
    def edit(results):
        results_of(results, label)[1]["value"]["text"] = [text]

    report = review.read(tmp_path / "out", review.submitted(edit))
    truth = truth_in(tmp_path / "out")
    assert label not in truth["labelled"]
    assert label not in flatten(truth["document"])
    assert problem in report.documents[0]["problems"][0]
    assert flatten(truth["document"]).keys() == CONFIRMED.keys() - {label}


def test_two_values_of_one_field(review, tmp_path):
    def edit(results):
        results += drawn("n1", "document_number", "RE-a/2025", 5, 90)  # printed twice
        results += drawn("n2", "due_date", "2025-05-03", 5, 92)
        results += drawn("n3", "due_date", "2025-05-04", 5, 94)

    report = review.read(tmp_path / "out", review.submitted(edit))
    truth = truth_in(tmp_path / "out")
    assert truth["document"]["document_number"] == "RE-a/2025"
    assert len(truth["boxes"]["document_number"]) == 2
    assert "due_date" not in truth["labelled"]
    assert "keep one" in report.documents[0]["problems"][0]


def test_skipped_open_and_unsubmitted_tasks_are_no_truth(review, tmp_path):
    skipped = review.submitted(was_cancelled=True)
    draft = review.tasks()[1] | {"annotations": [], "drafts": [{"result": []}]}
    report = review.read(tmp_path / "out", skipped, draft)
    assert report.totals()["documents"] == {"skipped": 1, "draft": 1}
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["review-report.json"]


def test_of_several_annotators_the_latest_or_what_they_agree_on_counts(review, tmp_path):
    def edit(results):
        results_of(results, "document_number")[1]["value"]["text"] = ["RE-4/2025"]
        results_of(results, "seller.name")[1]["value"]["text"] = ["Größe  & Söhne\nGmbH"]

    task = review.submitted(updated_at="2025-01-02T00:00:00Z")
    other = review.submitted(edit, updated_at="2025-01-03T00:00:00Z", completed_by={"email": "b@example.org"})
    task["annotations"] = other["annotations"] + task["annotations"]
    report = review.read(tmp_path / "latest", task)
    assert truth_in(tmp_path / "latest")["document"]["document_number"] == "RE-4/2025"
    assert (report.totals()["several_annotators"], report.documents[0]["annotator"]) == (1, "b@example.org")
    report = review.read(tmp_path / "agreed", task, annotators=Annotators.AGREED)
    truth = truth_in(tmp_path / "agreed")
    assert "document_number" not in truth["labelled"]
    assert flatten(truth["document"]).keys() == CONFIRMED.keys() - {"document_number"}
    assert report.documents[0]["differing_fields"] == 1


def test_values_without_a_region(review, tmp_path):
    def edit(results):
        [unplaced] = [item for item in results if item["from_name"] == "values"]
        unplaced["value"]["text"] += ["buyer.name = a = b", "lines[1].note = late", "no equals", "lines.note = x"]

    report = review.read(tmp_path / "out", review.submitted(edit))
    document = truth_in(tmp_path / "out")["document"]
    assert document["buyer"]["name"] == "a = b"
    assert document["lines"][1]["note"] == "late"
    assert len(report.documents[0]["problems"]) == 2


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 30])
def test_a_turned_box_becomes_the_upright_one_around_it(degrees):
    """The oracle turns the corners as complex numbers, in pixels."""
    x, y, width, height = 50.0, 50.0, 20.0, 5.0
    turn = complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    origin = complex(x * SIZE[0], y * SIZE[1]) / 100
    corners = [
        origin + turn * complex(dx * SIZE[0], dy * SIZE[1]) / 100
        for dx, dy in ((0, 0), (width, 0), (0, height), (width, height))
    ]
    expected = [
        min(corner.real for corner in corners) / SIZE[0] * 1000,
        min(corner.imag for corner in corners) / SIZE[1] * 1000,
        max(corner.real for corner in corners) / SIZE[0] * 1000,
        max(corner.imag for corner in corners) / SIZE[1] * 1000,
    ]
    assert list(upright_box(x, y, width, height, degrees, SIZE)) == pytest.approx(expected)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.sampled_from(["field", "text", "values", "n"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "from_name", "value", "text", "rectanglelabels", "x", "choices", "item_index"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(results=st.lists(_JSON, max_size=4), lead_time=_JSON)
def test_any_results_are_read_or_named_as_problems(tmp_path_factory, results, lead_time):
    document = ReviewDocument("d", (ReviewPage("images/d-1.png", *SIZE),), ())
    review = ReviewSet(("document_number",), (document,))
    path = tmp_path_factory.mktemp("any") / "answers.json"
    annotation = {"result": results, "lead_time": lead_time, "completed_by": lead_time}
    path.write_text(json.dumps([{"data": {"finscribe_id": "d"}, "annotations": [annotation]}]), encoding="utf-8")
    [answer] = read_label_studio(path, review)["d"].answers
    truth_of(document, review.fields, answer).to_json()


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not JSON"), ("{}", "not a list of tasks"), ('[{"id": 1}]', "not as JSON-MIN"), ("[]", "none of its 0")],
)
def test_another_file_is_named(review, tmp_path, content, message):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(UserError, match=message):
        read_label_studio(tmp_path / "x.json", ReviewSet.read(review.folder))


def test_ids_and_names_from_outside_are_no_paths(predictions, tmp_path):
    record = json.loads(predictions.read_text(encoding="utf-8").splitlines()[0]) | {"id": "../../evil/<script>"}
    predictions.write_text(json.dumps(record))
    export_review(predictions, tmp_path / "review", ReviewTool.LABEL_STUDIO)
    inside = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if "evil" in path.name}
    assert {path.parts[0] for path in inside} == {"review"}


def test_a_folder_of_other_files_is_not_touched(predictions, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(UserError, match="new folder"):
        export_review(predictions, tmp_path / "mine", ReviewTool.LABEL_STUDIO)


def test_fields_can_be_chosen():
    assert fields_to_label([], ["totals.amount_due,seller.name"]) == ("seller.name", "totals.amount_due")
    assert "lines.sku" in fields_to_label(["payment_means"])
    assert "payment_means" in fields_to_label(["payment_means"])
    assert len(fields_to_label([], ["all"])) > 100
    etree.fromstring(labelling_config(fields_to_label([], ["all"])))
    with pytest.raises(UserError, match="did you mean"):
        fields_to_label([], ["seller.nam"])


@pytest.mark.parametrize("fields", [["all"], ["document_number"], []])
def test_each_tag_has_a_name_of_its_own_and_refers_to_another_one(fields):
    """Label Studio refuses a configuration otherwise, and reads results by these names."""
    config = etree.fromstring(labelling_config(fields_to_label([], fields)))
    names = [item.get("name") for item in config.iter() if item.get("name") is not None]
    assert len(names) == len(set(names))
    assert {item.get("toName") for item in config.iter()} - {None} <= set(names)
    controls = ("RectangleLabels", "TextArea", "Choices", "Image", "Filter")
    assert all(item.get("name") for item in config.iter(*controls))
    assert all(item.get("toName") for item in config.iter(*controls) if item.tag != "Image")
    assert {PAGES_TAG, FIELD_TAG, TEXT_TAG, UNPLACED_TAG, *FIELD_CHOICES} <= set(names)
