"""The sensors that start the next iteration, read the inbox and watch the service.

They do I/O only; `iteration.decision`, `iteration.run_attempts` and `importing.inbox` decide.

https://docs.dagster.io/guides/automate/sensors
"""

import time
from datetime import UTC, datetime

import dagster as dg
from pydantic import BaseModel, ConfigDict

from finscribe_assets.errors import MissingInputError
from finscribe_assets.importing.inbox import look_at_inbox, parse_look
from finscribe_assets.iteration.batch_storage import Stage
from finscribe_assets.iteration.run_attempts import AttemptAction, decide_attempt
from finscribe_assets.orchestration.assets import inbox_assets, iteration_assets
from finscribe_assets.orchestration.assets.iterations import iterations
from finscribe_assets.orchestration.batch_runs import batches_with_failed_runs, runs_of_batch, unfinished_assets
from finscribe_assets.orchestration.jobs import next_iteration, read_inbox, watch_service
from finscribe_assets.orchestration.partitions import inbox as inbox_partitions
from finscribe_assets.orchestration.partitions import synthesis
from finscribe_assets.orchestration.resources import Inbox, ProfileResource, ServiceLog, Storage

PLAN = dg.AssetKey(str(Stage.HARD_SAMPLE_PLAN))
PLANS_PER_TICK = 50


class LoopCursor(BaseModel):
    """What the sensor remembers between ticks.

    Attributes:
        plan_event: Storage id of the last plan handled. An asset sensor drops an event when two arrive between ticks.
        waiting: Batches that plans ask for and whose iteration has not succeeded, with the batch before each.
        reason: Why the last plan led to no batch; empty where it did.
    """

    model_config = ConfigDict(extra="ignore")

    plan_event: int = 0
    waiting: dict[str, str] = {}
    reason: str = ""

    @classmethod
    def parse(cls, text: str | None) -> "LoopCursor":
        """Return a stored cursor; those of earlier versions were the number alone."""
        if not text:
            return cls()
        return cls(plan_event=int(text)) if text.isdigit() else cls.model_validate_json(text)


@dg.sensor(
    job=next_iteration,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=15,
    description="Registers the next batch and runs its whole iteration when a new hard-sample plan has something to "
    "teach. Runs it again, three times at most, if the run fails. Stops when nothing is weak, when the exam has "
    "stopped improving, or at the iteration limit. Every tick states why the loop goes on or stands still.",
)
def retrain_on_weak_cells(
    context: dg.SensorEvaluationContext, storage: Storage, profile: ProfileResource
) -> dg.SensorResult:
    """Request the iterations that stored plans lead to and that have not succeeded, in their order."""
    cursor = _with_new_plans(context, LoopCursor.parse(context.cursor), storage, profile.iteration_limit)
    requests: list[dg.RunRequest] = []
    reasons: list[str] = []
    for key, parent in sorted(cursor.waiting.items()):
        runs = runs_of_batch(context.instance, next_iteration.name, key)
        decision = decide_attempt(key, runs, datetime.now(UTC))
        reasons.append(decision.reason)
        if decision.action is AttemptAction.DONE:
            del cursor.waiting[key]
        elif decision.action is AttemptAction.START:
            context.log.info(decision.reason)
            left = unfinished_assets(context.instance, iteration_assets, runs)
            requests.append(
                dg.RunRequest(
                    run_key=decision.run_key,
                    partition_key=key,
                    tags={"finscribe/parent": parent, "finscribe/attempt": str(len(runs) + 1)},
                    asset_selection=[*left, iterations.key] if runs else None,
                )
            )
    keys = [str(request.partition_key) for request in requests]
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[synthesis.build_add_request(keys)] if keys else [],
        skip_reason=None if requests else "; ".join(filter(None, [*reasons, cursor.reason])) or "There is no plan yet.",
        cursor=cursor.model_dump_json(),
    )


def _with_new_plans(
    context: dg.SensorEvaluationContext, cursor: LoopCursor, storage: Storage, limit: int
) -> LoopCursor:
    """Return the cursor after the plans that were made since the last tick."""
    from finscribe_assets.iteration.history import decide_after_each

    records = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=PLAN, after_storage_id=cursor.plan_event or None),
        limit=PLANS_PER_TICK,
        ascending=True,
    ).records
    waiting, reason = dict(cursor.waiting), cursor.reason
    planned = list(dict.fromkeys(str(record.partition_key) for record in records))
    for key, decision in decide_after_each(storage.batches, planned, limit=limit).items():
        waiting.pop(key, None)  # its iteration came to its plan, whichever job ran it
        context.log.info(f"{key}: {decision.reason}")
        reason = "" if decision.next_key else f"{key}: {decision.reason}"
        if decision.next_key:
            waiting[decision.next_key] = key
    plan_event = records[-1].storage_id if records else cursor.plan_event
    return LoopCursor(plan_event=plan_event, waiting=waiting, reason=reason)


@dg.sensor(
    job=read_inbox,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Makes a batch of the new documents of FINSCRIBE_INBOX and reads it; reads it again, three times at "
    "most, if the run fails. A file that may still be written waits for a later tick; a document whose files were "
    "taken before is not taken again.",
)
def take_new_documents(
    context: dg.SensorEvaluationContext, storage: Storage, inbox: Inbox
) -> dg.SensorResult | dg.SkipReason:
    """Request a run for each batch that has none or whose run failed: the one made of what is new, and earlier ones.

    The cursor is what the last look has found unsettled. A batch is stored before its run is requested, and its key is
    the first run key and the partition, so that none is lost and none is run twice.
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
    stored = batches.stored()
    new = [key for key in stored if key not in registered]
    failed = batches_with_failed_runs(context.instance, read_inbox.name)
    requests, reasons = [], [decision.reason]
    for key in [*new, *(key for key in stored if key in failed and key in registered)]:
        runs = runs_of_batch(context.instance, read_inbox.name, key)
        attempt = decide_attempt(key, runs, datetime.now(UTC))
        if attempt.action is AttemptAction.START:
            context.log.info(attempt.reason)
            requests.append(
                dg.RunRequest(
                    run_key=attempt.run_key,
                    partition_key=key,
                    tags={"finscribe/attempt": str(len(runs) + 1)},
                    asset_selection=unfinished_assets(context.instance, inbox_assets, runs) if runs else None,
                )
            )
        elif attempt.action is not AttemptAction.DONE:
            reasons.append(attempt.reason)
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[inbox_partitions.build_add_request(new)] if new else [],
        skip_reason=None if requests else dg.SkipReason("; ".join(filter(None, reasons))),
        cursor=decision.look.model_dump_json(),
    )


@dg.sensor(
    job=watch_service,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=300,
    description="Compares the latest documents of the service with earlier ones, once for each day of "
    "FINSCRIBE_SERVICE_LOG; the check `no_drift` warns.",
)
def watch_service_log(context: dg.SensorEvaluationContext, service_log: ServiceLog) -> dg.RunRequest | dg.SkipReason:
    """Request a run for the newest day that is over, which is its run key."""
    from finscribe_assets.service.log_files import day_files

    if not service_log.folder:
        return dg.SkipReason("FINSCRIBE_SERVICE_LOG is not set, so there is no log to look at.")
    over = [day for day, _ in day_files(service_log.path) if day < datetime.now(UTC).date()]
    if not over:
        return dg.SkipReason(f"{service_log.folder} has no day that is over.")
    return dg.RunRequest(run_key=f"service-drift-{over[-1]}")


sensors = [retrain_on_weak_cells, take_new_documents, watch_service_log]
