"""`finscribe verify-pages` on a workspace, with the real reader and with one that cannot read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.cli.console_output import console
from finscribe_assets.ocr import rapidocr_engine

RECIPE = """
locales: {de_DE: 2, fr_FR: 2, ar_AE: 1}
document_types: {receipt: 1}
layouts: {receipt_slip: 1}
knobs: {many_lines: 0, degradation: 0}
"""


class Illiterate:
    """Reads the same in every box: what a terminal could take for its own markup."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def read(self, crops):
        return ["[/bold] <b>"] * len(crops)


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setattr(console, "width", 240)  # so that tables do not wrap


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["verify-pages", *map(str, arguments)], terminal_width=200)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("verify")
    (folder / "recipe.yaml").write_text(RECIPE)
    arguments = [
        "synthesize",
        "--num-samples",
        10,
        "--seed",
        3,
        "--recipe",
        folder / "recipe.yaml",
        "--out",
        folder / "work",
        "--workers",
        1,
    ]
    assert CliRunner().invoke(app, list(map(str, arguments))).exit_code == 0
    assert CliRunner().invoke(app, ["render", str(folder / "work"), "--workers", "1", "--no-preview"]).exit_code == 0
    return folder / "work"


def test_clean_pages_are_proven_and_reported(work, tmp_path):
    status, said = run(work, "--sample", 3, "--seed", 2, "--output", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert status == (0 if report["passed"] else 1) == 0, said
    assert (report["pages"], report["documents"]) == ("clean", 3)
    assert report["judged"]["fields"] == sum(group["fields"] for group in report["by_layout"].values()) > 30
    assert f"{report['judged']['fields']} fields of 3 documents judged" in said
    for group in (*report["by_layout"], *report["by_locale"], *report["by_font"]):
        assert f"│ {group} │" in said


def test_pages_that_cannot_be_read_fail_and_leave_crops(work, tmp_path, monkeypatch):
    monkeypatch.setattr(rapidocr_engine, "RapidOcrReader", Illiterate)
    status, said = run(
        work,
        "--as-rendered",
        "--sample",
        4,
        "--output",
        tmp_path / "out" / "report.json",
        "--crops",
        tmp_path / "crops",
    )
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert status == 1
    assert (report["pages"], report["passed"], report["judged"]["found"]) == ("stored", False, 0)
    assert re.search(r"0 found \(0\.00%; 98% are needed\)", said)
    assert "[/bold] <b>" in said
    assert f"… and {len(report['failures']) - 30} more" in said
    pictures = sorted((tmp_path / "crops").glob("*.png"))
    assert len(pictures) == len(report["failures"]) == report["judged"]["fields"]
    assert all(Image.open(picture).height > 10 for picture in pictures)
    first = report["failures"][0]
    assert pictures[0].name.startswith(f"0001--{first['document']}--{first['field']}--p{first['places'][0]['page']}--")
    page = (tmp_path / "crops" / "index.html").read_text(encoding="utf-8")
    assert page.count("<img ") == len(pictures)
    assert "[/bold] &lt;b&gt;" in page


def test_arabic_is_counted_and_not_judged(work, monkeypatch):
    monkeypatch.setattr(rapidocr_engine, "RapidOcrReader", Illiterate)
    assert re.search(r"not read .* │ the reader has no arabic letters", run(work, "--sample", 10)[1])


def test_errors_say_what_to_do(work, tmp_path, monkeypatch):
    assert "no part-*.parquet in this folder" in run(tmp_path)[1]
    assert run(tmp_path / "nothing")[0] == 2
    monkeypatch.setattr(rapidocr_engine, "RECOGNITION_MODEL", "none.onnx")
    status, said = run(work)
    assert status == 1
    assert "none.onnx: the installed rapidocr has no such model" in said


def test_pages_are_read_as_the_model_sees_them(work, tmp_path):
    options = ("--as-model", "--sample", 3, "--seed", 2, "--output", tmp_path / "report.json")
    _, said = run(work, *options, "--max-pixels", 28 * 28 * 400)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["pages"] == "as the model sees them"
    assert "values are printed too small for the model" in said
    for failure in report["failures"]:
        for place in failure["places"]:
            assert place["box"][2] * place["box"][3] < 28 * 28 * 400
