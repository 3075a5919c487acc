"""Group dataset: instruction pairs of a batch, and the cumulative splits."""

import dagster as dg
from upath import UPath

from finscribe_assets.documents.batch import read_documents
from finscribe_assets.instructions import pair
from finscribe_assets.instructions.batch import PAIRS_VERSION, pair_batch, read_pairs
from finscribe_assets.instructions.tasks import PairRecipe, example_of_each_task
from finscribe_assets.orchestration.metadata import column_schema, table
from finscribe_assets.orchestration.partitions import batches_until, synthesis
from finscribe_assets.orchestration.resources import Storage, Workers, progress
from finscribe_assets.profiles import FIRST_KEY
from finscribe_assets.rendering.batch import destroyed_fields
from finscribe_assets.splitting import manifest
from finscribe_assets.splitting.assign import Split
from finscribe_assets.splitting.manifest import BatchInputs, build, leaks, read_splits

GROUP = "dataset"
OWNERS = ["team:document-data"]
FEWEST_PAIRS = 5


@dg.asset(
    partitions_def=synthesis, group_name=GROUP, owners=OWNERS, kinds={"python", "parquet"},
    code_version=str(PAIRS_VERSION),
    description="Instruction pairs: an image region, a prompt, and the response that its pixels show.",
    metadata={"dagster/column_schema": column_schema(pair.SCHEMA)},
    check_specs=[
        dg.AssetCheckSpec("every_document_has_pairs", asset="instruction_pairs", blocking=True,
                          description=f"At least {FEWEST_PAIRS} pairs a document."),
        dg.AssetCheckSpec("asked_values_are_visible", asset="instruction_pairs", blocking=True,
                          description="Every field that is asked for is printed on its page, and answered as illegible "
                          "where damage has destroyed it."),
    ],
)  # fmt: skip
def instruction_pairs(
    context: dg.AssetExecutionContext, synthetic_documents: UPath, rendered_images: UPath, storage: Storage,
    workers: Workers,
) -> dg.MaterializeResult:  # fmt: skip
    """Write the batch's pairs, shard by shard."""
    folder = storage.folder_of(context)
    destroyed = destroyed_fields(rendered_images)
    printed = {document.id: document.printed.keys() for document in read_documents(synthetic_documents)}
    summary = pair_batch(
        synthetic_documents,
        rendered_images,
        folder,
        workers.pool(),
        PairRecipe(),
        on_shard=progress(context, len(printed), "documents paired"),
    )
    invisible = [
        asked.id
        for asked in read_pairs(folder)
        if asked.task in pair.OF_ONE_FIELD
        and (asked.target not in printed[asked.document_id]
             or (asked.target in destroyed.get(asked.document_id, ()) and pair.ILLEGIBLE not in asked.response))
    ]  # fmt: skip
    examples = example_of_each_task(list(read_pairs(folder)))
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": summary.pairs,
            "fewest_of_a_document": summary.fewest,
            "shards_already_there": summary.skipped,
            "tasks": table({"task": task, "pairs": count} for task, count in summary.tasks.items()),
            "examples": table({"task": str(example.task), "prompt": example.prompt, "response": example.response[:400]}
                              for example in examples),
        },
        check_results=[
            dg.AssetCheckResult(check_name="every_document_has_pairs", passed=summary.fewest >= FEWEST_PAIRS,
                                metadata={"fewest": summary.fewest}),
            dg.AssetCheckResult(check_name="asked_values_are_visible", passed=not invisible,
                                metadata={"invisible": dg.MetadataValue.json(invisible[:20])}),
        ],
    )  # fmt: skip


@dg.asset(
    partitions_def=synthesis,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "parquet"},
    code_version="1",
    description="Train, validation and test over all batches so far: 80/10/10 by template family and vendor. The test "
    "is the first batch's for ever. The data version is the manifest's hash.",
    metadata={"dagster/column_schema": column_schema(manifest.SCHEMA)},
    check_specs=[
        dg.AssetCheckSpec(
            "no_leaks",
            asset="dataset_splits",
            blocking=True,
            description="No group, id or identical document stands in two splits, and test is the first batch's.",
        ),
        dg.AssetCheckSpec("no_split_is_empty", asset="dataset_splits", blocking=True),
    ],
)
def dataset_splits(
    context: dg.AssetExecutionContext, synthetic_documents: UPath, instruction_pairs: UPath, storage: Storage
) -> dg.MaterializeResult:
    """Write the manifest of all batches up to this one."""
    folder = storage.folder_of(context)
    made = build(
        [BatchInputs(key, storage.folder("synthetic_documents", key), storage.folder("instruction_pairs", key))
         for key in batches_until(storage.folder("instruction_pairs", context.partition_key))],
        context.partition_key, folder,
    )  # fmt: skip
    rows = read_splits(folder)
    first_test = None
    if context.partition_key != FIRST_KEY:
        first = read_splits(storage.folder("dataset_splits", FIRST_KEY))
        first_test = [row.document_id for row in first if row.split is Split.TEST]
    found = leaks(rows, first_test)
    used = {row.split for row in rows}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(made.data_version()),
        metadata={
            "dagster/row_count": len(rows),
            "batches": table(
                {
                    "batch": batch.key,
                    "documents": batch.documents,
                    "pairs": batch.pairs,
                    **{str(split): batch.splits.get(split, 0) for split in Split},
                }
                for batch in made.batches
            ),
            "manifest": dg.MetadataValue.path(str(folder / manifest.MANIFEST_FILE)),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="no_leaks", passed=not found, metadata={"leaks": dg.MetadataValue.json(found)}
            ),
            dg.AssetCheckResult(
                check_name="no_split_is_empty", passed={Split.TRAIN, Split.VALIDATION, Split.TEST} <= used
            ),
        ],
    )
