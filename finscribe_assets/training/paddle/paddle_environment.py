"""The Python environment that Paddle lives in: where it is, and what it has installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from finscribe_assets.errors import UserError

PYTHON_VARIABLE = "FINSCRIBE_PADDLE_PYTHON"
DEFAULT_PYTHON = Path(".venv-paddle/bin/python")  # where `make paddle-env` puts it, seen from the project's folder
# What may be there; only its metadata is read, as importing paddle takes seconds.
_PROBE = """
import importlib.metadata, json
found = {}
for name in ("paddlepaddle", "paddlepaddle-gpu", "paddleformers", "erniekit", "dagster-pipes"):
    try: found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError: pass
print(json.dumps(found))
"""


class BackendMissingError(UserError):
    """The back end that is asked for is not installed; the message says what is missing and how to get it."""


@dataclass(frozen=True)
class PaddleEnvironment:
    """An interpreter and the versions of what it has of Paddle, by distribution."""

    python: Path
    versions: dict[str, str]

    @property
    def on_gpu(self) -> bool:
        """Tell whether its Paddle is the one that is built for GPUs."""
        return "paddlepaddle-gpu" in self.versions

    def check(self, tool: str, least: str, how: str) -> None:
        """See that a tool, Paddle itself and Dagster Pipes are there.

        Raises:
            BackendMissingError: one of them is not, or is older than ``least``.
        """
        if tool not in self.versions:
            raise BackendMissingError(f"{self.python} has no {tool}; {how}")
        if _numbers(self.versions[tool]) < _numbers(least):
            raise BackendMissingError(f"{self.python} has {tool} {self.versions[tool]}, older than {least}; {how}")
        if not {"paddlepaddle", "paddlepaddle-gpu"} & self.versions.keys():
            raise BackendMissingError(f"{self.python} has neither paddlepaddle nor paddlepaddle-gpu; {how}")
        if "dagster-pipes" not in self.versions:
            raise BackendMissingError(f"{self.python} has no dagster-pipes, through which training reports; {how}")


def find_environment() -> PaddleEnvironment:
    """Return Paddle's environment: the interpreter that FINSCRIBE_PADDLE_PYTHON names, or `make paddle-env`'s.

    Raises:
        BackendMissingError: there is no such interpreter, or it does not run.
    """
    # Not resolved: a link in a virtual environment leads out of it.
    python = Path(os.environ.get(PYTHON_VARIABLE) or DEFAULT_PYTHON).absolute()
    if not python.is_file():
        raise BackendMissingError(
            f"{python} is not there; run `make paddle-env`, or name an interpreter that has Paddle in {PYTHON_VARIABLE}"
        )
    run = subprocess.run([str(python), "-c", _PROBE], capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode:
        raise BackendMissingError(
            f"{python} does not run ({run.stderr.strip().splitlines()[-1:]}); name a Python in {PYTHON_VARIABLE}"
        )
    return PaddleEnvironment(python, json.loads(run.stdout))


def _numbers(version: str) -> tuple[int, ...]:
    """Return a version's leading numbers: a build from source may call itself 1.4.0.dev20251101+g1a2b."""
    leading = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(number) for number in leading.group().split(".")) if leading else ()
