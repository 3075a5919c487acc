"""The same assets on an object store: moto's server stands in for S3, over HTTP on loopback."""

import time
import urllib.request

import dagster as dg
import pytest
from moto.server import ThreadedMotoServer
from upath import UPath

from finscribe_assets.importing.inbox import InboxBatches, InboxLook, look_at_inbox
from finscribe_assets.iteration.real_batches import import_batch
from finscribe_assets.orchestration.assets import all_assets
from finscribe_assets_tests.importing.writers import pdf

from .conftest import platform_at
from .test_assets import data_files


@pytest.fixture
def bucket(monkeypatch):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    # All servers of a process share moto's store.
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    UPath("s3://finscribe").fs.mkdir("finscribe")
    yield "s3://finscribe/data"
    server.stop()
    s3fs.S3FileSystem.clear_instance_cache()


def test_synthesis_on_s3_has_the_bytes_of_a_folder(bucket, platform, iteration):
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
