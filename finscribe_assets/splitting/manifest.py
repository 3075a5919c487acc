"""The manifest of a data set: every batch so far, what it holds, and which split each document is in.

Training is cumulative: an adapter of batch b learns from all batches up to b. The manifest says which, with row counts
and the hash of every file, and hashes to the data version of the set.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from finscribe_assets.files import AnyPath, read_json, read_table, sha256_of, sha256_of_file, write_json, write_table
from finscribe_assets.shards import read_shards, shard_files
from finscribe_assets.splitting.assign import Split, first_assignment, later_split

MANIFEST_FILE, SPLITS_FILE = "manifest.json", "splits.parquet"

SCHEMA = pa.schema([
    ("document_id", pa.string()), ("batch", pa.string()), ("group", pa.string()), ("split", pa.string()),
    ("targeted", pa.bool_()), ("content", pa.string()),
])  # fmt: skip


@dataclass(frozen=True)
class BatchInputs:
    """Where a batch's documents and pairs lie."""

    key: str
    documents: AnyPath
    pairs: AnyPath


class BatchEntry(BaseModel):
    """A batch in the manifest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    documents: int
    pairs: int
    splits: dict[str, int]
    files: dict[str, str]  # file, below its stage's folder → SHA-256


class Manifest(BaseModel):
    """A data set: batches in order, oldest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    batches: tuple[BatchEntry, ...]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return documents by batch and split."""
        return {batch.key: batch.splits for batch in self.batches}

    def data_version(self) -> str:
        """Return the hash of all that the data set is made of."""
        return sha256_of(self.model_dump_json())


@dataclass(frozen=True)
class SplitRow:
    """One document's place."""

    document_id: str
    batch: str
    group: str
    split: Split
    targeted: bool  # drawn because mining asked for it
    content: str  # SHA-256 of its canonical JSON


def build(batches: Sequence[BatchInputs], key: str, folder: AnyPath) -> Manifest:
    """Write the manifest and the splits of a data set.

    The first batch divides 80/10/10 and its test is final; of later batches, documents whose group belongs to test are
    held back, and counted.

    Raises:
        ValueError: the last batch is not ``key``, or batches are out of order.
    """
    keys = [batch.key for batch in batches]
    if not keys or keys != sorted(set(keys)) or keys[-1] != key:
        raise ValueError(f"batches {keys} are not in order up to {key}")
    known: dict[str, Split] = {}
    rows: list[SplitRow] = []
    entries = []
    for place, batch in enumerate(batches):
        documents = list(_documents(batch))
        groups = Counter(group for _, group, _ in documents)
        assigned = first_assignment(groups) if place == 0 else {group: later_split(group, known) for group in groups}
        known = {**assigned, **known}
        new = [
            SplitRow(name, batch.key, group, assigned[group], place > 0, content) for name, group, content in documents
        ]
        rows += new
        entries.append(BatchEntry(
            key=batch.key, documents=len(new), splits=dict(sorted(Counter(str(row.split) for row in new).items())),
            pairs=sum(table.num_rows for table in read_shards(batch.pairs, ["id"])),
            files={f"{stage}/{file.name}": sha256_of_file(file)
                   for stage, place_ in (("documents", batch.documents), ("pairs", batch.pairs))
                   for file in shard_files(place_)},
        ))  # fmt: skip
    manifest = Manifest(key=key, batches=tuple(entries))
    table = pa.Table.from_pylist([{**vars(row), "split": str(row.split)} for row in rows], schema=SCHEMA)
    write_table(folder / SPLITS_FILE, table, rows_per_group=10_000)
    write_json(folder / MANIFEST_FILE, manifest.model_dump(mode="json"))
    return manifest


def _documents(batch: BatchInputs) -> Iterator[tuple[str, str, str]]:
    for table in read_shards(batch.documents, ["id", "group", "document"]):
        for row in table.to_pylist():
            canonical = json.dumps(json.loads(row["document"]), sort_keys=True, separators=(",", ":"))
            yield row["id"], row["group"], sha256_of(canonical)


def read_manifest(folder: AnyPath) -> Manifest:
    """Read the manifest of a data set's folder."""
    return Manifest.model_validate(read_json(folder / MANIFEST_FILE))


def read_splits(folder: AnyPath) -> list[SplitRow]:
    """Read every document's place."""
    return [SplitRow(**row | {"split": Split(row["split"])}) for row in read_table(folder / SPLITS_FILE).to_pylist()]


def leaks(rows: Sequence[SplitRow], first_test: Sequence[str] | None = None) -> dict[str, list[Any]]:
    """Return what stands in two splits: ids, groups and identical documents; an empty dictionary for a clean set.

    ``first_test``, when given, is the first batch's test by document id; a test that differs from it is a leak in time.
    """
    found: dict[str, list[Any]] = {}
    used = [row for row in rows if row.split is not Split.HELD_BACK]
    for name in ("document_id", "group", "content"):
        splits: dict[str, set[Split]] = {}
        for row in used:
            splits.setdefault(getattr(row, name), set()).add(row.split)
        shared = sorted(value for value, where in splits.items() if len(where) > 1)
        if shared:
            found[name] = shared
    counts = Counter(row.document_id for row in rows)
    repeated = sorted(name for name, count in counts.items() if count > 1)
    if repeated:
        found["repeated_id"] = repeated
    if first_test is not None:
        changed = set(first_test) ^ {row.document_id for row in rows if row.split is Split.TEST}
        if changed:
            found["test_changed"] = sorted(changed)
    return found
