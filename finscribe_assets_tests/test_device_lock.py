"""Processes that share a device take turns, and one that is killed gives it back."""

import logging
import signal
import subprocess
import sys
import threading

import pytest

from finscribe_assets.device_lock import LOCKS_VARIABLE, device_lock
from finscribe_assets.errors import UserError

# A process that a shell started in the background ignores interrupts, and so would its children.
HOLDER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from finscribe_assets.device_lock import device_lock
with device_lock("gpu-simulated", "a training"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path, monkeypatch):
    """A process that has the device until its standard input gets a line."""
    monkeypatch.setenv(LOCKS_VARIABLE, str(tmp_path / "locks"))
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture(autouse=True)
def _all_messages(caplog):
    caplog.set_level(logging.INFO, "finscribe_assets.device_lock")


def wait_in_thread(events: list[str]) -> threading.Thread:
    """Take the device in a thread, and note when it is had."""

    def work() -> None:
        with device_lock("gpu-simulated", "predictions", report_seconds=0.2):
            events.append("had")

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def wait_for_message(caplog) -> str:
    """Return the second message of a process that waits: it has then waited for longer than a try."""
    while len(caplog.messages) < 2:
        threading.Event().wait(0.05)
    return caplog.messages[1]


def test_a_process_waits_for_the_one_that_has_the_device_and_says_for_what(holder, caplog):
    events: list[str] = []
    thread = wait_in_thread(events)
    message = wait_for_message(caplog)
    assert f"predictions waits for gpu-simulated, which process {holder.pid} has for a training since" in message
    events.append("given back")
    holder.communicate("\n")
    thread.join()
    assert events == ["given back", "had"]
    assert caplog.messages[-1] == "predictions has gpu-simulated now"


def test_a_killed_process_gives_the_device_back(holder, caplog):
    events: list[str] = []
    thread = wait_in_thread(events)
    wait_for_message(caplog)
    events.append("killed")
    holder.send_signal(signal.SIGKILL)
    thread.join()
    assert events == ["killed", "had"]


def test_an_interrupt_ends_the_waiting(holder):
    waiting = subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert "waits for gpu-simulated" in waiting.stderr.readline()
    waiting.send_signal(signal.SIGINT)
    output, errors = waiting.communicate(timeout=60)
    assert output == ""
    assert "KeyboardInterrupt" in errors


def test_other_devices_and_processors_are_not_waited_for(holder, caplog):
    with device_lock("gpu-another", "a"), device_lock("gpu-another", "within a"), device_lock(None, "b"):
        assert caplog.messages == ["a has gpu-another now"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(LOCKS_VARIABLE, str(tmp_path / "file"))
    with (
        pytest.raises(UserError, match=f"{tmp_path}/file: the lock of gpu-0 .* set {LOCKS_VARIABLE}"),
        device_lock("gpu-0", "x"),
    ):
        raise AssertionError
