"""Ground truth that labels some of the fields only: the other ones are neither expected nor judged."""

import json

import pytest
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.documents.labelled_fields import is_labelled, labelled_fields, unlabelled_fields
from finscribe_assets.errors import UserError
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.field_comparison import FieldStatus
from finscribe_assets.evaluation.prediction_files import Prediction, Truth, read_truths
from finscribe_assets.evaluation.report import evaluate

FOUR = ["seller.name", "seller.address", "issue_date", "totals.total_with_vat"]
TRUE = {
    "locale": "en_GB",
    "currency_code": "GBP",
    "issue_date": "2026-11-05",
    "totals": {"total_with_vat": "9.00"},
}
# Everything beside the labelled fields is right as far as anybody knows.
ANSWER = {
    "issue_date": "05/11/2026",
    "currency_code": "USD",
    "payment_reference": "A17",
    "shop": "1",
    "seller": {"contact_phone": "020 7946 0000"},
    "lines": [{"item_name": "Tea", "quantity": "2", "net_amount": "9.00"}],
    "totals": {"total_with_vat": "9.00", "tendered_amount": "10.00", "change_amount": "1.00", "amount_due": "8.00"},
}


def scored(labelled, answer, document=TRUE, confidence=None):
    truth = Truth("r", document, labelled=labelled and labelled_fields(labelled))
    return score({"r": truth}, {"r": Prediction("r", answer, confidence or {})})[0]


def test_only_labelled_fields_count_in_anything():
    confidence = {"payment_reference": 0.1, "totals.total_with_vat": 0.9}
    truth = Truth("r", TRUE, labelled=labelled_fields(FOUR))
    report = evaluate({"r": truth}, {"r": Prediction("r", ANSWER, confidence)})
    values = {name: figure.value for name, figure in report.headline.items() if figure}
    assert values == dict.fromkeys(values, 1.0) and values.keys() >= {"field_precision", "anls_star", "exact_match"}
    assert report.judged.model_dump() == {"fields": 2, "partly_labelled": 1, "left_out": 10}
    assert not report.by_row and not report.by_rule and not report.worst
    assert report.calibration.n == 1 and not report.low_confidence


def test_a_labelled_field_without_a_value_is_a_hallucination_if_predicted():
    outcomes = {one.path: one.status for one in scored(FOUR, {"seller": {"name": "X", "tax_id": "1"}}).outcomes}
    assert outcomes == {
        "issue_date": FieldStatus.MISSING,
        "totals.total_with_vat": FieldStatus.MISSING,
        "seller.name": FieldStatus.EXTRA,
    }


def test_columns_of_a_table_can_be_labelled_alone():
    document = TRUE | {"lines": [{"item_name": "Tea", "net_amount": "9.00"}]}
    answer = {"lines": [{"item_name": "Tea", "quantity": "3", "net_amount": "9.00"}, {"item_name": "Cup"}]}
    outcomes = {one.path: one.status for one in scored(["lines.item_name"], answer, document).outcomes}
    assert outcomes == {"lines[0].item_name": FieldStatus.CORRECT, "lines[1].item_name": FieldStatus.EXTRA}
    assert [row.status for row in scored(["lines.quantity"], {}, document).comparison.rows] == []


def test_a_group_covers_its_fields_and_no_others():
    labelled = labelled_fields(["lines", "seller.name"])
    assert is_labelled("lines[3].net_amount", labelled) and is_labelled("seller.name", labelled)
    assert not is_labelled("seller.names", labelled) and not is_labelled("buyer.name", labelled)
    assert is_labelled("anything", None) and not unlabelled_fields(None)
    assert "totals.amount_due" in unlabelled_fields(labelled) and "lines.quantity" not in unlabelled_fields(labelled)


@pytest.mark.parametrize(
    ("names", "message"),
    [(["totals.totl"], "did you mean"), ([], "is empty"), ([7], "7 is no field"), (["seller.."], "no field")],
)
def test_wrong_names_are_errors(names, message):
    with pytest.raises(UserError, match=message):
        labelled_fields(names)


def test_a_record_overrides_the_default_of_its_file(tmp_path):
    file = tmp_path / "truth.jsonl"
    records = [
        {"id": "a", "document": {"issue_date": "2024-01-02", "tip": "1"}, "labelled": ["issue_date"]},
        {"id": "b", "document": {"issue_date": "2024-01-02"}},
    ]
    file.write_text("\n".join(map(json.dumps, records)))
    assert {name: truth.labelled for name, truth in read_truths(file).items()} == {"a": {"issue_date"}, "b": None}
    # Keys of the user's own, which some document has, can be labelled too.
    assert read_truths(file, ["tip"])["b"].labelled == {"tip"} and read_truths(file, ["tip"])["a"].labelled == {
        "issue_date"
    }
    file.write_text(json.dumps(records[0] | {"labelled": "issue_date"}))
    with pytest.raises(UserError, match="line 1: write labelled as a list"):
        read_truths(file)
    file.write_text(json.dumps(records[0] | {"labelled": ["issue_day"]}))
    with pytest.raises(UserError, match="line 1: labelled: 'issue_day' is no field"):
        read_truths(file)


def test_commands_take_the_labelled_fields(tmp_path):
    truth, predictions, out = tmp_path / "t.jsonl", tmp_path / "p.jsonl", tmp_path / "o.json"
    truth.write_text("".join(json.dumps({"id": f"r{n}", "document": TRUE}) + "\n" for n in range(8)))
    predictions.write_text("".join(json.dumps({"id": f"r{n}", "response": ANSWER}) + "\n" for n in range(8)))
    files = ["--predictions", str(predictions), "--ground-truth", str(truth), "--output", str(out)]
    labelled = ["--labelled", "issue_date, totals.total_with_vat", "--labelled", "seller.name"]
    result = CliRunner().invoke(app, ["evaluate", *files, *labelled], terminal_width=200)
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    assert (report["headline"]["field_precision"]["value"], report["headline"]["field_f1"]["n"]) == (1.0, 16)
    assert report["judged"]["left_out"] == 80 and "predicted values not judged" in result.output
    result = CliRunner().invoke(app, ["mine", *files, *labelled], terminal_width=200)
    mined = json.loads(out.read_text())
    assert result.exit_code == 0 and mined["cells"] == [] and mined["weak"] == []
