"""Import of documents of which people labelled a few fields."""

import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.evaluation.prediction_files import read_truths
from finscribe_assets.iteration.batch_documents import read_files
from finscribe_assets.iteration.measuring import measure

FOUR = {
    "issue_date": "2026-11-05",
    "currency_code": "GBP",
    "seller": {"name": "Corner Shop"},
    "totals": {"total_with_vat": "9.00"},
}
LABELLED = "issue_date,seller.name,totals.total_with_vat"


@pytest.fixture
def run(tmp_path):
    folder, out = tmp_path / "inbox", tmp_path / "real"
    folder.mkdir()
    for index, name in enumerate(("a", "b")):
        Image.new("L", (90 + index, 60), 255).save(folder / f"{name}.png")
        record = {"document": FOUR, "labelled": ["issue_date"]} if name == "b" else FOUR
        (folder / f"{name}.json").write_text(json.dumps(record))

    def invoke(*options):
        arguments = ["import", str(folder), "--out", str(out), "--licence", "own", "--locale", "en_GB", *options]
        return CliRunner().invoke(app, arguments, terminal_width=200), out

    return invoke


def test_a_default_says_what_was_labelled_in_a_whole_folder(run, tmp_path):
    result, out = run("--labelled", LABELLED)
    assert result.exit_code == 0, result.output
    truths = {name.split("-")[1]: truth for name, truth in read_truths(out / "documents.jsonl").items()}
    assert truths["a"].labelled == set(LABELLED.split(",")) and truths["b"].labelled == {"issue_date"}
    answer = FOUR | {"issue_date": "05/11/2026", "document_number": "A-1", "lines": [{"item_name": "Tea"}]}
    predictions = tmp_path / "p.jsonl"
    predictions.write_text("".join(json.dumps({"id": one.id, "response": answer}) + "\n" for one in truths.values()))
    report = measure(read_files(predictions, out / "documents.jsonl"), reader="test")
    assert report.headline["field_f1"].value == 1.0 and report.judged.partly_labelled == 2 and report.judged.fields == 4


def test_without_it_a_partial_ground_truth_is_rejected_and_a_wrong_name_is_an_error(run):
    result, _ = run()
    assert result.exit_code == 1 and "document_number" in result.output
    result, _ = run("--labelled", "totals.totl")
    assert result.exit_code == 1 and "did you mean 'totals.total_vat'" in result.stderr
