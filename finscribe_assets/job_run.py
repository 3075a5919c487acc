"""Run a job for one partition in this process, as the sensor's daemon would have it run.

``python -m finscribe_assets.job_run JOB PARTITION`` is what `run_display` starts. A later batch's run has the sensor's
run key, so that the daemon, started afterwards, does not run the same batch again.
"""

from __future__ import annotations

import sys

import dagster as dg
from dagster._core.storage.tags import RUN_KEY_TAG, SENSOR_NAME_TAG
from dagster._core.utils import make_new_run_id


def run_job(job: str, partition: str) -> bool:
    """Run a job of this code location for a partition, which is registered first; return whether it succeeded."""
    # Worker processes import this module again; the definitions, and torch with them, would take each of them seconds.
    from finscribe_assets.definitions import defs
    from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY
    from finscribe_assets.orchestration.partitions import synthesis
    from finscribe_assets.orchestration.recorded_runs import execute_recorded
    from finscribe_assets.orchestration.sensors import retrain_on_weak_cells

    tags = {} if partition == FIRST_BATCH_KEY else {RUN_KEY_TAG: partition, SENSOR_NAME_TAG: retrain_on_weak_cells.name}
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(synthesis.name or "", [partition])
        return execute_recorded(defs.resolve_job_def(job), instance, partition, tags, make_new_run_id())


if __name__ == "__main__":
    sys.exit(0 if run_job(*sys.argv[1:3]) else 1)
