"""Promotion while documents are read: no answer is lost, and each was read by the adapter that it names."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.iteration.batch_storage import FolderStorage, Stage
from finscribe_assets.promotion.adapter_decisions import AdapterDecision
from finscribe_assets.promotion.gate import GateVerdict, PartGain
from finscribe_assets.service.document_reading import ReadBy
from finscribe_assets.service.document_work import DocumentJob, DocumentWork
from finscribe_assets.service.reader_in_use import AdapterChoice, LoadedModel, ReaderInUse, promoted_choice
from finscribe_assets.service.service_settings import ServiceLimits, ServiceSettings
from finscribe_assets_tests.service.fake_service import FakeExtractor, png


def weights_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def promote(storage: Path, key: str, *, passed: bool = True) -> None:
    """Write what the gate writes, with an adapter whose weights are its key."""
    folders = FolderStorage(str(storage))
    adapter, registry = (folders.folder(stage, key) for stage in (Stage.TRAINED_ADAPTER, Stage.ADAPTER_REGISTRY))
    adapter.mkdir(parents=True, exist_ok=True)
    (adapter / "weights").write_text(key)
    gain = PartGain(part="overall", documents=9, accuracy=0.9, before=0.8, gain=0.1, low=0.05, high=0.15)
    decision = AdapterDecision(
        key=key,
        adapter=weights_of(key),
        base="embedded",
        compared_with=None,
        accuracy=0.9,
        verdict=GateVerdict(promoted=passed, checks=(), overall=gain, parts=(), reason="a test"),
    )
    registry.mkdir(parents=True, exist_ok=True)
    (registry / "decision.json").write_text(decision.model_dump_json())


def load(choice: AdapterChoice) -> LoadedModel:
    """Load an adapter whose readings have its weights' text as a marker."""
    weights = (choice.folder / "weights").read_text()
    extractor = FakeExtractor(lambda _: time.sleep(0.01), marker=weights)
    return LoadedModel(extractor, ReadBy(base="fake", adapter=weights_of(weights), batch=choice.batch))


def test_documents_of_many_clients_survive_promotions(tmp_path):
    promote(tmp_path, "batch-000")
    model = ReaderInUse(lambda: promoted_choice(str(tmp_path)), load)
    work = DocumentWork(ServiceSettings(limits=ServiceLimits(accepted=200, workers=2, seconds=300)), model)
    work.start()
    model.start_watching(0.05)
    enough = threading.Event()

    def read(number: int):
        work.accept()
        job = DocumentJob("x", f"{number}.png", png(), time.monotonic() + 300)
        work.submit(job)
        return job.result.result(120)

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(read, number) for number in range(60)]
        for key in ("batch-001", "batch-002", "batch-003"):
            answers[20 * int(key[-1]) - 20].result(120)
            promote(tmp_path, key)
        readings = [answer.result(120) for answer in answers]
        while model.current.read_by.batch != "batch-003" and not enough.wait(0.05):
            pass
        readings.append(read(60))
    model.stop()
    assert work.stop(60)
    assert [reading.file for reading in readings] == [f"{number}.png" for number in range(61)]
    for reading in readings:
        assert reading.record["labels"] == reading.read_by.batch
        assert reading.read_by.adapter == weights_of(reading.read_by.batch)
    assert readings[-1].read_by.batch == "batch-003"
    assert len({reading.read_by.batch for reading in readings}) > 1


def test_a_refused_adapter_changes_nothing_and_a_broken_one_leaves_the_old_one_in_use(tmp_path):
    promote(tmp_path, "batch-000")
    attempts = []
    model = ReaderInUse(lambda: promoted_choice(str(tmp_path)), load, lambda loaded, by: attempts.append(loaded))
    promote(tmp_path, "batch-001", passed=False)
    assert (model.reload(), attempts) == (False, [])
    promote(tmp_path, "batch-002")
    weights = tmp_path / "trained_adapter/batch-002/weights"
    weights.write_text("half of the wei")
    assert (model.reload(), attempts) == (False, [False])
    assert model.current.read_by.batch == "batch-000"
    weights.write_text("batch-002")
    assert (model.reload(), attempts) == (True, [False, True])
    assert model.current.read_by.batch == "batch-002"


def test_nothing_promoted_or_other_weights_are_an_error_at_the_start(tmp_path):
    with pytest.raises(MissingInputError, match="no adapter is in use"):
        ReaderInUse(lambda: promoted_choice(str(tmp_path)), load)
    promote(tmp_path, "batch-000")
    (tmp_path / "trained_adapter/batch-000/weights").write_text("others")
    with pytest.raises(UserError, match="SHA-256"):
        ReaderInUse(lambda: promoted_choice(str(tmp_path)), load)
