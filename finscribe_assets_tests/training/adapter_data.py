"""A data set for adapters' tests: the shared small batch, with its splits."""

from pathlib import Path

from finscribe_assets.splitting.manifest import BatchInputs, build
from finscribe_assets.training.samples import BatchFolders, SampleSource
from finscribe_assets_tests.conftest import SmallBatch


def source_of(batch: SmallBatch, splits: Path) -> SampleSource:
    if not splits.exists():
        # Nothing is held out: what a few steps teach must show in validation.
        build([BatchInputs.of_workspace(batch.plan, batch.folder)], "batch-000", splits, hold_out=False)
    return SampleSource(splits, (BatchFolders("batch-000", batch.folder / "pairs", batch.folder / "images"),))
