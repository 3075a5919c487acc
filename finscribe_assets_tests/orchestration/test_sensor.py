import dagster as dg
import pytest

from finscribe_assets.files import write_text
from finscribe_assets.iteration.batch_storage import Stage
from finscribe_assets.iteration.history import RECORD_FILE
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


def test_it_is_on_by_default():
    assert retrain_on_weak_cells.default_status is dg.DefaultSensorStatus.RUNNING


def test_nothing_new_is_said(fresh):
    assert tick(fresh).skip_message == "No new hard-sample plan since the last tick."


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
    assert isinstance(tick(fresh, result.cursor), dg.SkipReason)


def test_no_plan_is_dropped_when_several_arrive_between_two_ticks(fresh):
    finish(fresh, "batch-000")
    finish(fresh, "batch-001")
    assert [request.run_key for request in tick(fresh).run_requests] == ["batch-001", "batch-002"]


def test_the_same_batch_has_the_same_run_key_however_often_it_is_planned(fresh):
    finish(fresh, "batch-000")
    first = tick(fresh)
    finish(fresh, "batch-000")
    second = tick(fresh, first.cursor)
    assert [request.run_key for request in second.run_requests] == ["batch-001"]  # which Dagster has seen, and skips


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
    assert said in result.skip_reason.skip_message


def test_it_stops_at_the_iteration_limit(fresh):
    for number in range(3):
        finish(fresh, f"batch-{number:03d}")
    result = tick(fresh)
    assert [request.run_key for request in result.run_requests] == ["batch-001", "batch-002"]
