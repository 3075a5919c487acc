"""The sensors that start the next iteration and read the inbox.

They do I/O only; `iteration.decision` and `importing.inbox` decide.

https://docs.dagster.io/guides/automate/sensors
"""

import time

import dagster as dg

from finscribe_assets.errors import MissingInputError
from finscribe_assets.importing.inbox import look_at_inbox, parse_look
from finscribe_assets.iteration.batch_storage import Stage
from finscribe_assets.iteration.history import decide_after
from finscribe_assets.orchestration.jobs import next_iteration, read_inbox
from finscribe_assets.orchestration.partitions import inbox as inbox_partitions
from finscribe_assets.orchestration.partitions import synthesis
from finscribe_assets.orchestration.resources import Inbox, ProfileResource, Storage


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


@dg.sensor(
    job=read_inbox,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Makes a batch of the new documents of FINSCRIBE_INBOX and reads it. A file that may still be written "
    "waits for a later tick; a document whose files were taken before is not taken again.",
)
def take_new_documents(
    context: dg.SensorEvaluationContext, storage: Storage, inbox: Inbox
) -> dg.SensorResult | dg.SkipReason:
    """Request a run for each batch that has none: the one made of what is new, and any that a crash has left.

    The cursor is what the last look has found unsettled. A batch is stored before its run is requested, and its key is
    the run key and the partition, so that none is lost and none is run twice.
    """
    if not inbox.root:
        return dg.SkipReason("FINSCRIBE_INBOX is not set, so there is no inbox to look at.")
    batches = inbox.batches(storage)
    try:
        decision = look_at_inbox(inbox.folder, batches, parse_look(context.cursor), time.time())
    except MissingInputError as error:
        return dg.SkipReason(str(error))
    if decision.batch:
        batches.write(decision.batch)
    registered = set(context.instance.get_dynamic_partitions(inbox_partitions.name or ""))
    keys = [key for key in batches.stored() if key not in registered]
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=key, partition_key=key) for key in keys],
        dynamic_partitions_requests=[inbox_partitions.build_add_request(keys)] if keys else [],
        skip_reason=None if keys else dg.SkipReason(decision.reason),
        cursor=decision.look.model_dump_json(),
    )


sensors = [retrain_on_weak_cells, take_new_documents]
