"""Promote: the gate judges a batch's adapter; which adapter is in use follows from the decisions so far.

What belongs here: storing decisions, and the steps by which a person withdraws or restores a promoted adapter. What
follows from both is in `promotion.adapter_withdrawals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from upath import UPath

from finscribe_assets.documents.batch_keys import LAST_BATCH_KEY
from finscribe_assets.errors import UserError
from finscribe_assets.files import write_text
from finscribe_assets.iteration.batch_documents import ADAPTER, BASE
from finscribe_assets.iteration.batch_storage import BatchStorage, Stage
from finscribe_assets.model.adapters import adapter_hash, adapter_record
from finscribe_assets.promotion.adapter_decisions import AdapterDecision
from finscribe_assets.promotion.adapter_withdrawals import (
    WithdrawalAction,
    WithdrawalStep,
    in_use_after,
    in_use_before,
    next_step,
)
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
    return in_use_before(decisions_until(storage, key), withdrawal_steps(storage), key)


def adapter_in_use(storage: BatchStorage, key: str) -> AdapterDecision | None:
    """Return the decision by which the adapter came into use that is used after a batch; None for the bare base."""
    return in_use_after(decisions_until(storage, key), withdrawal_steps(storage), key)


def withdrawal_steps(storage: BatchStorage) -> list[WithdrawalStep]:
    """Return the steps by which people withdrew or restored adapters, oldest first."""
    files = sorted(storage.withdrawals.glob("*.json"))
    return [WithdrawalStep.model_validate_json(file.read_text(encoding="utf-8")) for file in files]


def take_step(
    storage: BatchStorage, action: WithdrawalAction, key: str, reason: str, *, to_bare_base: bool = False
) -> AdapterDecision | None:
    """Withdraw or restore a batch's adapter; return the decision by which the adapter in use now came into use.

    The gate's decisions and the adapter's files stay.

    Args:
        storage: Where decisions and steps are.
        action: Withdraw, or restore.
        key: The batch.
        reason: Why, in the person's words.
        to_bare_base: Whether no adapter may be in use after it.

    Raises:
        UserError: The step is not possible, or no adapter would be in use.
    """
    decisions, steps = decisions_until(storage, LAST_BATCH_KEY), withdrawal_steps(storage)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    step = next_step(decisions, steps, action, key, time=now, reason=reason)
    in_use = in_use_after(decisions, [*steps, step], LAST_BATCH_KEY)
    if in_use is None and not to_bare_base:
        raise UserError(
            f"{key}: no other adapter is promoted, so that the platform would go on from the bare base, and a running "
            "`finscribe serve --promoted` would keep this adapter; stop such services and add --to-bare-base"
        )
    # A file for each step: two people who take steps at the same time lose neither.
    file = storage.withdrawals / f"{step.number:06d}-{key}-{action}.json"
    write_text(file, step.model_dump_json(indent=2) + "\n")
    return in_use


def adapter_folder(storage: BatchStorage, decision: AdapterDecision | None) -> UPath | None:
    """Return the folder of the adapter that a decision promoted; None for the bare base."""
    return storage.folder(Stage.TRAINED_ADAPTER, decision.key) if decision else None


def judge_adapter(storage: BatchStorage, key: str, results: Mapping[str, ExamResult]) -> AdapterDecision:
    """Judge a batch's adapter by its exam against the reader in use before it, and store the decision.

    Args:
        storage: Where the decision goes.
        key: The batch.
        results: What the exam's readers got right: ADAPTER, BASE, and PROMOTED where an adapter was in use.

    Raises:
        UserError: The exam was taken beside another adapter in use, because one was withdrawn or restored since.
    """
    before = adapter_in_use_before(storage, key)
    examined = results.get(PROMOTED)
    if (before is None) != (examined is None) or (before and examined and before.adapter not in examined.reader):
        raise UserError(
            f"{key}: its exam was taken beside another adapter than {before.key if before else 'the bare base'}, which "
            "is in use now; materialise exam again"
        )
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
