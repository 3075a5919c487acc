"""Keep docs/architecture.md in step with the code: the picture of the packages and one line for each module.

    .venv/bin/python scripts/architecture.py            write both anew
    .venv/bin/python scripts/architecture.py --check    fail if either differs

The layers are those that import-linter enforces; the words are the first lines of the docstrings.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "finscribe_assets"
PAGE = ROOT / "docs/architecture.md"
PICTURE = ROOT / "docs/images/packages.svg"
BEGIN, END = "<!-- modules: written by scripts/architecture.py -->", "<!-- end of modules -->"

_WIDTH, _ROW, _LEFT = 960, 30, 150
_COLOURS = {  # a colour for each storey of the house, from its lowest layer upwards
    "errors": "#eceff1",
    "documents": "#e3f2fd",
    "instructions": "#e8f5e9",
    "model": "#fff8e1",
    "evaluation": "#fce4ec",
    "iteration": "#ede7f6",
    "cli": "#e0e0e0",
}


def layers() -> list[list[str]]:
    """Return the names of packages and top modules by layer, highest first."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    listed = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [[name.strip().removeprefix("finscribe_assets.") for name in re.split("[|:]", layer)] for layer in listed]


def first_line(module: Path) -> str:
    """Return the first line of a module's docstring."""
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    return (docstring or "").split("\n", 1)[0]


def source_of(name: str) -> Path:
    """Return the file whose docstring describes a package or module."""
    package = PACKAGE / name.replace(".", "/")
    return package / "__init__.py" if package.is_dir() else package.with_suffix(".py")


def module_index() -> str:
    """Return a section for each package, from the lowest layer to the highest, with one line for each module."""
    lines = []
    stacked = [name for layer in reversed(layers()) for name in layer]
    beside = sorted({path.stem for path in PACKAGE.glob("[!_]*.py")} - set(stacked))  # top modules in no layer
    for name in [*stacked, *beside]:
        source = source_of(name)
        label = f"{name}/" if source.name == "__init__.py" else f"{name}.py"
        lines += [f"### `{label}`", "", first_line(source), ""]
        if source.name == "__init__.py":
            modules = {path.relative_to(PACKAGE): first_line(path) for path in sorted(source.parent.rglob("*.py"))}
            rows = [f"| `{path}` | {line} |" for path, line in modules.items() if path.name != "__init__.py"]
            lines += ["| module | what it is for |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def page() -> str:
    """Return the page with its index of modules made anew."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return f"{before}{BEGIN}\n\n{module_index()}\n{END}{rest.split(END)[1]}"


def picture() -> str:
    """Return the packages as a stack of layers, in SVG."""
    rows, colour = [], "#ffffff"
    stack = layers()
    colours = []
    for layer in reversed(stack):
        colour = next((_COLOURS[name] for name in layer if name in _COLOURS), colour)
        colours.append(colour)
    for number, (layer, fill) in enumerate(zip(stack, reversed(colours), strict=True)):
        top = 34 + number * _ROW
        name = ", ".join(layer)
        words = "; ".join(first_line(source_of(part)) for part in layer).replace("`", "")
        rows.append(
            f'<rect x="8" y="{top}" width="{_WIDTH - 16}" height="{_ROW - 4}" rx="4" fill="{fill}" stroke="#90a4ae"/>'
            f'<text x="18" y="{top + 18}" class="name">{escape(name)}</text>'
            f'<text x="{_LEFT + 8}" y="{top + 18}">{escape(words[:118])}</text>'
        )
    height = 34 + len(stack) * _ROW + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="13">\n'
        "<style>.name {font-family: monospace; font-weight: bold}</style>\n"
        '<rect width="100%" height="100%" fill="#ffffff"/>\n'
        '<text x="18" y="20" fill="#546e7a">A package imports only packages below it.</text>\n'
        + "\n".join(rows)
        + "\n</svg>\n"
    )


def main() -> None:
    """Write the page and its picture, or compare them."""
    made = {PAGE: page(), PICTURE: picture()}
    if "--check" not in sys.argv:
        for path, text in made.items():
            path.write_text(text, encoding="utf-8")
        return
    if stale := [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]:
        sys.exit(f"{', '.join(map(str, stale))}: not as the code is now; run: .venv/bin/python scripts/architecture.py")


if __name__ == "__main__":
    main()
