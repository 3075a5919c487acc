"""Asset `evaluation_report`: the scores of a batch's adapter, with intervals, beside other readers'."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg
from upath import UPath

from finscribe_assets.orchestration.assets.groups import batch_check, declared
from finscribe_assets.orchestration.metadata import picture, table
from finscribe_assets.orchestration.progress_messages import progress
from finscribe_assets.orchestration.resources import PlanStore, Storage

if TYPE_CHECKING:
    from finscribe_assets.evaluation.calibration import Calibration
    from finscribe_assets.evaluation.report import EvaluationReport
    from finscribe_assets.iteration.measuring import BatchReports


SLICED = ("document_type", "locale", "exposure", "item_names", "pages", "degradation")


@dg.asset(
    **declared("evaluation", "json"),
    code_version="2",
    deps=[dg.AssetDep("dataset_splits"), dg.AssetDep("reader_probe")],
    description="Scores of the adapter on validation, with intervals, beside its base and the adapter before it. Test "
    "is reported once for each adapter, and decides nothing.",
    check_specs=[
        batch_check("something_was_measured", asset="evaluation_report", blocking=True),
        batch_check(
            "better_than_base",
            asset="evaluation_report",
            description="The adapter's field F1 on validation is not below its base's.",
        ),
    ],
)
def evaluation_report(
    context: dg.AssetExecutionContext, predictions: UPath, trained_adapter: UPath, storage: Storage, plans: PlanStore
) -> dg.MaterializeResult:
    """Measure the batch's predictions."""
    from finscribe_assets.iteration.batch_documents import BASE
    from finscribe_assets.iteration.measuring import measure_batch
    from finscribe_assets.iteration.reader_probing import stored_robustness

    key = context.partition_key
    reports = measure_batch(
        storage.batches,
        key,
        lambda total, text: progress(context, total, text),
        stored_robustness(storage.batches, key, plans.files.deployment_recipe()),
    )
    report, folder = reports.validation, storage.folder_of(context)
    versus_base = report.comparisons[BASE].row()
    return dg.MaterializeResult(
        metadata={
            **{name: metric.value for name, metric in report.headline.items() if metric},
            "base_field_f1": versus_base["other_field_f1"],
            "base_difference_p": versus_base["p"],
            **_tables(report, reports.test),
            "worst_page": _worst_page(reports),
            "reliability": _reliability(report.calibration),
            "report": storage.link(folder / "report.html"),
            "worst_pages": storage.link(folder / "report.html", "worst"),
            "test_report": storage.link(folder / "test.html"),
            "note": reports.note or f"scores of {reports.base}",
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="something_was_measured", passed=report.headline.get("field_f1") is not None
            ),
            dg.AssetCheckResult(
                check_name="better_than_base",
                passed=versus_base["difference"] >= 0,
                severity=dg.AssetCheckSeverity.WARN,
                metadata=dict(versus_base),
            ),
        ],
    )


def _tables(report: "EvaluationReport", test: "EvaluationReport") -> Mapping[str, Any]:
    from finscribe_assets.evaluation.report import headline_rows, target_rows

    return {
        "validation": table(headline_rows(report)),
        "test": table(headline_rows(test)),
        "targets": table(target_rows(report.targets)),
        "comparisons": table({"reader": name, **pair.row()} for name, pair in report.comparisons.items()),
        "by_element": table(tally.model_dump(exclude={"precision", "recall"}) for tally in report.by_element),
        "by_rule": table(tally.model_dump() for tally in report.by_rule),
        **{f"by_{name}": table(part.row() for part in report.sliced_by(name)) for name in SLICED},
        "test_by_exposure": table(part.row() for part in test.sliced_by("exposure")),
        "responses": table({"parse_status": name, "documents": count} for name, count in report.parse_statuses.items()),
        "worst": table(
            {"document": poor.id, "field_f1": poor.field_f1, "failed": len(poor.failed)} for poor in report.worst
        ),
    }


def _worst_page(reports: "BatchReports") -> dg.MarkdownMetadataValue | str:
    if not reports.validation.worst:
        return "every document was read without an error"
    shown = reports.worst_pages[reports.validation.worst[0].id][0]
    return dg.MetadataValue.md(f"![{shown.text}]({shown.source})")


def _reliability(measured: "Calibration | None") -> dg.MarkdownMetadataValue | str:
    from finscribe_assets.evaluation.calibration import reliability_diagram

    if not measured:
        return "no prediction has a confidence"
    text = (
        f"reliability diagram: calibration error {measured.error} over {measured.n} values; "
        f"{measured.expected_if_calibrated} by chance"
    )
    return picture(reliability_diagram(measured), text)
