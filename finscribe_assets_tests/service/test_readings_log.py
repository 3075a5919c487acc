"""The log: what it keeps by setting, for how long, and the way of a kept document back to people and to the import."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.documents.file_ids import file_document_id
from finscribe_assets.rendering.pages import Page
from finscribe_assets.service.document_reading import PageSize, ReadBy, StageSeconds, make_reading
from finscribe_assets.service.log_files import day_files, read_log
from finscribe_assets.service.readings_log import LogDetail, ReadingsLog
from finscribe_assets_tests.service.fake_service import PATHS, png, record_of

SECRETS = ("RE-17", "Nordlicht", "119.00", "Scan von Frau Muster")
NAME = "Scan von Frau Muster.png"
CONTENT = png((600, 800))


def page() -> Page:
    import io

    import numpy as np
    from PIL import Image

    return Page.of_pixels(np.asarray(Image.open(io.BytesIO(CONTENT))))


def append(log: ReadingsLog, *, confidence: float = 0.97, content: bytes = CONTENT) -> None:
    record = record_of(NAME, "real-Scan-von-Frau-Muster-0123", confidence=dict.fromkeys(PATHS, confidence))
    sizes = [PageSize(page=1, width=600, height=800)]
    answer = make_reading(
        record, sizes, ReadBy(base="fake", adapter=None, batch=None), StageSeconds(waiting=0, opening=0, reading=0)
    )
    log.append(answer, content, (page(),))


def texts(folder: Path) -> str:
    return "".join(path.name + path.read_text() for path in folder.rglob("*") if path.is_file())


def test_by_default_nothing_that_a_document_says_is_kept(tmp_path):
    append(ReadingsLog(tmp_path / "log"), confidence=0.4)
    kept = texts(tmp_path / "log")
    assert not any(secret in kept for secret in SECRETS)
    ((_, line),) = read_log(tmp_path / "log")
    assert line["confidence"]["totals.amount_due"] == 0.4
    assert line["needs_review"] is True
    assert line["measures"]["width"] == 600
    assert (tmp_path / "log").stat().st_mode & 0o077 == 0


def test_a_document_in_doubt_comes_to_people_and_back(tmp_path):
    log = ReadingsLog(tmp_path / "log", LogDetail.DOCUMENTS)
    append(log, confidence=0.4)
    append(log, content=png((601, 800)))  # nothing speaks against it
    (kept,) = (tmp_path / "log/documents").rglob("*.png")
    assert kept.read_bytes() == CONTENT
    ((_, day),) = day_files(tmp_path / "log")
    lines = [json.loads(line) for line in day.read_text().splitlines()]
    assert lines[0]["id"] == file_document_id(kept)  # the id that the import gives it
    run = CliRunner()
    queue, picked = tmp_path / "queue.jsonl", tmp_path / "picked.jsonl"
    arguments = ["queue", day, "--output", queue, "--records", picked, "--top", 1]
    assert run.invoke(app, list(map(str, arguments))).exit_code == 0
    assert json.loads(queue.read_text())["id"] == lines[0]["id"]
    exported = run.invoke(app, ["review-export", str(picked), "--out", str(tmp_path / "review")])
    assert exported.exit_code == 0, exported.output
    (task,) = json.loads((tmp_path / "review/tasks-1.json").read_text())
    assert "RE-17" in json.dumps(task)


def test_values_without_documents_are_predictions_of_no_file(tmp_path):
    append(ReadingsLog(tmp_path, LogDetail.VALUES), confidence=0.4)
    ((_, line),) = read_log(tmp_path)
    assert line["response"]["document_number"] == "RE-17"
    assert line["file"] == NAME
    assert not (tmp_path / "documents").exists()


def test_days_past_the_retention_are_removed_with_their_documents(tmp_path):
    start = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    for day in range(6):
        log = ReadingsLog(tmp_path, LogDetail.DOCUMENTS, days=3, now=lambda day=day: start + timedelta(days=day))
        append(log, confidence=0.4)
    kept = ["2026-03-04", "2026-03-05", "2026-03-06"]
    assert [day.isoformat() for day, _ in day_files(tmp_path)] == kept
    assert sorted(folder.name for folder in (tmp_path / "documents").iterdir()) == kept


def test_a_line_that_was_cut_is_left_out(tmp_path):
    append(ReadingsLog(tmp_path))
    ((_, path),) = day_files(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    assert len(list(read_log(tmp_path))) == 1


@pytest.mark.parametrize("name", ["2026-13-01.jsonl", "notes.jsonl", ".2026-03-01.jsonl.tmp"])
def test_other_files_in_the_folder_are_no_days(tmp_path, name):
    append(ReadingsLog(tmp_path))
    (tmp_path / "readings" / name).write_text("{}")
    assert len(day_files(tmp_path)) == 1
