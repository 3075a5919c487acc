"""Asset `predictions`: what a batch's adapter, and its bare base, read on validation and test documents."""

import dagster as dg
from upath import UPath

from finscribe_assets.orchestration.assets.groups import batch_check, declared
from finscribe_assets.orchestration.progress_messages import progress
from finscribe_assets.orchestration.resources import Storage


@dg.asset(
    **declared("evaluation", "pytorch", "json"),
    code_version="1",
    pool="gpu",
    description="What the adapter, and the bare base beside it, read on validation and test documents.",
    check_specs=[
        batch_check(
            "predictions_are_complete",
            asset="predictions",
            blocking=True,
            description="Every validation and test document has one prediction of each reader.",
        ),
    ],
)
def predictions(
    context: dg.AssetExecutionContext, trained_adapter: UPath, dataset_splits: UPath, storage: Storage
) -> dg.MaterializeResult:
    """Read every measured document with the adapter, with its base, and with a server where one is set."""
    from finscribe_assets.inference.server_settings import server_of_environment
    from finscribe_assets.iteration.predicting import predict_measured

    read = predict_measured(
        storage.batches,
        context.partition_key,
        lambda total, text: progress(context, total, text),
        server_of_environment(),
    )
    seconds = read.summary.seconds_per_document
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": read.documents,
            "splits": dg.MetadataValue.json(read.splits),
            "layout": read.summary.layout,
            "device": read.summary.device,
            "seconds_per_document": seconds if seconds is not None else "read in an earlier run",
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="predictions_are_complete",
                passed=not any(read.missing.values()),
                metadata={"missing": dg.MetadataValue.json(read.missing)},
            ),
        ],
    )
