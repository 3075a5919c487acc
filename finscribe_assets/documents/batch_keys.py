"""Keys of batches: batch-000, batch-001, … Each is a partition, and an iteration of the loop.

Documents that a reader is examined with have keys of their own, so that they are never a batch by accident: the key
determines which sellers a document may have (`vendors.vendor_numbers`).
"""

from __future__ import annotations

import re

BATCH_KEY_PATTERN = re.compile(r"batch-\d{3,6}")
FIRST_BATCH_KEY = "batch-000"
PROBE_KEY = "probe-000"  # of the documents that `probing` draws; they belong to no batch


def next_batch_key(key: str) -> str:
    """Return the key of the batch after this one: batch-007 → batch-008."""
    return f"batch-{int(key.removeprefix('batch-')) + 1:03d}"
