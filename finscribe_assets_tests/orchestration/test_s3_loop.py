"""Two iterations on an object store that fails five requests of a hundred, with their processes killed nine times."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import dagster as dg
import pytest
import s3fs
from dagster._core.test_utils import environ
from upath import UPath

from finscribe_assets.definitions import build_defs
from finscribe_assets.orchestration.sensors import retrain_on_weak_cells

from .faulty_s3 import FaultyS3
from .test_assets import data_files

ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 3600
BUCKET = "finscribe"
STORAGE = f"s3://{BUCKET}/data"

# Runs are killed as soon as an object with this prefix is there. `.work` is a folder of this machine, where a training
# keeps its checkpoints.
FIRST_KILLED_AT = (
    "synthetic_documents/batch-000/part-00001",
    "rendered_images/batch-000/part-00001",
    "instruction_pairs/",
    ".work/trained_adapter/batch-000/",
    "exam/batch-000/",
    "predictions/batch-000/",
)
SECOND_KILLED_AT = ("rendered_images/batch-001/", "trained_adapter/batch-001/", "evaluation_report/batch-001/")


def start(job: str, key: str, home: Path, storage: str) -> subprocess.Popen:
    """Start a job in a process group of its own, on an instance with the shipped settings."""
    home.mkdir(exist_ok=True)
    shutil.copy(ROOT / "dagster.yaml", home)
    with (home / "output.txt").open("a") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "finscribe_assets.job_run", job, key],
            env={**os.environ, **settings(home, storage)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=ROOT,
        )


def settings(home: Path, storage: str) -> dict[str, str]:
    return {
        "DAGSTER_HOME": str(home),
        "FINSCRIBE_PROFILE": "tiny",
        "FINSCRIBE_WORKERS": "2",
        "FINSCRIBE_STORAGE": storage,
    }


def finish(process: subprocess.Popen, home: Path) -> None:
    assert process.wait(DEADLINE_SECONDS) == 0, (home / "output.txt").read_text()[-3000:]


def kill_when_there(process: subprocess.Popen, is_there: Callable[[], bool], home: Path) -> None:
    """Kill a process with its workers as soon as something is there."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_there():
        assert process.poll() is None, f"the run ended first: {(home / 'output.txt').read_text()[-3000:]}"
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def batch_that_the_sensor_asks_for(home: Path, storage: str) -> str:
    """Return the partition that the sensor requests on an instance."""
    with environ(settings(home, storage)), dg.DagsterInstance.get() as instance:
        defs = build_defs()
        resources = {name: defs.resources[name] for name in ("storage", "profile")}
        context = dg.build_sensor_context(instance=instance, resources=resources, definitions=defs)
        (request,) = retrain_on_weak_cells(context).run_requests
        return request.partition_key


def run_two_iterations(home: Path, storage: str, interrupt: Callable[[str, str], None]) -> None:
    """Run the first iteration, and the one that the sensor asks for after it; ``interrupt`` may begin each of them."""
    interrupt("iterate", "batch-000")
    finish(start("iterate", "batch-000", home, storage), home)
    key = batch_that_the_sensor_asks_for(home, storage)
    assert key == "batch-001"
    job = retrain_on_weak_cells.job_name
    interrupt(job, key)
    finish(start(job, key, home, storage), home)


def files_of(root) -> dict[str, str]:
    """Return digests of all data and reports, by name below the root."""
    files = data_files(root)
    for file in root.rglob("evaluation_report/*/*"):
        if not file.name.endswith("_time.json"):
            files[str(file.relative_to(root))] = hashlib.sha256(file.read_bytes()).hexdigest()
    return {name.removeprefix(f"{STORAGE}/"): digest for name, digest in files.items()}


@pytest.mark.slow
def test_two_iterations_on_s3_that_were_killed_have_the_bytes_of_local_ones(tmp_path, monkeypatch):
    local, home = tmp_path / "local", tmp_path / "remote home"
    run_two_iterations(tmp_path / "local home", str(local), lambda job, key: None)
    with FaultyS3(share=0.05) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TMPDIR", str(tmp_path))  # checkpoints of a training on S3
        s3fs.S3FileSystem.clear_instance_cache()
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)

        def is_there(prefix: str) -> bool:
            if prefix.startswith(".work/"):
                return any((tmp_path / "finscribe").glob(f"*/{prefix}*"))
            return "Contents" in client.list_objects_v2(Bucket=BUCKET, Prefix=f"data/{prefix}", MaxKeys=1)

        def kill_some(job: str, key: str) -> None:
            for prefix in FIRST_KILLED_AT if key == "batch-000" else SECOND_KILLED_AT:
                kill_when_there(start(job, key, home, STORAGE), lambda prefix=prefix: is_there(prefix), home)

        run_two_iterations(home, STORAGE, kill_some)
        expected, actual = files_of(local), files_of(UPath(STORAGE))
        assert {name for name in expected if actual.get(name) != expected[name]} == set()
        assert actual.keys() == expected.keys()
        stages = {name.split("/")[0] for name in expected}
        assert stages >= {"dataset_splits", "trained_adapter", "exam", "predictions", "hard_sample_plan", "plans"}
        assert server.failed >= 10
    s3fs.S3FileSystem.clear_instance_cache()
