"""Asset groups, their owners, and what every asset of a group is declared with."""

from __future__ import annotations

from typing import Any

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
