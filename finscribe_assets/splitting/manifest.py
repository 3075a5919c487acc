"""The manifest of a data set: every batch so far, what it holds, and all that it takes to make it again.

Training is cumulative: an adapter of batch b learns from all batches up to b. The manifest says which, with plans,
row counts, the versions of the tools and the hash of every file, and hashes to the data version of the set.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.drawn_document import DrawnDocument, documents_from_table
from finscribe_assets.documents.plan import Plan
from finscribe_assets.documents.vendors import is_probe_vendor
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, read_json, sha256_of, sha256_of_file, write_text
from finscribe_assets.instructions.pair_batch import read_pair_recipe
from finscribe_assets.instructions.task_mix import PairRecipe
from finscribe_assets.shards import LocalShardPool, ShardPool, read_shards, row_count, shard_files
from finscribe_assets.splitting.exposure import (
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
    """A batch's plan, where its documents, images and pairs lie, and where the hashes of its pages may be kept."""

    plan: Plan
    documents: AnyPath
    images: AnyPath
    pairs: AnyPath
    hashes: AnyPath

    @property
    def key(self) -> str:
        """Return the batch's key."""
        return self.plan.key

    @classmethod
    def of_workspace(cls, plan: Plan, folder: AnyPath) -> BatchInputs:
        """Return the inputs that lie in a workspace, as the command line lays it out."""
        stages = {stage: folder / stage for stage in STAGE_FOLDERS}
        return cls(plan=plan, **stages, hashes=folder / "page_hashes")


class BatchEntry(BaseModel):
    """A batch in the manifest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    plan: Plan = Field(description="what it was drawn from, with its seed")
    shard_size: int = Field(description="documents a shard")
    dpi: int = Field(description="pixels an inch of its pages")
    pair_recipe: PairRecipe
    documents: int
    pairs: int
    splits: dict[str, int] = Field(description="documents by split")
    files: dict[str, str] = Field(description="file, below its stage's folder → SHA-256")


class HeldBackPage(BaseModel):
    """A document that is held back because a page of it looks like one of another split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str
    looks_like: str


class Manifest(BaseModel):
    """A data set: batches in order, oldest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    hold_out: bool = Field(description="whether what is held out was kept from the first batch's training")
    tools: dict[str, str] = Field(description="versions of the stages and of the packages that the bytes depend on")
    batches: tuple[BatchEntry, ...]
    splits_file: str = Field(description="SHA-256 of splits.parquet")
    strata: tuple[dict[str, str | int], ...] = Field(description="documents by what they are counted by, and split")
    near_duplicates: tuple[HeldBackPage, ...]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return documents by batch and split."""
        return {batch.key: batch.splits for batch in self.batches}

    def counts_by(self, name: str) -> list[dict[str, Any]]:
        """Return documents by one of the strata's columns, and split: a row a value."""
        totals: dict[str, Counter[str]] = {}
        for row in self.strata:
            totals.setdefault(str(row[name]), Counter()).update({str(split): int(row[split]) for split in Split})
        return [
            {name: value, **{str(split): counted[split] for split in Split}}
            for value, counted in sorted(totals.items())
        ]

    def data_version(self) -> str:
        """Return the hash of all that the data set is made of."""
        return sha256_of(self.model_dump_json())


def build_data_set(
    batches: Sequence[BatchInputs], key: str, folder: AnyPath, pool: ShardPool | None = None, *, hold_out: bool = True
) -> Manifest:
    """Write the manifest and the splits of a data set; page hashes are kept beside each batch.

    The first batch divides 80/10/10, besides what is held out, and its test is final; of later batches, documents whose
    group belongs to test are held back, and counted. So are documents of which a page looks like one of another split.
    ``hold_out``: keep held-out layouts, locales and fonts from the first batch's training.

    Raises:
        UserError: the last batch is not ``key``, batches are out of order, or the first has too few groups.
    """
    keys = [batch.key for batch in batches]
    if not keys or keys != sorted(set(keys)) or keys[-1] != key:
        raise UserError(f"batches {keys} are not in order up to {key}")
    known: dict[str, Split] = {}
    rows: list[SplitRow] = []
    pages: list[PageHash] = []
    for place, batch in enumerate(batches):
        hash_pages(batch.images, batch.hashes, pool or LocalShardPool(1))
        hashes = read_hashes(batch.hashes)
        pages += hashes
        new = _placed(
            list(_rows(batch, Counter(page.document_id for page in hashes), targeted=place > 0)),
            known,
            hold_out=hold_out and place == 0,
        )
        known = {**{row.group: row.split for row in new}, **known}
        rows += new
    rows = hold_back_duplicates(rows, find_near_duplicates(rows, pages))
    rows = [replace(row, exposure=exposure) for row, exposure in zip(rows, document_exposures(rows), strict=True)]
    write_splits(folder, rows)
    manifest = Manifest(
        key=key,
        hold_out=hold_out,
        tools=tool_versions(),
        batches=tuple(_entry(batch, rows) for batch in batches),
        splits_file=sha256_of_file(folder / SPLITS_FILE),
        strata=tuple(count_strata(rows)),
        near_duplicates=tuple(
            HeldBackPage(document=row.document_id, looks_like=row.looks_like) for row in rows if row.looks_like
        ),
    )
    # Weights of a recipe are drawn from in their order: keys must not be sorted.
    write_text(folder / MANIFEST_FILE, manifest.model_dump_json(indent=2) + "\n")
    return manifest


def _rows(batch: BatchInputs, pages: Mapping[str, int], *, targeted: bool) -> Iterator[SplitRow]:
    """Yield a batch's documents, none of which has its split yet."""
    for table in read_shards(batch.documents):
        for text, drawn in zip(table["document"].to_pylist(), documents_from_table(table), strict=True):
            yield _row(drawn, text, pages[drawn.id], targeted=targeted)


def _row(drawn: DrawnDocument, text: str, pages: int, *, targeted: bool) -> SplitRow:
    if is_probe_vendor(drawn.vendor):
        raise UserError(
            f"{drawn.id}: its seller {drawn.vendor} is reserved for documents that readers are probed with, which no "
            f"split may hold; draw the batch from a plan with a key such as batch-007"
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
        pages=pages,
        degradation=degradation_level(drawn),
    )


def _placed(rows: Sequence[SplitRow], known: Mapping[str, Split], *, hold_out: bool) -> list[SplitRow]:
    """Return a batch's rows with their splits: a first batch's where nothing is known, else a later one's."""
    groups = Counter(row.group for row in rows)
    causes: dict[str, set[str]] = {group: set() for group in groups}
    if hold_out:
        # A vendor may set its credit notes in another font than its invoices; the group stays whole.
        for row in rows:
            causes[row.group] |= held_out_attributes(row.layout, row.locale, row.font)
    held_out = {group for group, things in causes.items() if things}
    assigned = (
        {group: assign_later_group(group, known) for group in groups} if known else assign_first_batch(groups, held_out)
    )
    return [replace(row, split=assigned[row.group], held_out_by=tuple(sorted(causes[row.group]))) for row in rows]


def _entry(batch: BatchInputs, rows: Sequence[SplitRow]) -> BatchEntry:
    own = [row for row in rows if row.batch == batch.key]
    shards = shard_files(batch.documents)
    dpi = next(read_shards(batch.images, ["dpi"]))["dpi"][0].as_py()
    return BatchEntry(
        key=batch.key,
        plan=batch.plan,
        shard_size=row_count(shards[0]),
        dpi=dpi,
        pair_recipe=read_pair_recipe(batch.pairs),
        documents=len(own),
        pairs=sum(row_count(file) for file in shard_files(batch.pairs)),
        splits=dict(sorted(Counter(str(row.split) for row in own).items())),
        files=shard_hashes(batch),
    )


def shard_hashes(batch: BatchInputs) -> dict[str, str]:
    """Return the SHA-256 of each of a batch's shards, by stage and name."""
    folders = dict(zip(STAGE_FOLDERS, (batch.documents, batch.images, batch.pairs), strict=True))
    return {
        f"{stage}/{file.name}": sha256_of_file(file)
        for stage, folder in folders.items()
        for file in shard_files(folder)
    }


def read_manifest(folder: AnyPath) -> Manifest:
    """Read the manifest of a data set's folder."""
    return Manifest.model_validate(read_json(folder / MANIFEST_FILE))
