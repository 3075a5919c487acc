"""A data set for adapters' tests: the shared small batch, with its splits."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.pretraining.base_recipe import SCORED_SLICES
from finscribe_assets.splitting.manifest import BatchInputs, build_data_set
from finscribe_assets.training import prepared_training
from finscribe_assets.training.training_samples import SampleSource, TrainingBatchFolders
from finscribe_assets_tests.conftest import SmallBatch, make_batch


def source_of(batch: SmallBatch, splits: Path) -> SampleSource:
    if not splits.exists():
        # Nothing is held out: what a few steps teach must show in validation.
        build_data_set([BatchInputs.of_workspace(batch.plan, batch.folder)], "batch-000", splits, hold_out=False)
    return SampleSource(splits, (TrainingBatchFolders("batch-000", batch.folder / "pairs", batch.folder / "images"),))


def shifted_batch(folder: Path, documents: int = 24) -> SmallBatch:
    """Return a batch of what the embedded base has never seen, so that there is much to learn."""
    return make_batch(seed_plan("batch-000", documents, 6, SCORED_SLICES["all_held_out"]), folder)


# The settings that samples depend on.
DATA_SETTINGS = {
    "tasks",
    "lines_of_region",
    "max_tokens",
    "max_pixels",
    "loss_weights",
    "augmentation",
    "validation_samples",
}


@contextmanager
def lines_prepared_once() -> Iterator[None]:
    """Read, fit and tokenise the lines of the same settings once: it takes most of the time of a short training."""
    prepare, prepared = prepared_training.prepare_data, {}

    def prepare_once(config, base, source, work, *reason):
        key = (
            config.model_dump_json(include=DATA_SETTINGS),
            base,
            source,
            *(function.__qualname__ for function in reason),
        )
        data = prepared.get(key) or prepare(config, base, source, work, *reason)
        if data.single_lines:  # pages lie in files of the training's own
            prepared[key] = data
        return data

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepared_training, "prepare_data", prepare_once)
        yield
