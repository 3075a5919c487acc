"""A batch of documents as files: shards drawn side by side, and the ground truth that other tools read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from finscribe_assets.documents.drawn_document import DrawnDocument, documents_from_table, documents_to_table
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import Plan
from finscribe_assets.files import AnyPath, sha256_of, write_text
from finscribe_assets.shards import Shard, ShardPool, cut_into_shards, read_shards, write_missing_shards, write_shard

GENERATOR_VERSION = 2  # raise it with every change to what a plan draws


@dataclass(frozen=True)
class BatchSummary:
    """What making a batch did."""

    documents: int
    shards: int
    skipped: int  # shards that were there already, made from the same plan


@dataclass(frozen=True)
class _SynthesisJob:
    plan: Plan
    shard: Shard
    path: AnyPath

    @property
    def rows(self) -> int:
        return self.shard.stop - self.shard.start

    @property
    def fingerprint(self) -> str:
        return sha256_of(f"{GENERATOR_VERSION}:{self.shard.start}:{self.shard.stop}:{self.plan.model_dump_json()}")


def _write(job: _SynthesisJob) -> int:
    documents = [draw_document(job.plan, index) for index in range(job.shard.start, job.shard.stop)]
    write_shard(job.path, documents_to_table(documents), job.fingerprint)
    return len(documents)


def synthesize(
    plan: Plan,
    folder: AnyPath,
    pool: ShardPool,
    *,
    shard_size: int = 100,
    on_shard: Callable[[int], None] | None = None,
) -> BatchSummary:
    """Write a plan's documents as ``part-*.parquet``; shards of the same plan that are whole already are kept.

    ``on_shard`` is told how many documents were done. The files depend on plan and shard size alone.
    """
    jobs = [
        _SynthesisJob(plan, shard, folder / shard.file_name) for shard in cut_into_shards(plan.documents, shard_size)
    ]
    skipped = write_missing_shards(jobs, _write, pool, folder, on_shard)
    return BatchSummary(plan.documents, len(jobs), skipped)


def read_documents(folder: AnyPath) -> Iterator[DrawnDocument]:
    """Yield a batch's documents in index order, holding one shard at a time."""
    for table in read_shards(folder):
        yield from documents_from_table(table)


def ground_truth(drawn: DrawnDocument, destroyed: frozenset[str] = frozenset()) -> dict[str, object]:
    """Return a document's record of the ground-truth format.

    ``printed`` names the values that its page shows, less those that damage has destroyed.
    """
    printed = [path for path in drawn.printed if path not in destroyed]
    return {"id": drawn.id, "document": drawn.document.to_json(), "printed": printed}


def write_ground_truth(folder: AnyPath, path: AnyPath, destroyed: Mapping[str, frozenset[str]] | None = None) -> None:
    """Write a batch's documents as JSON lines: ``{"id": …, "document": {…}, "printed": […]}``.

    ``destroyed`` names, by document, the fields that cannot be read on its pages.
    """
    gone = destroyed or {}
    records = (ground_truth(drawn, gone.get(drawn.id, frozenset())) for drawn in read_documents(folder))
    write_text(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def write_single_table(folder: AnyPath, path: Path) -> None:
    """Write a batch's shards as one Parquet file, a shard in memory at a time."""
    temporary = path.with_name(f".{path.name}")
    with temporary.open("wb") as stream:
        writer = None
        for table in read_shards(folder):
            plain = table.replace_schema_metadata(None)
            writer = writer or pq.ParquetWriter(stream, plain.schema, compression="zstd")
            writer.write_table(plain)
        if writer:
            writer.close()
    temporary.rename(path)
