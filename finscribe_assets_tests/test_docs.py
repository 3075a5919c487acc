"""The documentation against the program: every command that it shows is one that can be given, and names are there."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from finscribe_assets.cli.app import app
from finscribe_assets.instructions.pair import Task

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks/README.md"]
LINE = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?finscribe (.+?)(?: #.*)?$", re.MULTILINE)


def shown() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        fenced = "\n".join(re.findall(r"```\w*\n(.*?)```", text, re.DOTALL))
        found += [(page.name, line) for line in LINE.findall(fenced)]
    return found


@pytest.mark.parametrize(("page", "line"), shown())
def test_a_command_that_the_documentation_shows_can_be_given(page, line):
    """Its name and options exist; its files need not."""
    words = [word for word in shlex.split(line.split(" > ")[0].split(" | ")[0]) if word != "…"]
    parse(words)


def parse(words: list[str]) -> None:
    command = typer.main.get_command(app).commands[words[0]]
    command.make_parser(command.context_class(command)).parse_args(words[1:])


def test_an_option_that_is_not_there_is_noticed():
    with pytest.raises(Exception, match="No such option: --ocr-lines"):
        parse(["pairs", "work", "--ocr-lines", "3"])


def test_the_documentation_shows_commands():
    assert len(shown()) > 10


def test_every_task_is_documented():
    text = (ROOT / "docs/instruction-pairs.md").read_text(encoding="utf-8")
    assert all(f"| `{task}` |" in text for task in Task)
