"""Let one process at a time compute on a GPU of this machine, whichever way it was started.

Dagster's pool ``gpu`` limits runs that go through its queue. Runs in a process of their own and commands do not go
through it, and two models on one GPU run out of its memory. So all of them hold the same lock file, one for each GPU.

What belongs here: waiting for a device by its name, and who has it. Which device a model takes is known to
`model.torch_runtime`.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from finscribe_assets.errors import UserError
from finscribe_assets.files import read_json, write_json

LOCKS_VARIABLE = "FINSCRIBE_LOCKS"
REPORT_SECONDS = 60.0  # between two messages of a process that waits

_LOG = logging.getLogger(__name__)


def locks_folder() -> Path:
    """Return the folder of lock files: FINSCRIBE_LOCKS, or one of this user in the folder for temporary files."""
    stated = os.environ.get(LOCKS_VARIABLE, "")
    return Path(stated) if stated else Path(tempfile.gettempdir()) / f"finscribe-locks-{os.getuid()}"


@contextmanager
def device_lock(device: str | None, work: str, report_seconds: float = REPORT_SECONDS) -> Iterator[None]:
    """Hold a device for the block; wait for it as long as another process has it.

    The kernel releases the lock of a process that ends, however it ends. The thread that has a lock may take it again.
    Waiting has no limit, because a training may take days. It is logged, and an interrupt ends it, such as that of a
    cancelled run.

    Args:
        device: A name that every process has for this device, such as a GPU's UUID; None for a processor, which
            processes share without a lock.
        work: What the device is held for, for the messages of those that wait.
        report_seconds: Time between two messages while waiting.

    Raises:
        UserError: The lock's file cannot be written.
    """
    if device is None:
        yield
        return
    folder = locks_folder()
    holder = folder / f"{device}.json"
    lock = FileLock(folder / f"{device}.lock", is_singleton=True, mode=0o666)  # users may share the folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _wait(lock, device, work, holder, report_seconds)
    except OSError as error:
        raise UserError(
            f"{folder}: the lock of {device} cannot be taken here ({error}); set {LOCKS_VARIABLE} to a folder that "
            "all processes which share the device may write"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _wait(lock: FileLock, device: str, work: str, holder: Path, report_seconds: float) -> None:
    nested, limit = lock.is_locked, 0.0
    while True:
        try:
            lock.acquire(timeout=limit, poll_interval=0.5)
            break
        except Timeout:
            _LOG.warning("%s waits for %s, which %s", work, device, _describe(holder))
            limit = report_seconds
    if not nested:
        _LOG.info("%s has %s now", work, device)
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        write_json(holder, {"process": os.getpid(), "work": work, "since": since})


def _describe(holder: Path) -> str:
    """Return who has a device, as far as it is known: the file is written after the lock was taken."""
    try:
        found = read_json(holder)
    except (OSError, ValueError):
        return "another process has"
    return f"process {found['process']} has for {found['work']} since {found['since']}"
