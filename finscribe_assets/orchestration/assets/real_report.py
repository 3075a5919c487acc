"""Asset `real_report`: the scores of a reader on the real documents of an inbox batch that have ground truth."""

from typing import TYPE_CHECKING

import dagster as dg
from upath import UPath

from finscribe_assets.orchestration.assets.groups import declared, inbox_check
from finscribe_assets.orchestration.metadata import table
from finscribe_assets.orchestration.progress_messages import progress
from finscribe_assets.orchestration.resources import Storage, UserSchema

if TYPE_CHECKING:
    from finscribe_assets.evaluation.report import EvaluationReport


@dg.asset(
    **declared("real", "json"),
    code_version="1",
    description="Scores on the documents that have ground truth, of the fields that it states, beside a second "
    "reader. What has none is counted.",
    check_specs=[
        inbox_check(
            "something_was_measured",
            asset="real_report",
            description="At least one document has ground truth.",
        ),
    ],
)
def real_report(
    context: dg.AssetExecutionContext,
    real_documents: UPath,
    real_predictions: UPath,
    storage: Storage,
    user_schema: UserSchema,
) -> dg.MaterializeResult:
    """Measure the batch's predictions where there is something to measure them against."""
    from finscribe_assets.iteration.real_batches import measure_real

    measured = measure_real(
        storage.batches,
        context.partition_key,
        lambda total: progress(context, total, "documents measured"),
        user_schema.mapping(),
    )
    report = measured.report
    return dg.MaterializeResult(
        metadata={
            **measured.counts,
            **(_scores(report) if report else {"note": "no document of the batch has ground truth, so none is scored"}),
            "report": storage.link(storage.folder_of(context) / "report.html"),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="something_was_measured",
                passed=report is not None,
                severity=dg.AssetCheckSeverity.WARN,
                metadata=dict(measured.counts),
            ),
        ],
    )


def _scores(report: "EvaluationReport") -> dict[str, dg.MetadataValue | float | str]:
    from finscribe_assets.evaluation.report import headline_rows, target_rows

    return {
        **{name: metric.value for name, metric in report.headline.items() if metric},
        "reader": report.reader,
        "scores": table(headline_rows(report)),
        "targets": table(target_rows(report.targets)),
        "comparisons": table({"reader": name, **pair.row()} for name, pair in report.comparisons.items()),
        "by_element": table(tally.model_dump(exclude={"precision", "recall"}) for tally in report.by_element),
        "worst": table(
            {"document": poor.id, "field_f1": poor.field_f1, "failed": len(poor.failed)} for poor in report.worst
        ),
    }
