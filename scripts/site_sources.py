"""Gather the sources of the documentation site in build/docs, from which `make docs` builds build/site.

Three sorts of pages are gathered: docs/ itself, files that GitHub expects elsewhere in the repository, and reference
pages that are rendered from the source. Links between files of the repository work on GitHub; in the copies they point
to the pages that the files have become.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from scripts import reference_pages  # noqa: E402

SOURCES = ROOT / "build/docs"
REPOSITORY_PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "finscribe_assets/model/embedded/README.md": "model-card.md",
    "examples/plan_to_score.py": "example.md",
}
RENDERED_PAGES = {
    "reference/cli.md": reference_pages.cli_page,
    "reference/adapter-config.md": reference_pages.adapter_config_page,
    "reference/recipe.md": reference_pages.recipe_page,
    "reference/report.md": reference_pages.report_page,
}
_LINK = re.compile(r"(?<=\]\()([^)#\s:]+)(?=[)#])")  # the path of a relative link; not a URL, not an anchor alone
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def gather() -> None:
    """Write all pages into build/docs."""
    shutil.rmtree(SOURCES, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SOURCES)
    for path in SOURCES.rglob("*.md"):
        page = path.relative_to(SOURCES).as_posix()
        path.write_text(_with_links(path.read_text(encoding="utf-8"), f"docs/{page}", page), encoding="utf-8")
    for source, page in REPOSITORY_PAGES.items():
        text = _FRONT_MATTER.sub("", (ROOT / source).read_text(encoding="utf-8"))
        if source.endswith(".py"):
            text = f"# Example: `{source}`\n\n```python\n{text}```\n"
        (SOURCES / page).write_text(_with_links(text, source, page), encoding="utf-8")
    for page, render in RENDERED_PAGES.items():
        (SOURCES / page).parent.mkdir(exist_ok=True)
        (SOURCES / page).write_text(render(), encoding="utf-8")


def _with_links(markdown: str, source: str, page: str) -> str:
    """Return a page's text with its links, which are relative to the file in the repository, relative to the page."""

    def replaced(match: re.Match[str]) -> str:
        linked = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[1]))
        target = REPOSITORY_PAGES.get(linked, linked.removeprefix("docs/"))
        return posixpath.relpath(target, posixpath.dirname(page) or ".")

    return _LINK.sub(replaced, markdown)


if __name__ == "__main__":
    gather()
