"""Asset groups, their owners, and what every asset and check of a group is declared with."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import dagster as dg

from finscribe_assets.orchestration.partitions import inbox, synthesis

DATA_TEAM, MODEL_TEAM = "team:document-data", "team:document-ai"
OWNERS = {
    "synthesis": DATA_TEAM,
    "dataset": DATA_TEAM,
    "training": MODEL_TEAM,
    "evaluation": MODEL_TEAM,
    "real": DATA_TEAM,
}
REAL = "real"  # the group of assets whose partitions are batches of the inbox


def declared(group: str, *kinds: str, partitioned: bool = True) -> dict[str, Any]:
    """Return the arguments of ``@dg.asset`` that all assets of a group share.

    Args:
        group: Name of the group.
        kinds: Technologies shown as badges in the UI.
        partitioned: Whether the asset has a partition for each batch.
    """
    shared = {"group_name": group, "owners": [OWNERS[group]], "kinds": set(kinds)}
    return shared | ({"partitions_def": inbox if group == REAL else synthesis} if partitioned else {})


def _partitioned_check(
    name: str, *, asset: str, partitions_def: dg.PartitionsDefinition, description: str = "", blocking: bool = False
) -> dg.AssetCheckSpec:
    """Return a check that is recorded for each partition of its asset.

    Without partitions of its own, a check shows its last result beside every batch, whichever batch that result is of.
    """
    with warnings.catch_warnings():
        # Dagster calls partitioned checks a preview; a test runs one on two batches.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            name, asset=asset, description=description or None, blocking=blocking, partitions_def=partitions_def
        )


batch_check = partial(_partitioned_check, partitions_def=synthesis)
"""Declare a check of an asset whose partitions are batches of the loop."""
inbox_check = partial(_partitioned_check, partitions_def=inbox)
"""Declare a check of an asset whose partitions are batches of the inbox."""
