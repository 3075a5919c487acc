"""Drift in the platform: a run for each day of the service's log, and a check that warns."""

from __future__ import annotations

import dagster as dg

from finscribe_assets.orchestration.assets import all_assets
from finscribe_assets.orchestration.assets.service_drift import service_drift
from finscribe_assets.orchestration.jobs import read_inbox
from finscribe_assets.orchestration.resources import ServiceLog
from finscribe_assets.orchestration.sensors import watch_service_log
from finscribe_assets_tests.service.test_drift import START, write_log


def materialise(folder) -> dg.ExecuteInProcessResult:
    return dg.materialize([service_drift], resources={"service_log": ServiceLog(folder=str(folder))})


def test_a_drift_is_a_warning_of_the_check(tmp_path):
    write_log(tmp_path, 14, noise=3, confidence=0.95)
    (check,) = materialise(tmp_path).get_asset_check_evaluations()
    assert check.passed
    write_log(tmp_path, 7, noise=9, confidence=0.95, first=14)
    result = materialise(tmp_path)
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    (event,) = result.asset_materializations_for_node("service_drift")
    assert event.metadata["drifted_features"].value == 1
    assert "measures.noise" in event.metadata["conclusion"].value
    assert "data:image/png" in event.metadata["comparison"].value


def test_the_sensor_asks_for_one_run_for_each_day_that_is_over(tmp_path):
    def tick(folder: str) -> dg.RunRequest | dg.SkipReason:
        return watch_service_log(dg.build_sensor_context(), service_log=ServiceLog(folder=folder))

    assert "FINSCRIBE_SERVICE_LOG" in str(tick("").skip_message)
    assert "no day that is over" in str(tick(str(tmp_path)).skip_message)
    write_log(tmp_path, 2, noise=3, confidence=0.95)
    assert tick(str(tmp_path)).run_key == f"service-drift-{START.replace(day=2)}"


def test_the_drift_is_no_part_of_reading_an_inbox_batch():
    assert service_drift.key not in read_inbox.selection.resolve(all_assets)
