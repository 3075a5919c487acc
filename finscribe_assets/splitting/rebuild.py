"""Rebuild a data set from its manifest alone, and compare the result with the manifest file by file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from finscribe_assets.documents.document_batch import synthesize
from finscribe_assets.files import AnyPath, write_text
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.rendering.page_batch import render_batch
from finscribe_assets.shards import ShardPool
from finscribe_assets.splitting.manifest import BatchEntry, BatchInputs, Manifest, build_data_set, shard_hashes
from finscribe_assets.splitting.split_table import SPLITS_FILE


@dataclass(frozen=True)
class RebuildResult:
    """The differences between a manifest and the data set that was rebuilt from it."""

    compared_files: int
    changed_files: tuple[str, ...]  # files with other bytes, or that only one of the two data sets has
    changed_fields: tuple[str, ...]  # fields of the manifest with other values, such as "batch-000.pairs"
    changed_tools: tuple[str, ...]  # tools with other versions, as "name: version in the manifest → version here"

    @property
    def same(self) -> bool:
        """Return whether the rebuilt data set equals the manifest's; versions of tools may differ."""
        return not self.changed_files and not self.changed_fields


def rebuild(
    manifest: Manifest,
    out: AnyPath,
    pool: ShardPool,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> RebuildResult:
    """Draw, render, pair and split a manifest's batches again, and compare every file with the manifest.

    Args:
        manifest: the manifest of the data set.
        out: folder to write a workspace for each batch into; the last one gets the splits. Shards that are up to date
            are kept.
        pool: runs the shards.
        on_stage: called with a line of text when a stage of a batch begins.

    Raises:
        UserError: the manifest's batches do not make a data set.
    """
    batches = []
    for entry in manifest.batches:
        batches.append(BatchInputs.of_workspace(entry.plan, out / entry.key))
        _rebuild_batch(entry, batches[-1], out / entry.key, pool, on_stage)
    on_stage(f"{manifest.key}: splits")
    rebuilt = build_data_set(batches, manifest.key, out / manifest.key / "splits", pool, hold_out=manifest.hold_out)
    expected = {f"{entry.key}/{name}": digest for entry in manifest.batches for name, digest in entry.files.items()}
    actual = {f"{batch.key}/{name}": digest for batch in batches for name, digest in shard_hashes(batch).items()}
    splits = f"{manifest.key}/splits/{SPLITS_FILE}"
    expected[splits], actual[splits] = manifest.splits_file, rebuilt.splits_file
    files = sorted(expected.keys() | actual.keys())
    fields = [name for name in Manifest.model_fields if name not in ("tools", "batches", "splits_file")]
    return RebuildResult(
        compared_files=len(files),
        changed_files=tuple(name for name in files if expected.get(name) != actual.get(name)),
        changed_fields=(
            *(name for name in fields if getattr(manifest, name) != getattr(rebuilt, name)),
            *_changed_batch_fields(manifest, rebuilt),
        ),
        changed_tools=tuple(
            f"{name}: {manifest.tools.get(name, 'none')} → {rebuilt.tools.get(name, 'none')}"
            for name in sorted(manifest.tools.keys() | rebuilt.tools.keys())
            if manifest.tools.get(name) != rebuilt.tools.get(name)
        ),
    )


def _rebuild_batch(
    entry: BatchEntry, batch: BatchInputs, workspace: AnyPath, pool: ShardPool, on_stage: Callable[[str], None]
) -> None:
    write_text(workspace / "plan.json", entry.plan.model_dump_json(indent=2) + "\n")
    on_stage(f"{entry.key}: {entry.plan.documents} documents")
    synthesize(entry.plan, batch.documents, pool, shard_size=entry.shard_size)
    on_stage(f"{entry.key}: pages")
    render_batch(batch.documents, batch.images, pool, dpi=entry.dpi)
    on_stage(f"{entry.key}: pairs")
    build_pair_batch(batch.documents, batch.images, batch.pairs, pool, entry.pair_recipe)


def _changed_batch_fields(manifest: Manifest, rebuilt: Manifest) -> tuple[str, ...]:
    """Return the fields of batches that differ, except their files, which are compared one by one."""
    return tuple(
        f"{actual.key}.{name}"
        for expected, actual in zip(manifest.batches, rebuilt.batches, strict=True)
        for name in BatchEntry.model_fields
        if name != "files" and getattr(expected, name) != getattr(actual, name)
    )
