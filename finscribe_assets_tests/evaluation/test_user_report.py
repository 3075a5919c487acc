import json

import pytest

from finscribe_assets.evaluation.user_report import user_name
from finscribe_assets.files import read_json
from finscribe_assets.iteration.batch_documents import read_files
from finscribe_assets.iteration.measuring import measure, write_report
from finscribe_assets.schema_mapping.mapping_files import load_mapping

MAPPING = """
keys:
  Kopf.Nummer: document_number
  Kopf.Ankunft: {type: date}
  Firma: [seller.name, seller.address.city]
  Positionen[*].Text: lines.item_name
  Positionen[*].Raum: {type: identifier}
  Summe: totals.total_with_vat
"""
TRUTH = {
    "Kopf": {"Nummer": "R-17", "Ankunft": "2026-12-01"},
    "Firma": "Acme, Leeds",
    "Positionen": [{"Text": "Pen", "Raum": "A1"}, {"Text": "Cup", "Raum": "B2"}],
    "Summe": "12.00",
}
READ = {
    "Kopf": {"Nummer": "R-17", "Ankunft": "2026-12-24"},
    "Firma": "Apex, Leeds",
    "Positionen": [{"Text": "Pen", "Raum": "A1"}, {"Text": "Cup", "Raum": "B7"}],
    "Summe": "12.00",
}


@pytest.fixture
def mapping(tmp_path):
    (tmp_path / "ours.yaml").write_text(MAPPING)
    return load_mapping(str(tmp_path / "ours.yaml"))


def test_reports_name_fields_by_the_users_keys(mapping, tmp_path):
    (tmp_path / "truth.jsonl").write_text(json.dumps({"id": "a", "document": TRUTH}))
    record = {"id": "a", "response": READ, "confidence": {"Kopf.Ankunft": 0.3}}
    (tmp_path / "read.jsonl").write_text(json.dumps(record))
    documents = read_files(tmp_path / "read.jsonl", tmp_path / "truth.jsonl", mapping=mapping)
    write_report(measure(documents, reader="r"), documents, tmp_path / "report.json")
    report = read_json(tmp_path / "report.json")
    assert {tally["name"] for tally in report["by_field"]} == {
        "Kopf.Nummer",
        "Kopf.Ankunft",
        "Firma",
        "Positionen[*].Text",
        "Positionen[*].Raum",
        "Summe",
    }
    [worst] = report["worst"]
    failed = {field["path"] for field in worst["fields"] if field["status"] != "correct"}
    assert failed == {"Kopf.Ankunft", "Firma", "Positionen[1].Raum"}
    assert [field["path"] for field in report["low_confidence"]] == ["Kopf.Ankunft"]
    assert "custom." not in (tmp_path / "report.html").read_text()


def test_a_field_without_a_key_keeps_its_name(mapping):
    assert user_name("due_date", mapping) == "due_date"
    assert user_name("lines[3].item_name", mapping) == "Positionen[3].Text"
