"""What is refused before a document is read: by token, size, form, places, end of the service, and web site."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from finscribe_assets.errors import UserError
from finscribe_assets.service.service_app import make_app
from finscribe_assets.service.service_settings import ServiceLimits, ServiceSettings
from finscribe_assets_tests.service.fake_service import fake_model, png

TOKEN = "correct-horse-battery"  # noqa: S105
LIMITS = ServiceLimits(file_bytes=50_000, accepted=2)


@pytest.fixture
def client() -> TestClient:
    """Return a client of a service whose workers were not started: what is answered was refused before."""
    return TestClient(make_app(ServiceSettings(limits=LIMITS), fake_model()), base_url="http://localhost")


def test_other_hosts_than_loopback_need_a_token():
    for host in ("0.0.0.0", "192.168.1.4", "::", "example.org"):  # noqa: S104
        with pytest.raises(UserError, match="FINSCRIBE_SERVICE_TOKEN"):
            ServiceSettings(host)
        assert ServiceSettings(host, token=TOKEN).token
    for host in ("127.0.0.1", "127.8.0.1", "::1", "localhost"):
        assert ServiceSettings(host).token is None
    with pytest.raises(UserError, match="shorter than 16"):
        ServiceSettings(token="short")  # noqa: S106


def test_without_the_token_nothing_but_health_is_answered():
    app = make_app(ServiceSettings("::", token=TOKEN, limits=LIMITS), fake_model())
    client = TestClient(app, base_url="http://scanner.example:8600")
    for headers in ({}, {"authorization": "Bearer wrong-horse-battery"}, {"authorization": f"Basic {TOKEN}"}):
        answer = client.post("/v1/documents", files={"file": png()}, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert client.get("/metrics", headers=headers).status_code == 401
    assert client.get("/healthz").status_code == 200
    assert client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    app.state.work.stop_accepting()
    accepted = client.post("/v1/documents", files={"file": png()}, headers={"authorization": f"Bearer {TOKEN}"})
    assert accepted.status_code == 503  # past the token


def test_a_large_file_is_refused_by_its_stated_and_by_its_real_size(client):
    large = bytes(200_000)
    assert client.post("/v1/documents", files={"file": large}).status_code == 413
    boundary = b"--b\r\ncontent-disposition: form-data; name=file; filename=x\r\n\r\n"
    parts = [boundary, *[large[:10_000]] * 20, b"\r\n--b--\r\n"]
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = client.post("/v1/documents", content=iter(parts), headers=headers)  # in chunks, without a stated size
    assert (answer.status_code, client.app.state.work.accepted) == (413, 0)


@pytest.mark.parametrize(
    ("request_", "status", "detail"),
    [
        ({"content": b"%PDF-1.7", "headers": {"content-type": "application/pdf"}}, 415, "multipart/form-data"),
        ({"files": {"document": png()}}, 422, "field `file`"),
        ({"data": {"file": "text"}, "files": {"x": b""}}, 422, "field `file`"),
        ({"files": [("file", png()), ("file", png())]}, 400, "Too many files"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "boundary"),
    ],
)
def test_a_body_that_is_no_form_with_a_file_is_refused(client, request_, status, detail):
    answer = client.post("/v1/documents", **request_)
    assert answer.status_code == status
    assert detail in answer.json()["detail"]
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert client.app.state.work.accepted == 0


def test_when_all_places_are_taken_the_client_is_told_when_to_come_back(client):
    work = client.app.state.work
    work.accept()
    work.accept()
    answer = client.post("/v1/documents", files={"file": png()})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    work.release()
    work.stop_accepting()
    assert client.post("/v1/documents", files={"file": png()}).status_code == 503
    assert client.get("/readyz").json()["reason"] == "the service is stopping"


def test_other_web_sites_can_use_a_service_without_token_neither_by_origin_nor_by_a_name(client):
    assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 403
    assert client.get("/healthz", headers={"host": "127.0.0.1:8600"}).status_code == 200
    answer = client.post("/v1/documents", files={"file": png()}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    for broken in ({"host": "[::1"}, {"origin": "http://[", "host": "localhost"}):
        assert client.get("/healthz", headers=broken).status_code == 403, broken
    own = {"origin": "http://localhost", "host": "localhost"}
    assert client.post("/v1/documents", files={"document": png()}, headers=own).status_code == 422


def test_pages_load_nothing_from_elsewhere_and_forbid_inline_scripts(client):
    for path in ("/", "/docs", "/static/viewer.js", "/static/api.js", "/static/viewer.css"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "http://www.w3.org/2000/svg" in answer.text or "://" not in answer.text, path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert client.get(f"/static/swagger/{name}").status_code == 200
    assert client.get("/static/../service_app.py").status_code == 404


def test_the_description_of_the_interface_names_every_answer(client):
    description = client.get("/openapi.json").json()
    operation = description["paths"]["/v1/documents"]["post"]
    assert set(operation["responses"]) == {"200", *map(str, (400, 401, 408, 413, 415, 422, 429, 500, 502, 503, 504))}
    reference = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    model = description["components"]["schemas"][reference.rsplit("/")[-1]]
    assert {"values", "needs_review", "broken_arithmetic", "read_by", "record"} <= set(model["required"])
    upload = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert upload["properties"]["file"]["format"] == "binary"
