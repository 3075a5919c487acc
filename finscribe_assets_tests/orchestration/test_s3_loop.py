"""Runs on an object store that fails five requests of a hundred, with their processes killed three times."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
import s3fs
from upath import UPath

from .faulty_s3 import FaultyS3
from .test_assets import data_files

ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 3600

# The run is killed as soon as an object with this prefix is there: while documents are drawn, pages rendered and pairs
# made.
KILLED_AT = (
    "synthetic_documents/batch-000/part-00001",
    "rendered_images/batch-000/part-00001",
    "instruction_pairs/",
)


def start(job: str, home: Path, **environment: str) -> subprocess.Popen:
    """Start a job of the first batch in a process group of its own, on an instance with the shipped settings."""
    home.mkdir(exist_ok=True)
    shutil.copy(ROOT / "dagster.yaml", home)
    settings = {"DAGSTER_HOME": str(home), "FINSCRIBE_PROFILE": "tiny", "FINSCRIBE_WORKERS": "2", **environment}
    with (home / "output.txt").open("a") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "finscribe_assets.job_run", job, "batch-000"],
            env={**os.environ, **settings},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=ROOT,
        )


def kill_when_there(process: subprocess.Popen, client, prefix: str) -> None:
    """Kill a process with its workers as soon as an object has a prefix."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while "Contents" not in client.list_objects_v2(Bucket="finscribe", Prefix=f"data/{prefix}", MaxKeys=1):
        assert process.poll() is None, f"the run ended before {prefix} was written"
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_a_run_on_s3_that_was_killed_has_the_bytes_of_a_local_one(tmp_path, monkeypatch):
    local = start("synthesize", tmp_path / "local home", FINSCRIBE_STORAGE=str(tmp_path / "local"))
    assert local.wait(DEADLINE_SECONDS) == 0, (tmp_path / "local home" / "output.txt").read_text()[-3000:]
    home = tmp_path / "remote home"
    with FaultyS3(share=0.05) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TMPDIR", str(tmp_path))  # checkpoints of a training on S3
        s3fs.S3FileSystem.clear_instance_cache()
        client = boto3.client("s3")
        client.create_bucket(Bucket="finscribe")
        for prefix in KILLED_AT:
            kill_when_there(start("synthesize", home, FINSCRIBE_STORAGE="s3://finscribe/data"), client, prefix)
        last = start("synthesize", home, FINSCRIBE_STORAGE="s3://finscribe/data")
        assert last.wait(DEADLINE_SECONDS) == 0, (home / "output.txt").read_text()[-3000:]
        expected = data_files(tmp_path / "local")
        actual = data_files(UPath("s3://finscribe/data"))
        root = "s3://finscribe/data/"
        assert {name.removeprefix(root): digest for name, digest in actual.items()} == expected
        stages = {name.split("/")[0] for name in expected}
        assert stages >= {"synthetic_documents", "rendered_images", "instruction_pairs", "dataset_splits"}
        assert server.failed >= 10
    s3fs.S3FileSystem.clear_instance_cache()
