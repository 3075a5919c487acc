"""Files that are whole or absent, on a local disk or in an object store.

What belongs here: reading and writing one file, whatever its place. A local file appears under its own name only once
every byte of it is on disk; an object store's put is atomic by itself. Nothing here knows what the bytes mean.
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
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from finscribe_assets.errors import UserError

AnyPath = Path | UPath


def as_path(location: str | AnyPath) -> AnyPath:
    """Return a path for a folder name or a URL such as ``s3://bucket/prefix``."""
    if not isinstance(location, str):
        return location
    return UPath(location) if "://" in location else Path(location)


def is_local(path: AnyPath) -> bool:
    """Tell whether the path names a file of this machine."""
    return getattr(path, "protocol", "") in ("", "file", "local")


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Give a stream to a local file that stands under its name only once the block has ended without an error.

    For files that are written piece by piece; `write_bytes` writes one that is in memory.
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
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove_temporary_files(path: Path) -> None:
    """Remove what processes that were killed while writing a local file have left beside it; nobody may be writing."""
    for left in path.parent.glob(f".{path.name}.*"):
        left.unlink()


def write_bytes(path: AnyPath, content: bytes) -> None:
    """Write one file so that a reader sees all of it or none of it."""
    if not is_local(path):
        path.write_bytes(content)
        return
    with atomic_write(Path(str(path))) as stream:
        stream.write(content)


def write_text(path: AnyPath, content: str) -> None:
    """Write one UTF-8 text file atomically."""
    write_bytes(path, content.encode())


def write_json(path: AnyPath, value: Any) -> None:
    """Write a value as readable JSON; the same value always gives the same bytes."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def read_json(path: AnyPath) -> Any:
    """Read a JSON file; the error names the file and the place in it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: line {error.lineno}, column {error.colno}: not valid JSON ({error.msg})") from error


def write_json_lines(path: AnyPath, records: Iterable[Any]) -> None:
    """Write one JSON value a line."""
    write_text(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def write_table(path: AnyPath, table: pa.Table, *, rows_per_group: int = 100, compress: bool = True) -> None:
    """Write a Parquet file whose bytes depend on the table alone."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=rows_per_group, compression="zstd" if compress else "none")
    write_bytes(path, sink.getvalue().to_pybytes())


def read_table(path: AnyPath, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file whole."""
    with path.open("rb") as stream:
        return pq.read_table(stream, columns=columns)


def sha256_of(content: bytes | str) -> str:
    """Return the hexadecimal SHA-256 of some bytes, or of a text's UTF-8."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def sha256_of_file(path: AnyPath) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def local_folder(folder: AnyPath) -> Iterator[Path]:
    """Give a folder as local files: itself, or a temporary copy of an object store's.

    Libraries that map weights into memory need real files; nothing written into the copy goes back.
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


def copy_folder(source: Path, target: AnyPath) -> None:
    """Copy every file of a local folder to its place, each atomically."""
    for file in sorted(source.rglob("*")):
        if file.is_file():
            write_bytes(target / str(file.relative_to(source)), file.read_bytes())


def remove_folder(folder: AnyPath) -> None:
    """Remove a folder and all it holds; an absent one is no error."""
    if is_local(folder):
        shutil.rmtree(str(folder), ignore_errors=True)
    elif folder.exists():
        UPath(folder).rmdir(recursive=True)
