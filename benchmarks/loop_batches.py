"""Batches and adapters of `loop.py`: documents, pages, pairs and splits of a plan, and what is trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finscribe_assets.documents.document_batch import synthesize
from finscribe_assets.documents.plan import Plan
from finscribe_assets.files import write_text
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.instructions.task_mix import LINE_RECIPE
from finscribe_assets.rendering.page_batch import render_batch
from finscribe_assets.shards import LocalShardPool, ShardPool
from finscribe_assets.splitting.manifest import BatchInputs, build_data_set
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import SplitRow, read_splits, write_splits
from finscribe_assets.training import backends
from finscribe_assets.training.adapter_config import load_preset
from finscribe_assets.training.training_samples import SampleSource, TrainingBatchFolders

# Of a later batch: it goes on from the adapter before, at a third of the preset's rate (docs/experiments/loop.md).
LATER_SETTINGS: dict[str, Any] = {"replay_share": 0.5, "start_from": "previous", "learning_rate": 5e-4}
COMPLETE_FILE = "complete"  # of splits: written last
MANY_EPOCHS = 1000.0  # the number of steps decides how long is trained


@dataclass(frozen=True)
class Batch:
    """A drawn batch: its plan and its folder, and which of its documents are learnt where not all are."""

    plan: Plan
    folder: Path
    chosen: frozenset[str] | None = None


@dataclass(frozen=True)
class Drawing:
    """Draws batches into folders."""

    pool: ShardPool

    def batch(self, plan: Plan, folder: Path) -> Batch:
        """Draw a plan's documents with their pages and pairs; a batch that is there already is kept."""
        if known := self.known(folder):
            return known
        synthesize(plan, folder / "documents", self.pool, shard_size=50)
        render_batch(folder / "documents", folder / "images", self.pool)
        build_pair_batch(folder / "documents", folder / "images", folder / "pairs", self.pool, LINE_RECIPE)
        write_text(folder / "plan.json", plan.model_dump_json(indent=2) + "\n")
        return Batch(plan, folder)

    def known(self, folder: Path) -> Batch | None:
        """Return the batch of a folder, None if it is not complete."""
        file = folder / "plan.json"
        return Batch(Plan.model_validate_json(file.read_text(encoding="utf-8")), folder) if file.exists() else None


def split(batches: Sequence[Batch], folder: Path) -> None:
    """Write splits: the first batch as the product splits it; of later batches every document that is chosen is learnt.

    The exam's sellers are in no batch, so an arm may learn all of its documents; arms are compared at equal documents.
    Splits that are there already are kept.
    """
    if (folder / COMPLETE_FILE).exists():
        return
    inputs = [BatchInputs.of_workspace(batch.plan, batch.folder) for batch in batches]
    build_data_set(inputs, batches[-1].plan.key, folder, LocalShardPool(1))
    later = {batch.plan.key: batch for batch in batches[1:]}

    def learnt(row: SplitRow) -> SplitRow:
        chosen = later[row.batch].chosen
        return replace(row, split=Split.TRAIN if chosen is None or row.document_id in chosen else Split.HELD_BACK)

    write_splits(folder, [learnt(row) if row.batch in later else row for row in read_splits(folder)])
    write_text(folder / COMPLETE_FILE, "")


def train(batches: Sequence[Batch], folder: Path, *, steps: int, seed: int, previous: Path | None = None) -> Path:
    """Train an adapter on batches, unless it is there; the preset's settings but for ``steps`` and those given."""
    output = folder / "adapter"
    if (output / "training.json").exists():
        return output
    split(batches, folder / "splits")
    settings = {"max_steps": steps, "epochs": MANY_EPOCHS, "seed": seed, "validation_samples": 0}
    config = load_preset("embedded", **settings, **(LATER_SETTINGS if previous else {}))
    sources = tuple(TrainingBatchFolders(b.plan.key, b.folder / "pairs", b.folder / "images") for b in batches)
    backends.train(config, SampleSource(folder / "splits", sources), output, folder / "work", previous=previous)
    return output
