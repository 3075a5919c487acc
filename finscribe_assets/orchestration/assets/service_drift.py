"""Asset `service_drift`: whether the latest documents of the HTTP service differ from earlier ones."""

import dagster as dg

from finscribe_assets.orchestration.assets.groups import declared
from finscribe_assets.orchestration.metadata import picture, table
from finscribe_assets.orchestration.resources import ServiceLog

DRIFT_ROWS_SHOWN = 40


@dg.asset(
    **declared("real", "python", partitioned=False),
    code_version="1",
    description="The latest days of the service's log against earlier ones: confidence, contents and looks of pages. "
    "`finscribe drift` prints the same.",
    check_specs=[
        dg.AssetCheckSpec(
            "no_drift",
            asset="service_drift",
            description="No feature of the latest documents is distributed otherwise than before.",
        ),
    ],
)
def service_drift(service_log: ServiceLog) -> dg.MaterializeResult:
    """Compare the log's latest days."""
    from finscribe_assets.service.drift import drift_picture, find_drift

    data = find_drift(service_log.path, service_log.days)
    report = data.report
    day, documents, confidence, for_review = data.by_day[-1]
    return dg.MaterializeResult(
        metadata={
            "conclusion": report.conclusion,
            "reference": report.reference,
            "features": table(
                {
                    "feature": item.feature,
                    "reference": item.reference,
                    "latest": item.latest,
                    "distance": item.distance,
                    "drifted": "yes" if item.drifted else "",
                }
                for item in report.features[:DRIFT_ROWS_SHOWN]
            ),
            "comparison": picture(drift_picture(data), "the log by day, and the features that differ most"),
            "drifted_features": len(report.drifted),
            "newest_day": str(day),
            "documents": documents,
            "mean_confidence": confidence,
            "share_for_review": for_review,
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="no_drift",
                passed=not report.drifted,
                severity=dg.AssetCheckSeverity.WARN,
                description=report.conclusion,
            ),
        ],
    )
