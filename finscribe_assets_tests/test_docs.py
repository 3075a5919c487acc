"""What the documentation tells people to type exists."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from finscribe_assets.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINES = [(page.name, line) for page in PAGES for line in page.read_text(encoding="utf-8").splitlines()
         if re.match(r"(\.venv/bin/)?finscribe [a-z]", line)]  # fmt: skip


@pytest.mark.parametrize(("page", "line"), LINES)
def test_every_finscribe_command_and_option_exists(page, line):
    words = line.split("#")[0].split()[1:]
    commands = get_command(app).commands
    assert words[0] in commands
    known = {option for parameter in commands[words[0]].params for option in parameter.opts}
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= known


def test_every_make_target_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for page in PAGES for word in re.findall(r"`?make ([a-z-]+)", page.read_text(encoding="utf-8"))}
    assert {"demo", "test", "dev"} <= named <= targets | {"it", "sure", "a", "documents"}


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
