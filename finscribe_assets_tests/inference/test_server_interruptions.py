"""Predictions of a server do not depend on how often it, or the client, was killed."""

import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pyarrow as pa
import pytest

from finscribe_assets.inference import prediction_parts
from finscribe_assets.inference.prediction import PREDICTED_BY_FILE, PREDICTIONS_FILE, predict_batch
from finscribe_assets.inference.prediction_parts import PARTS_FOLDER
from finscribe_assets.inference.server_reader import ServerReader
from finscribe_assets.inference.server_settings import ServerSettings
from finscribe_assets.rendering.pages import NO_MARKS, PAGE_TABLE_SCHEMA, Page
from finscribe_assets.shards import write_shard
from finscribe_assets_tests.inference.chat_server import MODEL, ChatServer, Reply, completion, images_of

DOCUMENTS, KILLS = 40, 20


class KilledError(Exception):
    """Stands for a signal that ends the client."""


def answer(body):
    """Answer with values that depend on the pixels."""
    mean = np.asarray(images_of(body)[0]).mean()
    text = json.dumps({"document_number": f"N-{mean:.3f}"})
    return Reply(completion(text, [(text, 0.2 + mean / 1000), ("</s>", 1.0)]))


@pytest.fixture
def images(tmp_path):
    """Return a folder with pages of noise, two documents on each shard."""
    random_ = np.random.default_rng(3)
    rows = []
    for number in range(DOCUMENTS):
        page = Page.of_pixels(random_.integers(0, 255, (30, 40), dtype=np.uint8))
        name = f"batch-000-{number:06d}"
        rows.append(
            {
                "document_id": name,
                "page": 0,
                "pages": 1,
                "image": {"bytes": page.image, "path": f"{name}-0.png"},
                "width": 40,
                "height": 30,
                "dpi": 72,
                "marks": NO_MARKS,
            }
        )
    folder = tmp_path / "images"
    write_shard(folder / "part-00000.parquet", pa.Table.from_pylist(rows, schema=PAGE_TABLE_SCHEMA), "noise")
    return folder


def predict(server, images, folder, on_documents=None):
    reader = ServerReader(ServerSettings(server.url, MODEL, concurrency=3, patience=60.0))
    ids = {f"batch-000-{number:06d}" for number in range(DOCUMENTS)}
    return predict_batch([images], ids, folder, reader=reader, on_documents=on_documents)


@pytest.fixture
def expected(images, tmp_path, monkeypatch):
    """Return the predictions of a run that nobody disturbed."""
    monkeypatch.setattr(prediction_parts, "DOCUMENTS_PER_PART", 2)
    server = ChatServer(answer)
    summary = predict(server, images, tmp_path / "undisturbed")
    server.close()
    assert (summary.parts, summary.skipped, summary.device) == (20, 0, "server")
    by = json.loads((tmp_path / "undisturbed" / PREDICTED_BY_FILE).read_text())
    assert (by["server_model"], by["mode"], by["base"]) == (MODEL, "page", None)
    return (tmp_path / "undisturbed" / PREDICTIONS_FILE).read_bytes()


def test_a_client_that_is_killed_twenty_times_writes_the_same_file(images, expected, tmp_path):
    server = ChatServer(answer)
    random_ = random.Random(1)
    finished = 0
    for _ in range(KILLS):

        def kill_sometimes(count):
            if random_.random() < 0.5:
                raise KilledError

        try:
            predict(server, images, tmp_path / "killed", kill_sometimes)
            finished += 1
        except KilledError:
            pass
    assert finished < KILLS
    summary = predict(server, images, tmp_path / "killed")
    server.close()
    assert summary.skipped > 0
    assert (tmp_path / "killed" / PREDICTIONS_FILE).read_bytes() == expected
    assert not (tmp_path / "killed" / PARTS_FOLDER).exists()


def test_a_server_that_is_killed_twenty_times_gives_the_same_file(images, expected, tmp_path, monkeypatch):
    monkeypatch.setattr("finscribe_assets.inference.chat_client._LONGEST_PAUSE", 0.1)
    current = ChatServer(answer)
    killed = 0
    asked = threading.Semaphore(0)

    def answer_or_die(body):
        asked.release()
        return answer(body)

    current.answer = answer_or_die
    over = threading.Event()

    def kill():
        nonlocal current, killed
        while killed < KILLS and not over.is_set():
            if not asked.acquire(timeout=0.05):
                continue
            current.answer = lambda body: Reply(drop=True)  # requests in flight are lost, as by a signal
            current.close()
            killed += 1
            time.sleep(0.02)
            current = ChatServer(answer_or_die, port=current.port)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        predict(current, images, tmp_path / "restarted")
    finally:
        over.set()
        killer.join()
        current.close()
    assert killed == KILLS
    assert (tmp_path / "restarted" / PREDICTIONS_FILE).read_bytes() == expected


CLIENT = """
from finscribe_assets.inference import prediction_parts
prediction_parts.DOCUMENTS_PER_PART = 2
from finscribe_assets.cli import app
app()
"""


def start_server(port):
    command = [sys.executable, "-m", "finscribe_assets_tests.inference.chat_server", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return server, int(server.stdout.readline())


def start_client(workspace, port, out):
    options = ["--server", f"http://127.0.0.1:{port}", "--reads", "lines", "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, "predict", str(workspace), *options], stdout=subprocess.DEVNULL
    )


@pytest.mark.slow
def test_processes_that_are_killed_give_the_same_file(batch, tmp_path):
    """The embedded base behind a server: 20 signals to the client, 20 to the server, at random."""
    workspace = tmp_path / "work"
    shutil.copytree(batch.folder, workspace)
    (workspace / "plan.json").write_text(batch.plan.model_dump_json())
    subprocess.run([sys.executable, "-c", CLIENT, "split", str(workspace)], check=True)
    server, port = start_server(0)
    assert start_client(workspace, port, tmp_path / "undisturbed").wait() == 0
    expected = (tmp_path / "undisturbed" / PREDICTIONS_FILE).read_bytes()
    random_ = random.Random(2)
    kills = {"client": 0, "server": 0}
    rounds = 0
    client = start_client(workspace, port, tmp_path / "round-0")
    while min(kills.values()) < KILLS:
        time.sleep(random_.uniform(1.0, 8.0))
        if client.poll() is not None:  # it was quicker than the signals: again, into another folder
            assert client.returncode == 0
            assert (tmp_path / f"round-{rounds}" / PREDICTIONS_FILE).read_bytes() == expected
            rounds += 1
        elif kills["client"] <= kills["server"]:
            client.send_signal(signal.SIGKILL)
            client.wait()
            kills["client"] += 1
        else:
            server.send_signal(signal.SIGKILL)
            server.wait()
            kills["server"] += 1
            server, _ = start_server(port)
            continue
        client = start_client(workspace, port, tmp_path / f"round-{rounds}")
    assert client.wait() == 0
    server.kill()
    assert (tmp_path / f"round-{rounds}" / PREDICTIONS_FILE).read_bytes() == expected
    print(f"{kills}, {rounds + 1} finished files, SHA-256 {hashlib.sha256(expected).hexdigest()[:12]}")  # noqa: T201
