"""Batches of documents as files: Parquet shards drawn in parallel, and the ground truth in formats for other tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from finscribe_assets.documents.document_table import documents_from_table, documents_to_table
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.page_evidence import expected_fields
from finscribe_assets.documents.plan import Plan
from finscribe_assets.documents.schema import flatten
from finscribe_assets.files import AnyPath, sha256_of, write_text
from finscribe_assets.shards import (
    Shard,
    ShardPool,
    cut_into_shards,
    read_shards,
    shard_files,
    write_missing_shards,
    write_shard,
)
from finscribe_assets.stage_versions import GENERATOR_VERSION

PLAN_KEY = b"finscribe.plan"  # of a shard's metadata: the hash of the plan that its documents were drawn from


@dataclass(frozen=True)
class BatchSummary:
    """The result of synthesising a batch."""

    documents: int
    shards: int
    skipped: int  # shards that existed already, made from the same plan


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
    table = documents_to_table(documents)
    marked = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), PLAN_KEY: job.plan.content_hash().encode()}
    )
    write_shard(job.path, marked, job.fingerprint)
    return len(documents)


def drawn_from(folder: AnyPath) -> set[str]:
    """Return the hashes of the plans that a batch's documents were drawn from; more than one is an unfinished redraw.

    Shards that were written before they carried the hash are left out.
    """
    hashes = set()
    for file in shard_files(folder):
        with file.open("rb") as stream:
            metadata = pq.read_schema(stream).metadata or {}
        if PLAN_KEY in metadata:
            hashes.add(metadata[PLAN_KEY].decode())
    return hashes


def synthesize(
    plan: Plan,
    folder: AnyPath,
    pool: ShardPool,
    *,
    shard_size: int = 100,
    on_shard: Callable[[int], None] | None = None,
) -> BatchSummary:
    """Draw the documents of a plan and write them as ``part-*.parquet``.

    Complete shards of the same plan are kept. The files depend only on the plan and the shard size.

    Args:
        plan: what to draw.
        folder: where the shards are written.
        pool: runs the shards in parallel.
        shard_size: number of documents of each shard.
        on_shard: called after each shard with its number of documents.
    """
    jobs = [
        _SynthesisJob(plan, shard, folder / shard.file_name) for shard in cut_into_shards(plan.documents, shard_size)
    ]
    skipped = write_missing_shards(jobs, _write, pool, folder, on_shard)
    return BatchSummary(plan.documents, len(jobs), skipped)


def read_documents(folder: AnyPath) -> Iterator[DrawnDocument]:
    """Yield the documents of a batch in index order, with one shard in memory at a time."""
    for table in read_shards(folder):
        yield from documents_from_table(table)


def ground_truth(drawn: DrawnDocument, destroyed: frozenset[str] = frozenset()) -> dict[str, object]:
    """Return the record of a document in the ground-truth format: ``id``, ``document`` and ``printed``.

    ``printed`` lists what a reader is expected to predict: printed values, and those that other print determines, such
    as the currency.

    Args:
        drawn: the document.
        destroyed: paths of the values that damage has made unreadable; ``printed`` leaves them out.
    """
    document, expected = drawn.document.to_json(), expected_fields(drawn, destroyed)
    return {"id": drawn.id, "document": document, "printed": [path for path in flatten(document) if path in expected]}


def write_ground_truth(
    folder: AnyPath,
    path: AnyPath,
    destroyed: Mapping[str, frozenset[str]] | None = None,
    rejected: Container[str] = (),
) -> None:
    """Write the documents of a batch as JSON lines: ``{"id": …, "document": {…}, "printed": […]}``.

    Args:
        folder: the batch's folder of shards.
        path: the file to write.
        destroyed: for each document id, the paths of the values that cannot be read on its pages.
        rejected: ids of documents that have no pages; the file leaves them out.
    """
    unreadable = destroyed or {}
    kept = (drawn for drawn in read_documents(folder) if drawn.id not in rejected)
    records = (ground_truth(drawn, unreadable.get(drawn.id, frozenset())) for drawn in kept)
    write_text(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def write_single_table(folder: AnyPath, path: Path) -> None:
    """Write all shards of a batch as one Parquet file, with one shard in memory at a time."""
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
