"""How the platform grows: a thousand batches, a large batch as far as its splits, and Ray on one and on two nodes.

    python benchmarks/scaling.py partitions 1000
    python benchmarks/scaling.py stages 1000
    python benchmarks/scaling.py ray

Processor time is that of this process and its children; wall time depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def processor_seconds() -> float:
    """Return the processor time of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def family_memory() -> int:
    """Return the resident bytes of this process and of all below it; shared pages count in each."""
    parents, resident = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.name)], resident[int(entry.name)] = int(fields[1]), int(fields[21]) * resource.getpagesize()

    def is_below(process: int | None) -> bool:
        while process and process != os.getpid():
            process = parents.get(process)
        return process == os.getpid()

    return sum(size for process, size in resident.items() if is_below(process))


@contextmanager
def measured(name: str, count: int = 1, unit: str = "") -> Iterator[None]:
    """Print the time and the largest memory of a block."""
    peak, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.2):
            peak = max(peak, family_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    wall, cpu = time.perf_counter(), processor_seconds()
    yield
    wall, cpu = time.perf_counter() - wall, processor_seconds() - cpu
    ended.set()
    watcher.join()
    each = f"{1000 * cpu / count:8.1f} ms CPU/{unit}" if unit else ""
    print(f"{name:44} wall {wall:7.1f} s  CPU {cpu:7.1f} s  peak {peak / 2**20:6.0f} MB  {each}", flush=True)


def partitions(count: int) -> None:
    """Measure an instance with many batches, each with its plan's event and the record of its iteration."""
    import dagster as dg

    from finscribe_assets.definitions import build_defs
    from finscribe_assets.files import write_text
    from finscribe_assets.iteration.batch_storage import Stage
    from finscribe_assets.iteration.history import RECORD_FILE
    from finscribe_assets.orchestration.partitions import synthesis
    from finscribe_assets.orchestration.resources import Storage
    from finscribe_assets.orchestration.sensors import LoopCursor, retrain_on_weak_cells
    from finscribe_assets.profiles import profile_named
    from finscribe_assets_tests.iteration.test_decision import recorded

    plan = str(Stage.HARD_SAMPLE_PLAN)
    assets = [dg.AssetKey(plan)]
    keys = [f"batch-{number:03d}" for number in range(count)]
    with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.local_temp(folder) as instance:
        storage = Storage(root=f"{folder}/storage")
        resources = {"storage": storage, "profile": profile_named("tiny").model_copy(update={"iteration_limit": 10**6})}
        definitions = build_defs(resources)
        with measured(f"events of {count} batches written", count, "batch"):
            instance.add_dynamic_partitions(synthesis.name or "", keys)
            for number, key in enumerate(keys):
                record = recorded(key, next_key=f"batch-{number + 1:03d}")
                write_text(storage.folder(plan, key) / RECORD_FILE, record.model_dump_json())
                for asset in assets:
                    instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=key))

        def tick(cursor: str | None) -> dg.SensorResult:
            context = dg.build_sensor_context(
                instance=instance, cursor=cursor, resources=resources, definitions=definitions
            )
            return retrain_on_weak_cells(context)

        events = instance.fetch_materializations(dg.AssetKey(plan), limit=2).records
        cursor = LoopCursor(plan_event=events[-1].storage_id).model_dump_json()  # all plans but the last were handled
        with measured("sensor: the tick of a new plan"):
            cursor = tick(cursor).cursor
        with measured("sensor: 10 ticks with nothing new", 10, "tick"):
            for _ in range(10):
                tick(cursor)
        with measured("sensor: caught up after its cursor was lost", count, "batch"):
            cursor, before = None, -1
            while (handled := LoopCursor.parse(cursor).plan_event) != before:
                before, cursor = handled, tick(cursor).cursor
        with measured("status of all partitions of an asset"):
            for asset in assets:
                instance.get_status_by_partition(asset, keys, synthesis)
    with measured("definitions loaded in a new process"):
        subprocess.run([sys.executable, "-c", "import finscribe_assets.definitions"], check=True)


def stages(count: int, workers: int) -> None:
    """Measure a batch from documents to splits, on the recipe of the profile `full`."""
    from finscribe_assets.documents.document_batch import synthesize
    from finscribe_assets.documents.plan import seed_plan
    from finscribe_assets.documents.recipe import Recipe
    from finscribe_assets.instructions.pair_batch import build_pair_batch
    from finscribe_assets.instructions.task_mix import PairRecipe
    from finscribe_assets.rendering.page_batch import render_batch
    from finscribe_assets.shards import LocalShardPool
    from finscribe_assets.splitting.manifest import BatchInputs, build_data_set

    root = Path(tempfile.mkdtemp(prefix="finscribe-stages-"))
    plan, pool = seed_plan("batch-000", count, 20260101, Recipe()), LocalShardPool(workers)
    batch = BatchInputs.of_workspace(plan, root)
    try:
        with measured("documents", count, "document"):
            synthesize(plan, batch.documents, pool, shard_size=100)
        with measured("pages", count, "document"):
            render_batch(batch.documents, batch.images, pool, dpi=144)
        with measured("pairs", count, "document"):
            build_pair_batch(batch.documents, batch.images, batch.pairs, pool, PairRecipe())
        with measured("splits, with hashes of pages", count, "document"):
            build_data_set([batch], "batch-000", root / "splits", pool)
        with measured("splits again, hashes kept", count, "document"):
            build_data_set([batch], "batch-000", root / "splits", pool)
        for stage in ("documents", "images", "pairs", "page_hashes", "splits"):
            size = sum(file.stat().st_size for file in (root / stage).rglob("*") if file.is_file())
            print(f"  {stage:12} {size / 2**20:9.1f} MB  {size / count / 1024:8.1f} KB/document")
    finally:
        shutil.rmtree(root)


def ray_nodes(documents: int) -> None:
    """Measure a Ray cluster on this machine: the overhead of a job, and throughput with one and with two processors."""
    import ray
    from ray.cluster_utils import Cluster

    from finscribe_assets.documents.document_batch import synthesize
    from finscribe_assets.documents.plan import seed_plan
    from finscribe_assets.documents.recipe import Recipe
    from finscribe_assets.ray_pool import RayShardPool
    from finscribe_assets.rendering.page_batch import render_batch
    from finscribe_assets.shards import LocalShardPool

    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 80_000_000})
    cluster.wait_for_nodes()
    plan = seed_plan("batch-000", documents, 7, Recipe())
    pools = {"one process of this machine": LocalShardPool(1), "Ray, one node": RayShardPool(cluster.address)}
    for number in (1, 2):
        if number == 2:
            cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
            cluster.wait_for_nodes()
            pools = {"Ray, two nodes": RayShardPool(cluster.address), "two processes": LocalShardPool(2)}
        for name, pool in pools.items():
            root = Path(tempfile.mkdtemp(prefix="finscribe-ray-"))
            list(pool.run(abs, range(12)))  # processes are started
            wall = time.perf_counter()
            # Processes that stay: of others every fifth job would wait for a new one.
            list(RayShardPool(cluster.address, holds_models=True).run(abs, range(200)) if "Ray" in name else [])
            overhead = (time.perf_counter() - wall) / 200
            synthesize(plan, root / "documents", pool, shard_size=max(1, documents // 8))
            wall = time.perf_counter()
            render_batch(root / "documents", root / "images", pool, dpi=144)
            wall = time.perf_counter() - wall
            load = os.getloadavg()[0]
            print(
                f"{name:28} pages of {documents} documents: {wall:6.1f} s, {documents / wall:5.2f} documents/s; "
                f"overhead of an empty job {1000 * overhead:5.1f} ms; load average {load:.0f}",
                flush=True,
            )
            shutil.rmtree(root)
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("partitions", "stages", "ray"))
    parser.add_argument("count", type=int, nargs="?", default=60)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    match chosen.what:
        case "partitions":
            partitions(chosen.count)
            os._exit(0)  # Dagster leaves a thread that never ends
        case "stages":
            stages(chosen.count, chosen.workers)
        case _:
            ray_nodes(chosen.count)
