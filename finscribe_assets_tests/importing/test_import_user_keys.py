"""Ground truth in a user's keys is imported as partial truth, and its pairs are the user's JSON."""

import json
from pathlib import Path

import pytest
from PIL import Image

from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.prediction_files import read_truths
from finscribe_assets.importing.folder_import import IMPORT_REPORT_FILE, TRUTH_FILE, import_folder
from finscribe_assets.instructions.pair import Task
from finscribe_assets.instructions.pair_batch import read_pairs
from finscribe_assets.iteration.batch_documents import read_files
from finscribe_assets.schema_mapping.mapping_files import load_mapping, parse_mapping

RECEIPT = {"company": "ACME SDN BHD", "date": "03/04/2018", "address": "NO 3, JALAN X, 81100 JOHOR", "total": "9.00"}
REAL = Path(__file__).parents[2] / "../shared/real/invoices"


def folder_with(tmp_path: Path, record: object) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.new("L", (400, 300), 255).save(folder / "r.png")
    (folder / "r.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def test_a_receipt_of_sroie(tmp_path):
    out = tmp_path / "out"
    report = import_folder(folder_with(tmp_path, RECEIPT), out, "test", mapping=load_mapping("sroie"))
    assert (len(report.accepted), report.rejected) == (1, [])
    [truth] = read_truths(out / TRUTH_FILE).values()
    assert truth.document["issue_date"] == "2018-04-03"
    assert truth.document["totals"]["total_with_vat"] == "9"
    assert truth.labelled == {"seller.name", "issue_date", "custom.address.text.address", "totals.total_with_vat"}
    [whole] = [pair for pair in read_pairs(out / "pairs") if pair.task is Task.FULL_EXTRACTION]
    assert json.loads(whole.response) == RECEIPT
    assert '{"company":"","date":"","address":"","total":""}' in whole.prompt
    questions = [pair for pair in read_pairs(out / "pairs") if pair.task is Task.FIELD_QUESTION]
    assert {key for pair in questions for key in json.loads(pair.response)} == {"company", "date", "total"}


def test_predictions_in_the_users_keys_are_scored_against_the_import(tmp_path):
    out, mapping = tmp_path / "out", load_mapping("sroie")
    import_folder(folder_with(tmp_path, RECEIPT), out, "test", mapping=mapping)
    [name] = read_truths(out / TRUTH_FILE)
    for response, right in (
        (RECEIPT, 4),
        (RECEIPT | {"date": "3 April 2018", "total": "9.0", "cashier": "bob"}, 4),
        (RECEIPT | {"date": "04/03/2018", "address": "NO 3"}, 2),
    ):
        file = tmp_path / "p.jsonl"
        file.write_text(json.dumps({"id": name, "response": json.dumps(response)}) + "\n", encoding="utf-8")
        documents = read_files(file, out / TRUTH_FILE, mapping=mapping)
        [scored] = score(documents.truths, documents.predictions)
        assert (scored.correct, scored.expected, scored.predicted) == (right, 4, 4)


def test_what_a_mapping_calls_unknown_is_not_labelled(tmp_path):
    record = [{"invoice_number": "A-1", "amount": 12.5, "date": "2024-02-01", "booking_id": "B 7", "desc": "x"}]
    out = tmp_path / "out"
    import_folder(folder_with(tmp_path, record), out, "test", mapping=load_mapping("invoice2data"), locale="de_DE")
    [truth] = read_truths(out / TRUTH_FILE).values()
    booking = "custom.identifier.identifier.booking_id"
    assert truth.labelled == {"document_number", "totals.total_with_vat", "issue_date", booking}
    assert truth.document["totals"]["total_with_vat"] == "12.5"  # a number of JSON, whatever the locale
    assert json.loads((out / IMPORT_REPORT_FILE).read_text("utf-8"))["accepted"]


def test_values_that_are_not_of_their_type_are_reported_and_not_labelled(tmp_path):
    mapping = parse_mapping("keys: {no: document_number, when: issue_date}", "x", "x.yaml")
    out = tmp_path / "out"
    record = {"no": "1", "when": "03/04/2018"}
    report = import_folder(folder_with(tmp_path, record), out, "test", mapping=mapping, locale="de_DE")
    assert len(report.accepted) == 1
    [truth] = read_truths(out / TRUTH_FILE).values()
    assert truth.labelled == {"document_number"}
    assert "when" in json.dumps(report.to_json())


@pytest.mark.slow
def test_five_vendor_invoices(tmp_path):
    if not REAL.is_dir():
        pytest.skip(f"{REAL} is absent")
    out, mapping = tmp_path / "out", load_mapping("invoice2data")
    report = import_folder(REAL.resolve(), out, "MIT", mapping=mapping, locale="en_US")
    assert (len(report.accepted), report.rejected) == (5, [])
    truths = read_truths(out / TRUTH_FILE)
    records = []
    for name in truths:
        stem = next(file.stem for file in REAL.glob("*.json") if f"-{file.stem}-" in name)
        records.append({"id": name, "response": (REAL / f"{stem}.json").read_text("utf-8")})
    file = tmp_path / "p.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    documents = read_files(file, out / TRUTH_FILE, mapping=mapping)
    for scored in score(documents.truths, documents.predictions):
        assert scored.correct == scored.expected == scored.predicted > 5
