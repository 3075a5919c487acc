"""Run Paddle's tools as subprocesses that report their steps through Dagster Pipes, with or without Dagster.

The tools report in the protocol of Dagster Pipes either way. Inside Dagster its own client runs the command
(`orchestration.pipes`); elsewhere `launch_subprocess` takes its place.
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

from finscribe_assets.errors import UserError
from finscribe_assets.training.paddle.paddle_environment import PaddleEnvironment

_LOG_FILE, _MESSAGES_FILE = "output.log", "messages.jsonl"
_POLL_SECONDS = 0.2
_LOG_TAIL_LINES = 30  # of an error message


class PaddleFailedError(UserError, RuntimeError):
    """A tool of Paddle's ended with an error; the message holds the end of what it printed."""


@dataclass(frozen=True)
class Command:
    """A command, the folder that it runs in, and environment variables besides those of this process."""

    arguments: tuple[str, ...]
    folder: Path
    variables: dict[str, str]


Launch = Callable[[Command], Iterable[dict[str, Any]]]
"""Runs a command to its end and yields what it reports: a dictionary for each step, as it comes or all at the end."""


def tool_command(environment: PaddleEnvironment, tool: str, arguments: Sequence[str], folder: Path) -> Command:
    """Return the command that runs a tool of the environment, such as ``paddleformers-cli``, in a folder."""
    scripts = environment.python.parent
    return Command(
        (str(scripts / tool), *arguments),
        folder,
        {
            "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",  # the tool runs the first `python`
            "PYTHONPATH": "",  # no packages of this process
            # Without a GPU, the launcher of Paddle's workers still wants a GPU's number.
            **({} if "CUDA_VISIBLE_DEVICES" in os.environ else {"CUDA_VISIBLE_DEVICES": "0"}),
        },
    )


def launch_subprocess(command: Command) -> Iterator[dict[str, Any]]:
    """Run a command as a child of this process and yield its reports as they come; its output goes to output.log.

    Raises:
        PaddleFailedError: it ended with an error.
    """
    messages_file = command.folder / _MESSAGES_FILE
    messages_file.write_bytes(b"")
    variables = {
        **os.environ,
        **command.variables,
        DAGSTER_PIPES_CONTEXT_ENV_VAR: encode_param({"data": _context_without_dagster()}),
        DAGSTER_PIPES_MESSAGES_ENV_VAR: encode_param({"path": str(messages_file)}),
    }
    with (command.folder / _LOG_FILE).open("ab") as log, messages_file.open("rb") as messages:
        child = subprocess.Popen(  # noqa: S603
            command.arguments, cwd=command.folder, env=variables, stdout=log, stderr=log
        )
        try:
            while child.poll() is None:
                yield from _new_reports(messages)
                sleep(_POLL_SECONDS)
            yield from _new_reports(messages)
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
    if child.returncode:
        raise _failure(command, child.returncode)


def _failure(command: Command, code: int) -> PaddleFailedError:
    log = command.folder / _LOG_FILE
    tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL_LINES:] if log.exists() else []
    name = f"{Path(command.arguments[0]).name} {command.arguments[1]}"
    return PaddleFailedError(
        "\n".join([f"{name} ended with {code}; the end of its output (all of it in {log}):", *tail])
    )


def _new_reports(messages: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield the payloads of the whole lines that were written since the last call."""
    while line := messages.readline():
        if not line.endswith(b"\n"):
            messages.seek(-len(line), os.SEEK_CUR)
            return
        message = json.loads(line)
        if message["method"] == "report_custom_message":
            yield message["params"]["payload"]


def _context_without_dagster() -> dict[str, Any]:
    """Return the context that Pipes gives to a child, for a child that belongs to no run of Dagster."""
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
