"""The second iteration, as the sensor requests it: what the plan promised is trained, examined and judged."""

import dagster as dg
import pytest
from typer.testing import CliRunner

from finscribe_assets import device_lock
from finscribe_assets.cli import app
from finscribe_assets.device_lock import LOCKS_VARIABLE
from finscribe_assets.iteration import examining, predicting, reader_probing
from finscribe_assets.iteration.batch_storage import PlanFiles, Stage
from finscribe_assets.iteration.history import records_until
from finscribe_assets.iteration.promoting import adapter_in_use_before, decisions_until
from finscribe_assets.mining.factor_plan import PROBE_RULE, planned_factors
from finscribe_assets.orchestration.partitions import synthesis
from finscribe_assets.orchestration.sensors import retrain_on_weak_cells
from finscribe_assets.promotion.exam_results import BASE_PART, read_result
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits
from finscribe_assets.training import peft_trainer

from .test_sensor import tick


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """What held the GPU, which is one in name only: models run on the processor."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(LOCKS_VARIABLE, str(tmp_path_factory.mktemp("locks")))
        for module in (peft_trainer, examining, predicting, reader_probing):
            patched.setattr(module, "gpu_name", lambda *_: "gpu-simulated")
        works: list[str] = []
        patched.setattr(device_lock, "write_json", lambda holder, record: works.append(record["work"]))
        yield works


@pytest.fixture(scope="module")
def second(platform, iteration, held) -> dg.ExecuteInProcessResult:
    result = tick(platform)
    (request,) = result.run_requests
    platform.instance.add_dynamic_partitions(synthesis.name, result.dynamic_partitions_requests[0].partition_keys)
    return platform.run(retrain_on_weak_cells.job_name, request.partition_key)


def test_it_runs_without_writing_the_first_plan_again(platform, second):
    assert second.success
    made = {event.asset_key.to_user_string() for event in second.get_asset_materialization_events()}
    assert "seed_plan" not in made
    assert {"trained_adapter", "exam", "adapter_registry", "reader_probe", "hard_sample_plan"} <= made


def test_all_that_runs_a_model_holds_the_gpu(second, held):
    assert set(held) == {
        "the training of batch-001",
        "the exam of batch-001",
        "the probe of batch-001",
        "predictions of batch-001 by the adapter",
        "predictions of batch-001 by the base",
    }


def test_the_whole_plan_is_trained(platform, second):
    plan = PlanFiles(str(platform.root)).read("batch-001")
    assert plan.rule == PROBE_RULE
    assert plan.documents == 10
    rows = [
        row
        for row in read_splits(platform.storage.folder(str(Stage.DATASET_SPLITS), "batch-001"))
        if row.batch == "batch-001"
    ]
    held_back = sum(row.split is Split.HELD_BACK for row in rows)
    assert sum(row.split is Split.TRAIN for row in rows) >= len(rows) - held_back - 1
    trained = next(iter(second.asset_materializations_for_node("trained_adapter"))).metadata
    assert trained["newest_share"].value == pytest.approx(0.5, abs=0.02)
    in_use = adapter_in_use_before(platform.storage.batches, "batch-001")
    assert trained["started_from"].value == (in_use.key if in_use else "bare base")


def test_the_exam_has_a_part_for_each_factor_and_the_gate_decides_by_it(platform, second):
    factors = {one.factor for one in planned_factors(PlanFiles(str(platform.root)).read("batch-001")) if one.documents}
    folder = platform.storage.folder(str(Stage.EXAM), "batch-001")
    parts = read_result(folder / "adapter.jsonl").parts()
    assert set(parts) == {BASE_PART, *factors}
    base = [
        read_result(platform.storage.folder(str(Stage.EXAM), key) / "base.jsonl") for key in ("batch-000", "batch-001")
    ]
    assert base[0].parts()[BASE_PART] == base[1].parts()[BASE_PART]
    decisions = decisions_until(platform.storage.batches, "batch-001")
    assert [decision.key for decision in decisions] == ["batch-000", "batch-001"]
    assert {part.part for part in decisions[1].verdict.parts} == {BASE_PART, *factors}


def test_promise_and_outcome_stand_in_the_plan_of_the_next_batch(platform, second):
    metadata = next(iter(second.asset_materializations_for_node("hard_sample_plan"))).metadata
    promised = metadata["promise"].value.records
    assert promised
    assert {"cause", "docs", "bare base", "before", "expected", "after", "gain"} <= promised[0].data.keys()
    records = records_until(platform.storage.batches, "batch-001")
    assert [record.key for record in records] == ["batch-000", "batch-001"]
    assert records[1].documents == 10


def test_the_page_of_iterations_and_the_command_show_both_batches_on_the_same_documents(platform, second):
    metadata = next(iter(second.asset_materializations_for_node("iterations"))).metadata
    rows = [row.data for row in metadata["iterations"].value.records]
    assert [row["batch"] for row in rows] == ["batch-000", "batch-001"]
    assert rows[1]["docs so far"] == 34
    assert metadata["gain_at_least"].value <= metadata["gain"].value <= metadata["gain_at_most"].value
    assert all(found.passed for found in second.get_asset_check_evaluations() if found.check_name == "same_documents")
    shown = CliRunner().invoke(app, ["status", "--storage", str(platform.root)], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    assert metadata["decision"].value in shown.output
    assert "batch-001" in shown.output
