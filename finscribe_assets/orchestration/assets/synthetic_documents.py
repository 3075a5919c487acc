"""Asset `synthetic_documents`: the documents of a batch, drawn from its plan."""

from collections import Counter

import dagster as dg

from finscribe_assets.orchestration.assets.groups import batch_check, declared
from finscribe_assets.orchestration.assets.seed_plan import seed_plan
from finscribe_assets.orchestration.metadata import column_schema, table
from finscribe_assets.orchestration.progress_messages import progress
from finscribe_assets.orchestration.resources import PlanStore, ProfileResource, Storage, Workers
from finscribe_assets.stage_versions import GENERATOR_VERSION


@dg.asset(
    **declared("synthesis", "python", "parquet"),
    deps=[seed_plan],
    code_version=str(GENERATOR_VERSION),
    description="Financial documents with exact ground truth. Each is a function of the batch's plan and its index. "
    "The plan of the first batch is `seed_plan`'s, that of a later one `hard_sample_plan`'s of the batch before.",
    metadata={"plan_of_a_later_batch_is_from": dg.MetadataValue.asset(dg.AssetKey("hard_sample_plan"))},
    check_specs=[
        batch_check("ids_are_unique", asset="synthetic_documents", blocking=True),
        batch_check(
            "arithmetic_holds",
            asset="synthetic_documents",
            blocking=True,
            description="Every calculation rule of EN 16931 that applies holds exactly.",
        ),
    ],
)
def synthetic_documents(
    context: dg.AssetExecutionContext, plans: PlanStore, storage: Storage, profile: ProfileResource, workers: Workers
) -> dg.MaterializeResult:
    """Draw the batch's documents, shard by shard."""
    from finscribe_assets.documents import calculation_rules
    from finscribe_assets.documents.document_batch import read_documents, synthesize
    from finscribe_assets.documents.document_table import DOCUMENT_TABLE_SCHEMA

    plan = plans.files.read(context.partition_key)
    folder = storage.folder_of(context)
    summary = synthesize(
        plan,
        folder,
        workers.pool(),
        shard_size=profile.shard_size,
        on_shard=progress(context, plan.documents, "documents drawn"),
    )
    ids: Counter[str] = Counter()
    types: Counter[tuple[str, str]] = Counter()
    broken_rules: list[str] = []
    example = None
    for drawn in read_documents(folder):
        document = drawn.document
        example = example or document
        ids[drawn.id] += 1
        types[document.document_type, document.locale] += 1
        amounts = calculation_rules.amounts_of(document.to_json())
        outcomes = calculation_rules.check_calculations(amounts, document.currency_code)
        broken_rules += [f"{drawn.id}: {outcome.code} at {outcome.path}" for outcome in outcomes if not outcome.holds]
    repeated = [name for name, count in ids.items() if count > 1]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": ids.total(),
            "dagster/column_schema": column_schema(DOCUMENT_TABLE_SCHEMA),
            "plan_from": f"hard_sample_plan of {plan.parent}" if plan.parent else "seed_plan",
            "shards": summary.shards,
            "shards_already_there": summary.skipped,
            "by_type_and_locale": table(
                {"document_type": str(document_type), "locale": locale, "documents": count}
                for (document_type, locale), count in sorted(types.items())
            ),
            "shares": table({"share": share.name, "documents": share.documents} for share in plan.components),
            "example": dg.MetadataValue.json(example.to_json() if example else {}),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="ids_are_unique",
                passed=not repeated,
                metadata={"repeated": dg.MetadataValue.json(repeated[:20])},
            ),
            dg.AssetCheckResult(
                check_name="arithmetic_holds",
                passed=not broken_rules,
                metadata={"broken": dg.MetadataValue.json(broken_rules[:20]), "documents": ids.total()},
            ),
        ],
    )
