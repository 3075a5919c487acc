"""Asset `adapter_registry`: whether a batch's adapter comes into use, and which adapter is in use after it."""

import dagster as dg
from upath import UPath

from finscribe_assets.orchestration.assets.groups import batch_check, declared
from finscribe_assets.orchestration.metadata import table
from finscribe_assets.orchestration.resources import Storage


@dg.asset(
    **declared("evaluation", "json"),
    code_version="1",
    description="The gate's decision about the batch's adapter. It comes into use if it is better on the exam than the "
    "adapter in use, no factor is significantly worse, and neither the base recipe's documents nor the stock prompts "
    "got worse. The next iteration starts from the adapter in use; `extract` and `merge` take it.",
    check_specs=[
        batch_check("adapter_is_promoted", asset="adapter_registry", description="The batch's adapter came into use."),
    ],
)
def adapter_registry(context: dg.AssetExecutionContext, exam: UPath, storage: Storage) -> dg.MaterializeResult:
    """Judge the batch's adapter by its exam."""
    from finscribe_assets.iteration.next_batch import exam_results
    from finscribe_assets.iteration.promoting import adapter_in_use, decisions_until, judge_adapter, withdrawal_steps
    from finscribe_assets.promotion.adapter_withdrawals import registry_rows

    key = context.partition_key
    decision = judge_adapter(storage.batches, key, exam_results(storage.batches, key))
    in_use = adapter_in_use(storage.batches, key)
    verdict = decision.verdict
    steps = [step for step in withdrawal_steps(storage.batches) if step.after <= key]
    return dg.MaterializeResult(
        metadata={
            "in_use": in_use.key if in_use else "bare base",
            "why": verdict.reason,
            "accuracy": decision.accuracy,
            "gain": verdict.overall.gain,
            "checks": table(check.model_dump() for check in verdict.checks),
            "parts": table(verdict.rows()),
            "adapters": table(registry_rows(decisions_until(storage.batches, key), steps)),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="adapter_is_promoted",
                severity=dg.AssetCheckSeverity.WARN,
                passed=verdict.promoted,
                metadata={"why": verdict.reason},
            ),
        ],
    )
