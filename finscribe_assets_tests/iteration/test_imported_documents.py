"""Records of `extract` and `predict` on imported pages go to `evaluate` and `mine` as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.documents.file_ids import document_id
from finscribe_assets.errors import UserError
from finscribe_assets.evaluation.prediction_files import Prediction, Truth, read_predictions
from finscribe_assets.evaluation.report import evaluate
from finscribe_assets.files import read_json, write_json_lines
from finscribe_assets.inference.prediction import predict_batch
from finscribe_assets.inference.region_layout import RendererBoxes
from finscribe_assets.rendering.render import render
from finscribe_assets_tests.documents.bills import bill
from finscribe_assets_tests.importing.writers import pdf


def run(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def imported(tmp_path_factory, batch) -> Path:
    """A workspace of two pages, of which one is in the schema and one is a PDF with few words."""
    root = tmp_path_factory.mktemp("imported")
    (root / "in").mkdir()
    drawn = batch.documents[0]
    render(drawn).pages[0].open().save(root / "in" / "drawn.png")
    (root / "in" / "drawn.json").write_text(json.dumps(drawn.document.to_json()))
    (root / "in" / "short.pdf").write_bytes(pdf("Rechnung Nr. R-77"))
    (root / "in" / "short.json").write_text(json.dumps(bill(document_number="R-77").to_json()))
    assert run("import", root / "in", "--out", root / "o", "--licence", "own").exit_code == 0
    assert run("predict", root / "o").exit_code == 0
    return root


def records(file: Path) -> dict[str, dict]:
    return {record["id"]: record for record in map(json.loads, file.read_text().splitlines())}


def test_imported_pages_are_read_at_detected_lines(imported):
    predicted = records(imported / "o/predictions/predictions.jsonl")
    truths = records(imported / "o/documents.jsonl")
    assert predicted.keys() == truths.keys()
    assert any(record["response"] for record in predicted.values())
    assert read_json(imported / "o/predictions/predicted_by.json")["layout"].startswith("text lines")
    with pytest.raises(UserError, match="2 of 2 documents have no boxes of a renderer"):
        predict_batch([imported / "o/images"], truths, imported / "other", layout=RendererBoxes())


def test_extract_writes_the_same_records_with_the_same_ids(imported):
    result = run("extract", "--base", "embedded", imported / "in/drawn.png", imported / "in/short.pdf")
    extracted = {record["id"]: record for record in map(json.loads, result.stdout.splitlines())}
    predicted = records(imported / "o/predictions/predictions.jsonl")
    assert extracted.keys() == predicted.keys()
    for name, record in predicted.items():
        assert {key: extracted[name][key] for key in record} == record


def test_a_shard_of_imported_pages_is_read_at_detected_lines_too(imported):
    result = run("extract", "--base", "embedded", imported / "o/images/part-00000.parquet")
    assert [json.loads(line) for line in result.stdout.splitlines()] == list(
        records(imported / "o/predictions/predictions.jsonl").values()
    )


@pytest.mark.parametrize("command", ["render", "pairs", "split", "train", "verify-pages", "contact-sheet"])
def test_commands_for_drawn_documents_say_that_these_are_imported(imported, command):
    outputs = {"train": ["--out", imported / "adapter"], "contact-sheet": ["--output", imported / "sheet.png"]}
    result = run(command, imported / "o", *outputs.get(command, []))
    assert result.exit_code == 1
    assert "holds imported documents" in result.stderr


def test_a_split_without_documents_is_an_error(imported):
    result = run("predict", imported / "o", "--split", "validation", "--out", imported / "none")
    assert "is in validation" in result.stderr
    assert not (imported / "none").exists()


def test_mining_takes_an_imported_workspace(imported):
    result = run(
        *("mine", "--predictions", imported / "o/predictions/predictions.jsonl", "--workspace", imported / "o"),
        *("--ground-truth", imported / "o/documents.jsonl", "--output", imported / "m.json"),
    )
    assert result.exit_code == 0, result.output
    assert "imported documents; failures are compared by" in " ".join(result.output.split())


def test_empty_answers_are_a_warning_and_no_plan(imported):
    empty = [{"id": name, "response": {}} for name in records(imported / "o/documents.jsonl")]
    write_json_lines(imported / "empty.jsonl", empty)
    files = ("--predictions", imported / "empty.jsonl", "--ground-truth", imported / "o/documents.jsonl")
    mined = run("mine", *files, "--output", imported / "m.json", "--plan", imported / "plan.json")
    assert "Warning: no prediction has any value" in " ".join(mined.output.split())
    assert not (imported / "plan.json").exists()
    assert read_json(imported / "m.json")["empty"] == 2
    measured = run("evaluate", *files, "--output", imported / "r.json")
    assert "Warning: no prediction has any value" in " ".join(measured.output.split())


def test_a_reader_that_reads_nothing_meets_no_speed_target():
    truths = {"a": Truth("a", {"document_number": "1"})}
    nothing = evaluate(truths, {"a": Prediction("a", {})}, seconds_per_document=0.03)
    wrong = evaluate(truths, {"a": Prediction("a", {"document_number": "2"})}, seconds_per_document=0.03)
    assert [report.targets[-1].verdict for report in (nothing, wrong)] == ["not measured", "met"]
    assert (nothing.empty, wrong.empty) == (1, 0)


def test_a_record_of_a_file_belongs_to_the_ground_truth_with_the_files_name(tmp_path):
    truths = {name: Truth(name, {}) for name in ("r-1", "r-2.png", "r-3")}
    files = ["in/r-1.png", "in/r-2.png", "in/other.png"]
    lines = [{"id": f"real-{number}", "file": file, "response": {}} for number, file in enumerate(files)]
    write_json_lines(tmp_path / "p.jsonl", [*lines, {"id": "r-3", "response": {}}, {"file": "x", "error": "damaged"}])
    predictions, problems = read_predictions(tmp_path / "p.jsonl", truths, without_truth={"real-2"})
    assert list(predictions) == ["r-1", "r-2.png", "r-3"]
    assert problems.counts == {"without_truth": 1, "file_not_read": 1}


@pytest.mark.parametrize("stem", ["", "..", "a/b\\c", "Rechnung № 1", "\udcff", "x" * 300])
def test_ids_of_files_are_safe_names_that_follow_from_the_pages_alone(stem):
    name = document_id(stem, ["aa", "bb"])
    assert name.isascii()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
    assert len(name) < 64
    assert name == document_id(stem, ["aa", "bb"]) != document_id(stem, ["bb", "aa"])
