"""Drift is found where it was planted, and false alarms are as rare as they are promised to be."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.errors import UserError
from finscribe_assets.service.drift import FALSE_ALARMS, FEWEST_COMPARED, compare_features, drift_picture, find_drift

START = date(2026, 3, 1)


def write_log(folder: Path, days: int, noise: float, confidence: float, first: int = 0, adapter: str = "a") -> None:
    """Write days of 20 readings each, whose noise and confidence are drawn around these values."""
    rng = np.random.default_rng(first)
    (folder / "readings").mkdir(parents=True, exist_ok=True)
    for day in range(first, first + days):
        lines = []
        for number in range(20):
            sure = float(np.clip(rng.normal(confidence, 0.02), 0, 1))
            lines.append(
                {
                    "form": 1,
                    "content": f"{day}-{number}",
                    "pages": 1,
                    "values": int(rng.integers(10, 20)),
                    "broken_rules": [],
                    "needs_review": sure < 0.8,
                    "read_by": {"adapter": adapter},
                    "confidence": {"document_number": sure, "issue_date": sure},
                    "measures": {"noise": float(rng.normal(noise, 1)), "width": float(rng.normal(1190, 5))},
                }
            )
        path = folder / "readings" / f"{START + timedelta(days=day)}.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_planted_drift_is_named_and_nothing_else(tmp_path):
    write_log(tmp_path, 14, noise=3, confidence=0.95)
    write_log(tmp_path, 7, noise=6, confidence=0.90, first=14)
    data = find_drift(tmp_path, days=7)
    names = {item.feature for item in data.report.drifted}
    assert names == {"measures.noise", "confidence.mean", "confidence.lowest"}
    noise = next(item for item in data.report.features if item.feature == "measures.noise")
    assert (round(noise.reference), round(noise.latest)) == (3, 6)
    assert (data.report.reference_documents, data.report.latest_documents) == (280, 140)
    assert drift_picture(data).startswith(b"\x89PNG")


def test_false_alarms_are_no_more_than_promised():
    rng = np.random.default_rng(5)
    runs, alarms = 150, 0
    for _ in range(runs):
        sides = ({str(name): rng.normal(size=count) for name in range(20)} for count in (60, 40))
        alarms += any(item.drifted for item in compare_features(*sides))
    # Binomial: with a rate of at most FALSE_ALARMS, six or more of 150 come once in 1,000 times.
    assert alarms < 6
    assert FALSE_ALARMS == 0.01


def test_a_difference_that_is_significant_and_small_is_no_drift():
    rng = np.random.default_rng(6)
    (item,) = compare_features({"x": rng.normal(size=20_000)}, {"x": rng.normal(0.15, size=20_000)})
    assert item.p < 1e-6
    assert not item.drifted


def test_a_file_that_is_sent_again_and_again_counts_once(tmp_path):
    write_log(tmp_path, 14, noise=3, confidence=0.95)
    write_log(tmp_path, 1, noise=3, confidence=0.95, first=14)
    path = tmp_path / "readings" / f"{START + timedelta(days=14)}.jsonl"
    line = json.loads(path.read_text().splitlines()[0])
    line["measures"]["noise"] = 60.0
    path.write_text((json.dumps(line) + "\n") * 500)
    report = find_drift(tmp_path, days=1).report
    assert (report.latest_documents, report.features) == (1, ())
    assert f"{FEWEST_COMPARED} are needed" in report.conclusion


def test_another_adapter_is_named_beside_a_drift(tmp_path):
    write_log(tmp_path, 5, noise=3, confidence=0.95)
    write_log(tmp_path, 5, noise=3, confidence=0.8, first=5, adapter="b")
    report = find_drift(tmp_path, days=5).report
    assert report.reader_changed
    assert "another adapter" in report.conclusion


@pytest.mark.slow  # pages of 36 documents are measured
def test_a_workspace_is_a_reference_for_the_looks_of_pages(tmp_path, batch):
    write_log(tmp_path, 5, noise=300, confidence=0.95)
    report = find_drift(tmp_path, days=5, reference=batch.folder).report
    assert report.reference_documents == len(batch.documents)
    assert "measures.noise" in {item.feature for item in report.drifted}
    assert not any(item.feature.startswith("confidence") for item in report.features)
    with pytest.raises(UserError, match="neither a log"):
        find_drift(tmp_path, reference=tmp_path / "readings")


def test_the_command_writes_report_and_picture_and_fails_on_drift(tmp_path):
    write_log(tmp_path / "log", 14, noise=3, confidence=0.95)
    report, picture = tmp_path / "drift.json", tmp_path / "drift.png"
    arguments = ["drift", str(tmp_path / "log"), "--output", str(report), "--plot", str(picture)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    write_log(tmp_path / "log", 7, noise=9, confidence=0.95, first=14)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "measures.noise" in json.loads(report.read_text())["drifted"]
    assert picture.read_bytes().startswith(b"\x89PNG")
