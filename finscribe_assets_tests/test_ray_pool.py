"""Shards on a Ray cluster: the same bytes as on this machine's processes, and none is lost with its worker."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from finscribe_assets.documents.document_batch import read_documents, synthesize
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.errors import UserError
from finscribe_assets.inference.prediction import PREDICTED_BY_FILE, PREDICTIONS_FILE, predict_batch
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.instructions.task_mix import PairRecipe
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
from finscribe_assets.ray_pool import RAY_VARIABLE, RayShardPool, pool_from_environment
from finscribe_assets.rendering.page_batch import render_batch
from finscribe_assets.shards import LocalShardPool
from finscribe_assets.splitting.batch_files import describe_batch
from finscribe_assets.splitting.page_hashes import hash_pages

ROOT = Path(__file__).parents[1]


def test_the_pool_is_chosen_by_one_setting(monkeypatch):
    monkeypatch.delenv(RAY_VARIABLE, raising=False)
    assert pool_from_environment(3) == LocalShardPool(3)
    monkeypatch.setenv(RAY_VARIABLE, "10.0.0.7:6379")
    assert pool_from_environment(3) == RayShardPool("10.0.0.7:6379")


def die_once(job: tuple[str, int]) -> int:
    """Kill this worker process the first time that a job with an odd number is run."""
    folder, number = job
    mark = Path(folder) / str(number)
    if number % 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def refuse(job: int) -> int:
    raise UserError(f"job {job} cannot be done; mend it")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster of two nodes of one processor each, with processes of their own, on this machine."""
    pytest.importorskip("ray", reason="the extra ray is not installed")
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = str(ROOT)  # of the nodes' worker processes
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 80_000_000})
    nodes.add_node(num_cpus=1, object_store_memory=80_000_000)
    nodes.wait_for_nodes()
    yield nodes
    import ray

    ray.shutdown()
    nodes.shutdown()


def make_batch(folder: Path, pool) -> dict[str, bytes]:
    """Return the files of a small batch that a pool has made, by name."""
    plan = seed_plan("batch-000", 18, 5, EMBEDDED_RECIPE)
    synthesize(plan, folder / "documents", pool, shard_size=3)
    render_batch(folder / "documents", folder / "images", pool, dpi=72)
    build_pair_batch(folder / "documents", folder / "images", folder / "pairs", pool, PairRecipe())
    stages = {stage: folder / stage for stage in ("documents", "images", "pairs")}
    hash_pages(folder / "images", describe_batch(stages, folder).shards["images"], folder / "hashes", pool)
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("part-*.parquet"))}


@pytest.mark.slow
def test_a_cluster_makes_the_same_bytes_as_local_processes(cluster, tmp_path):
    on_cluster = make_batch(tmp_path / "cluster", RayShardPool(cluster.address))
    assert len(on_cluster) == 24
    assert on_cluster == make_batch(tmp_path / "local", LocalShardPool(1))


@pytest.mark.slow
def test_a_cluster_predicts_the_same_bytes(cluster, tmp_path):
    plan, pool = seed_plan("batch-000", 6, 5, EMBEDDED_RECIPE), LocalShardPool(1)
    synthesize(plan, tmp_path / "documents", pool)
    render_batch(tmp_path / "documents", tmp_path / "images", pool)
    ids = {drawn.id for drawn in read_documents(tmp_path / "documents")}
    on_cluster = RayShardPool(cluster.address, holds_models=True)
    for folder, pool_of_readers in ((tmp_path / "here", None), (tmp_path / "cluster", on_cluster)):
        predict_batch([tmp_path / "images"], ids, folder, pool=pool_of_readers)
    for name in (PREDICTIONS_FILE, PREDICTED_BY_FILE):
        assert (tmp_path / "cluster" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


@pytest.mark.slow
def test_jobs_of_killed_workers_are_run_again(cluster, tmp_path):
    jobs = [(str(tmp_path), number) for number in range(8)]
    assert sorted(RayShardPool(cluster.address).run(die_once, jobs)) == [number * number for number in range(8)]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1", "3", "5", "7"]


@pytest.mark.slow
def test_an_error_of_a_job_is_raised_as_it_is(cluster):
    with pytest.raises(UserError, match="job 2 cannot be done; mend it"):
        list(RayShardPool(cluster.address).run(refuse, [2]))


@pytest.mark.slow
def test_a_cluster_that_does_not_answer_is_named():
    code = "from finscribe_assets.ray_pool import RayShardPool; list(RayShardPool('127.0.0.1:1').run(abs, [1]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "UserError: FINSCRIBE_RAY is '127.0.0.1:1', but no Ray cluster answers there" in done.stderr


def gpu_of(job: int) -> tuple[int, str]:
    """Return this process and the GPU that Ray lets it see, after a while in which other jobs are waiting."""
    time.sleep(0.5)
    return os.getpid(), os.environ.get("CUDA_VISIBLE_DEVICES", "")


@pytest.mark.slow
def test_readers_have_a_gpu_each_where_the_cluster_has_gpus(cluster):
    """On a node with two GPUs in name only: Ray hands them out without looking for them."""
    cluster.add_node(num_cpus=2, num_gpus=2, object_store_memory=80_000_000)
    cluster.wait_for_nodes()
    found = set(RayShardPool(cluster.address, holds_models=True).run(gpu_of, range(8)))
    assert {gpu for _, gpu in found} == {"0", "1"}
    assert len(found) == 2  # each process keeps the GPU that its model is on
