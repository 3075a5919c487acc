"""Execute a job in this process as a run of the code location, which the UI shows in its timeline.

`JobDefinition.execute_in_process` records a run without an origin: the UI lists it apart from the location's runs and
cannot execute it again. Runs that the daemon launches have one; here it is stated as `workspace.yaml` names it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

LOCATION_NAME, LOCATION_MODULE = "finscribe", "finscribe_assets.definitions"  # as in workspace.yaml and pyproject.toml


def job_origin(job_name: str) -> RemoteJobOrigin:
    """Return where the UI finds a job of this code location."""
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=LOCATION_MODULE)
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, LOCATION_NAME)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME), job_name)


def execute_recorded(
    job: dg.JobDefinition, instance: dg.DagsterInstance, partition: str, tags: Mapping[str, str], run_id: str
) -> bool:
    """Execute a job for a partition with the job's own executor; return whether it succeeded.

    Args:
        job: Of this code location.
        instance: Where the run is recorded.
        partition: Its key, which is registered.
        tags: Of the run, besides the job's own.
        run_id: A new one.
    """
    run = instance.create_run_for_job(
        job,
        run_id=run_id,
        tags={**job.run_tags, **tags, PARTITION_NAME_TAG: partition},
        remote_job_origin=job_origin(job.name),
    )
    return execute_run(InMemoryJob(job), run, instance).success
