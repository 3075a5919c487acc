"""Runs that `make demo` starts stand where the daemon's runs stand."""

from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.utils import make_new_run_id

from finscribe_assets.orchestration.assets.groups import batch_check
from finscribe_assets.orchestration.partitions import synthesis
from finscribe_assets.orchestration.recorded_runs import LOCATION_MODULE, LOCATION_NAME, execute_recorded
from finscribe_assets.orchestration.run_lease import LEASE_TAG, leased_in_process_executor


@dg.asset(partitions_def=synthesis, check_specs=[batch_check("fine", asset="pages", blocking=True)])
def pages(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    passed = context.partition_key == "batch-000"
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(check_name="fine", passed=passed)])


@pytest.fixture
def instance():
    with dg.instance_for_test() as made:
        made.add_dynamic_partitions("synthesis", ["batch-000", "batch-001"])
        yield made


def run(instance, key: str) -> tuple[bool, dg.DagsterRun]:
    definitions = dg.Definitions(
        [pages], jobs=[dg.define_asset_job("read", tags={"of": "job"})], executor=leased_in_process_executor
    )
    run_id = make_new_run_id()
    success = execute_recorded(definitions.resolve_job_def("read"), instance, key, {"of": "run"}, run_id)
    found = instance.get_run_by_id(run_id)
    assert found is not None
    return success, found


def test_a_run_has_the_origin_that_the_workspace_names(instance):
    success, recorded = run(instance, "batch-000")
    assert success
    assert recorded.status is dg.DagsterRunStatus.SUCCESS
    origin = recorded.remote_job_origin
    assert (origin.job_name, origin.repository_origin.repository_name) == ("read", "__repository__")
    workspace = Path(__file__).parents[2] / "workspace.yaml"
    (location,) = yaml.safe_load(workspace.read_text(encoding="utf-8"))["load_from"]
    named = location["python_module"]
    assert (named["location_name"], named["module_name"]) == (LOCATION_NAME, LOCATION_MODULE)
    assert origin.repository_origin.code_location_origin.location_name == LOCATION_NAME
    assert recorded.tags["dagster/partition"] == "batch-000"
    assert recorded.tags["of"] == "run"
    assert recorded.tags[LEASE_TAG].isdigit()


def test_a_failure_is_recorded_and_checks_are_kept_for_each_batch(instance):
    assert [run(instance, key)[0] for key in ("batch-000", "batch-001")] == [True, False]
    key = dg.AssetCheckKey(dg.AssetKey("pages"), "fine")
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=9)
    assert {record.partition: record.status.value for record in history} == {
        "batch-000": "SUCCEEDED",
        "batch-001": "FAILED",
    }
