import signal
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.files import atomic_write, read_json, remove_temporary_files, write_bytes, write_json
from finscribe_assets.shards import LocalShardPool, cut_into_shards, is_up_to_date, read_shards, write_shard


@given(st.integers(0, 500), st.integers(1, 90))
def test_shards_cover_every_row_once(rows, size):
    shards = cut_into_shards(rows, size)
    assert [row for shard in shards for row in range(shard.start, shard.stop)] == list(range(rows))
    assert [shard.file_name for shard in shards] == sorted(shard.file_name for shard in shards)


def test_a_shard_size_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        cut_into_shards(5, 0)


def double(job: int) -> int:
    if job == 13:
        raise ValueError("unlucky")
    return 2 * job


@pytest.mark.parametrize("workers", [1, 2])
def test_pools_do_every_job_and_raise_the_first_failure(workers):
    assert sorted(LocalShardPool(workers).run(double, range(10))) == list(range(0, 20, 2))
    with pytest.raises(ValueError, match="unlucky"):
        list(LocalShardPool(workers).run(double, range(20)))


def test_a_shard_counts_only_when_whole_and_of_the_same_inputs(tmp_path):
    path = tmp_path / "part-00000.parquet"
    assert not is_up_to_date(path, "a")
    write_shard(path, pa.table({"x": [1, 2]}), "a")
    assert is_up_to_date(path, "a")
    assert not is_up_to_date(path, "b")
    path.write_bytes(path.read_bytes()[:-9])
    assert not is_up_to_date(path, "a")


def test_a_folder_without_shards_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="materialise the stage before"):
        next(read_shards(tmp_path))


def test_a_file_written_in_pieces_is_whole_or_as_it_was(tmp_path):
    path = tmp_path / "deep" / "lines"
    with atomic_write(path) as stream:
        stream.write(b"1\n")
        stream.write(b"2\n")
        assert not path.exists()
    with pytest.raises(ValueError, match="in the midst"), atomic_write(path) as stream:
        stream.write(b"3\n")
        raise ValueError("in the midst")
    assert [file.read_bytes() for file in path.parent.iterdir()] == [b"1\n2\n"]
    (path.parent / ".lines.k1ll3d").touch()
    (path.parent / ".other").touch()
    remove_temporary_files(path)
    assert sorted(file.name for file in path.parent.iterdir()) == [".other", "lines"]


def test_a_process_killed_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "value.json"
    write_json(path, {"old": True})
    script = (
        "import os, signal, sys; from pathlib import Path; import finscribe_assets.files as files;"
        "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL);"
        "files.write_bytes(Path(sys.argv[1]), b'x' * 1000000)"
    )
    assert subprocess.run([sys.executable, "-c", script, path], check=False).returncode == -signal.SIGKILL
    assert read_json(path) == {"old": True}
    write_bytes(path, b"{}")
    assert read_json(path) == {}


def test_broken_json_names_file_and_place(tmp_path):
    (tmp_path / "x.json").write_text('{"a": 1,\n oops}')
    with pytest.raises(ValueError, match=r"x.json: line 2, column 2"):
        read_json(tmp_path / "x.json")


def test_written_files_are_readable_by_others(tmp_path):
    write_bytes(tmp_path / "x", b"1")
    assert (tmp_path / "x").stat().st_mode & 0o044 == 0o044
