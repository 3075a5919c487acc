"""Read and write single files atomically, on a local disk or in an object store such as S3.

Every stage stores its results through this module. A local file is written under a temporary name and renamed once all
its bytes are on disk; an object store's put is atomic by itself. A process that is killed never leaves half a file.

What belongs here: paths, bytes, JSON, Parquet tables, hashes and folders of files. What does not: the meaning of the
bytes, which is the business of the package that writes them, and batches of rows, which are `shards`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from upath import UPath

from finscribe_assets.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

AnyPath = Path | UPath


def as_path(location: str | AnyPath) -> AnyPath:
    """Return a path object for a local path or for a URL such as ``s3://bucket/prefix``."""
    if not isinstance(location, str):
        return location
    return UPath(location) if "://" in location else Path(location)


def is_local(path: AnyPath) -> bool:
    """Return whether the path is on this machine's file system."""
    return getattr(path, "protocol", "") in ("", "file", "local")


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a local file for writing that replaces ``path`` when the block ends without an error.

    Use it for files that are written piece by piece; `write_bytes` writes content that is already in memory.

    Args:
        path: the local file. Its folder is created where it is missing.

    Yields:
        A binary stream to a temporary file beside ``path``. An error in the block deletes that file and leaves ``path``
        as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk is reported by a write, which knows no name
        raise


def remove_temporary_files(path: Path) -> None:
    """Delete the temporary files of `atomic_write` that killed processes left beside ``path``.

    Call it only while no other process writes ``path``.
    """
    for temporary in path.parent.glob(f".{path.name}.*"):
        temporary.unlink()


def write_bytes(path: AnyPath, content: bytes) -> None:
    """Write a file atomically: a reader sees all of the content or none of it."""
    if not is_local(path):
        path.write_bytes(content)
        return
    with atomic_write(Path(str(path))) as stream:
        stream.write(content)


def write_text(path: AnyPath, content: str) -> None:
    """Write a text file in UTF-8 atomically."""
    write_bytes(path, content.encode())


def write_json(path: AnyPath, value: Any) -> None:
    """Write a value as indented JSON with sorted keys: equal values give equal bytes."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def read_json(path: AnyPath) -> Any:
    """Read a JSON file.

    Raises:
        UserError: the file is not valid JSON; the message names the file, line and column.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: line {error.lineno}, column {error.colno}: not valid JSON ({error.msg})") from error


def write_json_lines(path: AnyPath, records: Iterable[Any]) -> None:
    """Write records as JSON lines, one JSON value per line."""
    write_text(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def write_table(path: AnyPath, table: pa.Table, *, rows_per_group: int = 100, compress: bool = True) -> None:
    """Write a Parquet file; its bytes depend only on the table and on the two options.

    Args:
        path: the file to write.
        table: the rows.
        rows_per_group: rows in a row group, the unit that a reader loads at a time.
        compress: compress with zstd. Turn it off where rows hold encoded images, which do not shrink.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=rows_per_group, compression="zstd" if compress else "none")
    write_bytes(path, sink.getvalue().to_pybytes())


def read_table(path: AnyPath, columns: list[str] | None = None) -> pa.Table:
    """Read a whole Parquet file, or only some of its columns."""
    import pyarrow.parquet as pq

    with path.open("rb") as stream:
        return pq.read_table(stream, columns=columns)


def sha256_of(content: bytes | str) -> str:
    """Return the hexadecimal SHA-256 of bytes, or of a text encoded in UTF-8."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def sha256_of_file(path: AnyPath) -> str:
    """Return the hexadecimal SHA-256 of a file, read in chunks of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def file_identities(folder: AnyPath) -> dict[str, str]:
    """Return a text for each file of a folder that changes whenever the file is written, without reading any file.

    That is the size with the time of the last change, or with the ETag that an object store computes from the content.
    """
    if is_local(folder):
        stats = [(file.name, file.stat()) for file in Path(str(folder)).iterdir() if file.is_file()]
        return {name: f"{stat.st_size}:{stat.st_mtime_ns}" for name, stat in stats}
    remote = UPath(folder)
    entries = remote.fs.ls(remote.path, detail=True, refresh=True)  # other processes write here as well
    return {
        entry["name"].rsplit("/", 1)[-1]: f"{entry['size']}:{entry.get('ETag') or remote.fs.ukey(entry['name'])}"
        for entry in entries
        if entry["type"] == "file"
    }


@contextmanager
def local_folder(folder: AnyPath) -> Iterator[Path]:
    """Make a folder available as local files, for libraries that map weights into memory.

    Yields:
        The folder itself if it is local, else a temporary copy of it. What is written into the copy is lost.
    """
    if is_local(folder):
        yield Path(str(folder))
        return
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary)
        for source in folder.rglob("*"):
            if source.is_file():
                target = copy / str(source).removeprefix(str(folder)).lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
        yield copy


def copy_folder(source: Path, target: AnyPath, last: str = "") -> None:
    """Copy all files below a local folder to another folder, each file atomically; the one named `last` at the end."""
    for file in sorted(source.rglob("*"), key=lambda file: (str(file.relative_to(source)) == last, file)):
        if file.is_file():
            write_bytes(target / str(file.relative_to(source)), file.read_bytes())


def replace_folder(source: Path, target: AnyPath, last: str = "") -> None:
    """Replace a folder by a copy of a local one.

    A local folder is copied beside its place and renamed, so that a run that is killed leaves the old one or the new
    one, but for the moment between two renames, in which there is none. Object stores rename nothing: there, files are
    replaced one by one.

    Args:
        source: The new content.
        target: The folder to replace; it need not exist.
        last: Name of a file of the source that says that a folder is complete; on object stores it is written last,
            and the old one is removed first.
    """
    if not is_local(target):
        if last:
            (target / last).unlink(missing_ok=True)
        remove_folder(target)
        copy_folder(source, target, last)
        return
    place = Path(str(target))
    place.parent.mkdir(parents=True, exist_ok=True)
    for left in place.parent.glob(f".{place.name}.*.replaced"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{place.name}.", suffix=".replaced", dir=place.parent) as beside:
        shutil.copytree(source, Path(beside) / "new")
        if place.exists():
            place.rename(Path(beside) / "old")
        (Path(beside) / "new").rename(place)


def remove_folder(folder: AnyPath) -> None:
    """Delete a folder with everything in it; do nothing if it does not exist."""
    if is_local(folder):
        shutil.rmtree(str(folder), ignore_errors=True)
    elif folder.exists():
        UPath(folder).rmdir(recursive=True)


def make_readable(folder: Path) -> None:
    """Let every user read a folder and its files, because a server often runs as another user.

    safetensors writes files that only their owner may read, and `mkdtemp` makes such folders.
    """
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o644)
