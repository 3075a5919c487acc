"""The sensor that starts the next iteration. What to do is decided by `mining.iteration_decision`."""

import dagster as dg

from finscribe_assets.mining.iteration_decision import decide
from finscribe_assets.orchestration.assets import iteration_keys
from finscribe_assets.orchestration.history import PLAN_ASSET, history_until
from finscribe_assets.orchestration.jobs import iterate
from finscribe_assets.orchestration.partitions import synthesis
from finscribe_assets.orchestration.resources import Sizes, Storage


@dg.sensor(
    job=iterate,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=15,
    description="Registers the next batch and runs its whole iteration when a new hard-sample plan finds weak cells; "
    "stops when validation has stopped improving or the iteration limit is reached.",
)
def retrain_on_weak_cells(
    context: dg.SensorEvaluationContext, storage: Storage, sizes: Sizes
) -> dg.SensorResult | dg.SkipReason:
    """Look at every plan materialised since the last tick, in order, and request the iterations they lead to.

    The cursor is the storage id of the last plan seen, so that none is dropped when several arrive between two ticks;
    the run key is the next batch's key, so that no batch is started twice, whatever is materialised again.
    """
    found = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(
            asset_key=dg.AssetKey(PLAN_ASSET), after_storage_id=int(context.cursor) if context.cursor else None
        ),
        limit=50,
        ascending=True,
    ).records
    if not found:
        return dg.SkipReason("No hard-sample plan since the last look.")
    profile = sizes.get()
    requests: list[dg.RunRequest] = []
    reasons: list[str] = []
    for key in dict.fromkeys(str(record.partition_key) for record in found):
        decision = decide(
            history_until(storage, key), limit=profile.iteration_limit, threshold=profile.plateau_threshold
        )
        context.log.info(f"{key}: {decision.reason}")
        if decision.next_key is None:
            reasons.append(f"{key}: {decision.reason}")
            continue
        # seed_plan belongs to the first batch alone, so it is no part of a later iteration.
        requests.append(
            dg.RunRequest(
                run_key=decision.next_key,
                partition_key=decision.next_key,
                tags={"finscribe/parent": key},
                asset_selection=iteration_keys,
            )
        )
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[synthesis.build_add_request([str(request.partition_key) for request in requests])]
        if requests
        else [],
        skip_reason=None if requests else "; ".join(reasons),
        cursor=str(found[-1].storage_id),
    )


sensors = [retrain_on_weak_cells]
