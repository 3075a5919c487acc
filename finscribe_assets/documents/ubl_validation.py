"""Which documents of some files can be validated, and their UBL: what `finscribe validate` looks at."""

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
    line: int | None = None  # from 1; None for a UBL file


@dataclass(frozen=True)
class Candidates:
    """The documents of some files."""

    candidates: tuple[Candidate, ...]
    skipped: Counter[str]  # why a document has no UBL → how many

    def sample(self, size: int, seed: int) -> Candidates:
        """Return so many of them at random, in their order; all where there are no more."""
        places = Random(seed).sample(range(len(self.candidates)), min(size, len(self.candidates)))
        return Candidates(tuple(self.candidates[place] for place in sorted(places)), self.skipped)


def find_candidates(paths: Iterable[Path]) -> Candidates:
    """Return the documents of workspaces (folders with ``documents.jsonl``), of ground-truth files and UBL files.

    Raises:
        UserError: naming the file, and the line, that holds no document.
        MissingInputError: a folder holds neither ``documents.jsonl`` nor XML files.
    """
    found: list[Candidate] = []
    skipped: Counter[str] = Counter()
    for path in (file for given in paths for file in _files(given)):
        if path.suffix.lower() == ".xml":
            found.append(Candidate(str(path), path))
            continue
        for line, name, document in _records(path):
            reason = obstacle(document)
            if reason is None:
                found.append(Candidate(name, path, line))
            else:
                skipped[reason] += 1
    return Candidates(tuple(found), skipped)


def load_ubl(chosen: Iterable[Candidate]) -> Iterator[tuple[str, bytes]]:
    """Yield name and UBL of documents that follow each other as `candidates` returned them."""
    for path, group in groupby(chosen, key=lambda candidate: candidate.path):
        wanted = {candidate.line for candidate in group}
        if None in wanted:
            yield str(path), path.read_bytes()
            continue
        for line, name, document in _records(path):
            if line in wanted:
                yield name, to_ubl(document)


def save_each(contents: Iterable[tuple[str, bytes]], folder: Path) -> Iterator[tuple[str, bytes]]:
    """Pass UBL files on, each written into a folder under its name.

    Raises:
        UserError: two of them have the same name.
    """
    written: dict[str, str] = {}
    for name, content in contents:
        file = re.sub(r"[^\w.-]", "_", name.removesuffix(".xml")) + ".xml"
        if file in written:
            raise UserError(f"{folder / file}: both {written[file]} and {name}; write them to folders of their own")
        written[file] = name
        write_bytes(folder / file, content)
        yield name, content


def _files(path: Path) -> list[Path]:
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
    """Yield line number, id and document of a ground-truth file, a line in memory at a time."""
    with path.open(encoding="utf-8") as stream:
        try:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, *_record(line, f"{path}: line {number}")
        except UnicodeDecodeError as error:
            raise UserError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8 text") from error


def _record(line: str, where: str) -> tuple[str, Document]:
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
