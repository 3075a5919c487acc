"""The runs that Dagster knows of a batch, as `iteration.run_attempts` decides about them, and what they left to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

from finscribe_assets.iteration.run_attempts import BatchRun, RunState

ACTIVE = frozenset(
    (
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    )
)


def runs_of_batch(instance: dg.DagsterInstance, job: str, key: str) -> list[BatchRun]:
    """Return the runs of a job for a batch, re-executions included, oldest first."""
    records = instance.get_run_records(
        dg.RunsFilter(job_name=job, tags={PARTITION_NAME_TAG: key}), order_by="id", ascending=True
    )
    return [
        BatchRun(
            record.dagster_run.run_id,
            _state_of(instance, record.dagster_run),
            datetime.fromtimestamp(record.end_time, UTC) if record.end_time else record.update_timestamp,
        )
        for record in records
    ]


def batches_with_failed_runs(instance: dg.DagsterInstance, job: str) -> set[str]:
    """Return the keys of batches of which a run of a job failed or was cancelled, whatever became of them since."""
    ended = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    runs = instance.get_runs(dg.RunsFilter(job_name=job, statuses=ended))
    return {run.tags[PARTITION_NAME_TAG] for run in runs if PARTITION_NAME_TAG in run.tags}


def _state_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> RunState:
    if run.status in ACTIVE:
        return RunState.ACTIVE
    if run.status is dg.DagsterRunStatus.SUCCESS:
        return RunState.SUCCEEDED
    if run.status is dg.DagsterRunStatus.CANCELED and _was_asked_to_end(instance, run.run_id):
        return RunState.CANCELLED
    return RunState.FAILED


def _was_asked_to_end(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Return whether somebody cancelled a run. One that a signal ended, as at a restart, is cancelled without that."""
    return bool(instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.RUN_CANCELING, limit=1).records)


def unfinished_assets(
    instance: dg.DagsterInstance, assets: Sequence[dg.AssetsDefinition], runs: Sequence[BatchRun]
) -> list[dg.AssetKey]:
    """Return the assets of an iteration that its runs did not finish, and all that depend on them.

    An asset is finished if it was materialised and none of its blocking checks failed.

    Args:
        instance: Where the runs are recorded.
        assets: The assets of an iteration, each after those that it depends on.
        runs: The batch's runs so far.
    """
    finished: set[dg.AssetKey] = set()
    for run in runs:
        for record in instance.all_logs(
            run.run_id,
            of_type={dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_CHECK_EVALUATION},
        ):
            event = record.dagster_event
            if event is None:
                continue
            if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
                finished.add(event.step_materialization_data.materialization.asset_key)
            else:
                check = event.asset_check_evaluation_data
                if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR:
                    finished.discard(check.asset_key)
    left: list[dg.AssetKey] = []
    for asset in assets:
        if asset.key not in finished or any(key in left for key in asset.dependency_keys):
            left.append(asset.key)
    return left
