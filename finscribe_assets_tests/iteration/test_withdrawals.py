"""Withdrawing and restoring promoted adapters: what is in use when, the history, and the commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finscribe_assets.cli.app import app
from finscribe_assets.documents.batch_keys import LAST_BATCH_KEY
from finscribe_assets.errors import UserError
from finscribe_assets.iteration.batch_documents import ADAPTER, BASE
from finscribe_assets.iteration.batch_storage import FolderStorage, Stage
from finscribe_assets.iteration.promoting import (
    PROMOTED,
    adapter_in_use,
    adapter_in_use_before,
    decisions_until,
    judge_adapter,
    take_step,
)
from finscribe_assets.promotion.adapter_decisions import AdapterDecision
from finscribe_assets.promotion.adapter_withdrawals import WithdrawalAction
from finscribe_assets.promotion.exam_results import ExamDocument, ExamResult
from finscribe_assets.promotion.gate import GateVerdict, PartGain

WITHDRAW, RESTORE = WithdrawalAction.WITHDRAWN, WithdrawalAction.RESTORED


def judged(root: Path, *passed: bool) -> FolderStorage:
    """Return a storage with a decision for each batch."""
    storage = FolderStorage(str(root))
    gain = PartGain(part="all", documents=9, accuracy=0.9, before=0.8, gain=0.1, low=0.05, high=0.15)
    for number, is_promoted in enumerate(passed):
        decision = AdapterDecision(
            key=f"batch-{number:03d}",
            adapter=f"{number:x}" * 64,
            base="embedded",
            compared_with=None,
            accuracy=0.9,
            verdict=GateVerdict(promoted=is_promoted, checks=(), overall=gain, parts=(), reason="a test"),
        )
        folder = storage.folder(Stage.ADAPTER_REGISTRY, decision.key)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "decision.json").write_text(decision.model_dump_json())
    return storage


def in_use(storage: FolderStorage, key: str = LAST_BATCH_KEY) -> str | None:
    decision = adapter_in_use(storage, key)
    return decision.key if decision else None


def test_the_adapter_before_it_is_in_use_again_and_the_past_stays(tmp_path):
    storage = judged(tmp_path, True, True, False, True, False)
    before = {path: path.read_bytes() for path in tmp_path.rglob("decision.json")}
    assert take_step(storage, WITHDRAW, "batch-003", "reads dates wrongly").key == "batch-001"
    assert (in_use(storage), in_use(storage, "batch-003")) == ("batch-001", "batch-003")
    # A batch that was judged before the step is compared with what was in use then; the next one is not.
    assert adapter_in_use_before(storage, "batch-004").key == "batch-003"
    assert adapter_in_use_before(storage, "batch-005").key == "batch-001"
    assert take_step(storage, WITHDRAW, "batch-001", "so does it").key == "batch-000"
    assert take_step(storage, RESTORE, "batch-003", "the scanner was at fault").key == "batch-003"
    assert {path: path.read_bytes() for path in tmp_path.rglob("decision.json")} == before
    steps = [json.loads(path.read_text()) for path in sorted((tmp_path / "withdrawals").iterdir())]
    assert [(step["number"], step["action"], step["key"], step["after"]) for step in steps] == [
        (1, "withdrawn", "batch-003", "batch-004"),
        (2, "withdrawn", "batch-001", "batch-004"),
        (3, "restored", "batch-003", "batch-004"),
    ]


def test_a_later_promotion_and_weights_that_are_trained_anew_are_not_meant(tmp_path):
    storage = judged(tmp_path, True, True)
    take_step(storage, WITHDRAW, "batch-001", "bad")
    judged(tmp_path, True, True, True)
    assert in_use(storage) == "batch-002"
    decision = decisions_until(storage, "batch-001")[1]
    file = tmp_path / "adapter_registry/batch-001/decision.json"
    file.write_text(decision.model_copy(update={"adapter": "f" * 64}).model_dump_json())
    (tmp_path / "adapter_registry/batch-002/decision.json").unlink()
    assert in_use(storage) == "batch-001"


@pytest.mark.parametrize(
    ("action", "key", "reason", "message"),
    [
        (
            WITHDRAW,
            "batch-001",
            "bad",
            "batch-001: the gate refused its adapter.* promoted so far: batch-000, batch-002",
        ),
        (WITHDRAW, "batch-007", "bad", "batch-007: its adapter was not judged; promoted so far: batch-000, batch-002"),
        (RESTORE, "batch-002", "good", "batch-002: its adapter is not withdrawn"),
        (WITHDRAW, "batch-002", "  ", "--reason: say in a few words why"),
    ],
)
def test_steps_that_cannot_be_taken_change_nothing(tmp_path, action, key, reason, message):
    storage = judged(tmp_path, True, False, True)
    with pytest.raises(UserError, match=message):
        take_step(storage, action, key, reason)
    assert not (tmp_path / "withdrawals").exists()


def test_the_last_adapter_is_withdrawn_on_demand_only(tmp_path):
    storage = judged(tmp_path, True)
    with pytest.raises(UserError, match="add --to-bare-base"):
        take_step(storage, WITHDRAW, "batch-000", "bad")
    assert in_use(storage) == "batch-000"
    assert take_step(storage, WITHDRAW, "batch-000", "bad", to_bare_base=True) is None
    assert (in_use(storage), adapter_in_use_before(storage, "batch-001")) == (None, None)
    with pytest.raises(UserError, match="is withdrawn already"):
        take_step(storage, WITHDRAW, "batch-000", "bad", to_bare_base=True)


def exam_of(reader: str, correct: int) -> ExamResult:
    documents = tuple(
        ExamDocument(
            id=f"base/{number}",
            part="base",
            content="c",
            fields=10,
            correct=correct,
            stock_similarity=0.9,
            response_tokens=3,
            endless_responses=0,
        )
        for number in range(20)
    )
    return ExamResult(reader=reader, exam="x", documents=documents)


def test_an_exam_beside_an_adapter_that_was_withdrawn_since_is_not_judged(tmp_path):
    storage = judged(tmp_path, True, True)
    adapter = storage.folder(Stage.TRAINED_ADAPTER, "batch-002")
    adapter.mkdir(parents=True)
    (adapter / "training.json").write_text(json.dumps({"config": {}, "base": {"name": "b", "content": "c"}}))
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    results = {BASE: exam_of("b", 1), PROMOTED: exam_of(f"5:{'1' * 64}:cpu", 2), ADAPTER: exam_of("a", 9)}
    assert judge_adapter(storage, "batch-002", results).compared_with == "batch-001"
    (tmp_path / "adapter_registry/batch-002/decision.json").unlink()
    take_step(storage, WITHDRAW, "batch-001", "bad")
    with pytest.raises(UserError, match="batch-002: its exam was taken beside another adapter than batch-000"):
        judge_adapter(storage, "batch-002", results)
    again = results | {PROMOTED: exam_of(f"5:{'0' * 64}:cpu", 2)}
    assert judge_adapter(storage, "batch-002", again).compared_with == "batch-000"


def test_the_commands_say_what_is_in_use_and_keep_the_history(tmp_path):
    judged(tmp_path, True, True)
    run = CliRunner().invoke
    where = ["--storage", str(tmp_path)]
    withdrawn = run(app, ["withdraw-adapter", "batch-001", "--reason", "reads dates wrongly", *where])
    assert withdrawn.output == f"batch-001 is withdrawn. In use now: batch-000, adapter {'0' * 12}\n"
    shown = run(app, ["adapters", *where]).output
    assert "withdrawn" in shown
    assert "reads dates wrongly" in shown
    assert "in use: batch-000" in shown
    restored = run(app, ["restore-adapter", "batch-001", "--reason", "it was the scanner", *where])
    assert restored.output == f"batch-001 is restored. In use now: batch-001, adapter {'1' * 12}\n"
    refused = run(app, ["withdraw-adapter", "batch-005", "--reason", "bad", *where])
    assert refused.exit_code == 1
    assert "batch-005: its adapter was not judged" in refused.stderr
