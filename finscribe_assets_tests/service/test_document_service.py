"""Documents that are read, cannot be read, or take too long: each gets one answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from finscribe_assets.documents.file_ids import file_document_id
from finscribe_assets.service.service_app import make_app
from finscribe_assets.service.service_settings import ServiceLimits, ServiceSettings
from finscribe_assets_tests.importing.writers import blank, encrypted, pdf
from finscribe_assets_tests.opening.image_writers import png_of_size
from finscribe_assets_tests.service.fake_service import fake_model, png

held = threading.Event()


def before_reading(name: str) -> None:
    if name == "slow.png":
        held.wait(60)
    if name == "fault.png":
        raise RuntimeError("Nordlicht GmbH")  # a fault whose message quotes a document


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    limits = ServiceLimits(pages=3, seconds=300, workers=1)
    app = make_app(ServiceSettings(limits=limits), fake_model(before_reading))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def post(client, content: bytes, name: str = "invoice.png", **parameters):
    return client.post("/v1/documents", files={"file": (name, content)}, params=parameters)


def test_an_answer_has_the_record_of_extract_and_what_speaks_against_it(client, tmp_path):
    path = tmp_path / "invoice.png"
    path.write_bytes(png())
    answer = post(client, png(), pictures=True)
    assert answer.status_code == 200
    reading = answer.json()
    assert reading["id"] == reading["record"]["id"] == file_document_id(path)
    assert reading["file"] == "invoice.png"
    number = next(value for value in reading["values"] if value["path"] == "document_number")
    assert (number["text"], number["confidence"]) == ("RE-17", 0.97)
    assert number["boxes"] == [{"page": 1, "box": [10.0, 20.0, 300.0, 60.0]}]
    assert (reading["needs_review"], reading["broken_arithmetic"]) == (False, [])
    assert reading["read_by"] == {"base": "fake", "base_content": None, "adapter": None, "batch": None}
    (page,) = reading["pages"]
    assert (page["width"], page["height"]) == (60, 40)
    assert page["image"].startswith("data:image/jpeg;base64,")


def test_a_pdf_is_read_and_a_path_in_a_name_is_left_out(client):
    reading = post(client, pdf("Rechnung 17"), "../../etc/<b>x</b>.pdf").json()
    assert reading["file"] == "b>.pdf"
    assert len(reading["pages"]) == 1


@pytest.mark.parametrize(
    ("content", "status", "detail"),
    [
        (b"", 422, "the file is empty"),
        (b"Rechnung 17", 415, "neither a PDF nor an image"),
        (b"RIFF\0\0\0\0WAVEfmt ", 415, "neither a PDF nor an image"),
        (b"PK\3\4" + bytes(60), 415, "neither a PDF nor an image"),
        (b"\0\0\0\x18ftypheic" + bytes(40), 415, "HEIC"),
        (png()[:-20], 422, "truncated"),
        (png_of_size(60_000, 60_000), 422, "60,000"),
        (encrypted(pdf("page"), "secret"), 422, "password"),
        (blank(4), 422, "4 pages; at most 3"),
        (pdf("page")[:-300], 422, "its end is missing"),
    ],
)
def test_what_cannot_be_read_is_answered_with_the_reason(client, content, status, detail):
    answer = post(client, content)
    assert answer.status_code == status
    assert detail in answer.json()["detail"]


def test_a_fault_costs_one_document_and_tells_nothing_of_it(client, caplog):
    answer = post(client, png(), "fault.png")
    assert answer.status_code == 500
    assert "RuntimeError" in answer.json()["detail"]
    assert "Nordlicht" not in answer.text
    assert post(client, png()).status_code == 200


def test_a_document_past_its_time_is_told_so_and_gives_its_place_back():
    app = make_app(ServiceSettings(limits=ServiceLimits(seconds=2, workers=1)), fake_model(before_reading))
    with TestClient(app, base_url="http://localhost") as client:
        assert post(client, png(), "slow.png").status_code == 504
        work = app.state.work
        held.set()
        with work._lock:
            assert work._lock.wait_for(lambda: work.accepted == 0, 60)
        assert work.problem is None


def test_metrics_count_outcomes_stages_and_pages(client):
    before = metrics_of(client)
    post(client, png())
    post(client, b"text")
    after = metrics_of(client)

    def grown(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return after[key] - before.get(key, 0)

    assert grown("finscribe_documents_total", outcome="read") == 1
    assert grown("finscribe_documents_total", outcome="unknown_type") == 1
    assert grown("finscribe_pages_total") == 1
    assert grown("finscribe_stage_seconds_count", stage="reading") == 1
    assert after["finscribe_queue_depth", ()] == 0
    assert after["finscribe_reader", (("adapter", ""), ("base", "fake"), ("batch", ""))] == 1


def metrics_of(client) -> dict:
    text = client.get("/metrics").text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_ready_while_the_workers_run(client):
    assert client.get("/readyz").json()["ready"] is True
