"""Find the documents that `finscribe validate` can check, and load or export them as UBL."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from random import Random

from pydantic import ValidationError

from finscribe_assets.documents.recipe_files import validation_messages
from finscribe_assets.documents.schema import Document
from finscribe_assets.documents.ubl import obstacle, to_ubl
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import write_bytes

GROUND_TRUTH_FILE = "documents.jsonl"


@dataclass(frozen=True)
class Candidate:
    """A document that can be validated: a line of a ground-truth file, or a UBL file."""

    name: str
    path: Path
    line: int | None = None  # line number from 1; None for a UBL file


@dataclass(frozen=True)
class Candidates:
    """The documents of some files that can be validated, and how many cannot be."""

    candidates: tuple[Candidate, ...]
    skipped: Counter[str]  # number of documents that cannot be exported as UBL, by reason

    def sample(self, size: int, seed: int) -> Candidates:
        """Draw ``size`` documents at random, in their order; all of them if there are not more."""
        indices = Random(seed).sample(range(len(self.candidates)), min(size, len(self.candidates)))
        return Candidates(tuple(self.candidates[index] for index in sorted(indices)), self.skipped)


def find_candidates(paths: Iterable[Path]) -> Candidates:
    """Find the documents in workspaces (folders with ``documents.jsonl``), ground-truth files and UBL files.

    Args:
        paths: files, or folders of them.

    Raises:
        UserError: a line of a ground-truth file does not hold a document; the message names file and line.
        MissingInputError: a folder holds neither ``documents.jsonl`` nor XML files.
    """
    candidates: list[Candidate] = []
    skipped: Counter[str] = Counter()
    for path in (file for given in paths for file in _files_of(given)):
        if path.suffix.lower() == ".xml":
            candidates.append(Candidate(str(path), path))
            continue
        for line, name, document in _records(path):
            reason = obstacle(document)
            if reason is None:
                candidates.append(Candidate(name, path, line))
            else:
                skipped[reason] += 1
    return Candidates(tuple(candidates), skipped)


def load_ubl(chosen: Iterable[Candidate]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the UBL of each document, in the order in which `find_candidates` returned them."""
    for path, group in groupby(chosen, key=lambda candidate: candidate.path):
        lines = {candidate.line for candidate in group}
        if None in lines:
            yield str(path), path.read_bytes()
            continue
        for line, name, document in _records(path):
            if line in lines:
                yield name, to_ubl(document)


def save_each(contents: Iterable[tuple[str, bytes]], folder: Path) -> Iterator[tuple[str, bytes]]:
    """Write each UBL file into a folder under its name, and yield it unchanged.

    Args:
        contents: name and content of each file.
        folder: where they are written.

    Raises:
        UserError: two documents have the same file name.
    """
    written: dict[str, str] = {}
    for name, content in contents:
        file_name = re.sub(r"[^\w.-]", "_", name.removesuffix(".xml")) + ".xml"
        if file_name in written:
            raise UserError(
                f"{folder / file_name}: {written[file_name]} and {name} have the same file name; "
                "write them into separate folders"
            )
        written[file_name] = name
        write_bytes(folder / file_name, content)
        yield name, content


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if (path / GROUND_TRUTH_FILE).exists():
        return [path / GROUND_TRUTH_FILE]
    files = sorted(path.glob("*.xml"))
    if not files:
        raise MissingInputError(
            f"{path}: holds neither {GROUND_TRUTH_FILE} nor *.xml files; `finscribe synthesize --out` writes the former"
        )
    return files


def _records(path: Path) -> Iterator[tuple[int, str, Document]]:
    """Yield line number, id and document of each line of a ground-truth file."""
    with path.open(encoding="utf-8") as stream:
        try:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, *_parse_record(line, f"{path}: line {number}")
        except UnicodeDecodeError as error:
            raise UserError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8 text") from error


def _parse_record(line: str, where: str) -> tuple[str, Document]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON ({error})") from error
    if not isinstance(record, dict) or not isinstance(record.get("id"), str) or "document" not in record:
        raise UserError(f'{where}: not of the form {{"id": "…", "document": {{…}}}}')
    try:
        return record["id"], Document.model_validate(record["document"])
    except ValidationError as error:
        raise UserError("\n".join(f"{where}: document.{finding}" for finding in validation_messages(error))) from error
