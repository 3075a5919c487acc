"""One iteration in process, at the smallest size that trains, shared by the tests of its assets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from finscribe_assets.definitions import build_defs
from finscribe_assets.orchestration.io_managers import BatchFolderIOManagerFactory
from finscribe_assets.orchestration.resources import PlanStore, Storage, Workers
from finscribe_assets.profiles import Profile

SMALL = Profile(
    name="small",
    documents=24,
    targeted_documents=10,
    shard_size=8,
    preset="embedded",
    training={"max_steps": 30, "learning_rate": 5e-4, "log_every": 1},
    later_training={"start_from": "previous", "replay_share": 0.5},
    exam_documents=12,
    probe_budget=100,
    iteration_limit=3,
    worthwhile_gain=0.02,
)


@dataclass(frozen=True)
class Platform:
    """Definitions on an instance and a storage of their own."""

    defs: dg.Definitions
    instance: dg.DagsterInstance
    storage: Storage
    root: Path

    def run(self, job: str, key: str) -> dg.ExecuteInProcessResult:
        """Run a job for a partition; a failure is in the result."""
        return self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=key, raise_on_error=False
        )


def platform_at(root: Path, instance: dg.DagsterInstance) -> Platform:
    overrides = {
        "io_manager": BatchFolderIOManagerFactory(root=str(root)),
        "storage": Storage(root=str(root)),
        "plans": PlanStore(root=str(root)),
        "workers": Workers(workers=1),
        "profile": SMALL,
    }
    return Platform(build_defs(overrides), instance, Storage(root=str(root)), root)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield platform_at(tmp_path_factory.mktemp("storage"), instance)


@pytest.fixture(scope="session")
def iteration(platform: Platform) -> dg.ExecuteInProcessResult:
    return platform.run("iterate", "batch-000")
