"""The inbox: a folder or bucket that real documents arrive in, and the batches that are taken from it.

What belongs here: listing the inbox, deciding which documents make the next batch, and the list of each batch, which is
stored under its key. A document is taken once, whatever its files are called; nothing in the inbox is moved or changed.
Reading the documents is `folder_import`'s.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from upath import UPath

from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import AnyPath, is_local, sha256_of_file, write_text
from finscribe_assets.importing.source_files import group_documents

INBOX_KEY_PATTERN = re.compile(r"inbox-\d{3,6}")
FIRST_INBOX_KEY = "inbox-000"
MAX_BATCH_DOCUMENTS = 200  # what is left comes with the next batch
SETTLE_SECONDS = 60.0  # a file that was not changed for so long is complete

Waiting = Mapping[str, tuple[int, float]]
"""Size and time of the last change of the files that a look at the inbox found unsettled, by name."""


@dataclass(frozen=True)
class InboxFile:
    """A file of the inbox."""

    name: str  # below the inbox, with slashes
    size: int  # bytes
    modified: float  # seconds since 1970

    @property
    def state(self) -> tuple[int, float]:
        """Return what changes while the file is written."""
        return self.size, self.modified


class TakenFile(BaseModel):
    """A file of a batch, as it was when the batch was made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    size: int
    modified: float
    sha256: str

    @field_validator("name")
    @classmethod
    def _stays_below_the_inbox(cls, name: str) -> str:
        if not is_safe_name(name):
            raise ValueError("must be a path below the inbox, without '..'")
        return name


class InboxLook(BaseModel):
    """What a look at the inbox leaves for the next one: the cursor of the sensor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    waiting: dict[str, tuple[int, float]] = Field(default={}, description="files that may still be written")
    copies: dict[str, tuple[int, float]] = Field(default={}, description="files of documents that were taken before")


class InboxBatch(BaseModel):
    """The documents of a batch: the files of each, sorted by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(pattern=f"^{INBOX_KEY_PATTERN.pattern}$")
    documents: tuple[tuple[TakenFile, ...], ...]
    copies: int = Field(default=0, description="new documents with the files of an earlier one, which are left out")


@dataclass(frozen=True)
class InboxDecision:
    """What a look at the inbox leads to.

    Attributes:
        batch: The next batch; None if there is none.
        look: What the next look has to know.
        reason: What was found, in words.
    """

    batch: InboxBatch | None
    look: InboxLook
    reason: str


def is_safe_name(name: str) -> bool:
    """Tell whether a name from outside is a path below a folder."""
    parts = name.split("/")
    return bool(name) and "\\" not in name and "\0" not in name and not {"", ".", ".."} & set(parts)


def check_inbox_key(key: str) -> None:
    """Check the key of an inbox batch.

    Raises:
        UserError: it is not one.
    """
    if not INBOX_KEY_PATTERN.fullmatch(key):
        raise UserError(f"{key!r} is not the key of an inbox batch; these are {FIRST_INBOX_KEY}, inbox-001, …")


class InboxBatches:
    """The lists of batches, as ``<root>/inbox/<key>.json``."""

    def __init__(self, root: str) -> None:
        self.folder = UPath(root) / "inbox"

    def path(self, key: str) -> UPath:
        """Return the file of a batch, whether or not it exists."""
        check_inbox_key(key)
        return self.folder / f"{key}.json"

    def stored(self) -> list[str]:
        """Return the keys of all batches, oldest first."""
        names = (file.name.removesuffix(".json") for file in self.folder.glob("inbox-*.json"))
        return sorted((name for name in names if INBOX_KEY_PATTERN.fullmatch(name)), key=_number)

    def read(self, key: str) -> InboxBatch:
        """Return a batch.

        Raises:
            MissingInputError: There is none with this key.
        """
        path = self.path(key)
        if not path.exists():
            raise MissingInputError(f"{path}: there is no batch {key}; the next one is {self.next_key()}")
        return InboxBatch.model_validate_json(path.read_text(encoding="utf-8"))

    def next_key(self) -> str:
        """Return the key of the batch that follows the last one."""
        keys = self.stored()
        return f"inbox-{_number(keys[-1]) + 1:03d}" if keys else FIRST_INBOX_KEY

    def write(self, batch: InboxBatch) -> None:
        """Store a batch, which is never changed afterwards."""
        write_text(self.path(batch.key), batch.model_dump_json(indent=2) + "\n")


def parse_look(cursor: str | None) -> InboxLook:
    """Return what a look has left; an empty look for no cursor, or one of another version."""
    try:
        return InboxLook.model_validate_json(cursor or "{}")
    except ValidationError:
        return InboxLook()


def _number(key: str) -> int:
    return int(key.removeprefix("inbox-"))


def list_inbox(root: AnyPath) -> list[InboxFile]:
    """List the files of an inbox and its folders, without hidden ones, links and names that are not safe.

    Raises:
        MissingInputError: A local inbox does not exist.
    """
    found = _list_folder(Path(str(root))) if is_local(root) else _list_store(UPath(root))
    hidden = (any(part.startswith(".") for part in file.name.split("/")) for file in found)
    return sorted(
        (file for file, is_hidden in zip(found, hidden, strict=True) if not is_hidden and is_safe_name(file.name)),
        key=lambda file: file.name,
    )


def _list_folder(root: Path) -> list[InboxFile]:
    if not root.is_dir():
        raise MissingInputError(f"{root}: no such folder; FINSCRIBE_INBOX names the folder or bucket of new documents")
    files = []
    for folder, _, names in os.walk(root, followlinks=False):
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink() and path.is_file():
                stat = path.stat()
                files.append(InboxFile(path.relative_to(root).as_posix(), stat.st_size, stat.st_mtime))
    return files


def _list_store(root: UPath) -> list[InboxFile]:
    root.fs.invalidate_cache()  # a listing that fsspec remembers would hide what came since
    prefix = root.path.rstrip("/") + "/"
    return [
        InboxFile(name.removeprefix(prefix), int(info["size"]), _seconds(info))
        for name, info in root.fs.find(root.path, detail=True).items()
        if info["type"] == "file" and name.startswith(prefix)
    ]


def _seconds(info: Mapping[str, object]) -> float:
    """Return the time of a file's last change, as fsspec's file systems name it."""
    for name in ("LastModified", "mtime", "modified", "created", "updated"):
        value = info.get(name)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value)
    return 0.0


def look_at_inbox(root: AnyPath, batches: InboxBatches, before: InboxLook, now: float) -> InboxDecision:
    """Look at an inbox and decide on the next batch, which the caller stores.

    Args:
        root: The inbox.
        batches: The batches so far.
        before: What the look before has left; an empty one for the first look.
        now: The time, in seconds since 1970.
    """
    files = {file.name: file for file in list_inbox(root)}
    taken = [document for key in batches.stored() for document in batches.read(key).documents]
    hashes = {(file.name, file.size, file.modified): file.sha256 for document in taken for file in document}
    hashes |= {(name, *state): "" for name, state in before.copies.items()}
    documents, ignored = group_documents(files)
    unsettled = find_unsettled(files.values(), before.waiting, now)
    found, lonely, late = list[tuple[TakenFile, ...]](), 0, 0
    for document in documents:
        names = document.files
        if not document.pages:
            lonely += 1
        elif any(name in unsettled for name in names):
            late += 1
        elif len(found) < MAX_BATCH_DOCUMENTS and any((name, *files[name].state) not in hashes for name in names):
            found.append(tuple(_take(root, files[name]) for name in document.files))
    known = {_content(document) for document in taken}
    new, copies = separate_copies(found, known)
    parts = [
        f"{len(new)} new documents" if new else "no new document",
        f"{late} may still be written (changed less than {SETTLE_SECONDS:.0f} s ago)" if late else "",
        f"{len(copies)} copies of documents that were taken before" if copies else "",
        f"{lonely} files of ground truth without pages" if lonely else "",
        f"{len(ignored)} other files" if ignored else "",
    ]
    look = InboxLook(
        waiting=unsettled,
        copies={name: state for name, state in before.copies.items() if name in files and files[name].state == state}
        | {file.name: (file.size, file.modified) for document in copies for file in document},
    )
    batch = InboxBatch(key=batches.next_key(), documents=tuple(new), copies=len(copies)) if new else None
    return InboxDecision(batch, look, f"{root}: {', '.join(filter(None, parts))}; {len(taken)} taken before")


def find_unsettled(files: Iterable[InboxFile], waiting: Waiting, now: float) -> dict[str, tuple[int, float]]:
    """Return the state of the files that may still be written.

    A file is complete if it was last changed long ago, or if the look before has found it just as it is now. A time in
    the future, as of a share whose clock is ahead, is not long ago.
    """
    return {
        file.name: file.state
        for file in files
        if now - file.modified < SETTLE_SECONDS and waiting.get(file.name) != file.state
    }


def separate_copies(
    found: Iterable[tuple[TakenFile, ...]], known: Iterable[tuple[str, ...]]
) -> tuple[list[tuple[TakenFile, ...]], list[tuple[TakenFile, ...]]]:
    """Separate documents whose files are new from those with the content of a known or an earlier one.

    The same pages with another ground truth, such as a corrected one, are a new document.

    Args:
        found: Documents.
        known: Hashes of the files of known documents, sorted.
    """
    seen, new, copies = set(known), list[tuple[TakenFile, ...]](), list[tuple[TakenFile, ...]]()
    for document in found:
        content = _content(document)
        (copies if content in seen else new).append(document)
        seen.add(content)
    return new, copies


def _content(document: Iterable[TakenFile]) -> tuple[str, ...]:
    return tuple(sorted(file.sha256 for file in document))


def _take(root: AnyPath, file: InboxFile) -> TakenFile:
    return TakenFile(name=file.name, size=file.size, modified=file.modified, sha256=sha256_of_file(root / file.name))


def fetch_batch(root: AnyPath, batch: InboxBatch, folder: Path) -> list[str]:
    """Copy the files of a batch to a local folder; return the names of those that are gone or have changed since.

    Args:
        root: The inbox.
        batch: The batch.
        folder: Where the copies go, under the names that they have in the inbox.
    """
    lost = []
    for file in (file for document in batch.documents for file in document):
        target = folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with (root / file.name).open("rb") as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)
        except OSError:
            lost.append(file.name)
            target.unlink(missing_ok=True)
            continue
        if sha256_of_file(target) != file.sha256:
            lost.append(file.name)
            target.unlink()
    return lost
