"""What earlier iterations recorded: their outcomes, what mining found, and what plans did about factors."""

from __future__ import annotations

from collections.abc import Collection

from finscribe_assets.files import read_json
from finscribe_assets.iteration.batch_storage import BatchStorage, PlanFiles, Stage
from finscribe_assets.iteration.decision import Decision, IterationRecord, decide
from finscribe_assets.mining.factor_plan import PlannedFactor, planned_factors
from finscribe_assets.mining.learning_history import EarlierIteration

RECORD_FILE, MINING_FILE = "iteration.json", "mining.json"


def records_until(storage: BatchStorage, key: str) -> list[IterationRecord]:
    """Return the records of all iterations up to and including ``key``, oldest first."""
    stage = Stage.HARD_SAMPLE_PLAN
    files = [storage.folder(stage, batch) / RECORD_FILE for batch in storage.keys_until(stage, key)]
    return [IterationRecord.model_validate_json(file.read_text(encoding="utf-8")) for file in files if file.exists()]


def mined_before(storage: BatchStorage, key: str) -> list[EarlierIteration]:
    """Return what mining found and planned in each iteration before ``key``, oldest first."""
    stage = Stage.HARD_SAMPLE_PLAN
    files = [storage.folder(stage, batch) / MINING_FILE for batch in storage.keys_until(stage, key) if batch < key]
    return [EarlierIteration.from_json(read_json(file)) for file in files if file.exists()]


def taught_factors(storage: BatchStorage, plans: PlanFiles, key: str) -> list[PlannedFactor]:
    """Return each factor that a batch up to and including ``key`` was planned to show, oldest first."""
    keys = storage.keys_until(Stage.SYNTHETIC_DOCUMENTS, key)
    return [factor for batch in keys for factor in planned_factors(plans.read(batch)) if factor.documents]


def decide_after(storage: BatchStorage, key: str, *, limit: int) -> Decision:
    """Decide whether another iteration follows the one of ``key``, from the stored records.

    Args:
        storage: Where the records are.
        key: The batch whose iteration has ended.
        limit: Number of iterations after which the loop stops.
    """
    return decide_after_each(storage, [key], limit=limit)[key]


def decide_after_each(storage: BatchStorage, keys: Collection[str], *, limit: int) -> dict[str, Decision]:
    """Decide as `decide_after` for several batches, and read each record once: a loop may have many to catch up with.

    Returns:
        The decisions by batch, in the order of ``keys``.
    """
    records = records_until(storage, max(keys)) if keys else []
    return {key: decide([record for record in records if record.key <= key], limit=limit) for key in keys}
