"""Which documents a folder holds: files that belong together by their names.

What belongs here: names only. A document is `name.pdf`, or images `name.png` or `name-1.png`, `name-2.png`, … of its
pages, with its truth beside them as `name.json` or `name.xml`, or embedded in the PDF. Nothing is opened here.
"""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from finscribe_assets.errors import MissingInputError
from finscribe_assets.importing.rejects import Problem, shown

PDF_SUFFIXES, IMAGE_SUFFIXES, TRUTH_SUFFIXES = (".pdf",), (".png", ".jpg", ".jpeg", ".tif", ".tiff"), (".json", ".xml")

_NUMBERED = re.compile(r"(.+)-(\d{1,4})", re.DOTALL)


@dataclass
class Source:
    """The files of one document, by their paths below the folder, and what is wrong with them as a set."""

    name: str  # the folder's path and the files' common stem, such as 2024/invoice-1
    pages: list[str] = field(default_factory=list)  # one PDF or TIFF, or images in page order
    truth: str | None = None  # JSON or XML beside the pages; None where only the PDF can hold it
    problems: list[Problem] = field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """Return all files of the document, sorted."""
        return sorted([*self.pages, *([self.truth] if self.truth is not None else [])])


@dataclass(frozen=True)
class Found:
    """What a folder holds."""

    documents: tuple[Source, ...]  # sorted by name
    ignored: tuple[str, ...]  # files that are neither pages nor truth


def find(folder: Path) -> Found:
    """Return the documents of a folder and of the folders in it, in order of their names.

    Links that lead out of the folder, linked folders and files that are no regular files are documents with a problem.

    Raises:
        NotADirectoryError: there is no such folder.
    """
    if not folder.is_dir():
        raise MissingInputError(f"{folder}: no such folder")
    root = folder.resolve()
    documents: list[Source] = []
    ignored: list[str] = []
    for place, folders, files in os.walk(root, followlinks=False):
        below = Path(place).relative_to(root)
        for name in sorted(folders):
            if Path(place, name).is_symlink():
                refused = Problem("", "a link to a folder, which is not followed")
                documents.append(Source(_name(below, name), problems=[refused]))
        wanted: dict[str, str] = {}
        for name in sorted(files):
            if Path(name).suffix.lower() not in (*PDF_SUFFIXES, *IMAGE_SUFFIXES, *TRUTH_SUFFIXES):
                ignored.append(_name(below, name))
            elif (reason := _refusal(Path(place, name), root)) is not None:
                documents.append(Source(_name(below, name), problems=[Problem("", reason)]))
            else:
                wanted[name] = _name(below, name)
        documents += _grouped(below, wanted)
    return Found(tuple(sorted(documents, key=lambda one: one.name)), tuple(sorted(ignored)))


def _name(below: Path, name: str) -> str:
    return (below / name).as_posix()


def _refusal(path: Path, root: Path) -> str | None:
    """Return why a file is not opened, or None."""
    try:
        place = path.resolve(strict=True)
    except (OSError, RuntimeError):  # a link to nothing, or to itself
        return "a link that leads nowhere"
    if not place.is_relative_to(root):
        return "a link that leads out of the folder"
    return None if stat.S_ISREG(place.stat().st_mode) else "not a regular file"


def _grouped(below: Path, files: dict[str, str]) -> list[Source]:
    """Return one folder's documents from its files' names."""
    truths: dict[str, list[str]] = defaultdict(list)
    pages: dict[str, list[str]] = defaultdict(list)
    numbered: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for name in files:
        if Path(name).suffix.lower() in TRUTH_SUFFIXES:
            truths[Path(name).stem].append(name)
    for name in files:
        stem, suffix = Path(name).stem, Path(name).suffix.lower()
        number = _NUMBERED.fullmatch(stem)
        if suffix in IMAGE_SUFFIXES and stem not in truths and number and number[1] in truths:
            numbered[number[1]].append((int(number[2]), name))
        elif suffix not in TRUTH_SUFFIXES:
            pages[stem].append(name)
    return [
        _source(below, stem, pages[stem], sorted(numbered[stem]), truths[stem], files)
        for stem in sorted({*truths, *pages, *numbered})
    ]


def _source(
    below: Path, stem: str, pages: list[str], numbered: list[tuple[int, str]], truths: list[str], files: dict[str, str]
) -> Source:
    problems = []
    if len(truths) > 1:
        problems.append(f"two truths, {' and '.join(truths)}; keep one")
    if len(pages) > 1 or (pages and numbered):
        names = ", ".join([*pages, *(name for _, name in numbered)])
        problems.append(f"pages in several forms, {names}; keep one")
    elif not pages and not numbered:
        problems.append("a truth without pages: neither a PDF nor an image has its name")
    if numbered and [number for number, _ in numbered] != list(range(numbered[0][0], numbered[0][0] + len(numbered))):
        problems.append("pages are not numbered one after the other")
    if numbered and numbered[0][0] not in (0, 1):
        problems.append(f"the first page has the number {numbered[0][0]}")
    if not truths and not any(name.lower().endswith(PDF_SUFFIXES) for name in pages):
        problems.append("pages without a truth: neither JSON nor XML has their name")
    ordered = [*pages, *(name for _, name in numbered)]
    return Source(
        _name(below, stem),
        [files[name] for name in ordered],
        files[truths[0]] if truths else None,
        [Problem("", shown(problem)) for problem in problems],
    )


def printable(name: str) -> str:
    """Return a file's name as text for a report: bytes that are no UTF-8, and what does not print, are escaped."""
    return shown(os.fsencode(name).decode("utf-8", errors="backslashreplace"))
