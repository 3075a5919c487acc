"""A service with a user's keys, and what the service says of the weights that it reads with."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager

from starlette.testclient import TestClient

from finscribe_assets.inference.server_settings import ServerSettings
from finscribe_assets.ocr.rapidocr_engine import RECOGNITION_MODEL, model_path
from finscribe_assets.schema_mapping.mapping_files import parse_mapping
from finscribe_assets.service.document_work import OnReading
from finscribe_assets.service.reader_in_use import AdapterChoice, ReaderInUse
from finscribe_assets.service.reader_loading import load_here, load_server
from finscribe_assets.service.readings_log import LogDetail, ReadingsLog
from finscribe_assets.service.service_app import make_app
from finscribe_assets.service.service_settings import ServiceLimits, ServiceSettings
from finscribe_assets_tests.inference.chat_server import MODEL, Reply, chat_server, completion, prompt_of
from finscribe_assets_tests.service.fake_service import fake_model, png

MAPPING = parse_mapping(
    """
locale: de_DE
dates: iso
amounts: number
keys:
  Kopf.Nummer: document_number
  Kopf.Datum: issue_date
  Lieferant: seller.name
  Netto: totals.total_without_vat
  Steuer: totals.total_vat
  Brutto: totals.total_with_vat
  Zahlbetrag: totals.amount_due
  Kreis: {type: identifier}
""",
    "ours",
    "ours.yaml",
)


@contextmanager
def service(model: ReaderInUse, on_reading: OnReading | None = None):
    app = make_app(ServiceSettings(limits=ServiceLimits(workers=1, seconds=300)), model, on_reading)
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def post(client):
    answer = client.post("/v1/documents", files={"file": ("invoice.png", png((600, 800)))})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_values_that_labels_identified_are_answered_in_the_users_keys_and_logged_in_the_schemas(tmp_path):
    log = ReadingsLog(tmp_path, LogDetail.VALUES)
    with service(fake_model(mapping=MAPPING), log.append) as client:
        reading = post(client)
        assert client.get("/v1/model").json()["schema_name"] == "ours"
    assert reading["record"]["response"] == {
        "Kopf": {"Nummer": "RE-17", "Datum": "2024-05-06"},
        "Lieferant": "Nordlicht GmbH",
        "Netto": 100.0,
        "Steuer": 19.0,
        "Brutto": 119.0,
        "Zahlbetrag": 119.0,
    }
    assert reading["record"]["confidence"]["Kopf.Nummer"] == 0.97
    assert list(reading["record"]["boxes"]) == ["Kopf.Nummer"]
    values = {value["path"]: value for value in reading["values"]}
    assert values["document_number"]["boxes"][0]["page"] == 1
    (line,) = next((tmp_path / "readings").iterdir()).read_text().splitlines()
    assert json.loads(line)["response"]["document_number"] == "RE-17"


def test_a_model_of_pages_is_asked_in_the_users_keys_and_its_answer_is_judged_by_the_schema(tmp_path):
    said = {"Kopf": {"Nummer": "RE-18"}, "Netto": "100,00", "Steuer": "19,00", "Brutto": "120,00", "Kreis": "1000"}
    log = ReadingsLog(tmp_path, LogDetail.VALUES)
    with chat_server(lambda _: Reply(completion(json.dumps(said)))) as server:
        load = load_server(ServerSettings(server.url, MODEL), 1, MAPPING)
        with service(ReaderInUse(AdapterChoice, load), log.append) as client:
            reading = post(client)
            served = client.get("/v1/model").json()
        assert "Zahlbetrag" in prompt_of(server.bodies[0])
    assert json.loads(reading["record"]["response"]) == said
    values = {value["path"]: value["text"] for value in reading["values"]}
    assert (values["document_number"], values["totals.total_with_vat"]) == ("RE-18", "120,00")
    assert [(broken["path"], broken["expected"]) for broken in reading["broken_arithmetic"]] == [
        ("totals.total_with_vat", "119.00")
    ]
    assert reading["needs_review"]
    (line,) = next((tmp_path / "readings").iterdir()).read_text().splitlines()
    assert json.loads(line)["response"]["totals"]["total_with_vat"] == "120,00"
    # A server does not tell its weights: what is known is the name it lists, and what it says it has loaded.
    by_name = {"base": MODEL, "base_content": None, "adapter": None, "batch": None}
    assert served == {
        "read_by": by_name,
        "reads": "pages",
        "known_by": "name",
        "server_root": "/models/tuned",
        "schema_name": "ours",
    }
    assert reading["read_by"] == by_name
    assert reading["record"]["model"]["server_model"] == MODEL


def test_a_reader_in_this_process_is_known_by_the_hash_of_its_files():
    with service(ReaderInUse(AdapterChoice, load_here(None, 1))) as client:
        reading, served = post(client), client.get("/v1/model").json()
    expected = hashlib.sha256(model_path(RECOGNITION_MODEL).read_bytes()).hexdigest()
    assert reading["read_by"]["base_content"] == reading["record"]["model"]["base_content"] == expected
    assert served["read_by"] == reading["read_by"]
    assert (served["known_by"], served["reads"], served["schema_name"]) == ("content", "lines", None)
    assert reading["read_by"]["adapter"] is None
