"""Group dataset: instruction pairs of a batch, and the cumulative splits."""

import shlex

import dagster as dg
from upath import UPath

from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY
from finscribe_assets.documents.document_batch import read_documents
from finscribe_assets.exporting.folder_export import ExportFormat
from finscribe_assets.instructions import pair
from finscribe_assets.instructions.pair_batch import PAIRS_VERSION, build_pair_batch, review_pairs
from finscribe_assets.instructions.task_mix import PairRecipe
from finscribe_assets.orchestration.metadata import column_schema, table
from finscribe_assets.orchestration.partitions import batches_until, synthesis
from finscribe_assets.orchestration.resources import PlanStore, Storage, Workers, progress
from finscribe_assets.rendering.page_batch import destroyed_fields
from finscribe_assets.splitting import manifest, split_table
from finscribe_assets.splitting.leak_checks import find_leaks
from finscribe_assets.splitting.manifest import BatchInputs, build_data_set
from finscribe_assets.splitting.page_hashes import read_hashes
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits
from finscribe_assets.splitting.tool_versions import SPLITS_VERSION

GROUP = "dataset"
OWNERS = ["team:document-data"]
FEWEST_PAIRS = 5
STRATA_SHOWN = 200  # of the table in the event log; the manifest has all


@dg.asset(
    partitions_def=synthesis,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "parquet"},
    code_version=str(PAIRS_VERSION),
    description="Instruction pairs: an image region, a prompt, and the response that its pixels show.",
    metadata={"dagster/column_schema": column_schema(pair.PAIR_SCHEMA)},
    check_specs=[
        dg.AssetCheckSpec(
            "every_document_has_pairs",
            asset="instruction_pairs",
            blocking=True,
            description=f"At least {FEWEST_PAIRS} pairs a document.",
        ),
        dg.AssetCheckSpec(
            "asked_values_are_visible",
            asset="instruction_pairs",
            blocking=True,
            description="Every field that is asked for is printed on its page, and answered as illegible "
            "where damage has destroyed it.",
        ),
    ],
)
def instruction_pairs(
    context: dg.AssetExecutionContext,
    synthetic_documents: UPath,
    rendered_images: UPath,
    storage: Storage,
    workers: Workers,
) -> dg.MaterializeResult:
    """Write the batch's pairs, shard by shard."""
    folder = storage.folder_of(context)
    destroyed = destroyed_fields(rendered_images)
    printed = {document.id: document.printed.keys() for document in read_documents(synthetic_documents)}
    summary = build_pair_batch(
        synthetic_documents,
        rendered_images,
        folder,
        workers.pool(),
        PairRecipe(),
        on_shard=progress(context, len(printed), "documents paired"),
    )
    seen = review_pairs(folder, printed, destroyed)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": summary.pairs,
            "fewest_of_a_document": summary.fewest_per_document,
            "shards_already_there": summary.skipped,
            "tasks": table({"task": task, "pairs": count} for task, count in summary.tasks.items()),
            "examples": table(
                {"task": str(example.task), "prompt": example.prompt, "response": example.response[:400]}
                for example in seen.examples
            ),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="every_document_has_pairs",
                passed=summary.fewest_per_document >= FEWEST_PAIRS,
                metadata={"fewest": summary.fewest_per_document},
            ),
            dg.AssetCheckResult(
                check_name="asked_values_are_visible",
                passed=not seen.unsupported,
                metadata={"invisible": dg.MetadataValue.json(seen.unsupported[:20])},
            ),
        ],
    )


def _exports(root: str, key: str) -> str:
    """Return the commands that write this batch for other trainers."""
    command = f"finscribe export {shlex.quote(root)} --batch {key}"
    return "\n".join(["```sh", *(f"{command} --format {form} --out {form}" for form in ExportFormat), "```"])


@dg.asset(
    partitions_def=synthesis,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "parquet"},
    code_version=str(SPLITS_VERSION),
    description="Train, validation and test over all batches so far: 80/10/10 by template family and vendor, what is "
    "held out in validation and test besides. The test is the first batch's for ever. The data version is the "
    "manifest's hash.",
    metadata={"dagster/column_schema": column_schema(split_table.SPLIT_SCHEMA)},
    check_specs=[
        dg.AssetCheckSpec(
            "no_leaks",
            asset="dataset_splits",
            blocking=True,
            description="No group, id or identical document stands in two splits, nothing that was held out is in the "
            "first batch's training, no targeted document is in test, and test is the first batch's.",
        ),
        dg.AssetCheckSpec(
            "no_near_duplicates",
            asset="dataset_splits",
            blocking=True,
            description="No page looks like a page in another split.",
        ),
        dg.AssetCheckSpec("no_split_is_empty", asset="dataset_splits", blocking=True),
    ],
)
def dataset_splits(
    context: dg.AssetExecutionContext,
    synthetic_documents: UPath,
    rendered_images: UPath,
    instruction_pairs: UPath,
    storage: Storage,
    plans: PlanStore,
    workers: Workers,
) -> dg.MaterializeResult:
    """Write the manifest of all batches up to this one."""
    folder = storage.folder_of(context)
    batches = [
        BatchInputs(
            plan=plans.read(key),
            documents=storage.folder("synthetic_documents", key),
            images=storage.folder("rendered_images", key),
            pairs=storage.folder("instruction_pairs", key),
            hashes=storage.folder("dataset_splits", key) / "page_hashes",
        )
        for key in batches_until(storage.folder("instruction_pairs", context.partition_key))
    ]
    made = build_data_set(batches, context.partition_key, folder, workers.pool())
    placed = read_splits(folder)
    first_test = None
    if context.partition_key != FIRST_BATCH_KEY:
        first = read_splits(storage.folder("dataset_splits", FIRST_BATCH_KEY))
        first_test = [row.document_id for row in first if row.split is Split.TEST]
    found = find_leaks(placed, [page for batch in batches for page in read_hashes(batch.hashes)], first_test)
    alike = found.pop("near_duplicate", [])
    used = {row.split for row in placed}
    largest = sorted(made.strata, key=lambda row: -sum(int(row[str(split)]) for split in Split))[:STRATA_SHOWN]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(made.data_version()),
        metadata={
            "dagster/row_count": len(placed),
            "batches": table(
                {
                    "batch": batch.key,
                    "documents": batch.documents,
                    "pairs": batch.pairs,
                    **{str(split): batch.splits.get(split, 0) for split in Split},
                }
                for batch in made.batches
            ),
            "by_exposure": table(made.counts_by("exposure")),
            "by_type": table(made.counts_by("document_type")),
            "by_locale": table(made.counts_by("locale")),
            "by_degradation": table(made.counts_by("degradation")),
            "by_pages": table(made.counts_by("pages")),
            "strata": table(largest),
            "strata_in_all": len(made.strata),
            "held_back_near_duplicates": table(row.model_dump() for row in made.near_duplicates),
            "export": dg.MetadataValue.md(_exports(storage.root, context.partition_key)),
            "manifest": dg.MetadataValue.path(str(folder / manifest.MANIFEST_FILE)),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="no_leaks", passed=not found, metadata={"leaks": dg.MetadataValue.json(found)}
            ),
            dg.AssetCheckResult(
                check_name="no_near_duplicates",
                passed=not alike,
                metadata={"alike": dg.MetadataValue.json(alike[:20]), "held_back": len(made.near_duplicates)},
            ),
            dg.AssetCheckResult(
                check_name="no_split_is_empty", passed={Split.TRAIN, Split.VALIDATION, Split.TEST} <= used
            ),
        ],
    )
