import http.client
import json
import threading

import pytest

from finscribe_assets.errors import UserError
from finscribe_assets.iteration.batch_storage import REAL_STAGES, FolderStorage, Stage
from finscribe_assets.iteration.storage_server import StorageServer


@pytest.fixture
def served(tmp_path):
    """A server of a storage with a report, a secret beside it, and a file of a type that is not shown."""
    folder = tmp_path / "storage" / "evaluation_report" / "batch-000"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<h1>å</h1>", encoding="utf-8")
    (folder / "report.json").write_text('{"documents": 3}', encoding="utf-8")
    (folder / "weights.safetensors").write_bytes(b"\0")
    (tmp_path / "secret.json").write_text("{}", encoding="utf-8")
    (tmp_path / "storage" / "plans").mkdir()
    (tmp_path / "storage" / "plans" / "batch-000.json").write_text("{}", encoding="utf-8")
    server = StorageServer(str(tmp_path / "storage"), 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def get(server, path, host="127.0.0.1:1"):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    response = connection.getresponse()
    return response.status, dict(response.getheaders()), response.read()


def test_reports_open_and_the_first_page_links_them(served):
    status, headers, body = get(served, "/evaluation_report/batch-000/report.html")
    assert (status, headers["Content-Type"], body.decode()) == (200, "text/html; charset=utf-8", "<h1>å</h1>")
    assert "script" not in headers["Content-Security-Policy"]
    assert json.loads(get(served, "/evaluation_report/batch-000/report.json?x=1")[2]) == {"documents": 3}
    assert b'href="/evaluation_report/batch-000/report.html"' in get(served, "/")[2]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.json",
        "/evaluation_report/batch-000/../../../secret.json",
        "/evaluation_report/batch-000/%2e%2e/%2e%2e/%2e%2e/secret.json",
        "/evaluation_report/../../secret.json",
        "//etc/passwd",
        "/evaluation_report/batch-000",
        "/evaluation_report/batch-000/",
        "/evaluation_report/batch-000/weights.safetensors",
        "/evaluation_report/batch-000/report.html%00.json",
        "/evaluation_report/batch-001/report.html",
        "/plans/batch-000.json",
        "/secret.json",
    ],
)
def test_nothing_but_shown_files_of_batches_is_served(served, path):
    status, _, body = get(served, path)
    assert status == 404
    assert body != b"{}"


def test_a_page_of_the_internet_cannot_read_it_under_its_own_name(served):
    assert get(served, "/evaluation_report/batch-000/report.html", "evil.example:3001")[0] == 403
    assert get(served, "/evaluation_report/batch-000/report.html", "localhost:3001")[0] == 200


def test_it_is_for_this_machine_and_says_when_its_port_is_taken(served, tmp_path):
    with pytest.raises(UserError, match="this machine only"):
        StorageServer(str(tmp_path), 0, "192.0.2.1")
    with pytest.raises(UserError, match="name a free port"):
        StorageServer(str(tmp_path), served.server_port)


@pytest.mark.parametrize("stage", sorted(REAL_STAGES))
def test_stages_of_real_documents_have_folders_of_inbox_batches(tmp_path, stage):
    assert FolderStorage(str(tmp_path)).folder(stage, "inbox-000").name == "inbox-000"
    assert Stage.FITTED_RECIPE in REAL_STAGES
