"""Promotion and withdrawal while a service reads with trained LoRA adapters: every answer is that adapter's reading.

Two adapters of the embedded base are trained for some steps. Clients send documents without a pause while the second
one is promoted and withdrawn again, by the functions and commands that the platform has. `finscribe extract --adapter`
in another process is the oracle. The test takes minutes.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from finscribe_assets.iteration.batch_documents import ADAPTER, BASE
from finscribe_assets.iteration.batch_storage import FolderStorage, Stage
from finscribe_assets.iteration.promoting import PROMOTED, judge_adapter
from finscribe_assets.model.adapters import adapter_hash
from finscribe_assets.promotion.exam_results import ExamDocument, ExamResult
from finscribe_assets.training.adapter_config import AdapterConfig
from finscribe_assets.training.adapter_training import train_adapter
from finscribe_assets_tests.service.test_service_process import Service
from finscribe_assets_tests.training.adapter_data import source_of

pytestmark = pytest.mark.slow

FIRST, SECOND = "batch-000", "batch-001"
STEPS, DOCUMENTS, CLIENTS = 40, 6, 3
ANSWERS = 5  # of each adapter, at least
FINSCRIBE = [sys.executable, "-c", "from finscribe_assets.cli import app; app()"]


def finscribe(*words: object) -> str:
    """Run a command in a process of its own, and return what it prints."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [*FINSCRIBE, *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def train(storage: FolderStorage, key: str, batch, work: Path) -> str:
    """Train a batch's adapter where the platform has it; return the hash of its weights."""
    settings = AdapterConfig(
        rank=8, alpha=16, max_steps=STEPS, batch_size=8, validation_samples=0, threads=1, seed=int(key[-1])
    )
    folder = storage.folder(Stage.TRAINED_ADAPTER, key)
    train_adapter(settings, source_of(batch, work / "splits"), Path(folder), work / key)
    return adapter_hash(folder)


def exam(reader: str, correct: int) -> ExamResult:
    documents = (
        ExamDocument(id=f"base/{number}", part="base", content="c", fields=10, correct=correct, stock_similarity=0.9)
        for number in range(20)
    )
    return ExamResult(reader=reader, exam="exam", documents=tuple(documents))


def promote(storage: FolderStorage, key: str, before: str | None) -> None:
    """Let the gate judge an adapter by the results of an exam in which it is better than the one in use."""
    results = {BASE: exam("base", 1), ADAPTER: exam("adapter", 9)}
    decision = judge_adapter(storage, key, results | ({PROMOTED: exam(before, 5)} if before else {}))
    assert decision.verdict.promoted, decision.verdict.reason


def comparable(record: dict[str, Any]) -> dict[str, Any]:
    return record | {"file": Path(record["file"]).name}


class Clients:
    """Clients that send documents one after the other until they are told to stop."""

    def __init__(self, service: Service, files: list[Path]) -> None:
        self.service, self.files = service, files
        self.answers: list[tuple[str, httpx2.Response]] = []
        self.sent = 0
        self._lock, self._stopped = threading.Condition(), threading.Event()
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._running = [self._pool.submit(self._send) for _ in range(CLIENTS)]

    def _send(self) -> None:
        while not self._stopped.is_set():
            with self._lock:
                file, self.sent = self.files[self.sent % len(self.files)], self.sent + 1
            answer = self.service.post(file.read_bytes(), file.name)
            with self._lock:
                self.answers.append((file.name, answer))
                self._lock.notify_all()

    def wait_for(self, key: str, since: int) -> int:
        """Wait for answers by a batch's adapter after position ``since``; return the number of all answers."""

        def is_enough() -> bool:
            assert all(answer.status_code == 200 for _, answer in self.answers)
            by = [answer.json()["read_by"]["batch"] for _, answer in self.answers[since:]]
            return by.count(key) >= ANSWERS

        with self._lock:
            assert self._lock.wait_for(is_enough, 1800)
            return len(self.answers)

    def stop(self) -> None:
        self._stopped.set()
        for client in self._running:
            client.result(600)
        self._pool.shutdown()


def test_each_document_is_answered_once_by_the_adapter_that_it_names(batch, tmp_path):
    storage = FolderStorage(str(tmp_path / "storage"))
    weights = {key: train(storage, key, batch, tmp_path / "work") for key in (FIRST, SECOND)}
    assert weights[FIRST] != weights[SECOND]
    pages = tmp_path / "pages"
    pages.mkdir()
    for document in batch.rendered[:DOCUMENTS]:
        image = document.pages[0].open()
        content = io.BytesIO()
        image.crop((0, 0, image.width, image.height // 2)).save(content, "PNG")
        (pages / f"{document.id}.png").write_bytes(content.getvalue())
    files = sorted(pages.iterdir())
    expected = {
        key: {
            Path(record["file"]).name: comparable(record)
            for line in finscribe(
                *("extract", *files, "--adapter", storage.folder(Stage.TRAINED_ADAPTER, key))
            ).splitlines()
            for record in [json.loads(line)]
        }
        for key in (FIRST, SECOND)
    }
    texts = {key: [[line["text"] for line in read["lines"]] for read in expected[key].values()] for key in expected}
    assert texts[FIRST] != texts[SECOND], "the adapters read the same, so that nothing is shown"

    promote(storage, FIRST, None)
    where = str(tmp_path / "storage")
    service = Service(tmp_path / "service.log", "--promoted", where, "--reload-seconds", "0.2", "--seconds", "600")
    try:
        clients = Clients(service, files)
        position = clients.wait_for(FIRST, 0)
        promote(storage, SECOND, weights[FIRST])
        position = clients.wait_for(SECOND, position)
        assert "In use now: batch-000" in finscribe(
            "withdraw-adapter", SECOND, "--reason", "a drill", "--storage", where
        )
        clients.wait_for(FIRST, position)
        clients.stop()
        model = httpx2.get(f"{service.url}/v1/model").json()["read_by"]
        metrics = httpx2.get(f"{service.url}/metrics").text
    finally:
        service.process.terminate()
        service.process.wait(60)

    assert len(clients.answers) == clients.sent
    order = []
    for name, answer in clients.answers:
        reading = answer.json()
        by = reading["read_by"]
        assert reading["record"]["model"]["adapter"] == by["adapter"] == weights[by["batch"]]
        assert comparable(reading["record"]) == expected[by["batch"]][name]
        order.append(by["batch"])
    events = [event for event in service.events() if event["event"] in ("document", "reloaded")]
    read = [event["read_by"]["adapter"] for event in events if event["event"] == "document"]
    assert sorted(read) == sorted(weights[key] for key in order)
    assert [event["batch"] for event in events if event["event"] == "reloaded"] == [SECOND, FIRST]
    assert f'finscribe_documents_total{{outcome="read"}} {clients.sent}.0' in metrics
    assert (model["batch"], model["adapter"]) == (FIRST, weights[FIRST])
    print(  # noqa: T201
        f"{clients.sent} documents: {order.count(FIRST)} by {FIRST}, {order.count(SECOND)} by {SECOND}, all equal to "
        "what extract reads"
    )
