"""What people corrected becomes samples of printed lines: the box that they left, and the text that stands there."""

import json
from dataclasses import replace

import pytest
from PIL import Image, ImageDraw, ImageFont

from finscribe_assets.errors import UserError
from finscribe_assets.files import read_table
from finscribe_assets.importing.folder_import import TRAINING_TRUTH_FILE, TRUTH_FILE, import_folder
from finscribe_assets.importing.printed_lines import cut_printed_lines, lines_from_json
from finscribe_assets.instructions.pair import Task, pairs_from_table
from finscribe_assets.opening.input_limits import RejectedDocumentError
from finscribe_assets.rendering.pages import Page
from finscribe_assets.rendering.preview import png_of
from finscribe_assets.review.review_export import ReviewTool, export_review
from finscribe_assets.shards import shard_files
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits, write_splits
from finscribe_assets.training.training_samples import real_training_documents
from finscribe_assets_tests.review.conftest import Review, prediction, truth_in

SIZE = (600, 800)
# Path, text, left and top in pixels. The renderer of this test writes them; the boxes are around them.
PRINTED = (
    ("document_number", "RE-1/2025", 360, 40),
    ("issue_date", "03.04.2025", 360, 70),
    ("seller.name", "Muster GmbH", 40, 40),
    ("totals.total_with_vat", "1.029,75", 300, 500),
)


def page_with(texts):
    """Return a page, and the box of each text in thousandths."""
    page = Image.new("L", SIZE, 255)
    draw, font, boxes = ImageDraw.Draw(page), ImageFont.load_default(20), {}
    for path, text, left, top in texts:
        draw.text((left, top), text, font=font, fill=0)
        x0, y0, x1, y1 = draw.textbbox((left, top), text, font=font)
        sides = ((x0 - 3) / 0.6, (y0 - 3) / 0.8, (x1 + 3) / 0.6, (y1 + 3) / 0.8)
        boxes[path] = [{"page": 1, "box": [round(side, 1) for side in sides]}]
    return page, boxes


@pytest.fixture
def printed_review(tmp_path):
    page, boxes = page_with(PRINTED)
    (tmp_path / "inbox").mkdir()
    page.save(tmp_path / "inbox/a.png")
    record = prediction(tmp_path / "inbox/a.png", "RE-7/2025")  # of which a person corrects one digit
    record["response"] = {
        "document_type": "invoice",
        "document_number": "RE-7/2025",
        "issue_date": "03.04.2025",
        "seller": {"name": "Muster GmbH"},
        "totals": {"total_with_vat": "1.029,75"},
    }
    (tmp_path / "predictions.jsonl").write_text(json.dumps(record | {"boxes": boxes, "confidence": {}}) + "\n")
    export_review(tmp_path / "predictions.jsonl", tmp_path / "review", ReviewTool.LABEL_STUDIO)
    return Review(tmp_path / "review")


def retype(results, label, text):
    key = next(item["id"] for item in results if item["value"].get("rectanglelabels") == [label])
    next(item for item in results if item["id"] == key and "text" in item["value"])["value"]["text"] = [text]


def line_pairs(workspace):
    pairs = [pair for file in shard_files(workspace / "pairs") for pair in pairs_from_table(read_table(file))]
    return {pair.target: pair for pair in pairs if pair.task is Task.OCR_LINE}


def test_corrected_boxes_survive_import_and_cut_the_printed_lines(printed_review, tmp_path):
    printed_review.read(
        tmp_path / "out", printed_review.submitted(lambda found: retype(found, "document_number", "RE-1/2025"))
    )
    import_folder(tmp_path / "out/documents", tmp_path / "real", "of this test")
    pairs = line_pairs(tmp_path / "real")
    assert {path: pair.response for path, pair in pairs.items()} == {path: text for path, text, _, _ in PRINTED}
    for path, _, left, top in PRINTED:
        x0, y0, x1, y1 = pairs[path].box
        assert left - 5 < x0 < left + 5 and top - 5 < y0 < top + 10 and x1 - x0 > 60 and 10 < y1 - y0 < 35, path
    [line] = (tmp_path / "real" / TRUTH_FILE).read_text().splitlines()
    assert json.loads(line)["boxes"].keys() == pairs.keys()


def test_a_value_that_a_person_wrote_in_canonical_form_is_no_printed_text(printed_review, tmp_path):
    def edit(results):
        retype(results, "issue_date", "2025-04-03")
        retype(results, "totals.total_with_vat", "1029.75")

    printed_review.read(tmp_path / "out", printed_review.submitted(edit))
    boxes = truth_in(tmp_path / "out")["boxes"]
    assert "text" not in boxes["issue_date"][0] and "text" not in boxes["totals.total_with_vat"][0]


def test_a_box_around_two_lines_or_none_is_no_line():
    image, boxes = page_with([("seller.name", "Muster", 40, 40), ("buyer.name", "Kunde", 40, 70)])
    around = boxes["seller.name"][0]["box"][:2] + boxes["buyer.name"][0]["box"][2:]
    lines = lines_from_json(
        {
            "seller.name": [{"page": 1, "box": around, "text": "Muster Kunde"}],
            "buyer.name": [boxes["buyer.name"][0] | {"text": "Kunde"}],
            "document_number": [{"page": 1, "box": [500, 500, 600, 520], "text": "1"}],
        }
    )
    page = Page(png_of(image), *image.size)
    assert [(line.path, line.text) for line in cut_printed_lines(lines, [page])] == [("buyer.name", "Kunde")]


@pytest.mark.parametrize("boxes", [[], {"a": [{"page": 0, "box": [1, 1, 2, 2]}]}, {"a": [{"page": 1, "box": [1, 1]}]}])
def test_boxes_of_another_form_are_rejected_with_the_form(boxes):
    with pytest.raises(RejectedDocumentError, match="boxes"):
        lines_from_json(boxes)


MAIL = [("a", "Anton", "train"), ("b", "Berta", "test"), ("c", "Anton", None), ("d", "Dora", "train")]


def test_a_training_vendor_is_not_scored_and_a_held_out_one_is_not_trained_on(tmp_path):
    folder, out = tmp_path / "mail", tmp_path / "real"
    folder.mkdir()
    for index, (name, vendor, split) in enumerate(MAIL):
        page, boxes = page_with([("seller.name", vendor, 40, 40 + 3 * index)])
        page.save(folder / f"{name}.png")
        record = {
            "document": {"locale": "de_DE", "seller": {"name": vendor}},
            "labelled": ["seller.name"],
            "boxes": {"seller.name": [boxes["seller.name"][0] | {"text": vendor}]},
        }
        (folder / f"{name}.json").write_text(json.dumps(record | ({"split": split} if split else {})))
    report = import_folder(folder, out, "of this test", train=True)
    rows = read_splits(out / "splits")
    splits = {row.document_id.split("-")[1]: row.split for row in rows}
    assert splits == {"a": Split.TRAIN, "b": Split.REAL, "c": Split.HELD_BACK, "d": Split.TRAIN}
    scored = [json.loads(line)["id"] for line in (out / TRUTH_FILE).read_text().splitlines()]
    assert [name.split("-")[1] for name in scored] == ["b"] and report.scored_count == 1
    assert len((out / TRAINING_TRUTH_FILE).read_text().splitlines()) == 3
    [documents] = real_training_documents([out])
    assert sorted(name.split("-")[1] for name in documents) == ["a", "d"]
    # Another workspace holds a document of Dora out, so hers are no longer learnt; then nothing is left of another one.
    other = tmp_path / "other"
    [dora] = [row for row in rows if row.document_id in documents and row.group == "name:dora"]
    write_splits(other / "splits", [replace(dora, document_id="x", split=Split.REAL)])
    both = real_training_documents([out, other])
    assert [sorted(name.split("-")[1] for name in found) for found in both] == [["a"], []]
    with pytest.raises(UserError, match="--train"):
        real_training_documents([other])
