"""Split a batch into shards: Parquet files that are computed in parallel and skipped when they exist already.

A stage that turns one batch into another (documents, pages, pairs, page hashes) writes a folder of shards,
``part-00000.parquet`` and so on. Each holds a range of the batch's rows and carries a fingerprint of its inputs, so
that a stage that was interrupted computes only what is missing. A shard's content never depends on the number of
workers.

What belongs here: row ranges, worker processes, fingerprints, reading and writing shards. What does not: what a shard
holds, which is the business of the stage, and single files, which are `files`.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import AnyPath, write_table

if TYPE_CHECKING:
    import pyarrow as pa

FINGERPRINT_KEY = b"finscribe.fingerprint"

Job = TypeVar("Job")
Result = TypeVar("Result")
Item = TypeVar("Item")
Found = TypeVar("Found")

LOOKS_AT_ONCE = 16  # files


@dataclass(frozen=True)
class Shard:
    """The range of a batch's rows that one file holds: ``start`` to ``stop``, exclusive; ``number`` counts from 0."""

    number: int
    start: int
    stop: int

    @property
    def file_name(self) -> str:
        """Return the shard's file name. Sorted file names are in row order."""
        return f"part-{self.number:05d}.parquet"


def cut_into_shards(rows: int, shard_size: int) -> list[Shard]:
    """Return the shards of a batch: each covers ``shard_size`` rows, the last one the remaining rows.

    Raises:
        UserError: ``shard_size`` is below 1.
    """
    if shard_size < 1:
        raise UserError(f"shard_size is {shard_size}; set it to 1 or more")
    starts = range(0, rows, shard_size)
    return [Shard(number, start, min(start + shard_size, rows)) for number, start in enumerate(starts)]


class ShardPool(Protocol):
    """Something that runs jobs: this process, a pool of processes, or a cluster."""

    def run(self, work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield the result of ``work(job)`` for each job as it finishes, in any order; raise the first failure."""
        ...


# Layout engines cache fonts and layouts, and their caches grow with every document. Replacing a worker process after
# this many shards keeps memory flat, however many documents a batch has.
SHARDS_PER_PROCESS = 5


def reduce_garbage_collection() -> None:
    """Run this process's garbage collector about a hundredth as often.

    Layout engines allocate many small objects: with the default thresholds a third of rendering time was collection.
    """
    gc.set_threshold(50_000, 20, 20)


@dataclass(frozen=True)
class LocalShardPool:
    """Runs jobs on ``workers`` processes of this machine, or in this process if there are only a few jobs."""

    workers: int = 1

    def run(self, work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield results as they finish.

        Args:
            work: the function to apply to each job; it must be importable from another process.
            jobs: its arguments; they must be picklable.
        """
        jobs = list(jobs)
        if len(jobs) <= (1 if self.workers > 1 else SHARDS_PER_PROCESS):
            for job in jobs:
                yield work(job)
            return
        jobs_per_pool = max(1, self.workers) * SHARDS_PER_PROCESS
        for start in range(0, len(jobs), jobs_per_pool):
            yield from self._on_processes(work, jobs[start : start + jobs_per_pool])

    def _on_processes(self, work: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
        # Forking a process that runs Dagster's threads can deadlock, so workers are spawned.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(max(1, self.workers), len(jobs)), context, reduce_garbage_collection) as pool:
            futures = [pool.submit(work, job) for job in jobs]
            try:
                for future in as_completed(futures):
                    yield future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


@contextmanager
def kept_workers(workers: int) -> Iterator[ShardPool]:
    """Give a pool whose processes stay for the whole block: for work that comes in many small turns.

    Starting processes for each turn would take longer than the work. Memory grows with the documents that they lay out,
    so a batch is for `LocalShardPool`.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max(1, workers), context, reduce_garbage_collection) as executor:
        yield _KeptPool(executor)


@dataclass(frozen=True)
class _KeptPool:
    executor: ProcessPoolExecutor

    def run(self, work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield results as they finish."""
        futures = [self.executor.submit(work, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


class ShardJob(Protocol):
    """A request to write one shard."""

    @property
    def path(self) -> AnyPath:
        """Return the file to write."""
        ...

    @property
    def fingerprint(self) -> str:
        """Return a hash of everything that the shard's content depends on."""
        ...

    @property
    def rows(self) -> int:
        """Return the number of the batch's rows that the shard covers."""
        ...


AnyShardJob = TypeVar("AnyShardJob", bound=ShardJob)


def write_missing_shards(
    jobs: Sequence[AnyShardJob],
    work: Callable[[AnyShardJob], int],
    pool: ShardPool,
    folder: AnyPath,
    on_rows: Callable[[int], None] | None = None,
) -> int:
    """Write the shards of a folder that are missing or out of date, and delete shards that no job covers.

    Args:
        jobs: one job for each shard of the folder, in order.
        work: writes the shard of a job and returns the number of rows that it covers.
        pool: runs the jobs.
        folder: the folder of all shards.
        on_rows: called with the number of rows that were finished since the last call; first with those of shards
            that were skipped.

    Returns:
        The number of shards that were skipped because they were up to date.

    Raises:
        UserError: workers on other machines do not share the folder.
    """
    whole = look_at_each(lambda job: job.rows if is_up_to_date(job.path, job.fingerprint) else None, jobs)
    missing = [job for job, rows in zip(jobs, whole, strict=True) if rows is None]
    report = on_rows or (lambda rows: None)
    report(sum(rows or 0 for rows in whole))
    for rows in pool.run(work, missing):
        report(rows)
    there = look_at_each(lambda job: job.path.exists(), missing)
    lost = next((job.path for job, exists in zip(missing, there, strict=True) if not exists), None)
    if lost is not None:
        raise UserError(
            f"{lost}: the worker that wrote this shard stored it elsewhere; on several machines, the storage must be "
            "s3://… or a network file system that all of them have under one path"
        )
    remove_stray_shards(folder, len(jobs))
    return len(jobs) - len(missing)


def look_at_each(look: Callable[[Item], Found], items: Sequence[Item]) -> list[Found]:
    """Return what a function finds for each item, in their order, asking for many at a time.

    An object store answers a request in some 30 ms, and each shard needs several. One after the other, those of a
    batch that is there already take longer than reading it.

    Args:
        look: Reads the footer of a file, or less; it must not need the results of other items.
        items: Files, or jobs with files.
    """
    with ThreadPoolExecutor(LOOKS_AT_ONCE) as threads:
        return list(threads.map(look, items))


def write_shard(path: AnyPath, table: pa.Table, fingerprint: str, *, compress: bool = True) -> None:
    """Write a shard atomically, with the fingerprint of its inputs in the file's metadata."""
    marked = table.replace_schema_metadata({**(table.schema.metadata or {}), FINGERPRINT_KEY: fingerprint.encode()})
    write_table(path, marked, compress=compress)


def is_up_to_date(path: AnyPath, fingerprint: str) -> bool:
    """Return whether a complete shard with this fingerprint exists."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.exists():
        return False
    try:
        with path.open("rb") as stream:
            metadata = pq.read_schema(stream).metadata or {}
    except pa.ArrowInvalid:  # not a Parquet file: something else wrote it, so it is replaced
        return False
    return metadata.get(FINGERPRINT_KEY) == fingerprint.encode()


def shard_metadata(path: AnyPath) -> dict[str, str]:
    """Return the metadata of a shard's schema, read from its footer.

    Raises:
        UserError: the file is not a shard that this project wrote.
    """
    import pyarrow.parquet as pq

    with path.open("rb") as stream:
        metadata = pq.read_schema(stream).metadata or {}
    if FINGERPRINT_KEY not in metadata:
        raise UserError(f"{path}: not a shard written by FinScribe; run the stage that writes it again")
    return {key.decode(): value.decode() for key, value in metadata.items()}


def read_fingerprint(path: AnyPath) -> str:
    """Return the fingerprint in a shard's metadata.

    Raises:
        UserError: the file is not a shard that this project wrote.
    """
    return shard_metadata(path)[FINGERPRINT_KEY.decode()]


def row_count(path: AnyPath) -> int:
    """Return the number of rows of a shard, read from its footer."""
    import pyarrow.parquet as pq

    with path.open("rb") as stream:
        return pq.read_metadata(stream).num_rows


def shard_files(folder: AnyPath) -> list[AnyPath]:
    """Return the shards of a folder in row order."""
    return sorted(folder.glob("part-*.parquet"), key=lambda path: path.name)


def read_shards(folder: AnyPath, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """Yield the shards of a folder as tables, in row order, with one table in memory at a time.

    Raises:
        MissingInputError: the folder holds no shards.
    """
    import pyarrow.parquet as pq

    files = shard_files(folder)
    if not files:
        raise MissingInputError(f"{folder}: no part-*.parquet in this folder; run the stage that writes it first")
    for file in files:
        with file.open("rb") as stream:
            yield pq.read_table(stream, columns=columns)


def remove_stray_shards(folder: AnyPath, shard_count: int) -> None:
    """Delete shards with a number of ``shard_count`` or more, left by an earlier, larger run of the same batch."""
    for file in shard_files(folder):
        if int(file.name.removeprefix("part-").removesuffix(".parquet")) >= shard_count:
            file.unlink()
