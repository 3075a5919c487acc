"""Asset `fitted_recipe`: a recipe whose synthetic pages resemble the real documents of the inbox so far."""

import dagster as dg
from pydantic import Field

from finscribe_assets.orchestration.assets.groups import declared, inbox_check
from finscribe_assets.orchestration.metadata import table
from finscribe_assets.orchestration.progress_messages import progress
from finscribe_assets.orchestration.resources import PlanStore, Storage, Workers
from finscribe_assets.stage_versions import MEASURES_VERSION

FIT_ROWS_SHOWN = 40


class FitConfig(dg.Config):
    """How the recipe is fitted."""

    pool_documents: int = Field(default=160, description="synthetic documents of each of the two pools")
    test_documents: int = Field(default=80, description="synthetic documents of each two-sample test")


@dg.asset(
    **declared("real", "python", "yaml"),
    code_version=str(MEASURES_VERSION),
    deps=[dg.AssetDep("real_documents")],
    description="Recipe fitted to the real documents of this batch and of those before it, with the evidence of each "
    "weight, and a classifier two-sample test of real against synthetic pages, before and after.",
    check_specs=[
        inbox_check(
            "resembles_more_than_before",
            asset="fitted_recipe",
            description="Single measures tell real pages from those of the fitted recipe no better than from those of "
            "the recipe before.",
        ),
    ],
)
def fitted_recipe(
    context: dg.AssetExecutionContext, config: FitConfig, storage: Storage, plans: PlanStore, workers: Workers
) -> dg.MaterializeResult:
    """Fit the recipe."""
    from finscribe_assets.fitting.recipe_fit import FitSettings
    from finscribe_assets.iteration.inbox_recipe import FIT_PAGE_FILE, RECIPE_FILE, fit_inbox

    folder = storage.folder_of(context)
    settings = FitSettings(config.pool_documents, config.test_documents)
    fitted = fit_inbox(
        storage.batches,
        context.partition_key,
        folder,
        workers.pool(),
        settings=settings,
        on_documents=progress(context, settings.documents, "synthetic documents measured"),
    )
    return dg.MaterializeResult(
        metadata={
            "real_documents": fitted.after.real,
            "auc_before": fitted.before.auc,
            "auc_after": fitted.after.auc,
            "auc_after_interval": f"{fitted.after.low:.3f} to {fitted.after.high:.3f}",
            "single_measures_before": fitted.before.mean_giveaway,
            "single_measures_after": fitted.after.mean_giveaway,
            "giveaways": table(
                {"measure": one.measure, "auc": one.auc, "real": one.real, "synthetic": one.synthetic}
                for one in fitted.after.giveaways[:FIT_ROWS_SHOWN]
            ),
            "changed": table(
                {"weight": one.key, "from": "" if one.before is None else f"{one.before:g}", "to": f"{one.after:g}"}
                for one in fitted.changed[:FIT_ROWS_SHOWN]
            ),
            "warnings": "; ".join(fitted.warnings) or "none",
            "recipe": storage.link(folder / RECIPE_FILE),
            "report": storage.link(folder / FIT_PAGE_FILE),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="resembles_more_than_before",
                passed=fitted.after.mean_giveaway <= fitted.before.mean_giveaway,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"before": fitted.before.describe(), "after": fitted.after.describe()},
            ),
        ],
    )
