"""Asset `hard_sample_plan`: what a batch's adapter is weak at, the next batch's plan, and whether to go on."""

import os

import dagster as dg
from pydantic import Field
from upath import UPath

from finscribe_assets.iteration.next_batch import plan_next_batch
from finscribe_assets.mining.error_cells import ErrorCell
from finscribe_assets.mining.heatmap import heat_map
from finscribe_assets.mining.learning_history import LEARNING_ASSUMPTION
from finscribe_assets.mining.planning import weak_cell_rows
from finscribe_assets.orchestration.assets.groups import declared
from finscribe_assets.orchestration.metadata import picture, table
from finscribe_assets.orchestration.resources import PlanStore, ProfileResource, Storage


class MiningConfig(dg.Config):
    """How the next batch is planned."""

    rule: str = Field(default="portfolio", description="allocation rule, one of mining.allocation.ALLOCATION_RULES")
    disabled: list[str] = Field(
        default=[],
        description="cells (amount×sign) and knobs (degradation, font:Lato) that get no documents, besides those named "
        "in the environment variable FINSCRIBE_DISABLE, separated by commas",
    )

    def all_disabled(self) -> list[str]:
        """Return what a person has disabled: for this run, or for all runs (the sensor's too)."""
        named = os.environ.get("FINSCRIBE_DISABLE", "").split(",")
        return [*self.disabled, *(name for name in named if name.strip())]


@dg.asset(
    **declared("evaluation", "json"),
    code_version="2",
    deps=[dg.AssetDep("evaluation_report")],
    description="What the adapter is weak at on validation, and the plan of the next batch: base recipe, a floor over "
    "all knobs, and the weak cells. There is no plan without a weak cell. The sensor starts the next iteration.",
    check_specs=[
        dg.AssetCheckSpec(
            "plan_is_within_bounds",
            asset="hard_sample_plan",
            blocking=True,
            description="Knobs are between 0 and 1, at least half of the documents come from the base recipe, and "
            "nothing disabled is planned.",
        ),
    ],
)
def hard_sample_plan(
    context: dg.AssetExecutionContext,
    config: MiningConfig,
    predictions: UPath,
    storage: Storage,
    plans: PlanStore,
    profile: ProfileResource,
) -> dg.MaterializeResult:
    """Mine the batch's predictions, and store the next batch's plan where there is one."""
    disabled = config.all_disabled()
    result = plan_next_batch(
        storage.batches,
        plans.files,
        context.partition_key,
        profile.targeted_documents,
        limit=profile.iteration_limit,
        threshold=profile.plateau_threshold,
        rule=config.rule,
        disabled=disabled,
    )
    mined = result.mined
    plan = mined.explained
    return dg.MaterializeResult(
        metadata={
            "weak_cells": len(mined.weak),
            "decision": result.decision.reason,
            "next_batch": result.decision.next_key or "none",
            "plan": dg.MetadataValue.text(plan) if isinstance(plan, str) else table(plan),
            "plan_by_cell": table(weak_cell_rows(mined.weak)),
            "disabled": ", ".join(mined.plan.disabled if mined.plan else disabled) or "nothing",
            "assumption": LEARNING_ASSUMPTION,
            "cells": table(_cell_row(cell) for cell in mined.cells[:40]),
            "confusion": picture(heat_map(mined.cells), _heat_map_text(mined.cells)),
            "low_confidence": table(field.model_dump() for field in mined.low_confidence[:20]),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="plan_is_within_bounds",
                passed=not result.problems,
                metadata={"problems": dg.MetadataValue.json(result.problems)},
            ),
        ],
    )


def _cell_row(cell: ErrorCell) -> dict[str, object]:
    return {
        "element": cell.element,
        "error_type": cell.error_type,
        "failures": cell.failures,
        "trials": cell.trials,
        "lower_bound": cell.lower_bound,
        "state": cell.state,
        "example": cell.examples[0] if cell.examples else "",
    }


def _heat_map_text(cells: tuple[ErrorCell, ...]) -> str:
    largest = "; ".join(f"{cell.element} {cell.error_type} {cell.failures}" for cell in cells[:12])
    return f"heat map of element × error type: {largest}"
