"""Group synthesis: the seed plan, and a batch's documents and pages."""

from collections import Counter

import dagster as dg
from upath import UPath

from finscribe_assets.documents import calculation_rules, drawn_document
from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY
from finscribe_assets.documents.document_batch import GENERATOR_VERSION, read_documents, synthesize
from finscribe_assets.documents.plan import seed_plan as make_seed_plan
from finscribe_assets.errors import UserError
from finscribe_assets.orchestration.metadata import column_schema, picture, table
from finscribe_assets.orchestration.partitions import synthesis
from finscribe_assets.orchestration.resources import PlanStore, Sizes, Storage, Workers, progress
from finscribe_assets.rendering import pages
from finscribe_assets.rendering.page_batch import RENDERER_VERSION, read_rendered, render_batch
from finscribe_assets.rendering.page_checks import page_problems
from finscribe_assets.rendering.pages import RenderedDocument
from finscribe_assets.rendering.preview import contact_sheet, preview_png, small_png
from finscribe_assets.shards import row_count, shard_files

GROUP = "synthesis"
SHEET_BYTES, SHEET_WIDTH = 100_000, 1400  # of a picture in the event log
OWNERS = ["team:document-data"]


class SeedPlanConfig(dg.Config):
    """Size of the first batch, where the profile's is not wanted."""

    documents: int | None = None
    seed: int | None = None


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"json"},
    code_version="1",
    description="Registers the first partition and writes its plan: how many documents, from which recipe and seed.",
    check_specs=[dg.AssetCheckSpec("plan_has_documents", asset="seed_plan", blocking=True)],
)
def seed_plan(
    context: dg.AssetExecutionContext, config: SeedPlanConfig, plans: PlanStore, sizes: Sizes
) -> dg.MaterializeResult:
    """Write the first plan and register its key; doing so again changes nothing."""
    profile = sizes.get()
    plan = make_seed_plan(
        FIRST_BATCH_KEY,
        profile.documents if config.documents is None else config.documents,
        profile.seed if config.seed is None else config.seed,
        profile.recipe,
    )
    path = plans.write(plan)
    context.instance.add_dynamic_partitions(synthesis.name or "", [FIRST_BATCH_KEY])
    return dg.MaterializeResult(
        metadata={
            "documents": plan.documents,
            "profile": profile.name,
            "knobs": table(
                {"knob": name, "intensity": value}
                for name, value in plan.components[0].recipe.knobs.model_dump().items()
            ),
            "plan": dg.MetadataValue.path(str(path)),
        },
        check_results=[dg.AssetCheckResult(check_name="plan_has_documents", passed=plan.documents > 0)],
    )


@dg.asset(
    partitions_def=synthesis,
    deps=[seed_plan],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "parquet"},
    code_version=str(GENERATOR_VERSION),
    description="Financial documents with exact truth, drawn from the batch's plan; each a function of plan and index.",
    metadata={"dagster/column_schema": column_schema(drawn_document.DOCUMENT_TABLE_SCHEMA)},
    check_specs=[
        dg.AssetCheckSpec("ids_are_unique", asset="synthetic_documents", blocking=True),
        dg.AssetCheckSpec(
            "arithmetic_holds",
            asset="synthetic_documents",
            blocking=True,
            description="Every calculation rule of EN 16931 that applies holds exactly.",
        ),
    ],
)
def synthetic_documents(
    context: dg.AssetExecutionContext, plans: PlanStore, storage: Storage, sizes: Sizes, workers: Workers
) -> dg.MaterializeResult:
    """Draw the batch's documents, shard by shard."""
    plan = plans.read(context.partition_key)
    folder = storage.folder_of(context)
    summary = synthesize(
        plan,
        folder,
        workers.pool(),
        shard_size=sizes.get().shard_size,
        on_shard=progress(context, plan.documents, "documents"),
    )
    ids: Counter[str] = Counter()
    broken: list[str] = []
    kinds: Counter[tuple[str, str]] = Counter()
    example = None
    for document in read_documents(folder):
        example = example or document
        ids[document.id] += 1
        kinds[document.document.document_type, document.document.locale] += 1
        outcomes = calculation_rules.check_calculations(
            calculation_rules.amounts_of(document.document.to_json()), document.document.currency_code
        )
        broken += [f"{document.id}: {outcome.code} at {outcome.path}" for outcome in outcomes if not outcome.holds]
    repeated = [name for name, count in ids.items() if count > 1]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": ids.total(),
            "shards": summary.shards,
            "shards_already_there": summary.skipped,
            "by_type_and_locale": table(
                {"document_type": str(kind), "locale": locale, "documents": count}
                for (kind, locale), count in sorted(kinds.items())
            ),
            "shares": table({"share": share.name, "documents": share.documents} for share in plan.components),
            "example": dg.MetadataValue.json(example.document.to_json() if example else {}),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="ids_are_unique",
                passed=not repeated,
                metadata={"repeated": dg.MetadataValue.json(repeated[:20])},
            ),
            dg.AssetCheckResult(
                check_name="arithmetic_holds",
                passed=not broken,
                metadata={"broken": dg.MetadataValue.json(broken[:20]), "documents": ids.total()},
            ),
        ],
    )


@dg.asset(
    partitions_def=synthesis,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "parquet"},
    code_version=str(RENDERER_VERSION),
    description="Page images of the batch's documents, with the exact boxes of all they print.",
    metadata={"dagster/column_schema": column_schema(pages.PAGE_TABLE_SCHEMA)},
    check_specs=[
        dg.AssetCheckSpec(
            "boxes_and_ink",
            asset="rendered_images",
            blocking=True,
            description="Every printed value has a box, inside its page, with ink in it.",
        ),
    ],
)
def rendered_images(
    context: dg.AssetExecutionContext, synthetic_documents: UPath, storage: Storage, sizes: Sizes, workers: Workers
) -> dg.MaterializeResult:
    """Render the batch's documents, shard by shard."""
    folder = storage.folder_of(context)
    total = sum(row_count(file) for file in shard_files(synthetic_documents))
    summary = render_batch(
        synthetic_documents,
        folder,
        workers.pool(),
        dpi=sizes.get().dpi,
        on_shard=progress(context, total, "documents rendered"),
    )
    # Each shard was checked while it was rendered; here the files are held against their documents once more.
    problems: list[str] = []
    layouts: Counter[tuple[str, str]] = Counter()
    examples: dict[str, RenderedDocument] = {}  # the first of each layout
    for document, page_images in zip(read_documents(synthetic_documents), read_rendered(folder), strict=True):
        look = document.presentation
        layouts[look.layout, look.engine] += 1
        problems += [f"{document.id}: {problem}" for problem in page_problems(document, page_images)]
        examples.setdefault(look.layout, page_images)
    if not examples:
        raise UserError(f"{context.partition_key}: the plan has no documents, so there is nothing to render")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": summary.pages,
            "documents": total,
            "shards": summary.shards,
            "shards_already_there": summary.skipped,
            "layouts": table(
                {"layout": name, "engine": engine, "documents": count}
                for (name, engine), count in sorted(layouts.items())
            ),
            "sample_page": picture(preview_png(next(iter(examples.values()))), "a first page with its boxes"),
            "contact_sheet": picture(_contact_sheet(examples, boxes=False), "a first page of each layout"),
            "contact_sheet_with_boxes": picture(_contact_sheet(examples, boxes=True), "the same, with their boxes"),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="boxes_and_ink",
                passed=not problems,
                metadata={"problems": dg.MetadataValue.json(problems[:20]), "documents": total},
            ),
        ],
    )


def _contact_sheet(examples: dict[str, RenderedDocument], *, boxes: bool) -> bytes:
    sheet = contact_sheet([examples[layout] for layout in sorted(examples)], columns=6, cell=320, boxes=boxes)
    return small_png(sheet, SHEET_BYTES, SHEET_WIDTH, colours=12)
