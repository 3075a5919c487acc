"""The loop's assets alone, so that ``dagster asset materialize --select '*' --partition batch-000`` is one iteration.

Dagster materialises assets for one partition only if all of them have it. Those of the group ``real`` have batches of
the inbox instead, so for `definitions`, which the UI loads, it refuses ``'*'``.
"""

from __future__ import annotations

import dagster as dg

from finscribe_assets.definitions import build_defs
from finscribe_assets.orchestration.assets import all_assets
from finscribe_assets.orchestration.assets.groups import REAL


def build_loop_defs() -> dg.Definitions:
    """Return the definitions of `build_defs` without the assets of the inbox, and without jobs and sensors."""
    everything = build_defs()
    keys = (dg.AssetSelection.all() - dg.AssetSelection.groups(REAL)).resolve(all_assets)
    return dg.Definitions(
        assets=[asset for asset in all_assets if asset.key in keys],
        resources=everything.resources,
        executor=everything.executor,
    )


defs = build_loop_defs()
