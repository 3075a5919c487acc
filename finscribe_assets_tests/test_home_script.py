"""`make home` against a folder of a person's: what was edited is kept."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = (ROOT / "dagster.yaml").read_bytes()


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def run(home) -> str:
    result = subprocess.run(
        [ROOT / "scripts/home"],
        env={**os.environ, "DAGSTER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stderr


def test_a_copy_is_made_and_kept_up_to_date(home):
    assert run(home) == ""
    copy = home / "dagster.yaml"
    assert copy.read_bytes() == SHIPPED
    for file in (copy, home / ".dagster.yaml.shipped"):
        file.write_bytes(b"# as an earlier version shipped it\n")
    assert run(home) == ""
    assert copy.read_bytes() == SHIPPED


@pytest.mark.parametrize("has_shipped", [True, False])
def test_an_edited_copy_is_kept_and_named(home, has_shipped):
    run(home)
    copy = home / "dagster.yaml"
    if not has_shipped:
        (home / ".dagster.yaml.shipped").unlink()
    copy.write_bytes(SHIPPED + b"# my own storage\n")
    assert "was edited" in run(home)
    assert copy.read_bytes() == SHIPPED + b"# my own storage\n"
