"""A code location with the real sensor, job, partitions, launcher and executor, whose assets take a second each batch.

Each batch's plan asks for the next one until `LAST_KEY`. A run writes a line into ``begun.txt`` and one into
``ended.txt`` of the storage, so that a test counts runs without asking Dagster.
"""

import os
import time
from pathlib import Path
from typing import Any

import dagster as dg

from finscribe_assets.documents.batch_keys import next_batch_key
from finscribe_assets.files import write_text
from finscribe_assets.iteration.batch_storage import Stage
from finscribe_assets.iteration.history import RECORD_FILE
from finscribe_assets.orchestration.assets import iteration_keys
from finscribe_assets.orchestration.jobs import next_iteration
from finscribe_assets.orchestration.partitions import synthesis
from finscribe_assets.orchestration.resources import Storage
from finscribe_assets.orchestration.run_lease import leased_in_process_executor
from finscribe_assets.orchestration.sensors import retrain_on_weak_cells
from finscribe_assets.profiles import profile_named
from finscribe_assets_tests.iteration.test_decision import recorded

LAST_KEY = "batch-005"
ROOT = os.environ.get("FINSCRIBE_STORAGE", "storage")


def note(name: str, line: str) -> None:
    """Append a line to a file of the storage; appends of one line are atomic."""
    with (Path(ROOT) / name).open("a") as file:
        file.write(line + "\n")


def quick_asset(key: dg.AssetKey, before: dg.AssetKey | None) -> dg.AssetsDefinition:
    name = key.to_user_string()

    @dg.asset(key=key, partitions_def=synthesis, deps=[before] if before else [])
    def quick(context: dg.AssetExecutionContext) -> Any:
        batch = context.partition_key
        if before is None:
            note("begun.txt", f"{batch} {context.run_id}")
            time.sleep(1)
        if name == str(Stage.HARD_SAMPLE_PLAN):
            record = recorded(batch, next_key=None if batch == LAST_KEY else next_batch_key(batch))
            write_text(Path(ROOT) / name / batch / RECORD_FILE, record.model_dump_json())
            note("ended.txt", f"{batch} {context.run_id}")
        return dg.MaterializeResult()

    return quick


def unpartitioned(name: str) -> dg.AssetsDefinition:
    @dg.asset(name=name)
    def quick() -> Any:
        return dg.MaterializeResult()

    return quick


defs = dg.Definitions(
    assets=[
        unpartitioned("base_model"),
        unpartitioned("iterations"),
        *(quick_asset(key, before) for before, key in zip([None, *iteration_keys], iteration_keys, strict=False)),
    ],
    jobs=[next_iteration],
    sensors=[retrain_on_weak_cells],
    resources={
        "storage": Storage(root=ROOT),
        "profile": profile_named("tiny").model_copy(update={"iteration_limit": 99}),
    },
    executor=leased_in_process_executor,
)
