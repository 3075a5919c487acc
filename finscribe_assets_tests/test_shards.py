"""Shards cover a batch exactly once, run on any number of processes, and are recognised when they are up to date."""

import os

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.shards import (
    SHARDS_PER_PROCESS,
    LocalShardPool,
    cut_into_shards,
    is_up_to_date,
    read_shards,
    write_shard,
)


def process_of(job: int) -> tuple[int, int]:
    return job, os.getpid()


def double(job: int) -> int:
    if job == 13:
        raise ValueError("job 13 failed")
    return 2 * job


@given(st.integers(0, 500), st.integers(1, 90))
def test_shards_cover_every_row_once(row_count, shard_size):
    shards = cut_into_shards(row_count, shard_size)
    assert [row for shard in shards for row in range(shard.start, shard.stop)] == list(range(row_count))
    assert [shard.file_name for shard in shards] == sorted(shard.file_name for shard in shards)


def test_only_the_last_shard_is_shorter():
    assert [(shard.start, shard.stop) for shard in cut_into_shards(250, 100)] == [(0, 100), (100, 200), (200, 250)]


def test_a_shard_size_below_one_is_an_error():
    with pytest.raises(ValueError, match="shard_size is 0; set it to 1 or more"):
        cut_into_shards(5, 0)


def test_one_worker_runs_a_few_jobs_in_this_process():
    assert list(LocalShardPool(1).run(process_of, range(SHARDS_PER_PROCESS))) == [
        (job, os.getpid()) for job in range(SHARDS_PER_PROCESS)
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_worker_processes_are_replaced_after_a_number_of_shards(workers):
    count = 2 * workers * SHARDS_PER_PROCESS + 1
    results = sorted(LocalShardPool(workers).run(process_of, range(count)))
    assert [job for job, _ in results] == list(range(count))
    # One worker may take more jobs of a pool than another, but no process belongs to two pools.
    jobs_per_pool = workers * SHARDS_PER_PROCESS
    pools = [
        {process for _, process in results[start : start + jobs_per_pool]} for start in range(0, count, jobs_per_pool)
    ]
    assert not pools[0] & pools[1]
    assert not pools[1] & pools[2]
    assert os.getpid() not in pools[0] | pools[1]


@pytest.mark.parametrize("workers", [1, 2])
def test_pools_run_every_job_and_raise_the_first_failure(workers):
    assert sorted(LocalShardPool(workers).run(double, range(10))) == list(range(0, 20, 2))
    with pytest.raises(ValueError, match="job 13"):
        list(LocalShardPool(workers).run(double, range(20)))
    with pytest.raises(ValueError, match="job 13"):
        list(LocalShardPool(workers).run(double, range(12, 15)))


def test_a_shard_is_up_to_date_only_when_complete_and_made_from_the_same_inputs(tmp_path):
    path = tmp_path / "part-00000.parquet"
    assert not is_up_to_date(path, "a")
    write_shard(path, pa.table({"x": [1, 2]}), "a")
    assert is_up_to_date(path, "a")
    assert not is_up_to_date(path, "b")
    path.write_bytes(path.read_bytes()[:-9])
    assert not is_up_to_date(path, "a")


def test_the_error_for_a_folder_without_shards_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="run the stage that writes it first"):
        next(read_shards(tmp_path))
