from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation
from dagster._core.events import StepMaterializationData
from dagster._core.test_utils import create_run_for_test

from finscribe_assets.files import write_text
from finscribe_assets.iteration import run_attempts
from finscribe_assets.iteration.batch_storage import Stage
from finscribe_assets.iteration.history import RECORD_FILE
from finscribe_assets.orchestration.assets import iteration_assets, iteration_keys
from finscribe_assets.orchestration.partitions import synthesis
from finscribe_assets.orchestration.sensors import retrain_on_weak_cells
from finscribe_assets.promotion.paired_gain import Progress
from finscribe_assets_tests.iteration.test_decision import recorded

from .conftest import platform_at

PLAN = str(Stage.HARD_SAMPLE_PLAN)


@pytest.fixture
def fresh(tmp_path):
    with dg.DagsterInstance.ephemeral() as instance:
        yield platform_at(tmp_path, instance)


def finish(platform, key: str, **values) -> None:
    """Leave what an iteration leaves: its record, and the event of its plan."""
    platform.instance.add_dynamic_partitions(synthesis.name, [key])
    number = int(key.removeprefix("batch-"))
    record = recorded(key, next_key=f"batch-{number + 1:03d}").model_copy(update=values)
    write_text(platform.storage.folder(PLAN, key) / RECORD_FILE, record.model_dump_json())
    platform.instance.report_runless_asset_event(dg.AssetMaterialization(PLAN, partition=key))


def tick(platform, cursor: str | None = None):
    context = dg.build_sensor_context(
        instance=platform.instance,
        cursor=cursor,
        resources={name: platform.defs.resources[name] for name in ("storage", "profile")},
        definitions=platform.defs,
    )
    return retrain_on_weak_cells(context)


def said_by(result: dg.SensorResult) -> str:
    return result.skip_reason.skip_message


def test_it_is_on_by_default():
    assert retrain_on_weak_cells.default_status is dg.DefaultSensorStatus.RUNNING


def test_before_the_first_plan_it_says_so(fresh):
    assert said_by(tick(fresh)) == "There is no plan yet."


def test_weak_cells_register_the_next_batch_and_run_its_iteration(fresh):
    finish(fresh, "batch-000")
    result = tick(fresh)
    (request,) = result.run_requests
    assert (request.run_key, request.partition_key) == ("batch-001", "batch-001")
    assert result.dynamic_partitions_requests[0].partition_keys == ["batch-001"]
    selected = {
        key.to_user_string() for key in fresh.defs.resolve_job_def("next_iteration").asset_layer.selected_asset_keys
    }
    assert retrain_on_weak_cells.job_name == "next_iteration"
    assert "seed_plan" not in selected
    assert {"synthetic_documents", "exam", "hard_sample_plan"} <= selected


def test_an_iteration_that_came_to_its_plan_between_two_ticks_is_not_run_again(fresh):
    finish(fresh, "batch-000")
    finish(fresh, "batch-001")
    assert [request.run_key for request in tick(fresh).run_requests] == ["batch-002"]


def test_the_same_batch_has_the_same_run_key_however_often_it_is_planned(fresh):
    finish(fresh, "batch-000")
    first = tick(fresh)
    finish(fresh, "batch-000")
    second = tick(fresh, first.cursor)
    assert [request.run_key for request in second.run_requests] == ["batch-001"]  # which Dagster has seen, and skips


def test_the_reason_of_a_standstill_is_given_at_every_tick(fresh):
    finish(fresh, "batch-000", next_key=None, weak=0)
    first = tick(fresh)
    second = tick(fresh, first.cursor)
    assert said_by(first) == said_by(second)
    assert "no factor harms the reader" in said_by(second)


def test_a_cursor_of_an_earlier_version_is_understood(fresh):
    finish(fresh, "batch-000")
    last = fresh.instance.fetch_materializations(dg.AssetRecordsFilter(dg.AssetKey(PLAN)), limit=1).records[0]
    assert not tick(fresh, str(last.storage_id)).run_requests
    assert tick(fresh, str(last.storage_id - 1)).run_requests


def run_of(platform, key: str, status: dg.DagsterRunStatus, made: tuple[str, ...] = (), failed_check: str = ""):
    """Record a run of a batch's iteration that made some assets."""
    run = create_run_for_test(
        platform.instance, job_name="next_iteration", status=status, tags={"dagster/partition": key}
    )
    for name in made:
        event = dg.AssetMaterialization(name, partition=key)
        data = StepMaterializationData(event)
        log(platform.instance, run.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION, data)
    if failed_check:
        check = AssetCheckEvaluation(asset_key=dg.AssetKey(failed_check), check_name="c", passed=False, metadata={})
        log(platform.instance, run.run_id, dg.DagsterEventType.ASSET_CHECK_EVALUATION, check)
    return run


def log(instance, run_id: str, event_type: dg.DagsterEventType, data) -> None:
    event = dg.DagsterEvent(event_type.value, "next_iteration", event_specific_data=data)
    instance.report_dagster_event(event, run_id)


def test_a_failed_run_is_started_again_from_where_it_failed_and_only_when_its_wait_is_over(fresh, monkeypatch):
    finish(fresh, "batch-000")
    first = tick(fresh)
    run_of(
        fresh,
        "batch-001",
        dg.DagsterRunStatus.FAILURE,
        ("synthetic_documents", "rendered_images", "instruction_pairs"),
        failed_check="instruction_pairs",
    )
    waiting = tick(fresh, first.cursor)
    assert not waiting.run_requests
    assert "attempt 2 of 3 starts at" in said_by(waiting)
    monkeypatch.setattr(run_attempts, "FIRST_WAIT", timedelta(0))
    (request,) = tick(fresh, waiting.cursor).run_requests
    assert request.run_key == "batch-001/attempt-2"
    selected = {key.to_user_string() for key in request.asset_selection}
    assert not {"synthetic_documents", "rendered_images"} & selected
    assert {"instruction_pairs", "dataset_splits", "trained_adapter", PLAN} <= selected


def test_it_gives_up_after_three_failures_and_says_so_at_every_tick(fresh, monkeypatch):
    monkeypatch.setattr(run_attempts, "FIRST_WAIT", timedelta(0))
    finish(fresh, "batch-000")
    cursor = tick(fresh).cursor
    for _ in range(3):
        run_of(fresh, "batch-001", dg.DagsterRunStatus.FAILURE)
    for _ in range(2):
        result = tick(fresh, cursor)
        cursor = result.cursor
        assert not result.run_requests
        assert "batch-001 failed 3 times" in said_by(result)


def test_a_run_that_a_person_cancelled_is_left_alone_one_that_a_signal_ended_is_not(fresh, monkeypatch):
    monkeypatch.setattr(run_attempts, "FIRST_WAIT", timedelta(0))
    finish(fresh, "batch-000")
    cursor = tick(fresh).cursor
    run = run_of(fresh, "batch-001", dg.DagsterRunStatus.CANCELED)
    assert [request.run_key for request in tick(fresh, cursor).run_requests] == ["batch-001/attempt-2"]
    log(fresh.instance, run.run_id, dg.DagsterEventType.RUN_CANCELING, None)
    fresh.instance.report_run_canceled(fresh.instance.get_run_by_id(run.run_id))
    assert "was cancelled" in said_by(tick(fresh, cursor))


def test_the_assets_of_an_iteration_are_listed_after_what_they_depend_on():
    before: set[dg.AssetKey] = set()
    for asset in iteration_assets:
        before.add(asset.key)
        assert (asset.dependency_keys & set(iteration_keys)) <= before


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ({"next_key": None, "weak": 0}, "nothing weak: batch-001: no factor harms the reader"),
        ({"promoted": False, "progress": Progress.NO_GAIN}, "plateau: no gain"),
    ],
)
def test_it_stops_with_a_readable_reason(fresh, last, said):
    finish(fresh, "batch-000", promoted=False, progress=Progress.NO_GAIN)
    finish(fresh, "batch-001", **last)
    cursor = str(
        fresh.instance.fetch_materializations(dg.AssetRecordsFilter(dg.AssetKey(PLAN)), limit=2).records[-1].storage_id
    )
    result = tick(fresh, cursor)
    assert not result.run_requests
    assert said in said_by(result)


def test_it_stops_at_the_iteration_limit(fresh):
    for number in range(3):
        finish(fresh, f"batch-{number:03d}")
    result = tick(fresh)
    assert not result.run_requests
    assert "limit" in said_by(result)


@pytest.mark.parametrize("key", ["../../evil", "a/b", "", "batch-1"])
def test_a_partition_that_is_no_batch_cannot_be_run(fresh, key):
    fresh.instance.add_dynamic_partitions(synthesis.name, [key, "batch-001"])
    assert list(synthesis.get_partition_keys(dynamic_partitions_store=fresh.instance)) == ["batch-001"]
    with pytest.raises(dg.DagsterError, match="partition"):
        fresh.defs.resolve_job_def("synthesize").execute_in_process(instance=fresh.instance, partition_key=key)
    assert not list(fresh.root.rglob("*evil*"))
