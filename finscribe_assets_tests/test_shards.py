"""Slices on processes: all are done, whoever does them, and no process does too many."""

import os

import pytest

from finscribe_assets.shards import SHARDS_PER_PROCESS, LocalShardPool, cut_into_shards


def whoami(job: int) -> tuple[int, int]:
    return job, os.getpid()


def fails_at_two(job: int) -> int:
    if job == 2:
        raise ValueError("job 2 cannot be done")
    return job


def test_few_slices_of_one_worker_are_made_here():
    assert list(LocalShardPool(1).run(whoami, range(SHARDS_PER_PROCESS))) == [
        (job, os.getpid()) for job in range(SHARDS_PER_PROCESS)
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_no_process_makes_too_many_slices(workers):
    count = 2 * workers * SHARDS_PER_PROCESS + 1
    made = sorted(LocalShardPool(workers).run(whoami, range(count)))
    assert [job for job, _ in made] == list(range(count))
    # A worker may be quicker than another, but after a turn all are new.
    turn = workers * SHARDS_PER_PROCESS
    turns = [{process for _, process in made[start : start + turn]} for start in range(0, count, turn)]
    assert not turns[0] & turns[1]
    assert not turns[1] & turns[2]
    assert os.getpid() not in turns[0] | turns[1]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_failure_is_raised(workers):
    with pytest.raises(ValueError, match="job 2"):
        list(LocalShardPool(workers).run(fails_at_two, range(4)))


def test_slices_cover_all_rows_once():
    assert [(one.start, one.stop) for one in cut_into_shards(250, 100)] == [(0, 100), (100, 200), (200, 250)]
    with pytest.raises(ValueError, match="shard_size"):
        cut_into_shards(5, 0)
