"""Start the services of a compose file as processes of this machine: same commands, same environment, no containers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOYMENT = ROOT / "deployment"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<kind>:-|:\?)(?P<rest>[^}]*))?\}")


def load_compose(variables: Mapping[str, str], file: str = "compose.yaml") -> dict[str, Any]:
    """Return a compose file of the deployment with its variables replaced, as `docker compose config` prints it."""

    def value(match: re.Match[str]) -> str:
        given = variables.get(match["name"], "")
        if given or match["kind"] is None:
            return given
        if match["kind"] == ":?":
            raise ValueError(f"{file}: {match['name']} is not set: {match['rest']}")
        return match["rest"]

    def replaced(node: Any) -> Any:
        if isinstance(node, str):
            return VARIABLE.sub(value, node)
        if isinstance(node, list):
            return [replaced(item) for item in node]
        return {key: replaced(item) for key, item in node.items()} if isinstance(node, dict) else node

    return replaced(yaml.safe_load((DEPLOYMENT / file).read_text()))


class ComposeProcesses:
    """The services of the compose file that run this project's image, in a folder that stands for the image.

    Attributes:
        home: DAGSTER_HOME, with the files that the Dockerfile copies there.
        moved: What is replaced in commands and environment: hosts, ports and folders of containers.
    """

    def __init__(self, services: Mapping[str, Any], folder: Path, moved: Mapping[str, str]) -> None:
        self.services, self.folder, self.home = services, folder, folder / "home"
        self.home.mkdir(parents=True)
        for name in ("dagster.yaml", "workspace.yaml"):
            shutil.copy(DEPLOYMENT / name, self.home)
        self.moved = {
            "/opt/dagster/home": str(self.home),
            "/data": str(folder / "data"),
            "0.0.0.0": "127.0.0.1",  # noqa: S104
            **moved,
        }
        self.running: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> ComposeProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(self.running):
            self.kill(name)

    def environment(self, service: str) -> dict[str, str]:
        """Return the environment of a service; of this process it has only what finds Python and its packages."""
        kept = {name: os.environ[name] for name in ("PYTHONPATH", "LANG", "OMP_NUM_THREADS") if name in os.environ}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        stated = {name: self.moved_text(value) for name, value in self.services[service]["environment"].items()}
        return {"PATH": path, "HOME": str(self.folder), "DAGSTER_HOME": str(self.home), **kept, **stated}

    def start(self, service: str, command: list[str] | None = None) -> subprocess.Popen:
        """Start a service in a process group of its own; its output is appended to a file.

        Args:
            service: its name in the compose file.
            command: replaces the service's own command.
        """
        words = command or [self.moved_text(word) for word in self.services[service]["command"]]
        with (self.folder / f"{service}.log").open("a") as output:
            process = subprocess.Popen(
                words,
                env=self.environment(service),
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running[service] = process
        return process

    def log(self, service: str, characters: int = 4000) -> str:
        """Return the end of what a service printed."""
        return (self.folder / f"{service}.log").read_text()[-characters:]

    def kill(self, service: str) -> None:
        """Kill a service with everything that it started, as the end of a container does."""
        process = self.running[service]
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def moved_text(self, text: str) -> str:
        """Return a text of the compose file with the hosts, ports and folders of this machine."""
        for old, new in self.moved.items():
            text = new if text == old else text.replace(old, new) if "/" in old else text
        return text
