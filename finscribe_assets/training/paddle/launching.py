"""Starting Paddle's tools, and hearing them step by step through Dagster Pipes, with or without Dagster.

Pipes is one protocol for both: inside Dagster its own client starts the tool; elsewhere `launch_here` stands in its
place. The tool cannot tell the difference.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any, BinaryIO

from dagster_pipes import DAGSTER_PIPES_CONTEXT_ENV_VAR, DAGSTER_PIPES_MESSAGES_ENV_VAR, encode_param

from finscribe_assets.training.paddle.paddle_environment import PaddleEnvironment

LOG_FILE, MESSAGES_FILE = "output.log", "messages.jsonl"
_SECONDS_BETWEEN_LOOKS = 0.2
_LAST_LINES = 30


class PaddleFailedError(RuntimeError):
    """A tool of Paddle's ended with an error; the message holds the end of what it printed."""


@dataclass(frozen=True)
class Command:
    """What is to be run, where, and with which environment variables besides this process's own."""

    words: tuple[str, ...]
    folder: Path
    variables: dict[str, str]


# Runs a command to its end, and gives what the tool reported: each step a dictionary, as it comes or all in the end.
Launch = Callable[[Command], Iterable[dict[str, Any]]]


def command_of(environment: PaddleEnvironment, tool: str, words: Sequence[str], folder: Path) -> Command:
    """Return the command that runs a tool of the environment, such as ``paddleformers-cli``, in a folder."""
    scripts = environment.python.parent
    return Command(
        (str(scripts / tool), *words),
        folder,
        {
            "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",  # the tool starts the first `python`
            "PYTHONPATH": "",  # nothing of this process's packages
            # Without a GPU the launcher of Paddle's workers still wants the number of one.
            **({} if "CUDA_VISIBLE_DEVICES" in os.environ else {"CUDA_VISIBLE_DEVICES": "0"}),
        },
    )


def launch_here(command: Command) -> Iterator[dict[str, Any]]:
    """Run a command as a child of this process and yield its reports as they come; its output goes to LOG_FILE.

    Raises:
        PaddleFailedError: it ended with an error.
    """
    messages = command.folder / MESSAGES_FILE
    messages.write_bytes(b"")
    variables = {
        **os.environ,
        **command.variables,
        DAGSTER_PIPES_CONTEXT_ENV_VAR: encode_param({"data": _no_dagster()}),
        DAGSTER_PIPES_MESSAGES_ENV_VAR: encode_param({"path": str(messages)}),
    }
    with (command.folder / LOG_FILE).open("ab") as log, messages.open("rb") as told:
        child = subprocess.Popen(command.words, cwd=command.folder, env=variables, stdout=log, stderr=log)  # noqa: S603
        try:
            while child.poll() is None:
                yield from _reports(told)
                sleep(_SECONDS_BETWEEN_LOOKS)
            yield from _reports(told)
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
    if child.returncode:
        raise _failed(command, child.returncode)


def _failed(command: Command, code: int) -> PaddleFailedError:
    """Return the error for a command that ended with a code other than 0."""
    log = command.folder / LOG_FILE
    printed = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:] if log.exists() else []
    what = f"{Path(command.words[0]).name} {command.words[1]}"
    return PaddleFailedError("\n".join([f"{what} ended with {code}; it printed at last (more in {log}):", *printed]))


def _reports(told: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield the payloads of the whole lines that were written since the last look."""
    while line := told.readline():
        if not line.endswith(b"\n"):
            told.seek(-len(line), os.SEEK_CUR)
            return
        message = json.loads(line)
        if message["method"] == "report_custom_message":
            yield message["params"]["payload"]


def _no_dagster() -> dict[str, Any]:
    """Return what Pipes tells a child of the run it belongs to, where there is none."""
    return {
        "asset_keys": None,
        "code_version_by_asset_key": None,
        "provenance_by_asset_key": None,
        "partition_key": None,
        "partition_key_range": None,
        "partition_time_window": None,
        "run_id": "",
        "job_name": None,
        "retry_number": 0,
        "extras": {},
    }
