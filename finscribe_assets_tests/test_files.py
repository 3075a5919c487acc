"""Files are complete or absent, whatever interrupts the process that writes them."""

import signal
import subprocess
import sys

import pytest

from finscribe_assets.files import (
    atomic_write,
    read_json,
    remove_temporary_files,
    replace_folder,
    write_bytes,
    write_json,
)


def test_atomic_write_replaces_the_file_at_the_end_or_leaves_it_unchanged(tmp_path):
    path = tmp_path / "deep" / "lines"
    with atomic_write(path) as stream:
        stream.write(b"1\n")
        stream.write(b"2\n")
        assert not path.exists()
    with pytest.raises(ValueError, match="disk on fire"), atomic_write(path) as stream:
        stream.write(b"3\n")
        raise ValueError("disk on fire")
    assert [file.read_bytes() for file in path.parent.iterdir()] == [b"1\n2\n"]


def test_temporary_files_of_a_killed_process_are_removed(tmp_path):
    for name in ("lines", ".lines.k1ll3d", ".other"):
        (tmp_path / name).touch()
    remove_temporary_files(tmp_path / "lines")
    assert sorted(file.name for file in tmp_path.iterdir()) == [".other", "lines"]


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


def test_the_error_for_invalid_json_names_file_line_and_column(tmp_path):
    (tmp_path / "x.json").write_text('{"a": 1,\n oops}')
    with pytest.raises(ValueError, match=r"x.json: line 2, column 2"):
        read_json(tmp_path / "x.json")


def test_written_files_are_readable_by_other_users(tmp_path):
    write_bytes(tmp_path / "x", b"1")
    assert (tmp_path / "x").stat().st_mode & 0o044 == 0o044


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    for name, files in {"new": ("a", "deep/b"), "old": ("a", "c"), ".old.k1ll3d.replaced": ("half",)}.items():
        for file in files:
            write_bytes(tmp_path / name / file, name.encode())
    replace_folder(tmp_path / "new", tmp_path / "old")
    files = {str(file.relative_to(tmp_path)): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert files == dict.fromkeys(("new/a", "new/deep/b", "old/a", "old/deep/b"), b"new")


def test_a_folder_stays_if_its_copy_fails(tmp_path, monkeypatch):
    write_bytes(tmp_path / "old/a", b"old")
    with pytest.raises(FileNotFoundError):
        replace_folder(tmp_path / "absent", tmp_path / "old")
    assert [file.name for file in tmp_path.rglob("*")] == ["old", "a"]


def test_an_object_store_gets_the_mark_of_a_complete_folder_last(tmp_path):
    from upath import UPath

    for name in ("a-report", "z"):
        write_bytes(tmp_path / name, name.encode())
    target = UPath("memory://replaced/folder")
    write_bytes(target / "gone", b"old")
    replace_folder(tmp_path, target, "a-report")
    assert sorted(file.name for file in target.iterdir()) == ["a-report", "z"]
