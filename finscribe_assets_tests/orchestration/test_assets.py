import base64
import hashlib
import io
import re
import shlex

import dagster as dg
import pytest
from PIL import Image
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.documents.document_batch import read_documents
from finscribe_assets.exporting.folder_export import ExportFormat
from finscribe_assets.model.embedded_checkpoint import content_hash
from finscribe_assets.orchestration.assets import all_assets, iteration_keys
from finscribe_assets.orchestration.metadata import least_width
from finscribe_assets.orchestration.partitions import synthesis
from finscribe_assets.rendering import page_checks
from finscribe_assets.splitting.batch_files import HASHES_RECORD_FILE
from finscribe_assets.splitting.manifest import read_manifest

ASSETS = [
    "synthetic_documents",
    "rendered_images",
    "instruction_pairs",
    "dataset_splits",
    "trained_adapter",
    "exam",
    "adapter_registry",
    "reader_probe",
    "predictions",
    "evaluation_report",
    "hard_sample_plan",
]


def metadata_of(iteration: dg.ExecuteInProcessResult, asset: str) -> dict:
    return next(iter(iteration.asset_materializations_for_node(asset))).metadata


def data_files(root):
    """Every file but those with times (of a step, of a file's last change), and TensorBoard's logs."""
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*"))
        if file.is_file()
        and ".work" not in file.parts
        and "tensorboard" not in file.parts
        and file.name not in ("timing.json", HASHES_RECORD_FILE)
        and file.parent.parent.name != "evaluation_report"
    }


def test_the_whole_iteration_runs_and_registers_its_partition(platform, iteration):
    assert iteration.success
    assert platform.instance.get_dynamic_partitions(synthesis.name) == ["batch-000"]
    made = {event.asset_key.to_user_string() for event in iteration.get_asset_materialization_events()}
    assert made == {"seed_plan", "base_model", "iterations", *ASSETS}


def test_every_check_ran_and_the_blocking_ones_passed(iteration):
    evaluations = iteration.get_asset_check_evaluations()
    assert {found.asset_key.to_user_string() for found in evaluations} >= {"seed_plan", *ASSETS}
    failed = [
        found.check_name for found in evaluations if not found.passed and found.severity is dg.AssetCheckSeverity.ERROR
    ]
    assert failed == []


def test_every_asset_tells_what_it_is(platform):
    graph = platform.defs.resolve_asset_graph()
    for asset in all_assets:
        node = graph.get(asset.key)
        assert node.group_name in {"synthesis", "dataset", "training", "evaluation", "real"}
        assert node.description and node.owners and node.kinds, asset.key
        if asset.key in iteration_keys:
            assert node.code_version, asset.key
        assert node.check_keys, asset.key


@pytest.mark.parametrize(
    ("asset", "name"),
    [
        ("rendered_images", "sample_page"),
        ("rendered_images", "contact_sheet"),
        ("rendered_images", "contact_sheet_with_boxes"),
        ("trained_adapter", "loss"),
        ("hard_sample_plan", "confusion"),
        ("reader_probe", "robustness_map"),
    ],
)
def test_pictures_are_pictures_and_small_enough(iteration, asset, name):
    markdown = metadata_of(iteration, asset)[name].value
    text, encoded = re.fullmatch(r"!\[(.+)\]\(data:image/png;base64,(.+)\)", markdown, re.DOTALL).groups()
    content = base64.b64decode(encoded)
    assert len(content) < 110_000
    assert Image.open(io.BytesIO(content)).width > 200
    assert text


def test_the_commands_that_the_splits_show_export_the_batch(iteration, tmp_path):
    commands = metadata_of(iteration, "dataset_splits")["export"].value.splitlines()[1:-1]
    assert len(commands) == len(ExportFormat)
    (command,) = [command for command in commands if "--format erniekit" in command]
    words = shlex.split(command)[1:]
    result = CliRunner().invoke(app, [*words[:-1], str(tmp_path / "out"), "--split", "validation"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "data.jsonl").stat().st_size > 1000


def test_metadata_that_a_person_can_use(iteration):
    assert metadata_of(iteration, "synthetic_documents")["dagster/row_count"].value == 24
    tasks = set(re.findall(r"\*\*(\w+)\*\*\n", metadata_of(iteration, "instruction_pairs")["examples"].value))
    assert {"full_extraction", "table", "ocr_line", "absent_field"} <= tasks
    splits = metadata_of(iteration, "dataset_splits")
    exposed = {row.data["exposure"]: row.data for row in splits["by_exposure"].records}
    assert not any(row["train"] for name, row in exposed.items() if name == "zero_shot")
    assert exposed["seen"]["train"] > 0
    assert splits["strata_in_all"].value == len(splits["strata"].records)
    report = metadata_of(iteration, "evaluation_report")
    assert {row.data["exposure"] for row in report["by_exposure"].records} <= {"seen", "few_shot", "zero_shot"}
    assert 0 < report["field_f1"].value <= 1
    assert "say nothing about PaddleOCR-VL" in report["note"].value
    assert metadata_of(iteration, "predictions")["layout"].value == "renderer boxes (oracle)"
    assert metadata_of(iteration, "hard_sample_plan")["decision"].value


def test_tables_have_room_in_a_window_of_1400_pixels(iteration):
    """Text wraps at spaces and hyphens; 600 pixels are left beside the list of events and the names of metadata."""
    for asset in ASSETS:
        for name, value in metadata_of(iteration, asset).items():
            if isinstance(value, dg.TableMetadataValue):
                assert least_width([row.data for row in value.records]) < 620, (asset, name)


def test_the_edge_that_closes_the_loop_stands_in_the_metadata(platform, iteration):
    graph = platform.defs.resolve_asset_graph()
    plan, documents = dg.AssetKey("hard_sample_plan"), dg.AssetKey("synthetic_documents")
    assert graph.get(plan).metadata["next_batch_is_drawn_by"].value == documents
    assert graph.get(documents).metadata["plan_of_a_later_batch_is_from"].value == plan
    assert metadata_of(iteration, "synthetic_documents")["plan_from"].value == "seed_plan"


def test_the_data_version_of_the_splits_is_the_manifests(platform, iteration):
    event = next(iter(iteration.asset_materializations_for_node("dataset_splits")))
    manifest = read_manifest(platform.storage.folder("dataset_splits", "batch-000"))
    assert event.tags["dagster/data_version"] == manifest.data_version()


def test_every_iteration_looks_at_its_base(iteration):
    event = next(iter(iteration.asset_materializations_for_node("base_model")))
    assert event.tags["dagster/data_version"] == content_hash()
    assert "base_is_whole" in {found.check_name for found in iteration.get_asset_check_evaluations()}


def test_a_plan_that_was_drawn_is_neither_replaced_nor_contradicted(platform, iteration):
    """An operator who sets other sizes for a drawn batch is told so, and nothing has changed."""
    before = data_files(platform.root)
    refused = platform.defs.resolve_job_def("iterate").execute_in_process(
        instance=platform.instance,
        partition_key="batch-000",
        run_config={"ops": {"seed_plan": {"config": {"documents": 400, "seed": 7}}}},
        raise_on_error=False,
    )
    assert not refused.success
    (failure,) = [event for event in refused.all_events if event.event_type_value == "STEP_FAILURE"]
    assert "have been drawn from this plan" in str(failure.step_failure_data.error)
    assert data_files(platform.root) == before


def test_a_second_run_finds_everything_in_place(platform, iteration):
    before = data_files(platform.root)
    again = platform.run("iterate", "batch-000")
    assert again.success
    assert data_files(platform.root) == before
    assert metadata_of(again, "rendered_images")["shards_already_there"].value == 3
    assert metadata_of(again, "trained_adapter")["already_there"].value is True


def test_storage_elsewhere_gets_the_same_data(platform, iteration, tmp_path):
    """Another folder, another instance: the data are byte for byte the same."""
    from .conftest import platform_at

    with dg.DagsterInstance.ephemeral() as instance:
        other = platform_at(tmp_path, instance)
        assert dg.materialize(
            [asset for asset in all_assets if asset.key.to_user_string() == "seed_plan"],
            instance=instance,
            resources=other.defs.resources,
        ).success
        assert other.run("synthesize", "batch-000").success
    ours, theirs = data_files(platform.root), data_files(tmp_path)
    assert len(theirs) >= 12
    assert {name: ours[name] for name in theirs if not name.startswith("plans/batch-001")} == theirs


def test_a_page_that_does_not_show_its_document_blocks_the_run(platform, iteration, monkeypatch):
    monkeypatch.setattr(page_checks, "page_problems", lambda drawn, rendered: ["seller.name: no ink in its box"])
    failed = platform.run("synthesize", "batch-000")
    assert not failed.success
    assert failed.get_step_skipped_events() or "instruction_pairs" not in {
        event.asset_key.to_user_string() for event in failed.get_asset_materialization_events()
    }


def test_an_unknown_partition_is_refused(platform):
    with pytest.raises(dg.DagsterUnknownPartitionError):
        platform.run("iterate", "batch-005")


def test_documents_are_the_plans(platform, iteration):
    documents = list(read_documents(platform.storage.folder("synthetic_documents", "batch-000")))
    assert [drawn.id for drawn in documents] == [f"batch-000-{index:06d}" for index in range(24)]
