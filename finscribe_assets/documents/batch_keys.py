"""Keys of batches: batch-000, batch-001, … Each is a partition, and an iteration of the loop."""

from __future__ import annotations

import re

BATCH_KEY_PATTERN = re.compile(r"batch-\d{3,6}")
FIRST_BATCH_KEY = "batch-000"


def next_batch_key(key: str) -> str:
    """Return the key of the batch after this one: batch-007 → batch-008."""
    return f"batch-{int(key.removeprefix('batch-')) + 1:03d}"
