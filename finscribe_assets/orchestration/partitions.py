"""The partitions definitions: batches of the loop, each an iteration, and batches of the inbox.

https://docs.dagster.io/guides/build/partitions-and-backfills
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from finscribe_assets.documents.batch_keys import BATCH_KEY_PATTERN, FIRST_BATCH_KEY
from finscribe_assets.importing.inbox import INBOX_KEY_PATTERN


class SynthesisPartitions(dg.DynamicPartitionsDefinition):
    """Dynamic partitions whose first key always exists.

    `seed_plan` registers the first key, but is itself part of the run that first needs it. Without this exception
    Dagster refuses ``--partition batch-000`` on a new instance before the run can start.
    """

    def has_partition_key(self, partition_key: str, *args: Any, **options: Any) -> bool:
        """Return whether the key is the first one or was registered; other forms than batch-007 are no keys."""
        if not BATCH_KEY_PATTERN.fullmatch(partition_key):
            return False  # GraphQL registers any text
        return partition_key == FIRST_BATCH_KEY or super().has_partition_key(partition_key, *args, **options)

    def get_partition_keys(self, *args: Any, **options: Any) -> Sequence[str]:
        """Return the registered keys that are keys of batches."""
        return [key for key in super().get_partition_keys(*args, **options) if BATCH_KEY_PATTERN.fullmatch(key)]


class InboxPartitions(dg.DynamicPartitionsDefinition):
    """Dynamic partitions that exist as soon as they are asked for.

    The sensor registers the batches that it makes, `real_documents` those that a person starts; without this exception
    Dagster would refuse the latter before the run can start. `real_documents` refuses a key that is not the next one.
    """

    def has_partition_key(self, partition_key: str, *args: Any, **options: Any) -> bool:
        """Return whether the key has the form of a batch's key."""
        return bool(INBOX_KEY_PATTERN.fullmatch(partition_key))


synthesis = SynthesisPartitions(name="synthesis")
inbox = InboxPartitions(name="inbox")
