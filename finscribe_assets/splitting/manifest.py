"""Build a data set from batches: assign splits, and write a manifest from which the data set can be rebuilt.

Training is cumulative: the adapter of batch b learns from all batches up to b. The manifest lists these batches with
their plans, row counts, tool versions and the hash of every file. The manifest's own hash is the data set's version.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.document_batch import PLAN_KEY
from finscribe_assets.documents.document_table import documents_from_table
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.plan import Plan
from finscribe_assets.documents.vendors import is_examination_vendor
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, read_json, sha256_of, sha256_of_file, write_text
from finscribe_assets.instructions.pair_batch import read_pair_recipe
from finscribe_assets.instructions.task_mix import PairRecipe
from finscribe_assets.rendering.page_batch import REJECTS_KEY
from finscribe_assets.shards import LocalShardPool, ShardPool, read_shards, shard_files
from finscribe_assets.splitting.batch_files import BatchFiles, describe_batch
from finscribe_assets.splitting.exposure import (
    compare_item_names,
    count_strata,
    degradation_level,
    document_exposures,
    has_held_out_wording,
    held_out_attributes,
)
from finscribe_assets.splitting.near_duplicates import find_near_duplicates, hold_back_duplicates
from finscribe_assets.splitting.page_hashes import PageHash, hash_pages, read_hashes
from finscribe_assets.splitting.split_assignment import Split, assign_first_batch, assign_later_group
from finscribe_assets.splitting.split_table import SPLITS_FILE, SplitRow, content_hash, write_splits
from finscribe_assets.splitting.tool_versions import tool_versions

MANIFEST_FILE = "manifest.json"
STAGE_FOLDERS = ("documents", "images", "pairs")


@dataclass(frozen=True)
class BatchInputs:
    """A batch's plan and its folders: of documents, page images and pairs, and the one for page hashes."""

    plan: Plan
    documents: AnyPath
    images: AnyPath
    pairs: AnyPath
    hashes: AnyPath

    @property
    def key(self) -> str:
        """Return the batch's key."""
        return self.plan.key

    @property
    def stage_folders(self) -> dict[str, AnyPath]:
        """Return the folders of documents, images and pairs by name."""
        return dict(zip(STAGE_FOLDERS, (self.documents, self.images, self.pairs), strict=True))

    @classmethod
    def of_workspace(cls, plan: Plan, folder: AnyPath) -> BatchInputs:
        """Return the inputs of a workspace folder, as the command line lays it out."""
        folders = {stage: folder / stage for stage in STAGE_FOLDERS}
        return cls(plan=plan, **folders, hashes=folder / "page_hashes")


class BatchEntry(BaseModel):
    """A batch of the data set, and the settings that it was made with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    plan: Plan = Field(description="the plan that its documents were drawn from, with the seed")
    drawn_from: tuple[str, ...] = Field(
        default=(), description="SHA-256 of the plan that the document shards name; it must be the plan's own"
    )
    shard_size: int = Field(description="documents per shard")
    dpi: int = Field(description="resolution of its pages")
    pair_recipe: PairRecipe
    documents: int
    pairs: int
    splits: dict[str, int] = Field(description="number of documents in each split")
    files: dict[str, str] = Field(description="SHA-256 of each shard, by stage and file name")


class HeldBackPage(BaseModel):
    """A document that is held back because one of its pages looks like a page of another split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str
    looks_like: str


class Manifest(BaseModel):
    """A data set: its batches, oldest first, and the result of splitting them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    hold_out: bool = Field(
        description="whether held-out layouts, locales and fonts were kept out of the first batch's training split"
    )
    tools: dict[str, str] = Field(
        description="versions of the stages, and of the packages that the files' bytes depend on"
    )
    batches: tuple[BatchEntry, ...]
    splits_file: str = Field(description="SHA-256 of splits.parquet")
    strata: tuple[dict[str, str | int], ...] = Field(description="number of documents in each split, by stratum")
    near_duplicates: tuple[HeldBackPage, ...]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of documents in each split, by batch."""
        return {batch.key: batch.splits for batch in self.batches}

    def wrong_plans(self) -> list[str]:
        """Return the keys of batches whose documents were drawn from another plan than the manifest states."""
        return [
            batch.key for batch in self.batches if any(name != batch.plan.content_hash() for name in batch.drawn_from)
        ]

    def counts_by(self, name: str) -> list[dict[str, Any]]:
        """Return the number of documents in each split, one row for each value of a column of the strata."""
        totals: dict[str, Counter[str]] = {}
        for row in self.strata:
            totals.setdefault(str(row[name]), Counter()).update({str(split): int(row[split]) for split in Split})
        return [
            {name: value, **{str(split): by_split[split] for split in Split}}
            for value, by_split in sorted(totals.items())
        ]

    def data_version(self) -> str:
        """Return the SHA-256 of the manifest, which identifies the data set's content."""
        return sha256_of(self.model_dump_json())


def build_data_set(
    batches: Sequence[BatchInputs], key: str, folder: AnyPath, pool: ShardPool | None = None, *, hold_out: bool = True
) -> Manifest:
    """Split the documents of all batches, and write the splits and the manifest.

    The first batch is split 80/10/10, in addition to its held-out documents, and its test split is final. Documents of
    later batches whose group is in the test split are held back, as are documents with a page that looks like a page
    of another split.

    Args:
        batches: the batches of the data set, oldest first.
        key: the key of the last batch, which names the data set.
        folder: folder for the splits and the manifest.
        pool: runs the hashing of pages; one process by default. The hashes are kept in the batches' folders, so that
            the pages of a batch are read for its own data set and for none of those after it.
        hold_out: keep held-out layouts, locales and fonts out of the first batch's training split.

    Raises:
        UserError: the batches are not in order up to ``key``, or the first has too few groups.
    """
    keys = [batch.key for batch in batches]
    if not keys or keys != sorted(set(keys)) or keys[-1] != key:
        raise UserError(f"batches {keys} are not in order up to {key}; list each batch once, oldest first, {key} last")
    known: dict[str, Split] = {}
    rows: list[SplitRow] = []
    pages: list[PageHash] = []
    item_names: dict[str, frozenset[str]] = {}
    described = [describe_batch(batch.stage_folders, batch.hashes) for batch in batches]
    for number, (batch, files) in enumerate(zip(batches, described, strict=True)):
        hash_pages(batch.images, files.shards["images"], batch.hashes, pool or LocalShardPool(1))
        hashes = read_hashes(batch.hashes)
        pages += hashes
        page_counts = Counter(page.document_id for page in hashes)
        batch_rows = _assign_splits(
            list(_unassigned_rows(batch, files, page_counts, item_names, targeted=number > 0)),
            known,
            hold_out=hold_out and number == 0,
        )
        known = {**{row.group: row.split for row in batch_rows}, **known}
        rows += batch_rows
    rows = hold_back_duplicates(rows, find_near_duplicates(rows, pages))
    rows = [replace(row, exposure=exposure) for row, exposure in zip(rows, document_exposures(rows), strict=True)]
    rows = _with_item_names(rows, item_names)
    write_splits(folder, rows)
    manifest = Manifest(
        key=key,
        hold_out=hold_out,
        tools=tool_versions(),
        batches=tuple(_batch_entry(batch, files, rows) for batch, files in zip(batches, described, strict=True)),
        splits_file=sha256_of_file(folder / SPLITS_FILE),
        strata=tuple(count_strata(rows)),
        near_duplicates=tuple(
            HeldBackPage(document=row.document_id, looks_like=row.looks_like) for row in rows if row.looks_like
        ),
    )
    # The order of a recipe's weights decides what is drawn, so keys must not be sorted.
    write_text(folder / MANIFEST_FILE, manifest.model_dump_json(indent=2) + "\n")
    return manifest


def _with_item_names(rows: Sequence[SplitRow], names: Mapping[str, frozenset[str]]) -> list[SplitRow]:
    """Return rows that tell whether the training split has the names of their items.

    A training document counts as known, although its names may stand in no other.

    Args:
        rows: the rows of all documents.
        names: the names of the items of each document.
    """
    known: set[str] = set().union(*(names[row.document_id] for row in rows if row.split is Split.TRAIN))
    return [replace(row, item_names=str(compare_item_names(names[row.document_id], known))) for row in rows]


def _unassigned_rows(
    batch: BatchInputs,
    files: BatchFiles,
    page_counts: Mapping[str, int],
    item_names: dict[str, frozenset[str]],
    *,
    targeted: bool,
) -> Iterator[SplitRow]:
    """Yield the rows of a batch's documents before splits are assigned; documents without pages were rejected.

    Args:
        batch: the batch.
        files: what is known of its shards.
        page_counts: number of pages of each document.
        item_names: the names of the items of each document are added to it.
        targeted: whether the batch aims at weaknesses of the model.
    """
    rejects = {name for text in files.metadata_values("images", REJECTS_KEY) for name in json.loads(text)}
    for table in read_shards(batch.documents):
        for text, drawn in zip(table["document"].to_pylist(), documents_from_table(table), strict=True):
            if drawn.id not in rejects:
                item_names[drawn.id] = frozenset(line.item_name for line in drawn.document.lines)
                yield _unassigned_row(drawn, text, page_counts[drawn.id], targeted=targeted)


def _unassigned_row(drawn: DrawnDocument, text: str, page_count: int, *, targeted: bool) -> SplitRow:
    if is_examination_vendor(drawn.vendor):
        raise UserError(
            f"{drawn.id}: the seller {drawn.vendor} is reserved for documents that examine readers, which must not be "
            f"in any split; draw the batch from a plan with a key such as batch-007"
        )
    return SplitRow(
        document_id=drawn.id,
        batch=drawn.batch,
        group=drawn.group,
        split=Split.HELD_BACK,
        targeted=targeted,
        content=content_hash(json.loads(text)),
        document_type=str(drawn.document.document_type),
        locale=drawn.document.locale,
        layout=drawn.presentation.layout,
        font=drawn.presentation.font,
        held_out_wording=has_held_out_wording(drawn),
        pages=page_count,
        degradation=degradation_level(drawn),
    )


def _assign_splits(rows: Sequence[SplitRow], known: Mapping[str, Split], *, hold_out: bool) -> list[SplitRow]:
    """Return a batch's rows with their splits: as the first batch if no group is known, else as a later one."""
    groups = Counter(row.group for row in rows)
    attributes: dict[str, set[str]] = {group: set() for group in groups}
    if hold_out:
        # A vendor may use another font for credit notes than for invoices; the group stays in one split.
        for row in rows:
            attributes[row.group] |= held_out_attributes(row.layout, row.locale, row.font)
    held_out = {group for group, held_out_by in attributes.items() if held_out_by}
    assigned = (
        {group: assign_later_group(group, known) for group in groups} if known else assign_first_batch(groups, held_out)
    )
    return [replace(row, split=assigned[row.group], held_out_by=tuple(sorted(attributes[row.group]))) for row in rows]


def _batch_entry(batch: BatchInputs, files: BatchFiles, rows: Sequence[SplitRow]) -> BatchEntry:
    batch_rows = [row for row in rows if row.batch == batch.key]
    return BatchEntry(
        key=batch.key,
        plan=batch.plan,
        drawn_from=tuple(sorted(set(files.metadata_values("documents", PLAN_KEY)))),
        shard_size=next(iter(files.shards["documents"].values())).rows,
        dpi=files.dpi,
        pair_recipe=read_pair_recipe(batch.pairs),
        documents=len(batch_rows),
        pairs=sum(facts.rows for facts in files.shards["pairs"].values()),
        splits=dict(sorted(Counter(str(row.split) for row in batch_rows).items())),
        files=files.hashes(),
    )


def shard_hashes(batch: BatchInputs) -> dict[str, str]:
    """Read each shard of a batch; return its SHA-256 by stage and file name, such as ``pairs/part-00000.parquet``."""
    return {
        f"{stage}/{file.name}": sha256_of_file(file)
        for stage, folder in batch.stage_folders.items()
        for file in shard_files(folder)
    }


def read_manifest(folder: AnyPath) -> Manifest:
    """Read the manifest in a data set's folder."""
    return Manifest.model_validate(read_json(folder / MANIFEST_FILE))
