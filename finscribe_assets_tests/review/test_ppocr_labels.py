"""PPOCRLabel's Label.txt, as a person leaves it, becomes ground truth."""

import json

import pytest

from finscribe_assets.documents.schema import flatten
from finscribe_assets.errors import UserError
from finscribe_assets.review.ppocr_labels import read_ppocr_labels
from finscribe_assets.review.review_export import ReviewTool, export_review
from finscribe_assets.review.review_import import import_review
from finscribe_assets.review.review_set import ReviewSet
from finscribe_assets_tests.review.conftest import SIZE, truth_in


@pytest.fixture
def labels(predictions, tmp_path):
    """Return the folder of an export, and the marks of its first document's first page."""
    export_review(predictions, tmp_path / "review", ReviewTool.PPOCRLABEL)
    path = tmp_path / "review" / "images" / "Label.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    name, _, marks = lines[0].partition("\t")
    assert name == "images/real-a-1.png"
    return path, json.loads(marks), lines


def save(labels, marks):
    path, _, lines = labels
    text = "\n".join([f"C:\\work\\images\\real-a-1.png\t{json.dumps(marks)}", lines[1]])
    path.write_text(text + "\r\n", encoding="utf-8")
    return path


def test_points_are_the_corners_in_pixels(labels):
    [number] = [mark for mark in labels[1] if mark["key_cls"] == "document_number"]
    assert number == {
        "transcription": "RE-a/2025",
        "points": [[240.0, 40.0], [300.0, 40.0], [300.0, 48.0], [240.0, 48.0]],
        "difficult": False,
        "key_cls": "document_number",
    }


def test_corrections_additions_and_deletions(labels, tmp_path):
    marks = [mark for mark in labels[1] if mark["transcription"] not in ("Muttern", "20", "0,50", "10,00")]
    for mark in marks:
        if mark["key_cls"] == "document_number":
            mark["transcription"] = "RE-å/2025"
    corner = [300, 400]
    added = [[x, y] for x, y in ([300, 400], [400, 402], [400, 410], [300, 408])]
    marks += [
        {"transcription": "3,00", "points": added, "difficult": False, "key_cls": "lines.net_amount"},
        {"transcription": "Seite", "points": added, "difficult": False, "key_cls": "None"},
        {"transcription": "x", "points": [corner] * 4, "difficult": True, "key_cls": "buyer.name"},
        {"transcription": "x", "points": "none", "difficult": False, "key_cls": "invoice no"},
    ]
    report = import_review(save(labels, marks), tmp_path / "review", tmp_path / "out")
    truth = truth_in(tmp_path / "out")
    values = flatten(truth["document"])
    assert values["document_number"] == "RE-å/2025"
    assert values["lines[1].net_amount"] == "3"
    assert not any(path.startswith("lines[2]") for path in values)
    assert "buyer.name" not in truth["labelled"]
    assert "payment_means" not in values  # it has no box, so nobody saw it
    box = truth["boxes"]["lines[1].net_amount"][0]["box"]
    assert box == pytest.approx([300 / SIZE[0] * 1000, 500, 400 / SIZE[0] * 1000, 512.5], abs=0.1)
    assert len(report.documents[0]["problems"]) == 2
    assert report.totals()["documents"] == {"done": 1, "open": 1}


def test_only_confirmed_documents_count_where_the_tool_says_which(labels):
    path = save(labels, labels[1])
    review = ReviewSet.read(path.parents[1])
    path.with_name("fileState.txt").write_text("C:\\work\\images\\real-a-1.png\t1\n")
    assert str(read_ppocr_labels(path, review)["real-a"].state) == "open"
    path.with_name("fileState.txt").write_text("/x/real-a-1.png\t1\n/x/real-a-2.png\t1\n")
    assert str(read_ppocr_labels(path, review)["real-a"].state) == "done"


@pytest.mark.parametrize("content", ["no tab", "x.png\t{}", "x.png\t[", "other.png\t[]"])
def test_another_file_is_named(labels, content):
    path = labels[0]
    path.write_text(content)
    with pytest.raises(UserError, match=r"Label\.txt"):
        read_ppocr_labels(path, ReviewSet.read(path.parents[1]))
