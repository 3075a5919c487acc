"""Find the documents of a folder: files that belong together by their names.

A document is `name.pdf`, or the images `name.png` or `name-1.png`, `name-2.png`, … of its pages. Its ground truth is
`name.json` or `name.xml` beside them, or embedded in the PDF. What belongs here: names and links; no file is opened.
"""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from finscribe_assets.errors import MissingInputError
from finscribe_assets.importing.rejects import NO_GROUND_TRUTH
from finscribe_assets.opening.file_types import IMAGE_SUFFIXES, PDF_SUFFIXES
from finscribe_assets.opening.input_limits import Problem, escape_unprintable

TRUTH_SUFFIXES = (".json", ".xml")

_NUMBERED = re.compile(r"(.+)-(\d{1,4})", re.DOTALL)


@dataclass
class DocumentFiles:
    """The files of one document, as paths below the folder, and the problems with them as a set."""

    name: str  # subfolder and common stem of the files, such as 2024/invoice-1
    pages: list[str] = field(default_factory=list)  # one PDF or TIFF, or images in page order
    truth: str | None = None  # JSON or XML; None if the ground truth must be embedded in the PDF
    problems: list[Problem] = field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """Return all files of the document, sorted by name."""
        return sorted([*self.pages, *([self.truth] if self.truth is not None else [])])


@dataclass(frozen=True)
class FolderContents:
    """The documents of a folder, and its other files."""

    documents: tuple[DocumentFiles, ...]  # sorted by name
    ignored: tuple[str, ...]  # files that are neither pages nor ground truth


def find_documents(folder: Path) -> FolderContents:
    """Find the documents of a folder and its subfolders.

    Linked folders, links that leave the folder, and files that are not regular files become documents with a problem.

    Raises:
        MissingInputError: The folder does not exist.
    """
    if not folder.is_dir():
        raise MissingInputError(f"{folder}: no such folder; name a folder of documents")
    root = folder.resolve()
    documents: list[DocumentFiles] = []
    ignored: list[str] = []
    for directory, folders, files in os.walk(root, followlinks=False):
        relative = Path(directory).relative_to(root)
        for name in sorted(folders):
            if Path(directory, name).is_symlink():
                problem = Problem("", "a link to a folder, which is not followed; copy the folder itself")
                documents.append(DocumentFiles(_relative_name(relative, name), problems=[problem]))
        document_files: dict[str, str] = {}
        for name in sorted(files):
            if Path(name).suffix.lower() not in (*PDF_SUFFIXES, *IMAGE_SUFFIXES, *TRUTH_SUFFIXES):
                ignored.append(_relative_name(relative, name))
            elif (reason := _link_problem(Path(directory, name), root)) is not None:
                documents.append(DocumentFiles(_relative_name(relative, name), problems=[Problem("", reason)]))
            else:
                document_files[name] = _relative_name(relative, name)
        documents += _group_files(relative, document_files)
    return FolderContents(tuple(sorted(documents, key=lambda document: document.name)), tuple(sorted(ignored)))


def group_documents(names: Iterable[str]) -> tuple[list[DocumentFiles], list[str]]:
    """Group files by document, from their names alone.

    Args:
        names: Paths below a folder, with slashes.

    Returns:
        The documents, and the files that are neither pages nor ground truth.
    """
    folders: dict[Path, dict[str, str]] = defaultdict(dict)
    ignored = []
    for name in names:
        path = PurePosixPath(name)
        if path.suffix.lower() in (*PDF_SUFFIXES, *IMAGE_SUFFIXES, *TRUTH_SUFFIXES):
            folders[Path(path.parent)][path.name] = name
        else:
            ignored.append(name)
    return [document for folder, files in folders.items() for document in _group_files(folder, files)], ignored


def _relative_name(folder: Path, name: str) -> str:
    return (folder / name).as_posix()


def _link_problem(path: Path, root: Path) -> str | None:
    """Return why a file must not be opened, or None."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # a link to a missing file, or to itself
        return "a link that leads nowhere"
    if not target.is_relative_to(root):
        return "a link that leads out of the folder"
    return None if stat.S_ISREG(target.stat().st_mode) else "not a regular file"


def _group_files(folder: Path, files: dict[str, str]) -> list[DocumentFiles]:
    """Group the files of one folder by document; ``files`` maps their names to paths below the root folder."""
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
        _document_files(folder, stem, pages[stem], sorted(numbered[stem]), truths[stem], files)
        for stem in sorted({*truths, *pages, *numbered})
    ]


def _document_files(
    folder: Path, stem: str, pages: list[str], numbered: list[tuple[int, str]], truths: list[str], files: dict[str, str]
) -> DocumentFiles:
    """Assemble one document, and note what is wrong with its set of files."""
    problems = []
    if len(truths) > 1:
        problems.append(f"several files with ground truth, {' and '.join(truths)}; keep one")
    if len(pages) > 1 or (pages and numbered):
        names = ", ".join([*pages, *(name for _, name in numbered)])
        problems.append(f"its pages are there in several forms, {names}; keep one")
    elif not pages and not numbered:
        problems.append("ground truth without pages: add a PDF or images with its name")
    if numbered and [number for number, _ in numbered] != list(range(numbered[0][0], numbered[0][0] + len(numbered))):
        problems.append("its pages are not numbered consecutively; a page may be missing")
    if numbered and numbered[0][0] not in (0, 1):
        problems.append(f"its first page has the number {numbered[0][0]}; number pages from 0 or 1")
    if not truths and not any(name.lower().endswith(PDF_SUFFIXES) for name in pages):
        problems.append(f"{NO_GROUND_TRUTH}: add a JSON or XML file with their name")
    ordered = [*pages, *(name for _, name in numbered)]
    return DocumentFiles(
        _relative_name(folder, stem),
        [files[name] for name in ordered],
        files[truths[0]] if truths else None,
        [Problem("", escape_unprintable(problem)) for problem in problems],
    )


def printable_name(name: str) -> str:
    """Return a file name for a report, with bytes that are not UTF-8 and unprintable characters escaped."""
    return escape_unprintable(os.fsencode(name).decode("utf-8", errors="backslashreplace"))
