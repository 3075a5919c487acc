"""The partitions definition of every synthesis asset: a key is a batch, and an iteration of the loop.

https://docs.dagster.io/guides/build/partitions-and-backfills
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY


class SynthesisPartitions(dg.DynamicPartitionsDefinition):
    """Dynamic partitions whose first key always exists.

    `seed_plan` registers the first key, but is itself part of the run that first needs it. Without this exception
    Dagster refuses ``--select '*' --partition batch-000`` on a new instance before the run can start.
    """

    def has_partition_key(self, partition_key: str, *args: Any, **options: Any) -> bool:
        """Return whether the key is the first one or was registered."""
        return partition_key == FIRST_BATCH_KEY or super().has_partition_key(partition_key, *args, **options)


synthesis = SynthesisPartitions(name="synthesis")
