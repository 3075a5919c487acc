"""Leases of runs: a run states at intervals that its process lives, and a run whose lease is over is marked failed.

Dagster's default launcher cannot see that the process of a started run is gone (killed with its group, or rebooted):
such a run stays started for ever and blocks the queue. Here the run renews a tag, which every instance storage holds,
and the daemon's run monitoring asks the launcher whether it is recent. `dagster.yaml` names the launcher; the executor
is that of all jobs. https://docs.dagster.io/deployment/execution/run-monitoring
"""

from __future__ import annotations

import _thread
import logging
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import dagster as dg
from dagster._config.config_schema import UserConfigSchema
from dagster._core.definitions.executor_definition import IN_PROC_CONFIG
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._serdes import ConfigurableClassData
from sqlalchemy.exc import SQLAlchemyError

LEASE_TAG = "finscribe/alive_at"  # seconds since 1970, as a whole number
RENEWAL_SECONDS = 20.0
LEASE_SECONDS = 180.0  # nine renewals may be missed: a step that holds the interpreter's lock delays them

_LOG = logging.getLogger(__name__)


@contextmanager
def run_lease(instance: dg.DagsterInstance, run_id: str, renewal_seconds: float = RENEWAL_SECONDS) -> Iterator[None]:
    """Renew a run's lease in a thread, for the whole block.

    The block is interrupted if somebody else ended the run meanwhile: a machine that slept longer than the lease must
    not go on beside the attempt that replaced its run.
    """
    ended = threading.Event()

    def renew() -> None:
        wait = 0.0
        while not ended.wait(wait):
            wait = renewal_seconds
            try:
                run = instance.get_run_by_id(run_id)
                if run is not None and run.is_finished:
                    _LOG.error("Run %s was ended from outside; its process stops", run_id)
                    _thread.interrupt_main()
                    return
                if run is None:  # not recorded yet
                    wait = min(1.0, renewal_seconds)
                else:
                    instance.add_run_tags(run_id, {LEASE_TAG: str(int(time.time()))})
            except (
                SQLAlchemyError,
                dg.DagsterError,
                OSError,
            ):  # a database that does not answer for a moment must not end the run
                _LOG.warning("The lease of run %s could not be renewed", run_id, exc_info=True)

    thread = threading.Thread(target=renew, name="run-lease", daemon=True)
    with _interruptible():
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let the block be interrupted by SIGINT also where a shell started the process in the background, ignoring it."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class LeasedInProcessExecutor(InProcessExecutor):
    """Executes steps in the run's process and renews its lease meanwhile."""

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Yield the events of all steps."""
        with run_lease(plan_context.instance, plan_context.run_id):
            yield from super().execute(plan_context, execution_plan)


@dg.executor(name="in_process_with_lease", config_schema=IN_PROC_CONFIG)
def leased_in_process_executor(init_context: dg.InitExecutorContext) -> LeasedInProcessExecutor:
    """Execute all steps in the run's process, and state at intervals that it lives.

    A process for each step costs 13–17 s of imports, and each heavy step has its own worker processes.
    """
    return LeasedInProcessExecutor(retries=RetryMode.from_config(init_context.executor_config["retries"]))  # type: ignore[arg-type]


class LeasedRunLauncher(DefaultRunLauncher):
    """Launches runs as Dagster's default launcher does, and determines from their leases whether they live.

    Args:
        lease_seconds: Age of a run's last renewal at which its process is taken for gone.
        inst_data: What Dagster keeps of the configuration.
    """

    def __init__(self, lease_seconds: float = LEASE_SECONDS, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self.lease_seconds = lease_seconds

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Return the fields of `dagster.yaml`."""
        return {"lease_seconds": dg.Field(float, default_value=LEASE_SECONDS)}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        """Return the launcher that `dagster.yaml` describes."""
        return cls(**config_value, inst_data=inst_data)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Return whether `check_run_worker_health` can be asked."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether a run's lease is recent.

        A run without a lease has another executor, as those of other code locations on the same instance may: nothing
        is known of it, so it counts as running. The executor here takes one before its first step.
        """
        record = self._instance.get_run_record_by_id(run.run_id)
        if record is None:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"run {run.run_id} is not recorded")
        renewed = record.dagster_run.tags.get(LEASE_TAG, "")
        age = time.time() - float(renewed) if renewed.isdigit() else 0.0
        if age <= self.lease_seconds:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(
            WorkerStatus.FAILED,
            f"The run's process was last seen {age:.0f} s ago (limit {self.lease_seconds:.0f} s): it was killed, or "
            "its machine is down. The sensor starts a batch's run again by itself; what was finished is kept.",
        )
