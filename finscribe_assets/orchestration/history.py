"""The iterations so far, as `hard_sample_plan` records them; what its asset and the sensor decide from."""

from __future__ import annotations

from finscribe_assets.files import read_json
from finscribe_assets.mining.iteration_decision import IterationRecord
from finscribe_assets.mining.learning_history import Earlier
from finscribe_assets.orchestration.partitions import batches_until
from finscribe_assets.orchestration.resources import Storage

PLAN_ASSET = "hard_sample_plan"
RECORD_FILE, MINING_FILE = "iteration.json", "mining.json"


def history_until(storage: Storage, key: str) -> list[IterationRecord]:
    """Return the records of every iteration up to this one, oldest first."""
    places = [
        storage.folder(PLAN_ASSET, batch) / RECORD_FILE for batch in batches_until(storage.folder(PLAN_ASSET, key))
    ]
    return [
        IterationRecord.model_validate_json(place.read_text(encoding="utf-8")) for place in places if place.exists()
    ]


def mined_before(storage: Storage, key: str) -> list[Earlier]:
    """Return what mining found, and planned documents for, in every iteration before this one, oldest first."""
    batches = [batch for batch in batches_until(storage.folder(PLAN_ASSET, key)) if batch < key]
    places = [storage.folder(PLAN_ASSET, batch) / MINING_FILE for batch in batches]
    return [Earlier.from_json(read_json(place)) for place in places if place.exists()]
