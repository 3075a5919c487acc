"""Asset `hard_sample_plan`: what harms the adapter in use, the next batch's plan, and whether to go on."""

import os
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field
from upath import UPath

from finscribe_assets.orchestration.assets.groups import batch_check, declared
from finscribe_assets.orchestration.metadata import picture, table
from finscribe_assets.orchestration.resources import PlanStore, ProfileResource, Storage

if TYPE_CHECKING:
    from finscribe_assets.mining.error_cells import ErrorCell


class MiningConfig(dg.Config):
    """How the next batch is planned."""

    rule: str = Field(
        default="probe",
        description="probe: plan for the factors that a probe found harmful; or one of "
        "mining.allocation.ALLOCATION_RULES, to plan from what failures of validation documents share",
    )
    disabled: list[str] = Field(
        default=[],
        description="factors (degradation, font:Lato) and cells (amount×sign) that get no documents, besides those "
        "named in the environment variable FINSCRIBE_DISABLE, separated by commas",
    )
    as_new_batch: bool = Field(
        default=False,
        description="if documents of the next batch have been drawn from another plan: store this plan under the next "
        "free key, instead of refusing it",
    )

    def all_disabled(self) -> list[str]:
        """Return what a person has disabled: for this run, or for all runs (the sensor's too)."""
        named = os.environ.get("FINSCRIBE_DISABLE", "").split(",")
        return [*self.disabled, *(name for name in named if name.strip())]


@dg.asset(
    **declared("evaluation", "json"),
    code_version="3",
    deps=[dg.AssetDep("evaluation_report"), dg.AssetDep("adapter_registry")],
    description="The plan of the next batch: documents that show the factors which harm the adapter in use most, for "
    "each document that the recipe draws. There is no plan if nothing is harmful. The sensor starts the next batch, "
    "whose `synthetic_documents` are drawn from this plan: with this edge the loop closes. Dagster's graph has no "
    "cycles, so the metadata of both assets has the edge.",
    metadata={"next_batch_is_drawn_by": dg.MetadataValue.asset(dg.AssetKey("synthetic_documents"))},
    check_specs=[
        batch_check(
            "plan_is_within_bounds",
            asset="hard_sample_plan",
            blocking=True,
            description="Knobs are between 0 and 1, and nothing disabled is planned.",
        ),
    ],
)
def hard_sample_plan(
    context: dg.AssetExecutionContext,
    config: MiningConfig,
    predictions: UPath,
    reader_probe: UPath,
    exam: UPath,
    storage: Storage,
    plans: PlanStore,
    profile: ProfileResource,
) -> dg.MaterializeResult:
    """Plan the next batch where there is something to plan, and record the iteration."""
    from finscribe_assets.iteration.loop_picture import loop_picture, loop_steps
    from finscribe_assets.iteration.next_batch import plan_next_batch
    from finscribe_assets.mining.factor_plan import explain_factors
    from finscribe_assets.mining.heatmap import heat_map

    disabled = config.all_disabled()
    result = plan_next_batch(
        storage.batches,
        plans.files,
        context.partition_key,
        profile.targeted_documents,
        limit=profile.iteration_limit,
        threshold=profile.worthwhile_gain,
        rule=config.rule,
        disabled=disabled,
        as_new_batch=config.as_new_batch,
    )
    mined, plan = result.mined, result.plan
    steps = loop_steps(storage.batches, plans.files, context.partition_key)
    return dg.MaterializeResult(
        metadata={
            "decision": result.decision.reason,
            "next_batch": result.decision.next_key or "none",
            "accuracy": steps[-1].record.accuracy,
            "gain": steps[-1].record.gain,
            "promise": table(promise.row() for promise in steps[-1].kept),
            "loop": picture(loop_picture(steps), "the loop so far: accuracy before and after each batch"),
            "plan": table(explain_factors(result.harmful)),
            "shares": table(
                {"share": part.name, "documents": part.documents}
                for part in (plan.components if plan else ())
                if part.documents
            ),
            "iterations": table(step.record.row() for step in steps),
            "disabled": ", ".join(disabled) or "nothing",
            "weak_cells": len(mined.weak),
            "cells": table(_cell_row(cell) for cell in mined.cells[:40]),
            "cell_examples": dg.MetadataValue.md(
                "\n".join(f"- {cell.name}: `{cell.examples[0]}`" for cell in mined.cells[:40] if cell.examples)
                or "no field failed"
            ),
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


def _cell_row(cell: "ErrorCell") -> dict[str, object]:
    return {
        "element": cell.element,
        "error_type": cell.error_type,
        "failures": f"{cell.failures:,} of {cell.trials:,}",
        "lower_bound": cell.lower_bound,
        "state": cell.state,
    }


def _heat_map_text(cells: "tuple[ErrorCell, ...]") -> str:
    largest = "; ".join(f"{cell.element} {cell.error_type} {cell.failures}" for cell in cells[:12])
    return f"heat map of element × error type: {largest}"
