"""The documentation against the program: the commands and names that it shows exist, and nothing is left out."""

import ast
import re
import shlex
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from sys import stdlib_module_names

import click
import pytest
import typer
import yaml
from dagster._cli import create_dagster_cli
from dagster_dg_cli.cli import create_dg_cli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from finscribe_assets.cli.app import app
from finscribe_assets.instructions.pair import Task
from finscribe_assets.rendering.system_packages import FONT_PACKAGES

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "finscribe_assets"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks/README.md"])
GENERATED = {"gallery.md", "data-dictionary.md"}
WIDTH = 120


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def commands() -> list[tuple[str, str]]:
    """Return the shell commands in the code blocks of all pages, with the page's name."""
    shown = []
    for page in PAGES:
        for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", text_of(page), re.DOTALL):
            lines = (line.strip().removeprefix("$ ") for line in block.replace("\\\n", " ").splitlines())
            shown += [(page.name, line) for line in lines if line and not line.startswith("#")]
    return shown


def words_of(command: str) -> list[str]:
    """Return a command's words, without the settings before it, comments, pipes and redirections after it."""
    words = shlex.split(re.split(r" [>|] ", command, maxsplit=1)[0], comments=True)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    return [word.removeprefix(".venv/bin/") for word in words if word != "…"]


def parse_finscribe(words: list[str]) -> None:
    command = typer.main.get_command(app).commands[words[0]]
    command.make_parser(command.context_class(command)).parse_args(words[1:])


def parse_dagster(program: str, words: list[str]) -> None:
    command = create_dagster_cli() if program == "dagster" else create_dg_cli()
    while isinstance(command, click.Group) and words:
        inner = command.get_command(click.Context(command), words[0])
        assert inner, f"{program} has no command {words[0]}"
        command, words = inner, words[1:]
    command.make_parser(click.Context(command)).parse_args(list(words))


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))


@pytest.mark.parametrize(("page", "command"), commands())
def test_a_command_that_the_documentation_shows_can_be_given(page, command):
    """Its name and options exist; its files need not."""
    program, *words = words_of(command) or ["export"]
    if program == "finscribe":
        parse_finscribe(words)
    elif program in ("dagster", "dg"):
        parse_dagster(program, words)
    elif program == "make":
        assert {word for word in words if "=" not in word} <= make_targets()
    elif program == "python" and words[0] != "-c":
        assert words[0] == "-m" or (ROOT / words[0]).is_file(), command
    else:
        known = {
            "python",
            "pip",
            "pre-commit",
            "lint-imports",
            "export",
            ".ci/run",
            "curl",
            "docker",
            "ray",
            "vllm",
            "cp",
            "printf",
        }
        assert program in known, command


def test_an_option_that_is_not_there_is_noticed():
    with pytest.raises(Exception, match="No such option: --ocr-lines"):
        parse_finscribe(["pairs", "work", "--ocr-lines", "3"])
    with pytest.raises(Exception, match=r"No such option.*--partitions"):
        parse_dagster("dagster", ["asset", "materialize", "--partitions", "batch-000"])


def test_the_documentation_shows_commands():
    programs = [words_of(command)[0] for _, command in commands() if words_of(command)]
    assert programs.count("finscribe") > 50
    assert {"dagster", "dg", "make", "python"} <= set(programs)


def test_the_python_of_the_readme_runs():
    (code,) = re.findall(r"```python\n(.*?)```", text_of(ROOT / "README.md"), re.DOTALL)
    exec(code, {})  # noqa: S102


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in GENERATED], ids=lambda page: page.name)
def test_lines_are_wrapped(page):
    """Tables, code and addresses cannot be wrapped."""
    prose = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL).splitlines()
    assert [line for line in prose if len(line) > WIDTH and not line.startswith("|") and "://" not in line] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_python_of_a_page_imports_is_there(page):
    for block in re.findall(r"```python\n(.*?)```", text_of(page), re.DOTALL):
        imports = [node for node in ast.parse(block).body if isinstance(node, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(imports, []), page.name, "exec"), {})  # noqa: S102


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page):
    """A name in code marks with a folder is a path in the package or the repository; records keep their old names.

    `scripts/architecture.py --check` sees to the list of modules.
    """
    if page.parent.name == "adr" or page.name == "CHANGELOG.md":
        return
    for name in re.findall(
        r"`((?:[\w.-]+/)+[\w-]+\.(?:py|yaml|yml|css|html))`", text_of(page).split("<!-- modules")[0]
    ):
        assert (PACKAGE / name).exists() or (ROOT / name).exists(), f"{page.name} names {name}"


def test_every_task_is_documented():
    text = text_of(ROOT / "docs/instruction-pairs.md")
    assert all(f"| `{task}` |" in text for task in Task)


def test_every_stage_version_is_documented():
    """CONTRIBUTING.md says when each is raised, and where it is."""
    text = text_of(ROOT / "CONTRIBUTING.md")
    for module in PACKAGE.rglob("*.py"):
        for name in re.findall(r"^(\w+_VERSION) = \d", text_of(module), re.MULTILINE):
            assert f"| `{name}` | `{module.relative_to(PACKAGE)}` |" in text, name


def test_every_page_is_in_the_navigation():
    """mkdocs warns of a page that is in no menu; records and experiments are easily forgotten before it is run."""
    navigation = text_of(ROOT / "mkdocs.yml")
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.relative_to(ROOT / "docs").as_posix() in navigation


def test_the_notice_names_every_font_and_the_licence_that_debian_states():
    entries = dict(re.findall(r"^(fonts-\S+)\n((?:    .*\n)+)", text_of(ROOT / "NOTICE"), re.MULTILINE))
    assert entries.keys() == set(FONT_PACKAGES.values())
    for package, entry in entries.items():
        fields = dict(re.findall(r"^ {4}(\w+): +(.*(?:\n {15}.*)*)", entry, re.MULTILINE))
        families = sorted(family for family, where in FONT_PACKAGES.items() if where == package)
        assert re.sub(r"\s+", " ", fields["Fonts"]).split(", ") == families
        stated = Path(f"/usr/share/doc/{package}/copyright")
        if stated.is_file():  # another distribution states licences elsewhere
            assert _licence_names(fields["Licence"]) <= _licence_names(text_of(stated)), package


def _licence_names(text: str) -> set[str]:
    names = {
        "OFL": r"OFL|SIL OPEN FONT LICENSE",
        "Apache": r"Apache-2\.0",
        "Vera": r"bitstream-?\s?vera",
        "Arphic": r"Arphic Public License",
        "ParaType": r"ParaType[ -]Free[ -]Font[ -]License",
        "IPA": r"IPA-1",
        "EPL": r"EPL-2\.0",
        "EDL": r"EDL-1\.0",
        "GPL-2": r"GPL-2\+ with Font exception",
        "GPL-3": r"GPL-3\+ with Font exception",
        "BSD": r"BSD-?3",
        "Expat": r"\bExpat\b",
    }
    return {name for name, pattern in names.items() if re.search(pattern, text, re.IGNORECASE)}


def test_every_imported_package_is_declared():
    """The wheel's dependencies and extras name what the code imports; only a development environment has the rest."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = [
        line for name in ("paddle", "ray", "serve", "validate") for line in project["optional-dependencies"][name]
    ]
    declared = {canonicalize_name(Requirement(line).name) for line in [*project["dependencies"], *extras]}
    known = packages_distributions()
    for module in PACKAGE.rglob("*.py"):
        for name in _imported(module):
            names = {canonicalize_name(package) for package in known.get(name, [name])}
            assert names & declared, f"{module.relative_to(ROOT)} imports {name}; add it to pyproject.toml"


def _imported(module: Path) -> set[str]:
    imported = set()
    for node in ast.walk(ast.parse(text_of(module))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            imported.add(str(node.module).split(".")[0])
    elsewhere = {"paddle", "paddlex"}  # in environments that users make: `make paddle-env`, and PaddleX's own
    return imported - stdlib_module_names - elsewhere - {"finscribe_assets"}


def test_workflows_run_what_can_be_run_locally():
    workflows = {path.stem: yaml.safe_load(text_of(path)) for path in (ROOT / ".github/workflows").glob("*.yml")}
    runs = {
        name: [step["run"] for job in flow["jobs"].values() for step in job["steps"] if "run" in step]
        for name, flow in workflows.items()
    }
    assert ".ci/run" in runs["ci"]
    dagster = [words for words in map(words_of, runs["materialize"]) if words[0] in ("dagster", "dg")]
    assert len(dagster) == 2
    for program, *words in dagster:
        parse_dagster(program, words)
