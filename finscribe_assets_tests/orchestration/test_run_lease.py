"""Leases of runs against real processes: one that is killed is found out, one that lives is left alone."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from finscribe_assets.orchestration.run_lease import LEASE_TAG, LeasedRunLauncher, run_lease

ROOT = Path(__file__).parents[2]

SLEEPER = """
import time, sys
import dagster as dg
from finscribe_assets.orchestration.run_lease import leased_in_process_executor

@dg.op
def sleep():
    time.sleep(60)

@dg.job(executor_def=leased_in_process_executor)
def sleeper():
    sleep()

if __name__ == "__main__":
    dg.execute_job(dg.reconstructable(sleeper), instance=dg.DagsterInstance.get(), run_config={})
"""


@pytest.fixture
def instance(tmp_path, monkeypatch):
    """Give an instance with the repository's own configuration."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.get() as opened:
        yield opened


def test_the_configuration_names_the_launcher(instance):
    assert isinstance(instance.run_launcher, LeasedRunLauncher)
    assert instance.run_launcher.supports_check_run_worker_health


def test_a_lease_is_judged_by_its_age(instance):
    started = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED)
    health = instance.run_launcher.check_run_worker_health
    assert health(started).status is WorkerStatus.RUNNING  # another executor's, which takes no lease
    instance.add_run_tags(started.run_id, {LEASE_TAG: str(int(time.time()) - 100)})
    assert health(started).status is WorkerStatus.RUNNING
    instance.add_run_tags(started.run_id, {LEASE_TAG: str(int(time.time()) - 200)})
    assert health(started).status is WorkerStatus.FAILED
    instance.add_run_tags(started.run_id, {LEASE_TAG: "not a time"})
    assert health(started).status is WorkerStatus.RUNNING


def test_a_killed_run_is_marked_failed_and_its_reason_names_the_lease(instance, tmp_path):
    script = tmp_path / "sleeper.py"
    script.write_text(SLEEPER)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    process = subprocess.Popen(
        [sys.executable, str(script)], env=environment, start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        run = _leased_run(instance)
        monitor_started_run(instance, None, _record(instance, run), logging.getLogger())
        assert instance.get_run_by_id(run).status is dg.DagsterRunStatus.STARTED
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    instance.run_launcher.lease_seconds = 0.0
    deadline = time.time() + 30
    while instance.get_run_by_id(run).status is dg.DagsterRunStatus.STARTED and time.time() < deadline:
        monitor_started_run(instance, None, _record(instance, run), logging.getLogger())
        time.sleep(0.3)
    assert instance.get_run_by_id(run).status is dg.DagsterRunStatus.FAILURE
    messages = [entry.message for entry in instance.all_logs(run)]
    assert any("it was killed, or its machine is down" in message for message in messages)


def _leased_run(instance) -> str:
    deadline = time.time() + 60
    while time.time() < deadline:
        for record in instance.get_run_records():
            run = record.dagster_run
            if run.status is dg.DagsterRunStatus.STARTED and LEASE_TAG in run.tags:
                return run.run_id
        time.sleep(0.2)
    raise AssertionError("the run did not state that it lives")


def _record(instance, run_id: str):
    return instance.get_run_record_by_id(run_id)


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN], ids=["usual", "background"])
def test_a_run_that_was_ended_from_outside_is_interrupted(instance, handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        _end_from_outside(instance)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def _end_from_outside(instance):
    run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED)
    ender = threading.Timer(0.5, lambda: instance.report_run_failed(run))
    with pytest.raises(KeyboardInterrupt), run_lease(instance, run.run_id, renewal_seconds=0.1):
        ender.start()
        time.sleep(20)
