"""Run a batch's shards on a Ray cluster: the same jobs as on local processes, on as many machines as have joined.

https://docs.ray.io/en/latest/ray-core/tasks.html

What belongs here: the connection to a cluster, and jobs as Ray tasks. What a job does is the business of its stage, and
which pool runs it is a setting: FINSCRIBE_RAY, see `pool_from_environment`.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from finscribe_assets.errors import MissingExtraError, UserError
from finscribe_assets.shards import (
    SHARDS_PER_PROCESS,
    Job,
    LocalShardPool,
    Result,
    ShardPool,
    reduce_garbage_collection,
)

RAY_VARIABLE = "FINSCRIBE_RAY"
MAX_RETRIES = 5  # of a shard whose worker process or machine is gone; a job that raises is not repeated
CONNECT_SECONDS = 20
JOBS_PER_CPU = 3  # that are submitted at a time: workers never wait, and a failure cancels only these


def pool_from_environment(workers: int) -> ShardPool:
    """Return the pool for a batch's shards: a Ray cluster if FINSCRIBE_RAY names one, else processes of this machine.

    Args:
        workers: number of local processes; a cluster uses all processors that have joined it.
    """
    address = os.environ.get(RAY_VARIABLE, "")
    return RayShardPool(address) if address else LocalShardPool(workers)


def reading_pool_from_environment(threads: int) -> ShardPool | None:
    """Return the pool for predictions: a Ray cluster if FINSCRIBE_RAY names one, else None.

    On one machine predictions are read in the run's own process: the model fills its GPU, or its processors.

    Args:
        threads: CPU threads that a reader takes.
    """
    address = os.environ.get(RAY_VARIABLE, "")
    return RayShardPool(address, threads, holds_models=True) if address else None


@dataclass(frozen=True)
class RayShardPool:
    """Runs each job as a task of a Ray cluster.

    Nodes need this package in the same version, the same environment variables (credentials of the storage), and a
    storage that all of them reach: S3, or a network file system under one path.

    Attributes:
        address: ``auto`` for the cluster that this machine belongs to, or ``host:port`` of its head.
        processors: Number of processors that a job occupies.
        holds_models: Whether processes stay for all jobs, with the model that they have loaded, and each has a GPU
            of its own where the cluster has GPUs.
    """

    address: str
    processors: int = 1
    holds_models: bool = False

    def run(self, work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield results as they finish; a job whose worker died is run again elsewhere.

        Args:
            work: the function to apply to each job; it must be importable on every node.
            jobs: its arguments; they must be picklable.

        Raises:
            MissingExtraError: Ray is not installed.
            UserError: no cluster answers at the address, or a job's worker died each time that it was run.
        """
        waiting = iter(list(jobs))
        ray = _connect(self.address)
        resources = ray.cluster_resources()
        gpus = 1 if self.holds_models and resources.get("GPU", 0) else 0
        task = ray.remote(
            num_cpus=self.processors,
            num_gpus=gpus,
            max_retries=MAX_RETRIES,
            retry_exceptions=False,
            max_calls=0 if self.holds_models else SHARDS_PER_PROCESS,
        )(_run_job)
        places = int(resources["GPU"]) if gpus else int(resources.get("CPU", 1)) // self.processors
        at_once = max(1, places) * JOBS_PER_CPU
        running: list[Any] = []
        try:
            while True:
                for job in waiting:
                    running.append(task.remote(work, job))
                    if len(running) >= at_once:
                        break
                if not running:
                    return
                (done,), running = ray.wait(running, num_returns=1)
                try:
                    result = ray.get(done)
                except ray.exceptions.RayTaskError as error:
                    raise (error.cause or error) from error
                except ray.exceptions.WorkerCrashedError as error:
                    raise UserError(
                        f"the worker process of a shard died {MAX_RETRIES + 1} times; its node may lack memory: start "
                        "Ray there with fewer processors (`ray start --num-cpus`), or make smaller shards"
                    ) from error
                yield result
        finally:
            for left in running:
                ray.cancel(left, force=True)


def _run_job(work: Callable[[Any], Any], job: Any) -> Any:
    reduce_garbage_collection()
    return work(job)


def _connect(address: str) -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError(
            f"{RAY_VARIABLE} is set, but Ray is not installed; run: pip install 'finscribe-assets[ray]'"
        ) from error
    if not ray.is_initialized():
        try:
            if address != "auto":  # Ray itself waits for minutes
                host, _, port = address.removeprefix("ray://").rpartition(":")
                socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
            ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
        except (OSError, ValueError) as error:
            raise UserError(
                f"{RAY_VARIABLE} is {address!r}, but no Ray cluster answers there ({error}); start one with "
                "`ray start --head`, or unset it to use the processes of this machine"
            ) from error
    return ray
