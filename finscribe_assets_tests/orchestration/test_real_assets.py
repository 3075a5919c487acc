"""Real documents in Dagster: from an inbox to predictions, a report and the queue for correction."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.errors import DagsterUnknownPartitionError
from dagster._core.events import StepMaterializationData
from dagster._core.test_utils import create_run_for_test
from dagster._core.workspace.autodiscovery import loadable_targets_from_loaded_module
from upath import UPath

from finscribe_assets import loop_definitions
from finscribe_assets.definitions import build_defs
from finscribe_assets.errors import UserError
from finscribe_assets.files import read_json
from finscribe_assets.inference.server_settings import ServerSettings
from finscribe_assets.iteration import run_attempts
from finscribe_assets.iteration.real_batches import readers_of
from finscribe_assets.orchestration.assets import iteration_keys
from finscribe_assets.orchestration.io_managers import BatchFolderIOManagerFactory
from finscribe_assets.orchestration.partitions import inbox as inbox_partitions
from finscribe_assets.orchestration.resources import Inbox, PlanStore, Storage, Workers
from finscribe_assets.orchestration.sensors import take_new_documents
from finscribe_assets.rendering.render import render
from finscribe_assets_tests.documents.bills import bill
from finscribe_assets_tests.importing.writers import pdf
from finscribe_assets_tests.inference.chat_server import MODEL, Reply, chat_server, completion

from .conftest import SMALL, Platform

ROOT = Path(__file__).resolve().parents[2]
REAL = ["real_documents", "real_predictions", "real_report", "review_queue"]


def platform_with(root, inbox, instance) -> Platform:
    overrides = {
        "io_manager": BatchFolderIOManagerFactory(root=str(root)),
        "storage": Storage(root=str(root)),
        "plans": PlanStore(root=str(root)),
        "workers": Workers(workers=1),
        "profile": SMALL,
        "inbox": Inbox(root=str(inbox)),
    }
    return Platform(build_defs(overrides), instance, Storage(root=str(root)), root)


def put(inbox, name: str, content: bytes, age: float = 3600) -> None:
    inbox.mkdir(exist_ok=True)
    (inbox / name).write_bytes(content)
    then = (inbox / name).stat().st_mtime - age
    os.utime(inbox / name, (then, then))


def tick(platform: Platform, cursor: str | None = None):
    resources = {name: platform.defs.resources[name] for name in ("storage", "inbox")}
    context = dg.build_sensor_context(
        instance=platform.instance, cursor=cursor, resources=resources, definitions=platform.defs
    )
    return take_new_documents(context)


def register(platform: Platform, result: dg.SensorResult) -> list[str]:
    """Do what the daemon does with a result."""
    keys = [key for request in result.dynamic_partitions_requests for key in request.partition_keys]
    platform.instance.add_dynamic_partitions(inbox_partitions.name, keys)
    return [request.partition_key for request in result.run_requests]


@pytest.fixture
def fresh(tmp_path):
    with dg.DagsterInstance.ephemeral() as instance:
        yield platform_with(tmp_path / "storage", tmp_path / "inbox", instance)


@pytest.fixture(scope="module")
def read(tmp_path_factory, batch):
    """A batch of one document with ground truth, one without, and a file that is not what its name says."""
    root = tmp_path_factory.mktemp("real")
    drawn = batch.documents[0]
    page = render(drawn).pages[0].open()
    (root / "inbox").mkdir()
    page.crop((0, 0, page.width, page.height // 3)).save(root / "inbox" / "labelled.png")
    (root / "inbox" / "labelled.json").write_text(json.dumps(drawn.document.to_json()))
    (root / "inbox" / "new.pdf").write_bytes(pdf("Rechnung Nr. R-77"))
    (root / "inbox" / "broken.pdf").write_bytes(b"no PDF")
    with dg.DagsterInstance.ephemeral() as instance:
        platform = platform_with(root / "storage", root / "inbox", instance)
        yield platform, platform.run("read_inbox", "inbox-000")


def metadata_of(run: dg.ExecuteInProcessResult, asset: str) -> dict:
    return {
        name: value.value for name, value in next(iter(run.asset_materializations_for_node(asset))).metadata.items()
    }


def test_a_batch_that_a_person_starts_goes_all_the_way(read):
    platform, run = read
    assert run.success
    assert {event.asset_key.to_user_string() for event in run.get_asset_materialization_events()} == set(REAL)
    assert platform.instance.get_dynamic_partitions(inbox_partitions.name) == ["inbox-000"]
    failed = {found.check_name for found in run.get_asset_check_evaluations() if not found.passed}
    assert failed == {"nothing_was_rejected"}


def test_documents_are_counted_with_the_reasons_of_rejects(read):
    documents = metadata_of(read[1], "real_documents")
    assert [documents[name] for name in ("with_truth", "without_truth", "rejected", "pages")] == [1, 1, 1, 2]
    (reject,) = documents["rejects"].records
    assert reject.data["name"] == "broken"
    assert "not readable" in reject.data["because"]


def test_the_report_covers_what_has_ground_truth_and_counts_the_rest(read):
    platform, run = read
    report = metadata_of(run, "real_report")
    assert (report["with_truth"], report["without_truth"], report["rejected"], report["reader"]) == (1, 1, 1, "base")
    stored = read_json(platform.root / "real_report/inbox-000/report.json")
    assert stored["layout"].startswith("text lines")
    assert stored["documents"] == 1
    assert stored["problems"] == {"without_truth": 1}


def test_the_queue_has_the_documents_without_ground_truth_with_pictures(read):
    platform, run = read
    queue = metadata_of(run, "review_queue")
    assert queue["dagster/row_count"] == 1
    assert "real-new-" in queue["pages"]
    assert "data:image/png;base64," in queue["pages"]
    (line,) = (platform.root / "review_queue/inbox-000/queue.jsonl").read_text().splitlines()
    assert json.loads(line)["reasons"]


def test_a_repeated_run_reads_nothing_again_and_a_lost_file_destroys_nothing(read, tmp_path):
    platform, _ = read
    before = (platform.root / "real_predictions/inbox-000/base/predictions.jsonl").read_bytes()
    again = platform.run("read_inbox", "inbox-000")
    assert again.success
    assert (platform.root / "real_predictions/inbox-000/base/predictions.jsonl").read_bytes() == before
    inbox = platform.root.parent / "inbox"
    shutil.move(inbox / "new.pdf", tmp_path / "new.pdf")
    assert not platform.run("read_inbox", "inbox-000").success
    assert (platform.root / "real_documents/inbox-000/import-report.json").exists()
    shutil.move(tmp_path / "new.pdf", inbox / "new.pdf")


@pytest.mark.parametrize("key", ["inbox-1", "../inbox-000", "invoices", "batch-000"])
def test_a_key_of_another_form_is_refused_by_dagster(fresh, key):
    with pytest.raises(DagsterUnknownPartitionError, match=key.replace(".", r"\.")):
        fresh.defs.resolve_job_def("read_inbox").execute_in_process(instance=fresh.instance, partition_key=key)


def test_a_key_that_is_not_the_next_one_is_refused_by_the_asset(fresh, tmp_path):
    put(tmp_path / "inbox", "a.pdf", b"x")
    run = fresh.run("read_inbox", "inbox-007")
    assert not run.success
    assert "the next one is inbox-000" in str(run.failure_data_for_node("real_documents").error)
    assert fresh.instance.get_dynamic_partitions(inbox_partitions.name) == []


@pytest.mark.parametrize(("selection", "key"), [("not group:real", "batch-000"), ("group:real", "inbox-000")])
def test_one_command_names_a_whole_iteration_or_a_whole_batch_of_the_inbox(fresh, selection, key):
    """As ``dagster asset materialize --select SELECTION --partition KEY`` resolves it."""
    repository = fresh.defs.get_repository_def()
    keys = dg.AssetSelection.from_coercible([selection]).resolve(repository.asset_graph)
    job = repository.get_implicit_job_def_for_assets(keys)
    with partition_loading_context(dynamic_partitions_store=fresh.instance) as context:
        job.validate_partition_key(key, selected_asset_keys=keys, context=context)


def test_the_documented_command_reads_the_inbox_and_nothing_else(fresh):
    """`service_drift` fails without the log of a service, and `fitted_recipe` draws hundreds of documents first."""
    (selection,) = re.findall(r"--select '([^']+)' --partition inbox-000", (ROOT / "docs/importing.md").read_text())
    keys = dg.AssetSelection.from_string(selection).resolve(fresh.defs.get_repository_def().asset_graph)
    assert {key.to_user_string() for key in keys} == set(REAL)


def test_everything_can_be_named_where_the_loop_stands_alone():
    (target,) = loadable_targets_from_loaded_module(loop_definitions)  # as the command line does
    repository = target.target_definition.get_repository_def()
    keys = dg.AssetSelection.from_coercible(["*"]).resolve(repository.asset_graph)
    assert set(iteration_keys) <= keys
    job = repository.get_implicit_job_def_for_assets(keys)
    with (
        dg.DagsterInstance.ephemeral() as instance,
        partition_loading_context(dynamic_partitions_store=instance) as one,
    ):
        job.validate_partition_key("batch-000", selected_asset_keys=keys, context=one)


def test_the_loop_does_not_contain_the_inbox(fresh):
    keys = {key.to_user_string() for key in iteration_keys}
    assert not keys & set(REAL)
    selected = fresh.defs.resolve_job_def("iterate").asset_layer.selected_asset_keys
    assert not {key.to_user_string() for key in selected} & set(REAL)


def test_the_sensor_says_why_it_starts_nothing(fresh, tmp_path):
    unset = platform_with(tmp_path / "storage", "", fresh.instance)
    assert "FINSCRIBE_INBOX is not set" in tick(unset).skip_message
    assert "no such folder" in tick(fresh).skip_message
    (tmp_path / "inbox").mkdir()
    assert "no new document" in tick(fresh).skip_reason.skip_message


def test_the_sensor_starts_a_run_for_each_batch_once(fresh, tmp_path):
    put(tmp_path / "inbox", "a.pdf", b"a")
    first = tick(fresh)
    assert [(request.run_key, request.partition_key) for request in first.run_requests] == [("inbox-000", "inbox-000")]
    # The daemon died before it took the request: the next tick asks again, with the same run key.
    assert [request.run_key for request in tick(fresh, first.cursor).run_requests] == ["inbox-000"]
    assert register(fresh, first) == ["inbox-000"]
    second = tick(fresh, first.cursor)
    assert not second.run_requests
    assert "1 taken before" in second.skip_reason.skip_message
    put(tmp_path / "inbox", "b.pdf", b"b")
    assert register(fresh, tick(fresh, second.cursor)) == ["inbox-001"]


def test_the_sensor_leaves_a_file_that_is_being_copied_for_a_later_tick(fresh, tmp_path):
    put(tmp_path / "inbox", "a.pdf", b"a", age=0)
    first = tick(fresh)
    assert not first.run_requests
    assert "1 may still be written" in first.skip_reason.skip_message
    assert [request.run_key for request in tick(fresh, first.cursor).run_requests] == ["inbox-000"]


def run_of(platform: Platform, key: str, status: dg.DagsterRunStatus, made: tuple[str, ...] = ()) -> None:
    """Record a run of a batch that made some assets."""
    run = create_run_for_test(platform.instance, job_name="read_inbox", status=status, tags={"dagster/partition": key})
    for name in made:
        data = StepMaterializationData(dg.AssetMaterialization(name, partition=key))
        made_event = dg.DagsterEventType.ASSET_MATERIALIZATION.value
        event = dg.DagsterEvent(made_event, "read_inbox", event_specific_data=data)
        platform.instance.report_dagster_event(event, run.run_id)


def test_the_run_of_a_batch_that_failed_is_started_again_and_given_up_after_three(fresh, tmp_path, monkeypatch):
    put(tmp_path / "inbox", "a.pdf", b"a")
    first = tick(fresh)
    register(fresh, first)
    failure = dg.DagsterRunStatus.FAILURE
    run_of(fresh, "inbox-000", failure, made=("real_documents",))
    waiting = tick(fresh, first.cursor)
    assert not waiting.run_requests
    assert "attempt 2 of 3 starts at" in waiting.skip_reason.skip_message
    monkeypatch.setattr(run_attempts, "FIRST_WAIT", timedelta(0))
    [request] = tick(fresh, first.cursor).run_requests
    assert request.run_key == "inbox-000/attempt-2"
    assert [key.to_user_string() for key in request.asset_selection] == REAL[1:]
    run_of(fresh, "inbox-000", failure)
    run_of(fresh, "inbox-000", failure)
    last = tick(fresh, first.cursor)
    assert not last.run_requests
    assert "inbox-000 failed 3 times" in last.skip_reason.skip_message
    run_of(fresh, "inbox-000", dg.DagsterRunStatus.SUCCESS)  # as a person has re-executed it
    assert "inbox-000" not in tick(fresh, first.cursor).skip_reason.skip_message


def test_an_inbox_in_an_object_store(tmp_path):
    root = UPath("memory://real-inbox")
    root.mkdir(exist_ok=True)
    (root / "new.pdf").write_bytes(pdf("Rechnung Nr. R-77"))
    with dg.DagsterInstance.ephemeral() as instance:
        platform = platform_with(tmp_path / "storage", root, instance)
        assets = [asset for asset in platform.defs.assets if asset.key.to_user_string() == "real_documents"]
        run = dg.materialize(assets, instance=instance, resources=platform.defs.resources, partition_key="inbox-000")
        assert run.success
        assert metadata_of(run, "real_documents")["without_truth"] == 1


def test_ground_truth_in_a_users_keys(tmp_path):
    put(tmp_path / "inbox", "a.pdf", pdf("Muster GmbH 05/11/2026 Total 9.00"))
    truth = {"company": "Muster GmbH", "date": "05/11/2026", "address": "Hauptstr. 1", "total": "9.00"}
    put(tmp_path / "inbox", "a.json", json.dumps(truth).encode())
    with dg.DagsterInstance.ephemeral() as instance:
        platform = platform_with(tmp_path / "storage", tmp_path / "inbox", instance)
        assets = [asset for asset in platform.defs.assets if asset.key.to_user_string() == "real_documents"]
        resources = platform.defs.resources | {
            "inbox": Inbox(root=str(tmp_path / "inbox"), mapping="sroie", locale="en_GB")
        }
        run = dg.materialize(assets, instance=instance, resources=resources, partition_key="inbox-000")
        documents = metadata_of(run, "real_documents")
        assert (documents["with_truth"], documents["rejected"]) == (1, 0)


def test_a_model_on_a_server_reads_the_same_documents_and_is_compared(fresh, tmp_path, monkeypatch):
    text = json.dumps({"document_number": "R-77"})
    put(tmp_path / "inbox", "a.pdf", pdf("Rechnung Nr. R-77"))
    put(tmp_path / "inbox", "a.json", json.dumps(bill(document_number="R-77").to_json()).encode())
    with chat_server(lambda body: Reply(completion(text, [(text, 0.5), ("</s>", 1.0)]))) as server:
        monkeypatch.setenv("FINSCRIBE_SERVER_URL", server.url)
        run = fresh.run("read_inbox", "inbox-000")
    assert run.success
    rows = [row.data for row in metadata_of(run, "real_predictions")["readers"].records]
    assert [row["reader"] for row in rows] == ["base", "server"]
    assert rows[0]["layout"].startswith("text lines")
    assert rows[1]["layout"] == "none: whole pages"
    folder = fresh.root / "real_predictions/inbox-000"
    (record,) = (folder / "server/predictions.jsonl").read_text().splitlines()
    assert json.loads(record)["response"] == text
    assert read_json(folder / "server/predicted_by.json")["server_model"] == MODEL
    assert "server" in read_json(fresh.root / "real_report/inbox-000/report.json")["comparisons"]


def test_readers_are_named_and_a_server_needs_an_address(fresh):
    server = ServerSettings("http://127.0.0.1:1")
    batches = fresh.storage.batches
    assert readers_of(batches, []) == ["base"]
    assert readers_of(batches, [], server) == ["base", "server"]
    assert readers_of(batches, ["server"], server) == ["server"]
    with pytest.raises(UserError, match="adapters: 'server' needs a server; set FINSCRIBE_SERVER_URL"):
        readers_of(batches, ["server"])
    with pytest.raises(UserError, match="'other' is not the key of a batch, such as batch-000, base or server"):
        readers_of(batches, ["other"], server)
