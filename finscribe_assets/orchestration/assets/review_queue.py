"""Asset `review_queue`: the documents of an inbox batch in the order in which their correction is worth most."""

import dagster as dg
from upath import UPath

from finscribe_assets.iteration.batch_storage import Stage
from finscribe_assets.orchestration.assets.groups import declared, inbox_check
from finscribe_assets.orchestration.metadata import table
from finscribe_assets.orchestration.resources import Storage, UserSchema

QUEUE_ROWS_SHOWN, QUEUE_PAGES_SHOWN = 50, 6


@dg.asset(
    **declared("real", "json"),
    code_version="1",
    deps=[dg.AssetDep("real_documents")],
    description="Documents to correct, the most valuable first: low confidence, broken arithmetic, disagreement of two "
    "readers, usual fields that are missing. What their ground truth states is in no doubt.",
    check_specs=[
        inbox_check(
            "every_document_has_a_reason",
            asset="review_queue",
            description="Every document of the queue has a reason.",
        ),
    ],
)
def review_queue(
    context: dg.AssetExecutionContext, real_predictions: UPath, storage: Storage, user_schema: UserSchema
) -> dg.MaterializeResult:
    """Order the batch's documents."""
    from finscribe_assets.iteration.real_batches import QUEUE_FILE, queue_real
    from finscribe_assets.review.queue_pictures import queue_thumbnails

    key = context.partition_key
    queue = queue_real(storage.batches, key, user_schema.mapping())
    thumbnails = queue_thumbnails(
        queue[:QUEUE_PAGES_SHOWN], storage.batches.folder(Stage.REAL_DOCUMENTS, key) / "images"
    )
    without_reason = [document.id for document in queue if not document.reasons and document.gain >= 1]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(queue),
            "expected_changes": round(sum(document.gain for document in queue), 1),
            "queue": table(document.row(rank) for rank, document in enumerate(queue[:QUEUE_ROWS_SHOWN], 1)),
            "pages": dg.MetadataValue.md(thumbnails or "no document waits for correction"),
            "file": storage.link(storage.folder_of(context) / QUEUE_FILE),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="every_document_has_a_reason",
                passed=not without_reason,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"without": dg.MetadataValue.json(without_reason[:20])},
            ),
        ],
    )
