"""`finscribe validate` on the files that people have: workspaces, ground truth, UBL."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.cli.console_output import console
from finscribe_assets.documents.ubl import to_ubl
from finscribe_assets_tests.documents.bills import bill

ROOT = Path(__file__).parents[2]
RECIPE = "locales: {de_DE: 2, fr_FR: 2, en_US: 1}\ndocument_types: {invoice: 6, credit_note: 3, receipt: 1}\n"


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setattr(console, "width", 240)  # so that tables do not wrap


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["validate", *map(str, arguments)], terminal_width=200)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("validate")
    (folder / "recipe.yaml").write_text(RECIPE)
    arguments = [
        "synthesize",
        "--num-samples",
        60,
        "--seed",
        2,
        "--recipe",
        folder / "recipe.yaml",
        "--out",
        folder / "work",
        "--workers",
        1,
    ]
    assert CliRunner().invoke(app, list(map(str, arguments))).exit_code == 0
    return folder / "work"


def records(work: Path) -> list[dict]:
    return [json.loads(line) for line in (work / "documents.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_workspace_is_validated_and_what_is_no_invoice_is_counted(work):
    status, said = run(work)
    kinds = [(record["document"]["document_type"], record["document"]["locale"]) for record in records(work)]
    receipts = sum(kind == "receipt" for kind, _ in kinds)
    american = sum(kind != "receipt" and locale == "en_US" for kind, locale in kinds)
    assert status == 0
    assert receipts and american
    assert f"│ {receipts} │ a receipt is neither an invoice nor a credit note" in said
    assert f"│ {american} │ its tax is us sales tax, not VAT" in said
    assert f"{60 - receipts - american} documents validated, 0 failed" in said


def test_a_sample_depends_on_its_seed_alone_and_is_kept_as_ubl(work, tmp_path):
    names = {}
    for run_name, seed in (("a", 1), ("b", 1), ("c", 2)):
        status, said = run(work, "--sample", 12, "--seed", seed, "--xml-dir", tmp_path / run_name)
        assert (status, "12 documents validated, 0 failed" in said) == (0, True)
        names[run_name] = {file.name: file.read_bytes() for file in (tmp_path / run_name).iterdir()}
    assert len(names["a"]) == 12
    assert names["a"] == names["b"]
    assert set(names["a"]) != set(names["c"])
    assert run(tmp_path / "a", *(tmp_path / "c").iterdir())[1].endswith("24 documents validated, 0 failed")


def test_the_commands_of_the_documentation_run(work, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(work, "work")
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    lines = [
        line
        for page in pages
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith(".venv/bin/finscribe validate ")
    ]
    assert len(lines) >= 5
    for line in lines:
        status, said = run(*line.split("#")[0].split()[2:])
        assert (line, status, "documents validated, 0 failed" in said) == (line, 0, True)


def test_a_sample_larger_than_the_batch_is_all_of_it(work):
    assert run(work, "--sample", 1000)[1].split("└")[-1] == run(work)[1].split("└")[-1]


def test_a_tampered_total_fails_with_document_rule_and_message(work, tmp_path):
    wrong = records(work)
    for record in wrong:
        if record["document"]["document_type"] == "invoice" and record["document"]["locale"] == "de_DE":
            record["document"]["totals"]["amount_due"] = "1.23"
            break
    (tmp_path / "wrong.jsonl").write_text("".join(json.dumps(one) + "\n" for one in wrong), encoding="utf-8")
    status, said = run(tmp_path / "wrong.jsonl")
    assert status == 1
    assert re.search(rf"failures .*{record['id']} │ BR-CO-16 │ Amount due for payment \(BT-115\) =", said)
    assert said.endswith("documents validated, 1 failed")


def test_a_file_that_is_no_ubl_fails_and_the_others_are_judged(tmp_path):
    (tmp_path / "good.xml").write_bytes(to_ubl(bill()))
    (tmp_path / "bad.xml").write_text("<Invoice/>")
    status, said = run(tmp_path)
    assert status == 1
    assert "bad.xml │ XML │ its root is Invoice" in said
    assert said.endswith("2 documents validated, 1 failed")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            '{"id": "a", "document": {"locale": "de_DE"}}',
            r"documents\.jsonl: line 1: document\.issue_date: Field required",
        ),
        ('\n{"id": 1}\n', r'documents\.jsonl: line 2: not of the form {"id": "…", "document": {…}}'),
        ("{\n", r"documents\.jsonl: line 1: not JSON"),
        ("", "EN 16931 covers none of these documents"),
    ],
)
def test_errors_name_file_and_line(tmp_path, content, said):
    (tmp_path / "documents.jsonl").write_text(content, encoding="utf-8")
    status, output = run(tmp_path)
    assert status == 1
    assert re.search(said, output)


def test_errors_of_places(tmp_path):
    assert "neither documents.jsonl nor *.xml files" in run(tmp_path)[1]
    assert run(tmp_path / "nothing")[0] == 2


def test_two_documents_of_one_name_are_not_written_over_each_other(tmp_path):
    line = json.dumps({"id": "a/b", "document": bill().to_json()}) + "\n"
    (tmp_path / "documents.jsonl").write_text(line + line, encoding="utf-8")
    status, said = run(tmp_path, "--xml-dir", tmp_path / "out")
    assert status == 1
    assert "a_b.xml: a/b and a/b have the same file name" in said
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["a_b.xml"]
