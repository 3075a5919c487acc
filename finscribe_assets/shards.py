"""A batch's work cut into slices that run side by side and survive being killed.

What belongs here: which slice covers which rows, running slices on worker processes, and skipping those already whole.
What a slice computes is its stage's business. A slice's content depends on its range, never on the number of workers.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Protocol, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import AnyPath, write_table

FINGERPRINT_KEY = b"finscribe.fingerprint"

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Shard:
    """Rows ``start`` to ``stop`` (exclusive) of a batch, and their number among the shards."""

    number: int
    start: int
    stop: int

    @property
    def file_name(self) -> str:
        """Return the shard's file name; sorted names are in row order."""
        return f"part-{self.number:05d}.parquet"


def cut_into_shards(rows: int, shard_size: int) -> list[Shard]:
    """Cut ``rows`` rows into shards of ``shard_size``, the last one shorter."""
    if shard_size < 1:
        raise UserError(f"shard_size is {shard_size}; it must be at least 1")
    starts = range(0, rows, shard_size)
    return [Shard(number, start, min(start + shard_size, rows)) for number, start in enumerate(starts)]


class ShardPool(Protocol):
    """Where shards run: this process, a pool of processes, or a cluster."""

    def run(self, work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield each job's result as it comes, in any order; the first failure is raised."""
        ...


# A process that has laid out pages holds what it met of fonts, and more with every document: after so many shards its
# work goes on in a new one, so that memory stays flat however many documents there are.
SHARDS_PER_PROCESS = 5


def reduce_garbage_collection() -> None:
    """Let this process look for garbage a hundredth as often: layout engines make much, and looking took a third."""
    gc.set_threshold(50_000, 20, 20)


@dataclass(frozen=True)
class LocalShardPool:
    """Run jobs on so many worker processes at a time; a few for one worker run in this process."""

    workers: int = 1

    def run(self, work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield results as they come; ``work`` and the jobs must be importable and picklable for other processes."""
        jobs = list(jobs)
        if len(jobs) <= (1 if self.workers > 1 else SHARDS_PER_PROCESS):
            for job in jobs:
                yield work(job)
            return
        turn = max(1, self.workers) * SHARDS_PER_PROCESS
        for start in range(0, len(jobs), turn):
            yield from self._on_processes(work, jobs[start : start + turn])

    def _on_processes(self, work: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
        # A fork of a process that runs Dagster's threads can deadlock; spawned workers start clean.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(max(1, self.workers), len(jobs)), context, reduce_garbage_collection) as pool:
            futures = [pool.submit(work, job) for job in jobs]
            try:
                for future in as_completed(futures):
                    yield future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


class ShardJob(Protocol):
    """The making of one shard: where it goes, what it is made from, and how many rows of the batch it covers."""

    @property
    def path(self) -> AnyPath:
        """Return the shard's place."""
        ...

    @property
    def fingerprint(self) -> str:
        """Return a hash of all that the shard is made from."""
        ...

    @property
    def rows(self) -> int:
        """Return how many rows of the batch the shard covers."""
        ...


AnyShardJob = TypeVar("AnyShardJob", bound=ShardJob)


def write_missing_shards(
    jobs: Sequence[AnyShardJob],
    work: Callable[[AnyShardJob], int],
    pool: ShardPool,
    folder: AnyPath,
    on_rows: Callable[[int], None] | None = None,
) -> int:
    """Make the shards of a folder that are not there yet, and remove those beyond them; return how many were there.

    ``work`` writes one shard and returns its rows. ``on_rows`` is told how many rows more are done.
    """
    missing = [job for job in jobs if not is_up_to_date(job.path, job.fingerprint)]
    report = on_rows or (lambda rows: None)
    report(sum(job.rows for job in jobs) - sum(job.rows for job in missing))
    for rows in pool.run(work, missing):
        report(rows)
    remove_stray_shards(folder, len(jobs))
    return len(jobs) - len(missing)


def write_shard(path: AnyPath, table: pa.Table, fingerprint: str, *, compress: bool = True) -> None:
    """Write a shard atomically, marked with the fingerprint of what it was made from."""
    marked = table.replace_schema_metadata({**(table.schema.metadata or {}), FINGERPRINT_KEY: fingerprint.encode()})
    write_table(path, marked, compress=compress)


def is_up_to_date(path: AnyPath, fingerprint: str) -> bool:
    """Tell whether a whole shard made from exactly these inputs stands there already."""
    if not path.exists():
        return False
    try:
        with path.open("rb") as stream:
            metadata = pq.read_schema(stream).metadata or {}
    except pa.ArrowInvalid:  # not a Parquet file: something else wrote it, so it is made anew
        return False
    return metadata.get(FINGERPRINT_KEY) == fingerprint.encode()


def read_fingerprint(path: AnyPath) -> str:
    """Return the fingerprint that a shard is marked with.

    Raises:
        UserError: the file is no shard of this project.
    """
    with path.open("rb") as stream:
        metadata = pq.read_schema(stream).metadata or {}
    if FINGERPRINT_KEY not in metadata:
        raise UserError(f"{path}: not a shard written by FinScribe; make it again with the stage that writes it")
    return metadata[FINGERPRINT_KEY].decode()


def row_count(path: AnyPath) -> int:
    """Return the number of rows of a shard, from its footer."""
    with path.open("rb") as stream:
        return pq.read_metadata(stream).num_rows


def shard_files(folder: AnyPath) -> list[AnyPath]:
    """Return a folder's shards in row order."""
    return sorted(folder.glob("part-*.parquet"), key=lambda path: path.name)


def read_shards(folder: AnyPath, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """Yield a folder's shards in row order, one table at a time."""
    files = shard_files(folder)
    if not files:
        raise MissingInputError(f"{folder}: no part-*.parquet here; materialise the stage before this one first")
    for file in files:
        with file.open("rb") as stream:
            yield pq.read_table(stream, columns=columns)


def remove_stray_shards(folder: AnyPath, wanted: int) -> None:
    """Remove shards beyond the wanted number, left by an earlier, larger run of the same batch."""
    for file in shard_files(folder):
        if int(file.name.removeprefix("part-").removesuffix(".parquet")) >= wanted:
            file.unlink()
