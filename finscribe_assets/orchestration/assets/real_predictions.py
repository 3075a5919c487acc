"""Asset `real_predictions`: what adapters read on the real documents of an inbox batch."""

import dagster as dg
from pydantic import Field
from upath import UPath

from finscribe_assets.orchestration.assets.groups import declared, inbox_check
from finscribe_assets.orchestration.metadata import table
from finscribe_assets.orchestration.progress_messages import progress
from finscribe_assets.orchestration.resources import ProfileResource, Storage, UserSchema


class ReadersConfig(dg.Config):
    """Which adapters read."""

    adapters: list[str] = Field(
        default=[],
        description="batch keys of adapters, `base`, or `server` (the model of FINSCRIBE_SERVER_URL), the one that is "
        "measured first; the adapter in use, and beside it the bare base and the server if one is set, if empty",
    )


@dg.asset(
    **declared("real", "pytorch", "json"),
    code_version="1",
    pool="gpu",
    description="What the promoted adapter, and a second reader beside it, read on real documents: at lines that a "
    "text detector finds, or whole pages by a model that reads pages.",
    check_specs=[
        inbox_check(
            "predictions_are_complete",
            asset="real_predictions",
            blocking=True,
            description="Every document has one prediction of each reader.",
        ),
        inbox_check(
            "something_was_read",
            asset="real_predictions",
            description="The first reader has found a value on at least one document.",
        ),
    ],
)
def real_predictions(
    context: dg.AssetExecutionContext,
    config: ReadersConfig,
    real_documents: UPath,
    storage: Storage,
    profile: ProfileResource,
    user_schema: UserSchema,
) -> dg.MaterializeResult:
    """Read every document with each reader."""
    from finscribe_assets.inference.server_settings import server_of_environment
    from finscribe_assets.iteration.real_batches import predict_real, readers_of

    server = server_of_environment()
    readers = readers_of(storage.batches, config.adapters, server)
    read = predict_real(
        storage.batches,
        context.partition_key,
        readers,
        profile.training_config().base,
        lambda total, text: progress(context, total, text),
        server,
        user_schema.mapping(),
    )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": read.documents,
            "readers": table(
                {
                    "reader": reader,
                    "layout": summary.layout or "none: whole pages",
                    "seconds_per_document": summary.seconds_per_document,
                    "documents": summary.documents,
                    "without a value": read.empty[reader],
                }
                for reader, summary in read.summaries.items()
            ),
            "device": read.summaries[readers[0]].device,
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="predictions_are_complete",
                passed=not any(read.missing.values()),
                metadata={"missing": dg.MetadataValue.json(read.missing)},
            ),
            dg.AssetCheckResult(
                check_name="something_was_read",
                passed=read.empty[readers[0]] < read.documents,
                severity=dg.AssetCheckSeverity.WARN,
            ),
        ],
    )
