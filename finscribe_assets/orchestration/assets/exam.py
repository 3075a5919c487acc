"""Asset `exam`: what the adapter, the one in use before it and the bare base get right on frozen documents."""

import dagster as dg
from upath import UPath

from finscribe_assets.orchestration.assets.groups import batch_check, declared
from finscribe_assets.orchestration.metadata import table
from finscribe_assets.orchestration.progress_messages import progress
from finscribe_assets.orchestration.resources import PlanStore, ProfileResource, Storage, Workers
from finscribe_assets.shards import kept_workers
from finscribe_assets.stage_versions import EXAM_VERSION


@dg.asset(
    **declared("evaluation", "pytorch", "json"),
    code_version=str(EXAM_VERSION),
    pool="gpu",
    description="What the adapter, the adapter in use before it and the bare base get right on the exam: frozen "
    "documents of the deployment recipe, and of each factor that a plan turned up, from sellers that no batch and no "
    "probe has. It decides which adapter is used and when the loop stops.",
    check_specs=[
        batch_check(
            "exam_is_frozen",
            asset="exam",
            blocking=True,
            description="Every reader read the same documents at the same fields.",
        ),
    ],
)
def exam(
    context: dg.AssetExecutionContext,
    trained_adapter: UPath,
    storage: Storage,
    plans: PlanStore,
    profile: ProfileResource,
    workers: Workers,
) -> dg.MaterializeResult:
    """Let the readers take the exam."""
    from finscribe_assets.iteration.examining import examine_adapter
    from finscribe_assets.iteration.promise import promises
    from finscribe_assets.mining.factor_plan import planned_factors
    from finscribe_assets.promotion.exam_results import BASE_PART, mean_accuracy

    key = context.partition_key
    with kept_workers(workers.workers) as pool:
        taken = examine_adapter(
            storage.batches,
            plans.files,
            key,
            profile.exam_documents,
            pool,
            dpi=profile.dpi,
            on_documents=lambda total: progress(context, total, "documents of the exam read"),
        )
    kept = promises(planned_factors(plans.files.read(key)), taken.results)
    asked = {reader: [(one.id, one.content) for one in result.documents] for reader, result in taken.results.items()}
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(taken.papers),
            "factors_without_part": ", ".join(taken.left_out) or "none",
            **{
                f"{reader}_accuracy": mean_accuracy(result.parts()[BASE_PART])
                for reader, result in taken.results.items()
            },
            "parts": table(
                {
                    "part": part,
                    "documents": len(documents),
                    **{reader: mean_accuracy(result.parts()[part]) for reader, result in taken.results.items()},
                }
                for part, documents in next(iter(taken.results.values())).parts().items()
            ),
            "promise": table(promise.row() for promise in kept),
            "exam": next(iter(taken.results.values())).exam,
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="exam_is_frozen",
                passed=all(ids == [(paper.id, paper.content) for paper in taken.papers] for ids in asked.values()),
            ),
        ],
    )
