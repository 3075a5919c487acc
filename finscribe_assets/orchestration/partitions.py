"""The one partitions definition of every asset: a key is a batch, and an iteration."""

from __future__ import annotations

from typing import Any

import dagster as dg
from upath import UPath

from finscribe_assets.documents.batch_keys import BATCH_KEY_PATTERN, FIRST_BATCH_KEY


class SynthesisPartitions(dg.DynamicPartitionsDefinition):
    """Dynamic partitions in which the first key always exists.

    `seed_plan` registers the first key, and is itself part of the run that first needs it: without this, Dagster
    refuses ``--select '*' --partition batch-000`` on a fresh instance before the run can start.
    """

    def has_partition_key(self, partition_key: str, *args: Any, **options: Any) -> bool:
        """Tell whether the key is the first one or was registered."""
        return partition_key == FIRST_BATCH_KEY or super().has_partition_key(partition_key, *args, **options)


synthesis = SynthesisPartitions(name="synthesis")


def batches_until(folder: UPath) -> list[str]:
    """Return the keys of an asset's partitions up to the one in ``folder``, oldest first, as storage holds them."""
    return sorted(
        sibling.name
        for sibling in folder.parent.glob("batch-*")
        if BATCH_KEY_PATTERN.fullmatch(sibling.name) and sibling.name <= folder.name
    )
