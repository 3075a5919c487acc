"""The iterations so far, as `hard_sample_plan` records them; what its asset and the sensor decide from."""

from __future__ import annotations

from finscribe_assets.mining.iteration import IterationRecord
from finscribe_assets.orchestration.partitions import batches_until
from finscribe_assets.orchestration.resources import Storage

PLAN_ASSET = "hard_sample_plan"
RECORD_FILE = "iteration.json"


def history_until(storage: Storage, key: str) -> list[IterationRecord]:
    """Return the records of every iteration up to this one, oldest first."""
    places = [
        storage.folder(PLAN_ASSET, batch) / RECORD_FILE for batch in batches_until(storage.folder(PLAN_ASSET, key))
    ]
    return [
        IterationRecord.model_validate_json(place.read_text(encoding="utf-8")) for place in places if place.exists()
    ]
