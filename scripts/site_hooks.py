"""Add pages to the documentation site that do not lie in docs/, and point links at them (mkdocs hooks).

Two sorts of pages are added: files that GitHub expects elsewhere in the repository, and reference pages that are
rendered from the source. A link between repository files works on GitHub and on the site: here it is replaced by the
page that the file has become.
"""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from scripts import reference_pages  # noqa: E402

REPOSITORY_PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "finscribe_assets/model/embedded/README.md": "model-card.md",
}
RENDERED_PAGES = {
    "reference/cli.md": reference_pages.cli_page,
    "reference/adapter-config.md": reference_pages.adapter_config_page,
    "reference/recipe.md": reference_pages.recipe_page,
    "reference/report.md": reference_pages.report_page,
}
_LINK = re.compile(r"(\]\()([^)#\s:]+)(#[^)\s]*)?(\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for source, page in REPOSITORY_PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for page, render in RENDERED_PAGES.items():
        files.append(File.generated(config, page, content=render()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Replace links between files of the repository by links between pages of the site."""
    here = _repository_path(page.file.src_uri)

    def replaced(match: re.Match[str]) -> str:
        before, target, anchor, after = match.groups()
        linked = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
        relative = posixpath.relpath(_site_path(linked), posixpath.dirname(page.file.src_uri) or ".")
        return f"{before}{relative}{anchor or ''}{after}"

    return _LINK.sub(replaced, markdown)


def _repository_path(site_path: str) -> str:
    sources = {page: source for source, page in REPOSITORY_PAGES.items()}
    return sources.get(site_path, f"docs/{site_path}")


def _site_path(repository_path: str) -> str:
    return REPOSITORY_PAGES.get(repository_path, repository_path.removeprefix("docs/"))
