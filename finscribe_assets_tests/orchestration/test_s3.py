"""The same assets on an object store: moto's server stands in for S3, over HTTP on loopback."""

import time
from pathlib import Path

import dagster as dg
import pytest
import urllib3
import yaml
from dagster_aws.s3 import S3ComputeLogManager
from upath import UPath

from finscribe_assets.importing.inbox import InboxBatches, InboxLook, look_at_inbox
from finscribe_assets.iteration.real_batches import import_batch
from finscribe_assets.orchestration.assets import all_assets
from finscribe_assets.orchestration.resources import Storage
from finscribe_assets_tests.importing.writers import pdf

from .conftest import platform_at
from .faulty_s3 import FaultyS3
from .test_assets import data_files

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(monkeypatch):
    """An object store that fails five requests of a hundred."""
    import s3fs

    with FaultyS3(share=0.05) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        # All servers of a process share moto's store.
        urllib3.request("POST", f"{server.url}/moto-api/reset")
        UPath("s3://finscribe").fs.mkdir("finscribe")
        yield server
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def bucket(store):
    return "s3://finscribe/data"


def test_synthesis_on_s3_has_the_bytes_of_a_folder(store, bucket, platform, iteration):
    with dg.DagsterInstance.ephemeral() as instance:
        remote = platform_at(bucket, instance)
        assert dg.materialize(
            [asset for asset in all_assets if asset.key.to_user_string() == "seed_plan"],
            instance=instance,
            resources=remote.defs.resources,
        ).success
        assert remote.run("synthesize", "batch-000").success
    root = UPath(bucket)
    local = data_files(platform.root)
    names = [
        name
        for name in local
        if name.split("/")[0] in ("synthetic_documents", "rendered_images", "instruction_pairs", "dataset_splits")
        and name.split("/")[1] == "batch-000"  # other tests may have run a second iteration
    ]
    assert len(names) == 15
    for name in names:
        assert (root / name).read_bytes() == (platform.root / name).read_bytes(), name
    assert store.failed >= 5


def test_logs_of_steps_are_read_from_s3_by_another_machine(bucket, tmp_path, monkeypatch):
    """A run's machine uploads what its steps print; the web server, which shares no disk with it, shows it."""
    monkeypatch.setenv("FINSCRIBE_LOG_BUCKET", "finscribe")
    settings = yaml.safe_load((ROOT / "deployment" / "dagster-s3.yaml").read_text())["compute_logs"]

    @dg.op
    def talk():
        print("page 7 is rendered")  # noqa: T201

    @dg.job
    def talking():
        talk()

    with dg.instance_for_test(overrides={"compute_logs": settings}) as instance:
        result = talking.execute_in_process(instance=instance)
        (key,) = [
            event.logs_captured_data.file_key
            for event in result.all_events
            if event.event_type_value == "LOGS_CAPTURED"
        ]
        log_key = [result.run_id, "compute_logs", key]
        assert isinstance(instance.compute_log_manager, S3ComputeLogManager)
    settings["config"]["local_dir"] = str(tmp_path / "of the web server")
    with dg.instance_for_test(overrides={"compute_logs": settings}) as elsewhere:
        shown = elsewhere.compute_log_manager.get_log_data(log_key)
    assert b"page 7 is rendered" in shown.stdout


def test_reports_on_s3_are_linked_by_presigned_urls(bucket):
    page = UPath(bucket) / "evaluation_report" / "batch-000" / "report.html"
    page.write_bytes("<h1>Bericht für März</h1>".encode())
    link = Storage(root=bucket).link(page)
    assert isinstance(link, dg.UrlMetadataValue)
    response = urllib3.request("GET", str(link.url))
    assert response.data.decode() == "<h1>Bericht für März</h1>"
    assert response.headers["Content-Type"].startswith("text/html")
    assert Storage(root="/data").link(Path("/data/report.html")) == dg.MetadataValue.path("/data/report.html")


def test_an_inbox_on_s3_is_looked_at_anew_at_each_tick_and_imported(bucket):
    inbox = UPath("s3://finscribe/inbox")
    (inbox / "2026" / "a.pdf").write_bytes(pdf("Rechnung Nr. R-77"))
    batches = InboxBatches(bucket)
    long_after = time.time() + 3600
    first = look_at_inbox(inbox, batches, InboxLook(), long_after)
    assert [file.name for document in first.batch.documents for file in document] == ["2026/a.pdf"]
    batches.write(first.batch)
    (inbox / "b.pdf").write_bytes(pdf("Rechnung Nr. R-78"))
    second = look_at_inbox(inbox, batches, first.look, long_after)
    assert (second.batch.key, len(second.batch.documents)) == ("inbox-001", 1)
    folder = UPath(bucket) / "real_documents" / "inbox-000"
    imported = import_batch(inbox, batches, folder, "inbox-000", licence="own")
    assert (imported.usable, imported.lost) == (1, [])
    assert (folder / "import-report.json").exists()
