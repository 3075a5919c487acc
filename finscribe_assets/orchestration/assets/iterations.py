"""Asset `iterations`: all batches so far on one page, measured on the same documents."""

import dagster as dg

from finscribe_assets.orchestration.assets.groups import declared
from finscribe_assets.orchestration.metadata import picture, table
from finscribe_assets.orchestration.resources import PlanStore, ProfileResource, Storage


@dg.asset(
    **declared("evaluation", "python", partitioned=False),
    code_version="1",
    deps=[dg.AssetDep("hard_sample_plan")],
    description="All iterations so far on the documents of the exam: what they cost, gained and left, which adapters "
    "came into use, and why the loop goes on or stops. `finscribe status` prints the same.",
    check_specs=[
        dg.AssetCheckSpec(
            "same_documents",
            asset="iterations",
            description="Every iteration was measured on the same documents, so that they can be compared.",
        )
    ],
)
def iterations(plans: PlanStore, storage: Storage, profile: ProfileResource) -> dg.MaterializeResult:
    """Show the status of the loop."""
    from finscribe_assets.iteration.loop_picture import loop_picture, loop_steps
    from finscribe_assets.iteration.loop_status import loop_status

    status = loop_status(storage.batches, limit=profile.iteration_limit)
    last = status.records[-1]
    steps = loop_steps(storage.batches, plans.files, last.key)
    return dg.MaterializeResult(
        metadata={
            "decision": status.decision.reason,
            "iterations": table(status.rows),
            "loop": picture(loop_picture(steps), "the loop so far: accuracy before and after each batch"),
            "accuracy": last.accuracy,
            "gain": last.gain,
            "gain_at_least": last.low,
            "gain_at_most": last.high,
            "harmful_factors": last.weak,
        },
        check_results=[dg.AssetCheckResult(check_name="same_documents", passed=status.same_documents)],
    )
