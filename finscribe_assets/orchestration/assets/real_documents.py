"""Asset `real_documents`: the documents of an inbox batch, with or without ground truth."""

import dagster as dg

from finscribe_assets.orchestration.assets.groups import declared, inbox_check
from finscribe_assets.orchestration.metadata import table
from finscribe_assets.orchestration.partitions import inbox as inbox_partitions
from finscribe_assets.orchestration.resources import Inbox, Storage
from finscribe_assets.stage_versions import IMPORTER_VERSION

REJECTS_SHOWN = 50


@dg.asset(
    **declared("real", "python", "parquet"),
    code_version=str(IMPORTER_VERSION),
    description="Real documents that have come into the inbox: pages, ground truth where there is some, and what was "
    "rejected and why. None enters training unless FINSCRIBE_INBOX_TRAIN is 1. Nothing in the inbox is moved.",
    check_specs=[
        inbox_check(
            "something_can_be_read",
            asset="real_documents",
            blocking=True,
            description="At least one document of the batch was imported.",
        ),
        inbox_check("nothing_was_rejected", asset="real_documents"),
        inbox_check(
            "inbox_is_unchanged",
            asset="real_documents",
            description="All files are in the inbox as they were when the batch was made.",
        ),
    ],
)
def real_documents(context: dg.AssetExecutionContext, inbox: Inbox, storage: Storage) -> dg.MaterializeResult:
    """Import the documents of the batch."""
    from finscribe_assets.iteration.real_batches import import_batch
    from finscribe_assets.schema_mapping.mapping_files import load_mapping

    key, folder = context.partition_key, storage.folder_of(context)
    imported = import_batch(
        inbox.folder,
        inbox.batches(storage),
        folder,
        key,
        licence=inbox.licence,
        locale=inbox.locale or None,
        mapping=load_mapping(inbox.mapping) if inbox.mapping else None,
        train=inbox.train,
    )
    context.instance.add_dynamic_partitions(inbox_partitions.name or "", [key])
    report = imported.report
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": imported.usable,
            "with_truth": len(report.accepted),
            "without_truth": len(report.unlabelled),
            "not_scored": len(report.accepted) - report.scored_count,
            "copies": len(report.copies),
            "rejected": len(report.rejected),
            "pages": report.pages,
            "copies_left_out": imported.batch.copies,
            "licence": report.licence,
            "documents": table(
                {
                    "document": record["id"],
                    "name": record["name"],
                    "pages": record["pages"],
                    "truth": record.get("truth", "none"),
                }
                for record in [*report.accepted, *report.unlabelled]
            ),
            "rejects": table(
                {"name": record["name"], "field": problem["field"], "because": problem["reason"]}
                for record in report.rejected[:REJECTS_SHOWN]
                for problem in record["problems"]
            ),
            "workspace": dg.MetadataValue.path(str(folder)),
        },
        check_results=[
            dg.AssetCheckResult(check_name="something_can_be_read", passed=imported.usable > 0),
            dg.AssetCheckResult(
                check_name="nothing_was_rejected",
                passed=not report.rejected,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"rejected": len(report.rejected), "documents": report.document_count},
            ),
            dg.AssetCheckResult(
                check_name="inbox_is_unchanged",
                passed=not imported.lost,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"lost": dg.MetadataValue.json(imported.lost[:REJECTS_SHOWN])},
            ),
        ],
    )
