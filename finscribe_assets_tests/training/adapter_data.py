"""A data set for adapters' tests: the shared small batch, with its splits."""

from pathlib import Path

from finscribe_assets.documents.batch import read_documents, synthesize
from finscribe_assets.documents.recipe import seed_plan
from finscribe_assets.instructions.batch import pair_batch
from finscribe_assets.instructions.tasks import PairRecipe
from finscribe_assets.rendering.batch import read_rendered, render_batch
from finscribe_assets.shards import LocalShardPool
from finscribe_assets.splitting.manifest import BatchInputs, build
from finscribe_assets.training.base_recipe import SLICES
from finscribe_assets.training.samples import BatchFolders, SampleSource
from finscribe_assets_tests.conftest import SmallBatch


def source_of(batch: SmallBatch, splits: Path) -> SampleSource:
    if not splits.exists():
        # Nothing is held out: what a few steps teach must show in validation.
        build([BatchInputs.of_workspace(batch.plan, batch.folder)], "batch-000", splits, hold_out=False)
    return SampleSource(splits, (BatchFolders("batch-000", batch.folder / "pairs", batch.folder / "images"),))


def shifted_batch(folder: Path, documents: int = 24) -> SmallBatch:
    """Return a batch of what the embedded base has never seen, so that there is much to learn."""
    plan, pool = seed_plan("batch-000", documents, 6, SLICES["all_held_out"]), LocalShardPool(1)
    synthesize(plan, folder / "documents", pool, shard_size=12)
    render_batch(folder / "documents", folder / "images", pool)
    pair_batch(folder / "documents", folder / "images", folder / "pairs", pool, PairRecipe())
    return SmallBatch(folder, plan, list(read_documents(folder / "documents")), list(read_rendered(folder / "images")))
