from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.documents.batch import read_documents, synthesize
from finscribe_assets.documents.recipe import seed_plan
from finscribe_assets.instructions.batch import pair_batch
from finscribe_assets.instructions.tasks import PairRecipe
from finscribe_assets.rendering.batch import render_batch
from finscribe_assets.shards import LocalShardPool
from finscribe_assets.splitting.assign import Split, first_assignment, later_split
from finscribe_assets.splitting.manifest import BatchInputs, build, leaks, read_manifest, read_splits


@given(st.dictionaries(st.text(min_size=1, max_size=12), st.integers(1, 4), min_size=3, max_size=60))
def test_no_split_of_a_first_batch_is_empty_and_none_is_far_from_its_share(groups):
    assigned = first_assignment(groups)
    total = sum(groups.values())
    sizes = Counter(
        {split: sum(groups[group] for group in groups if assigned[group] is split) for split in assigned.values()}
    )
    assert {Split.TRAIN, Split.VALIDATION, Split.TEST} == set(sizes)
    for split in (Split.VALIDATION, Split.TEST):
        assert sizes[split] <= max(0.15 * total, 0.1 * total + 4, 4)


def test_shares_are_80_10_10_on_many_groups():
    sizes = Counter(first_assignment({f"layout/{number}": 2 for number in range(500)}).values())
    assert sizes[Split.VALIDATION] == sizes[Split.TEST] == 50
    later = Counter(later_split(f"layout/{number}", {}) for number in range(5000))
    assert abs(later[Split.TRAIN] - 4000) < 150
    assert abs(later[Split.VALIDATION] - 500) < 100


def test_too_few_groups_are_an_error_that_says_what_to_do():
    with pytest.raises(ValueError, match="make a batch of more documents"):
        first_assignment({"one": 5, "two": 5})


def test_a_known_group_keeps_its_split_and_test_is_frozen():
    assert later_split("any", {"any": Split.VALIDATION}) is Split.VALIDATION
    assert later_split("any", {"any": Split.TEST}) is Split.HELD_BACK


@pytest.fixture(scope="module")
def second(batch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("second")
    pool = LocalShardPool(1)
    synthesize(seed_plan("batch-001", 20, 6), folder / "documents", pool, shard_size=20)
    render_batch(folder / "documents", folder / "images", pool, dpi=72)
    pair_batch(folder / "documents", folder / "images", folder / "pairs", pool, PairRecipe().changed(ocr_line=2))
    return [BatchInputs("batch-000", batch.folder / "documents", batch.folder / "pairs"),
            BatchInputs("batch-001", folder / "documents", folder / "pairs")]  # fmt: skip


def test_a_later_batch_never_reaches_test_and_nothing_leaks(second, tmp_path):
    build(second[:1], "batch-000", tmp_path / "first")
    manifest = build(second, "batch-001", tmp_path / "both")
    first, both = read_splits(tmp_path / "first"), read_splits(tmp_path / "both")
    test = [row.document_id for row in first if row.split is Split.TEST]
    assert test == [row.document_id for row in both if row.split is Split.TEST]
    assert leaks(both, test) == {}
    assert [row for row in both if row.batch == "batch-000"] == first
    assert all(row.targeted == (row.batch == "batch-001") for row in both)
    assert manifest == read_manifest(tmp_path / "both")
    counted = Counter((row.batch, str(row.split)) for row in both)
    for entry in manifest.batches:
        assert entry.splits == {split: count for (batch, split), count in sorted(counted.items()) if batch == entry.key}
        assert sum(entry.splits.values()) == entry.documents


def test_the_manifest_is_the_same_bytes_again_and_changes_with_its_inputs(second, tmp_path):
    one, two = build(second, "batch-001", tmp_path / "one"), build(second, "batch-001", tmp_path / "two")
    for name in ("manifest.json", "splits.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert one.data_version() == two.data_version() != build(second[:1], "batch-000", tmp_path / "x").data_version()


def test_batches_out_of_order_are_refused(second, tmp_path):
    with pytest.raises(ValueError, match="not in order"):
        build(second[::-1], "batch-000", tmp_path)


@pytest.mark.parametrize("kind", ["group", "content", "document_id", "repeated_id", "test_changed"])
def test_a_planted_leak_of_each_kind_is_caught(second, tmp_path, kind):
    build(second, "batch-001", tmp_path)
    rows = read_splits(tmp_path)
    train = next(row for row in rows if row.split is Split.TRAIN)
    test = next(row for row in rows if row.split is Split.TEST)
    first_test = [row.document_id for row in rows if row.split is Split.TEST]
    if kind == "group":
        rows.append(replace(train, document_id="new", content="new", split=Split.TEST))
        first_test.append("new")
    elif kind == "content":
        rows.append(replace(train, document_id="new", group="new", split=Split.VALIDATION))
    elif kind == "document_id":
        rows.append(replace(train, group="new", content="new", split=Split.VALIDATION))
    elif kind == "repeated_id":
        rows.append(train)
    else:
        rows.remove(test)
    assert kind in leaks(rows, first_test)


def test_groups_are_layout_and_vendor(batch):
    drawn = next(read_documents(batch.folder / "documents"))
    assert drawn.group == f"{drawn.presentation.layout}/{drawn.vendor}"
