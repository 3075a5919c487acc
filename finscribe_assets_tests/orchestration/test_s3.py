"""The same assets on an object store: moto's server stands in for S3, over HTTP on loopback."""

import dagster as dg
import pytest
from moto.server import ThreadedMotoServer
from upath import UPath

from finscribe_assets.orchestration.assets import all_assets

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
    ]
    assert len(names) == 15
    for name in names:
        assert (root / name).read_bytes() == (platform.root / name).read_bytes(), name
