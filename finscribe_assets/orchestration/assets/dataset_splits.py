"""Asset `dataset_splits`: train, validation and test over all batches so far, and the manifest that lists them."""

import shlex
from typing import TYPE_CHECKING

import dagster as dg
from upath import UPath

from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY
from finscribe_assets.iteration.batch_storage import Stage
from finscribe_assets.orchestration.assets.groups import batch_check, declared
from finscribe_assets.orchestration.metadata import column_schema, table
from finscribe_assets.orchestration.resources import PlanStore, Storage, Workers
from finscribe_assets.stage_versions import SPLITS_VERSION

if TYPE_CHECKING:
    from finscribe_assets.splitting.manifest import Manifest


STRATA_SHOWN = 200  # rows of the table in the event log; the manifest holds all


@dg.asset(
    **declared("dataset", "python", "parquet"),
    code_version=str(SPLITS_VERSION),
    description="Cumulative train, validation and test splits: 80/10/10 by template family and vendor; held-out "
    "things only in validation and test. The test set is fixed at batch-000. The data version is the manifest's hash.",
    check_specs=[
        batch_check(
            "no_leaks",
            asset="dataset_splits",
            blocking=True,
            description="No group, id or identical document is in two splits, nothing held out is in the first "
            "batch's training, no targeted document is in test, and test is the first batch's.",
        ),
        batch_check(
            "no_near_duplicates",
            asset="dataset_splits",
            blocking=True,
            description="No page looks like a page of another split.",
        ),
        batch_check("no_split_is_empty", asset="dataset_splits", blocking=True),
        batch_check(
            "plans_are_those_of_the_documents",
            asset="dataset_splits",
            blocking=True,
            description="The shards of each batch name the plan that the manifest states.",
        ),
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
    from finscribe_assets.splitting import manifest
    from finscribe_assets.splitting.leak_checks import find_leaks
    from finscribe_assets.splitting.manifest import BatchInputs
    from finscribe_assets.splitting.page_hashes import read_hashes
    from finscribe_assets.splitting.split_assignment import Split
    from finscribe_assets.splitting.split_table import SPLIT_SCHEMA, read_splits

    key, batches, folder = context.partition_key, storage.batches, storage.folder_of(context)
    inputs = [
        BatchInputs(
            plan=plans.files.read(batch),
            documents=batches.folder(Stage.SYNTHETIC_DOCUMENTS, batch),
            images=batches.folder(Stage.RENDERED_IMAGES, batch),
            pairs=batches.folder(Stage.INSTRUCTION_PAIRS, batch),
            hashes=batches.folder(Stage.DATASET_SPLITS, batch) / "page_hashes",
        )
        for batch in batches.keys_until(Stage.INSTRUCTION_PAIRS, key)
    ]
    built = manifest.build_data_set(inputs, key, folder, workers.pool())
    rows = read_splits(folder)
    first_rows = read_splits(batches.folder(Stage.DATASET_SPLITS, FIRST_BATCH_KEY)) if key != FIRST_BATCH_KEY else []
    first_test = [row.document_id for row in first_rows if row.split is Split.TEST] if first_rows else None
    found = find_leaks(rows, [page for batch in inputs for page in read_hashes(batch.hashes)], first_test)
    near_duplicates = found.pop("near_duplicate", [])
    return dg.MaterializeResult(
        data_version=dg.DataVersion(built.data_version()),
        metadata={
            "dagster/row_count": len(rows),
            "dagster/column_schema": column_schema(SPLIT_SCHEMA),
            **_tables(built),
            "export": dg.MetadataValue.md(_exports(storage.root, key)),
            "manifest": storage.link(folder / manifest.MANIFEST_FILE),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="no_leaks", passed=not found, metadata={"leaks": dg.MetadataValue.json(found)}
            ),
            dg.AssetCheckResult(
                check_name="no_near_duplicates",
                passed=not near_duplicates,
                metadata={
                    "near_duplicates": dg.MetadataValue.json(near_duplicates[:20]),
                    "held_back": len(built.near_duplicates),
                },
            ),
            dg.AssetCheckResult(
                check_name="plans_are_those_of_the_documents",
                passed=not built.wrong_plans(),
                metadata={
                    "drawn_from_another_plan": dg.MetadataValue.json(built.wrong_plans()),
                    "plans": table(
                        {"batch": batch.key, "plan": batch.plan.content_hash()[:12], "seed": batch.plan.seed}
                        for batch in built.batches
                    ),
                },
            ),
            dg.AssetCheckResult(
                check_name="no_split_is_empty",
                passed={Split.TRAIN, Split.VALIDATION, Split.TEST} <= {row.split for row in rows},
            ),
        ],
    )


def _tables(built: "Manifest") -> dict[str, dg.MetadataValue]:
    from finscribe_assets.splitting.split_assignment import Split

    largest = sorted(built.strata, key=lambda row: -sum(int(row[str(split)]) for split in Split))[:STRATA_SHOWN]
    return {
        "batches": table(
            {
                "batch": batch.key,
                "documents": batch.documents,
                "pairs": batch.pairs,
                **{str(split): batch.splits.get(split, 0) for split in Split},
            }
            for batch in built.batches
        ),
        **{
            f"by_{name}": table(built.counts_by(dimension))
            for name, dimension in (
                ("exposure", "exposure"),
                ("type", "document_type"),
                ("locale", "locale"),
                ("degradation", "degradation"),
                ("pages", "pages"),
            )
        },
        "strata": table(
            {
                "stratum": ", ".join(str(value) for name, value in row.items() if name not in set(Split)),
                **{name: value for name, value in row.items() if name in set(Split)},
            }
            for row in largest
        ),
        "strata_in_all": dg.MetadataValue.int(len(built.strata)),
        "held_back_near_duplicates": table(row.model_dump() for row in built.near_duplicates),
    }


def _exports(root: str, key: str) -> str:
    """Return the commands that write this batch for other trainers, as Markdown."""
    from finscribe_assets.exporting.folder_export import ExportFormat

    command = f"finscribe export {shlex.quote(root)} --batch {key}"
    return "\n".join(["```sh", *(f"{command} --format {form} --out {form}" for form in ExportFormat), "```"])
