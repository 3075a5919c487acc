"""What Dagster loads: `build_defs` for tests and deployments, `defs` for this environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import dagster as dg

from finscribe_assets.orchestration.assets import all_assets, all_checks
from finscribe_assets.orchestration.io_managers import BatchFolderIOManagerFactory
from finscribe_assets.orchestration.jobs import jobs
from finscribe_assets.orchestration.resources import PlanStore, Sizes, Storage, Workers
from finscribe_assets.orchestration.sensors import sensors
from finscribe_assets.profiles import workers_from_environment


def build_defs(resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Return the definitions, with some resources replaced.

    Storage, profile and workers come from FINSCRIBE_STORAGE (a folder or ``s3://…``; ``storage`` by default),
    FINSCRIBE_PROFILE (tiny, demo, full) and FINSCRIBE_WORKERS.
    """
    root = os.environ.get("FINSCRIBE_STORAGE", "storage")
    resources: dict[str, Any] = {
        "io_manager": BatchFolderIOManagerFactory(root=root),
        "storage": Storage(root=root),
        "plans": PlanStore(root=root),
        "workers": Workers(workers=workers_from_environment()),
        "pipes": dg.PipesSubprocessClient(),
        "sizes": Sizes(profile=os.environ.get("FINSCRIBE_PROFILE", "demo")),
        **(resource_overrides or {}),
    }
    return dg.Definitions(
        assets=all_assets,
        asset_checks=all_checks,
        jobs=jobs,
        sensors=sensors,
        resources=resources,
        # A process per step costs seconds of imports here, and each heavy step has its own worker processes.
        executor=dg.in_process_executor,
    )


defs = build_defs()
