"""Batches of the inbox: each document is taken once, complete, and nothing is moved."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from upath import UPath

from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.importing.inbox import (
    MAX_BATCH_DOCUMENTS,
    SETTLE_SECONDS,
    InboxBatch,
    InboxBatches,
    InboxFile,
    InboxLook,
    TakenFile,
    fetch_batch,
    find_unsettled,
    is_safe_name,
    list_inbox,
    look_at_inbox,
    parse_look,
)

NOW = 1_800_000_000.0
LONG_AGO = NOW - 3600


@pytest.fixture
def inbox(tmp_path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def batches(tmp_path) -> InboxBatches:
    return InboxBatches(str(tmp_path / "storage"))


def put(folder: Path, name: str, content: bytes, modified: float = LONG_AGO) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (modified, modified))


def look(inbox, batches, before: InboxLook | None = None, now: float = NOW):
    """Look, and store the batch as the sensor does."""
    decision = look_at_inbox(inbox, batches, before or InboxLook(), now)
    if decision.batch:
        batches.write(decision.batch)
    return decision


def names(decision) -> list[list[str]]:
    return [[file.name for file in document] for document in decision.batch.documents] if decision.batch else []


def test_each_document_is_taken_once_with_all_its_files(inbox, batches):
    put(inbox, "a.pdf", b"1")
    put(inbox, "a.json", b"{}")
    put(inbox, "2026/b.png", b"2")
    put(inbox, "notes.txt", b"3")
    put(inbox, ".hidden.pdf", b"4")
    first = look(inbox, batches)
    assert names(first) == [["a.json", "a.pdf"], ["2026/b.png"]] or names(first) == [
        ["2026/b.png"],
        ["a.json", "a.pdf"],
    ]
    assert first.batch.key == "inbox-000"
    second = look(inbox, batches)
    assert second.batch is None
    assert "no new document" in second.reason
    assert "1 other files; 2 taken before" in second.reason
    put(inbox, "c.jpg", b"5")
    assert names(third := look(inbox, batches)) == [["c.jpg"]]
    assert third.batch.key == "inbox-001"
    assert sorted(file.name for file in inbox.rglob("*") if file.is_file()) == sorted(
        ["a.pdf", "a.json", "b.png", "notes.txt", ".hidden.pdf", "c.jpg"]
    )


def test_a_file_that_is_being_copied_waits_until_two_looks_find_it_alike(inbox, batches):
    put(inbox, "a.pdf", b"1", modified=NOW - 1)
    first = look(inbox, batches)
    assert (first.batch, list(first.look.waiting)) == (None, ["a.pdf"])
    assert "1 may still be written" in first.reason
    put(inbox, "a.pdf", b"12", modified=NOW - 1)
    second = look(inbox, batches, first.look)
    assert second.batch is None
    assert names(look(inbox, batches, second.look)) == [["a.pdf"]]


def test_a_document_waits_for_its_last_file(inbox, batches):
    put(inbox, "a.pdf", b"1")
    put(inbox, "a.xml", b"<", modified=NOW)
    assert look(inbox, batches).batch is None
    assert names(look(inbox, batches, now=NOW + SETTLE_SECONDS)) == [["a.pdf", "a.xml"]]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.floats(NOW - 100, NOW + 100)), unique_by=lambda f: f[0]
    )
)
def test_after_two_equal_looks_nothing_waits(files):
    listed = [InboxFile(*file) for file in files]
    waiting = find_unsettled(listed, {}, NOW)
    assert all(NOW - file.modified >= SETTLE_SECONDS for file in listed if file.name not in waiting)
    assert find_unsettled(listed, waiting, NOW) == {}


def test_a_copy_under_another_name_is_left_out_and_not_read_again(inbox, batches, monkeypatch):
    put(inbox, "a.pdf", b"1")
    look(inbox, batches)
    put(inbox, "copy.pdf", b"1")
    decision = look(inbox, batches)
    assert decision.batch is None
    assert "1 copies" in decision.reason
    monkeypatch.setattr("finscribe_assets.importing.inbox.sha256_of_file", None)  # calling it would fail
    assert look(inbox, batches, decision.look).batch is None


def test_ground_truth_that_comes_later_makes_the_document_new(inbox, batches):
    put(inbox, "a.pdf", b"1")
    look(inbox, batches)
    put(inbox, "a.json", b"{}")
    assert names(look(inbox, batches)) == [["a.json", "a.pdf"]]
    put(inbox, "a.json", b'{"corrected": 1}')
    assert names(look(inbox, batches)) == [["a.json", "a.pdf"]]
    assert look(inbox, batches).batch is None


def test_ground_truth_without_pages_is_counted(inbox, batches):
    put(inbox, "a.json", b"{}")
    assert "1 files of ground truth without pages" in look(inbox, batches).reason


def test_a_flood_is_cut_into_batches(inbox, batches):
    for number in range(MAX_BATCH_DOCUMENTS + 3):
        put(inbox, f"{number}.pdf", b"%d" % number)
    assert [len(names(look(inbox, batches))) for _ in range(3)] == [MAX_BATCH_DOCUMENTS, 3, 0]


def test_links_and_names_that_leave_the_inbox_are_not_followed(inbox, batches, tmp_path):
    put(tmp_path, "secret.pdf", b"s")
    (inbox / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    (inbox / "out").symlink_to(tmp_path)
    assert list_inbox(inbox) == []
    assert [is_safe_name(name) for name in ("a/b.pdf", "../a.pdf", "a/../../b", "/etc/passwd", "a//b", "a\\b", "")] == [
        True,
        *[False] * 6,
    ]
    with pytest.raises(ValidationError, match="below the inbox"):
        TakenFile(name="../a.pdf", size=1, modified=1, sha256="x")


def test_a_file_that_changed_since_is_not_fetched(inbox, batches, tmp_path):
    put(inbox, "a.pdf", b"1")
    put(inbox, "b.pdf", b"2")
    batch = look(inbox, batches).batch
    put(inbox, "a.pdf", b"changed")
    assert fetch_batch(inbox, batch, tmp_path / "copy") == ["a.pdf"]
    assert [(file.name, file.read_bytes()) for file in (tmp_path / "copy").iterdir()] == [("b.pdf", b"2")]


def test_an_object_store_is_an_inbox_too(batches):
    root = UPath("memory://finscribe-inbox")
    (root / "2026").mkdir(parents=True, exist_ok=True)
    (root / "2026" / "a.pdf").write_bytes(b"1")
    decision = look_at_inbox(root, batches, InboxLook(), NOW + 1e9)
    assert names(decision) == [["2026/a.pdf"]]


@pytest.mark.parametrize("key", ["batch-000", "inbox-1", "../inbox-000", "inbox-000/../x", "inbox-0000000", ""])
def test_other_keys_are_refused(batches, key):
    with pytest.raises(UserError, match="not the key of an inbox batch"):
        batches.path(key)
    with pytest.raises(ValidationError):
        InboxBatch(key=key, documents=())


def test_a_missing_inbox_and_a_missing_batch_say_so(tmp_path, batches):
    with pytest.raises(MissingInputError, match="FINSCRIBE_INBOX"):
        list_inbox(tmp_path / "nowhere")
    with pytest.raises(MissingInputError, match="there is no batch inbox-004; the next one is inbox-000"):
        batches.read("inbox-004")


@pytest.mark.parametrize("cursor", [None, "", "7", "not JSON", json.dumps({"other": 1})])
def test_a_cursor_of_another_version_is_a_first_look(cursor):
    assert parse_look(cursor) == InboxLook()
