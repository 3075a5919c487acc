"""The Python environment that Paddle is installed in: its interpreter and versions."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from finscribe_assets.errors import UserError
from finscribe_assets.training.paddle.paddle_interpreter import PYTHON_VARIABLE, paddle_python
from finscribe_assets.training.paddle.tool_settings import PaddleTool

# Reads only the metadata of distributions: importing paddle takes seconds.
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
    """An interpreter, and the versions of Paddle's distributions in it."""

    python: Path
    versions: dict[str, str]

    @property
    def on_gpu(self) -> bool:
        """Whether its Paddle is built for GPUs."""
        return "paddlepaddle-gpu" in self.versions

    def check(self, tool: PaddleTool) -> None:
        """Check that a tool, Paddle itself and Dagster Pipes are installed.

        Raises:
            BackendMissingError: one of them is missing, or the tool is too old.
        """
        version, hint = self.versions.get(tool.name), tool.install_hint
        if version is None:
            raise BackendMissingError(f"{self.python} has no {tool.name}; {hint}")
        if _leading_numbers(version) < _leading_numbers(tool.minimum_version):
            raise BackendMissingError(
                f"{self.python} has {tool.name} {version}, older than {tool.minimum_version}; {hint}"
            )
        if not {"paddlepaddle", "paddlepaddle-gpu"} & self.versions.keys():
            raise BackendMissingError(f"{self.python} has neither paddlepaddle nor paddlepaddle-gpu; {hint}")
        if "dagster-pipes" not in self.versions:
            raise BackendMissingError(f"{self.python} has no dagster-pipes, through which steps are reported; {hint}")


def find_environment() -> PaddleEnvironment:
    """Find Paddle's environment: the interpreter that FINSCRIBE_PADDLE_PYTHON names, or that of `make paddle-env`.

    Raises:
        BackendMissingError: the interpreter is missing, or does not run.
    """
    python = paddle_python()
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


def _leading_numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: a build from source may be 1.4.0.dev20251101+g1a2b."""
    leading = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(number) for number in leading.group().split(".")) if leading else ()
