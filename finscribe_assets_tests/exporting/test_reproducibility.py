"""The same pairs give the same bytes: on any number of workers and after a kill; file names never collide."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.exporting.file_names import MAX_NAME_LENGTH, file_name_for
from finscribe_assets.exporting.folder_export import ExportFormat, export_pairs
from finscribe_assets.exporting.sample_checks import ExportError
from finscribe_assets.shards import LocalShardPool
from finscribe_assets.splitting.split_assignment import Split


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


class ReversedPool:
    """A pool that runs its jobs in reverse order."""

    def run(self, work, jobs):
        yield from map(work, reversed(list(jobs)))


@pytest.mark.parametrize("format_", ExportFormat)
def test_neither_order_nor_an_earlier_export_changes_a_byte(work, exported, tmp_path, format_):
    first = tree(exported(format_))
    out = tmp_path / "export"
    work.export(out, format_, documents={*work.documents, *work.rendered})  # more documents than the export under test
    assert tree(out) != first
    work.export(out, format_, pool=ReversedPool())
    assert tree(out) == first


def test_worker_processes_write_the_same_bytes_as_one_process(work, exported, tmp_path):
    work.export(tmp_path / "two", ExportFormat.MESSAGES, pool=LocalShardPool(2))
    assert tree(tmp_path / "two") == tree(exported(ExportFormat.MESSAGES))


KILLED = """
import os, signal, sys
from pathlib import Path
from finscribe_assets import files
from finscribe_assets.exporting.folder_export import ExportFormat, export_pairs
from finscribe_assets.shards import LocalShardPool
from finscribe_assets.splitting.split_assignment import Split

pairs, images, out, format_, last, *documents = sys.argv[1:]
left = int(last)
flush = os.fsync

def kill_while_writing(handle):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    flush(handle)

os.fsync = kill_while_writing
export_pairs(Path(pairs), Path(images), Path(out), documents=set(documents), split=Split.TRAIN,
             format_=ExportFormat(format_), pool=LocalShardPool(1))
"""


@pytest.mark.parametrize(
    ("format_", "file"),
    [
        (ExportFormat.COCO, lambda images: 1),  # export.json
        (ExportFormat.COCO, lambda images: images),  # a page
        (ExportFormat.COCO, lambda images: images + 6),  # the annotations, after export.json and two lists per part
        (ExportFormat.HF, lambda images: 3),  # the second shard
        (ExportFormat.HF, lambda images: 4),  # the card
        (ExportFormat.MESSAGES, lambda images: images + 4),  # data.jsonl, after export.json and one list per part
    ],
)
def test_a_killed_export_is_completed_by_running_it_again(work, exported, tmp_path, format_, file):
    out = tmp_path / "killed"
    files = file(sum(name.startswith("images/") for name in tree(exported(format_))))
    arguments = [work.pairs, work.images, out, format_, str(files), *work.documents]
    run = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.returncode == -signal.SIGKILL
    assert files == 1 or json.loads((out / "export.json").read_text())["finished"] is False
    assert [name for name in tree(out) if Path(name).name.startswith(".")]  # a file was being written
    work.export(out, format_)
    assert tree(out) == tree(exported(format_))


def test_tar_headers_do_not_depend_on_the_machine(exported):
    import tarfile

    for file in (exported(ExportFormat.WEBDATASET) / "shards").iterdir():
        with tarfile.open(file) as tar:
            assert {
                (member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode) for member in tar
            } == {(0, 0, 0, "", "", 0o644)}


def test_a_folder_with_other_files_is_left_unchanged(work, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds files that are not an export's"):
        work.export(tmp_path / "mine", ExportFormat.HF)
    assert tree(tmp_path / "mine") == {"notes.txt": b"mine"}
    work.export(tmp_path / "export", ExportFormat.ERNIEKIT)
    before = tree(tmp_path / "export")
    for format_, split in ((ExportFormat.MESSAGES, Split.TRAIN), (ExportFormat.ERNIEKIT, Split.TEST)):
        with pytest.raises(ValueError, match="holds an export of train as erniekit"):
            work.export(tmp_path / "export", format_, split)
    assert tree(tmp_path / "export") == before


def test_an_export_without_samples_is_an_error(work, tmp_path):
    with pytest.raises(ExportError, match="no samples of the validation split"):
        work.export(tmp_path / "none", ExportFormat.HF, Split.VALIDATION, documents=frozenset())
    assert not (tmp_path / "none").exists()
    with pytest.raises(ExportError, match="no samples"):
        export_pairs(
            tmp_path,
            tmp_path,
            tmp_path / "none",
            documents={"a"},
            split=Split.TRAIN,
            format_=ExportFormat.HF,
            pool=LocalShardPool(1),
        )


ids = st.text(max_size=150) | st.text("aA-_./é[]0", max_size=6)


@given(ids)
def test_file_names_are_valid_on_every_file_system(id_):
    name = file_name_for(id_)
    assert 0 < len(name) <= MAX_NAME_LENGTH - 10
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
    assert name[0] not in "-_"


@given(st.sets(ids, max_size=40))
def test_file_names_of_different_ids_differ(id_set):
    id_set |= {file_name_for(id_) for id_ in id_set}  # a file name may be an id as well
    assert len({file_name_for(id_) for id_ in id_set}) == len(id_set)


def test_file_names_differ_where_sanitising_alone_would_make_them_equal():
    assert len({file_name_for(id_) for id_ in ("a.b", "a/b", "a b", "A-b", "a-b", "a--b", "x" * 200, "x" * 201)}) == 8
    assert file_name_for("batch-000-000001") == "batch-000-000001"
