"""Promote: the gate judges a batch's adapter; which adapter is in use follows from the decisions so far."""

from __future__ import annotations

from collections.abc import Mapping

from upath import UPath

from finscribe_assets.files import write_text
from finscribe_assets.iteration.batch_documents import ADAPTER, BASE
from finscribe_assets.iteration.batch_storage import BatchStorage, Stage
from finscribe_assets.model.adapters import adapter_hash, adapter_record
from finscribe_assets.promotion.adapter_decisions import AdapterDecision, promoted_adapter, promoted_before
from finscribe_assets.promotion.exam_results import BASE_PART, ExamResult, mean_accuracy
from finscribe_assets.promotion.gate import judge

DECISION_FILE = "decision.json"
PROMOTED = "promoted"  # the adapter in use before a batch, as a reader of its exam


def decisions_until(storage: BatchStorage, key: str) -> list[AdapterDecision]:
    """Return the gate's decisions about the adapters of all batches up to and including ``key``, oldest first."""
    stage = Stage.ADAPTER_REGISTRY
    files = [storage.folder(stage, batch) / DECISION_FILE for batch in storage.keys_until(stage, key)]
    return [AdapterDecision.model_validate_json(file.read_text(encoding="utf-8")) for file in files if file.exists()]


def adapter_in_use_before(storage: BatchStorage, key: str) -> AdapterDecision | None:
    """Return the decision by which the adapter came into use that is used before a batch; None for the bare base."""
    return promoted_before(decisions_until(storage, key), key)


def adapter_in_use(storage: BatchStorage, key: str) -> AdapterDecision | None:
    """Return the decision by which the adapter came into use that is used after a batch; None for the bare base."""
    return promoted_adapter(decisions_until(storage, key))


def adapter_folder(storage: BatchStorage, decision: AdapterDecision | None) -> UPath | None:
    """Return the folder of the adapter that a decision promoted; None for the bare base."""
    return storage.folder(Stage.TRAINED_ADAPTER, decision.key) if decision else None


def judge_adapter(storage: BatchStorage, key: str, results: Mapping[str, ExamResult]) -> AdapterDecision:
    """Judge a batch's adapter by its exam against the reader in use before it, and store the decision.

    Args:
        storage: Where the decision goes.
        key: The batch.
        results: What the exam's readers got right: ADAPTER, BASE, and PROMOTED where an adapter was in use.
    """
    before = adapter_in_use_before(storage, key)
    folder = storage.folder(Stage.TRAINED_ADAPTER, key)
    base = adapter_record(folder)["base"]
    decision = AdapterDecision(
        key=key,
        adapter=adapter_hash(folder),
        base=f"{base['name']} {base['content']}",
        compared_with=before.key if before else None,
        accuracy=round(mean_accuracy(results[ADAPTER].parts().get(BASE_PART, ())), 4),
        verdict=judge(results[ADAPTER], results[PROMOTED if before else BASE]),
    )
    write_text(storage.folder(Stage.ADAPTER_REGISTRY, key) / DECISION_FILE, decision.model_dump_json(indent=2) + "\n")
    return decision
