"""A data set made again from its manifest alone, and compared with it file by file."""

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
    """What came of making a data set again."""

    compared_files: int  # that were compared
    changed_files: tuple[str, ...]  # files with other bytes, or that only one of the two sets has
    changed_fields: tuple[str, ...]  # of the manifest that are not those of the set made again
    changed_tools: tuple[str, ...]  # whose versions differ: "name: theirs → ours"

    @property
    def same(self) -> bool:
        """Tell whether the data set is the same."""
        return not self.changed_files and not self.changed_fields


def rebuild(
    manifest: Manifest,
    out: AnyPath,
    pool: ShardPool,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> RebuildResult:
    """Make a data set again: a workspace for each batch below ``out``, the last one's with the splits.

    Shards that are there already, made from the same plan, are kept. ``on_stage`` is told what begins.

    Raises:
        ValueError: the manifest's batches do not make a data set.
    """
    batches = []
    for entry in manifest.batches:
        batches.append(BatchInputs.of_workspace(entry.plan, out / entry.key))
        _make(entry, batches[-1], out / entry.key, pool, on_stage)
    on_stage(f"{manifest.key}: splits")
    made = build_data_set(batches, manifest.key, out / manifest.key / "splits", pool, hold_out=manifest.hold_out)
    wanted = {f"{entry.key}/{name}": digest for entry in manifest.batches for name, digest in entry.files.items()}
    found = {f"{batch.key}/{name}": digest for batch in batches for name, digest in shard_hashes(batch).items()}
    splits = f"{manifest.key}/splits/{SPLITS_FILE}"
    wanted[splits], found[splits] = manifest.splits_file, made.splits_file
    names = sorted(wanted.keys() | found.keys())
    own = [name for name in Manifest.model_fields if name not in ("tools", "batches", "splits_file")]
    return RebuildResult(
        compared_files=len(names),
        changed_files=tuple(name for name in names if wanted.get(name) != found.get(name)),
        changed_fields=(
            *(name for name in own if getattr(manifest, name) != getattr(made, name)),
            *_figures(manifest, made),
        ),
        changed_tools=tuple(
            f"{name}: {manifest.tools.get(name, 'none')} → {made.tools.get(name, 'none')}"
            for name in sorted(manifest.tools.keys() | made.tools.keys())
            if manifest.tools.get(name) != made.tools.get(name)
        ),
    )


def _make(
    entry: BatchEntry, batch: BatchInputs, workspace: AnyPath, pool: ShardPool, on_stage: Callable[[str], None]
) -> None:
    write_text(workspace / "plan.json", entry.plan.model_dump_json(indent=2) + "\n")
    on_stage(f"{entry.key}: {entry.plan.documents} documents")
    synthesize(entry.plan, batch.documents, pool, shard_size=entry.shard_size)
    on_stage(f"{entry.key}: pages")
    render_batch(batch.documents, batch.images, pool, dpi=entry.dpi)
    on_stage(f"{entry.key}: pairs")
    build_pair_batch(batch.documents, batch.images, batch.pairs, pool, entry.pair_recipe)


def _figures(manifest: Manifest, made: Manifest) -> tuple[str, ...]:
    """Return the figures of batches that differ; their files are compared by themselves."""
    return tuple(
        f"{ours.key}.{name}"
        for theirs, ours in zip(manifest.batches, made.batches, strict=True)
        for name in BatchEntry.model_fields
        if name != "files" and getattr(theirs, name) != getattr(ours, name)
    )
