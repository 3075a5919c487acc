"""Runs, events and cursors in Postgres: while the code server is killed again and again, each plan is run once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import dagster as dg
import pytest

from finscribe_assets.orchestration.run_lease import LEASE_TAG, LeasedRunLauncher

from .compose_processes import ROOT, ComposeProcesses, load_compose
from .local_postgres import PROGRAMS, LocalPostgres, free_port
from .quick_iterations import LAST_KEY

KILLS = 10
DEADLINE_SECONDS = 1200
PASSWORD = "a secret; with 'signs'"  # noqa: S105

# What another daemon and its runs would ask of the database: runs are made, tagged, listed, and write events.
TRAFFIC = """
import time, dagster as dg
from dagster._core.test_utils import create_run_for_test
with dg.DagsterInstance.get() as instance:
    for number in range(10**9):
        run = create_run_for_test(instance, job_name="traffic", status=dg.DagsterRunStatus.SUCCESS)
        instance.add_run_tags(run.run_id, {"number": str(number)})
        for _ in range(10):
            instance.report_engine_event("traffic", run)
        instance.get_run_records(dg.RunsFilter(job_name="traffic"), limit=20)
        print(number, flush=True)
        time.sleep(0.2)
"""


@pytest.fixture
def platform(tmp_path, monkeypatch):
    """Postgres and an instance with the deployment's settings, opened by this process too."""
    if not PROGRAMS:
        pytest.skip("Postgres' server is not installed: apt-get install postgresql")
    services = load_compose({"FINSCRIBE_POSTGRES_PASSWORD": PASSWORD, "FINSCRIBE_PROFILE": "tiny"})["services"]
    stated = services["postgres"]["environment"]
    with LocalPostgres(stated["POSTGRES_USER"], stated["POSTGRES_PASSWORD"], stated["POSTGRES_DB"]) as postgres:
        moved = {"postgres": "127.0.0.1", "5432": str(postgres.port), "code": "127.0.0.1", "4000": str(free_port())}
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        (tmp_path / "data" / "storage").mkdir(parents=True)
        with ComposeProcesses(services, tmp_path, moved) as processes:
            for name, value in processes.environment("daemon").items():
                monkeypatch.setenv(name, value)
            with dg.DagsterInstance.get() as instance:
                yield processes, postgres, instance


def start_code(processes: ComposeProcesses) -> subprocess.Popen:
    command = [
        "finscribe_assets_tests.deployment.quick_iterations" if word == "finscribe_assets.definitions" else word
        for word in processes.services["code"]["command"]
    ]
    return processes.start("code", [processes.moved_text(word) for word in command])


def lines(processes: ComposeProcesses, name: str) -> list[str]:
    file = processes.folder / "data" / "storage" / name
    return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.slow
def test_each_plan_is_run_once_while_the_code_server_is_killed_ten_times(platform):
    processes, postgres, instance = platform
    assert isinstance(instance.run_launcher, LeasedRunLauncher)
    start_code(processes)
    processes.start("daemon")
    traffic = processes.start("webserver", [sys.executable, "-c", TRAFFIC])
    instance.add_dynamic_partitions("synthesis", ["batch-000"])
    first = [sys.executable, "-m", "dagster", "asset", "materialize", "--select", "*", "--partition", "batch-000"]
    subprocess.run([*first, "-m", "finscribe_assets_tests.deployment.quick_iterations"], check=True, cwd=ROOT)
    draws, deadline = random.Random(3), time.monotonic() + DEADLINE_SECONDS
    kills = 0
    while LAST_KEY not in lines(processes, "ended.txt"):
        assert time.monotonic() < deadline, processes.log("daemon")
        assert processes.running["daemon"].poll() is None, processes.log("daemon")
        time.sleep(draws.uniform(2, 20))
        started = processes.log("code", 10**9).count("Started Dagster code server")
        # It is up again, and the loop has gone on since the last two kills.
        if kills < min(started, KILLS, 2 * len(set(lines(processes, "ended.txt")))):
            os.kill(processes.running["code"].pid, signal.SIGKILL)  # its runs live on, as on another machine
            processes.running["code"].wait()
            start_code(processes)
            kills += 1
    assert kills == KILLS
    time.sleep(30)  # two more ticks
    assert traffic.poll() is None, processes.log("webserver")
    plans = [f"batch-{number:03d}" for number in range(int(LAST_KEY[-3:]) + 1)]
    assert Counter(lines(processes, "begun.txt")) == Counter(plans)
    assert Counter(lines(processes, "ended.txt")) == Counter(plans)
    records = instance.get_run_records(dg.RunsFilter(job_name="next_iteration"))
    runs = {record.dagster_run.tags["dagster/partition"]: record.dagster_run for record in records}
    assert sorted(runs) == plans[1:]
    assert len(records) == len(runs)
    assert all(run.status is dg.DagsterRunStatus.SUCCESS and LEASE_TAG in run.tags for run in runs.values())
    # Postgres itself, asked without Dagster.
    assert postgres.rows("SELECT count(*) FROM runs WHERE pipeline_name = 'next_iteration'") == [(len(plans) - 1,)]
    (written,) = postgres.rows("SELECT count(*) FROM event_logs")[0]
    assert written > 2000
