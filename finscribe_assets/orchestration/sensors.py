"""The sensor that starts the next iteration. It does I/O only; `iteration.decision` decides.

https://docs.dagster.io/guides/automate/sensors
"""

import dagster as dg

from finscribe_assets.iteration.batch_storage import Stage
from finscribe_assets.iteration.history import decide_after
from finscribe_assets.orchestration.jobs import next_iteration
from finscribe_assets.orchestration.partitions import synthesis
from finscribe_assets.orchestration.resources import ProfileResource, Storage


@dg.sensor(
    job=next_iteration,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=15,
    description="Registers the next batch and runs its whole iteration when a new hard-sample plan has something to "
    "teach. Stops when nothing is weak, when the exam has stopped improving, or at the iteration limit.",
)
def retrain_on_weak_cells(
    context: dg.SensorEvaluationContext, storage: Storage, profile: ProfileResource
) -> dg.SensorResult | dg.SkipReason:
    """Request the iterations that the plans materialised since the last tick lead to, in their order.

    The cursor is the storage id of the last plan handled: an asset sensor drops an event when two arrive between two
    ticks. The run key is the next batch's key, so that no batch is started twice however often its plan is made.
    """
    records = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(
            asset_key=dg.AssetKey(str(Stage.HARD_SAMPLE_PLAN)),
            after_storage_id=int(context.cursor) if context.cursor else None,
        ),
        limit=50,
        ascending=True,
    ).records
    if not records:
        return dg.SkipReason("No new hard-sample plan since the last tick.")
    requests: list[dg.RunRequest] = []
    reasons: list[str] = []
    for key in dict.fromkeys(str(record.partition_key) for record in records):
        decision = decide_after(storage.batches, key, limit=profile.iteration_limit)
        context.log.info(f"{key}: {decision.reason}")
        if decision.next_key is None:
            reasons.append(f"{key}: {decision.reason}")
            continue
        requests.append(
            dg.RunRequest(
                run_key=decision.next_key,
                partition_key=decision.next_key,
                tags={"finscribe/parent": key},
            )
        )
    next_keys = [str(request.partition_key) for request in requests]
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[synthesis.build_add_request(next_keys)] if next_keys else [],
        skip_reason=None if requests else "; ".join(reasons),
        cursor=str(records[-1].storage_id),
    )


sensors = [retrain_on_weak_cells]
