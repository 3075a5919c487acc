"""Asset `seed_plan`: registers the first batch and writes its plan. It changes nothing in later iterations."""

import dagster as dg

from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY
from finscribe_assets.orchestration.assets.groups import declared
from finscribe_assets.orchestration.metadata import table
from finscribe_assets.orchestration.partitions import synthesis
from finscribe_assets.orchestration.resources import PlanStore, ProfileResource


class SeedPlanConfig(dg.Config):
    """Size and seed of the first batch, where the profile's are not wanted."""

    documents: int | None = None
    seed: int | None = None


@dg.asset(
    **declared("synthesis", "json", partitioned=False),
    code_version="1",
    description="Registers the first partition and writes its plan: number of documents, recipe and seed.",
    check_specs=[dg.AssetCheckSpec("plan_has_documents", asset="seed_plan", blocking=True)],
)
def seed_plan(
    context: dg.AssetExecutionContext, config: SeedPlanConfig, plans: PlanStore, profile: ProfileResource
) -> dg.MaterializeResult:
    """Write the first plan and register its key.

    Once its documents are drawn the plan is kept: a run of a later batch that selects all assets includes this one.
    """
    from finscribe_assets.documents import plan as plans_of_batches

    path = plans.files.path(FIRST_BATCH_KEY)
    if config == SeedPlanConfig() and plans.files.is_drawn(FIRST_BATCH_KEY):
        plan = plans.files.read(FIRST_BATCH_KEY)
        context.log.info(f"{FIRST_BATCH_KEY} has been drawn; its plan in {path} is kept")
    else:
        plan = plans_of_batches.seed_plan(
            FIRST_BATCH_KEY,
            profile.documents if config.documents is None else config.documents,
            profile.seed if config.seed is None else config.seed,
            profile.recipe,
        )
        plans.files.write(plan)
    context.instance.add_dynamic_partitions(synthesis.name or "", [FIRST_BATCH_KEY])
    knobs = plan.components[0].recipe.knobs.model_dump()
    return dg.MaterializeResult(
        metadata={
            "documents": plan.documents,
            "profile": profile.name,
            "knobs": table({"knob": name, "intensity": value} for name, value in knobs.items()),
            "plan": dg.MetadataValue.path(str(path)),
        },
        check_results=[dg.AssetCheckResult(check_name="plan_has_documents", passed=plan.documents > 0)],
    )
