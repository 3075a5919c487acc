"""What Dagster loads: `build_defs` for tests and deployments, `defs` for this environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import dagster as dg

from finscribe_assets.orchestration.assets import all_assets
from finscribe_assets.orchestration.io_managers import BatchFolderIOManagerFactory
from finscribe_assets.orchestration.jobs import jobs
from finscribe_assets.orchestration.resources import Inbox, PlanStore, ServiceLog, Storage, UserSchema, Workers
from finscribe_assets.orchestration.run_lease import leased_in_process_executor
from finscribe_assets.orchestration.sensors import sensors
from finscribe_assets.profiles import profile_named, workers_from_environment


def build_defs(resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Return the definitions of the code location.

    Storage, profile, workers and inbox come from the environment: FINSCRIBE_STORAGE (a folder or ``s3://…``;
    ``storage`` by default), FINSCRIBE_PROFILE (tiny, demo, full), FINSCRIBE_WORKERS, FINSCRIBE_SCHEMA (a mapping of a
    user's own JSON keys: of the inbox's ground truth, and of pairs), FINSCRIBE_INBOX (a folder or ``s3://…``),
    FINSCRIBE_INBOX_LICENCE, FINSCRIBE_INBOX_LOCALE and FINSCRIBE_INBOX_TRAIN (1: corrected documents of training
    vendors may be trained on). With FINSCRIBE_RAY (``auto`` or ``host:port``) shards run on
    that Ray cluster instead of on local processes. FINSCRIBE_FILES_URL is where `finscribe files` serves the storage,
    for links in the UI.

    Args:
        resource_overrides: Resources by name that replace those of the environment.

    Raises:
        UserError: FINSCRIBE_PROFILE or FINSCRIBE_WORKERS has no such value.
    """
    root = os.environ.get("FINSCRIBE_STORAGE", "storage")
    resources: dict[str, Any] = {
        "io_manager": BatchFolderIOManagerFactory(root=root),
        "storage": Storage(root=root, files_url=os.environ.get("FINSCRIBE_FILES_URL", "")),
        "plans": PlanStore(root=root),
        "inbox": Inbox(
            root=os.environ.get("FINSCRIBE_INBOX", ""),
            licence=os.environ.get("FINSCRIBE_INBOX_LICENCE", "own documents"),
            locale=os.environ.get("FINSCRIBE_INBOX_LOCALE", ""),
            train=os.environ.get("FINSCRIBE_INBOX_TRAIN", "") == "1",
            mapping=os.environ.get("FINSCRIBE_SCHEMA", ""),
        ),
        "service_log": ServiceLog(folder=os.environ.get("FINSCRIBE_SERVICE_LOG", "")),
        "user_schema": UserSchema(name=os.environ.get("FINSCRIBE_SCHEMA", "")),
        "workers": Workers(workers=workers_from_environment()),
        "pipes": dg.PipesSubprocessClient(),
        "profile": profile_named(os.environ.get("FINSCRIBE_PROFILE", "demo")),
        **(resource_overrides or {}),
    }
    return dg.Definitions(
        assets=all_assets,
        jobs=jobs,
        sensors=sensors,
        resources=resources,
        executor=leased_in_process_executor,
    )


defs = build_defs()
