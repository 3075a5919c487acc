"""The keys of batches: batch-000, batch-001, … A batch is one partition and one iteration of the loop.

The documents that a reader is probed with, or examined on, are not batches and have keys of their own. The key of a
plan determines which sellers its documents may have (`vendors.vendor_numbers`), and which names of items
(`wordings.Item`).
"""

from __future__ import annotations

import re

from finscribe_assets.errors import UserError

BATCH_KEY_PATTERN = re.compile(r"batch-\d{3,6}")
FIRST_BATCH_KEY = "batch-000"
LAST_BATCH_KEY = "batch-999999"  # that the pattern allows
PROBE_KEY = "probe-000"  # of the documents that `probing` draws
EXAM_KEY = "exam-000"  # of the documents that `promotion` draws
EXAMINATION_KEYS = (PROBE_KEY, EXAM_KEY)  # nothing is trained on their documents


def check_batch_key(key: str) -> str:
    """Return a batch's key, which becomes a folder's name.

    Raises:
        UserError: it is not of the form batch-007.
    """
    if not BATCH_KEY_PATTERN.fullmatch(key):
        raise UserError(f"{key!r} is not the key of a batch; keys have the form batch-007")
    return key


def next_batch_key(key: str) -> str:
    """Return the key of the following batch: batch-007 → batch-008."""
    return f"batch-{int(key.removeprefix('batch-')) + 1:03d}"
