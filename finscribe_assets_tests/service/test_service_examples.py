"""The examples of docs/service.md for systemd and Compose: accepted by systemd itself, and true to the command line."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from finscribe_assets.cli.app import app
from finscribe_assets.service.service_settings import SERVICE_TOKEN_VARIABLE, ServiceLimits, ServiceSettings

PAGE = (Path(__file__).parents[2] / "docs/service.md").read_text(encoding="utf-8")
UNIT = re.search(r"```ini\n(.*?)```", PAGE, re.DOTALL)[1]
COMPOSE = re.search(r"```yaml\n(services:.*?)```", PAGE, re.DOTALL)[1]
SYSTEMD = shutil.which("systemd-analyze")
SERVICE_KEYS = {"image", "command", "environment", "ports", "volumes", "stop_grace_period", "healthcheck", "restart"}


def check_serve(command: str) -> None:
    """Parse a command as `finscribe` does."""
    program, name, *options = shlex.split(command)
    assert (Path(program).name, name) == ("finscribe", "serve")
    serve = typer.main.get_command(app).commands["serve"]
    serve.make_parser(serve.context_class(serve)).parse_args(options)


@pytest.mark.skipif(SYSTEMD is None, reason="systemd is not installed")
def test_systemd_accepts_the_unit(tmp_path):
    unit = tmp_path / "finscribe.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT, flags=re.MULTILINE))
    result = subprocess.run([SYSTEMD, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("KillMode=mixed", "KillMod=mixed"))
    broken = subprocess.run([SYSTEMD, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "KillMod" in broken.stderr  # what is misspelt is not passed over


def test_the_unit_lets_accepted_documents_be_finished():
    unit = configparser.ConfigParser(strict=True)
    unit.optionxform = str
    unit.read_string(UNIT)
    service = unit["Service"]
    check_serve(service["ExecStart"])
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) > ServiceLimits().seconds
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_the_compose_example_serves_with_a_token_and_is_stopped_gently():
    (service,) = yaml.safe_load(COMPOSE)["services"].values()
    assert service.keys() <= SERVICE_KEYS
    check_serve(service["command"])
    assert service["environment"][SERVICE_TOKEN_VARIABLE] == f"${{{SERVICE_TOKEN_VARIABLE}:?}}"
    assert int(service["stop_grace_period"].removesuffix("s")) > ServiceLimits().seconds
    port = ServiceSettings().port
    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
    probe = shlex.split(service["healthcheck"]["test"])
    assert probe[:2] == ["python", "-c"]
    assert f":{port}/readyz" in probe[2]
    compile(probe[2], "probe", "exec")
