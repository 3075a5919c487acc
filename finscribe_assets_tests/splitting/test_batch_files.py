"""The pages of a batch are read for its own data set, and not again for those of later batches."""

import shutil
import sys
from pathlib import Path

import pytest

from finscribe_assets.documents.document_batch import synthesize
from finscribe_assets.documents.plan import Plan, seed_plan
from finscribe_assets.errors import MissingInputError
from finscribe_assets.files import read_json, sha256_of_file, write_text
from finscribe_assets.instructions.pair import Task
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.instructions.task_mix import PairRecipe
from finscribe_assets.rendering.page_batch import render_batch
from finscribe_assets.shards import LocalShardPool
from finscribe_assets.splitting.batch_files import HASHES_RECORD_FILE
from finscribe_assets.splitting.manifest import BatchInputs, build_data_set

OPENED: list[str] | None = None


def _record(event: str, arguments: tuple) -> None:
    if OPENED is not None and event == "open" and isinstance(arguments[0], str):
        OPENED.append(arguments[0])


sys.addaudithook(_record)  # the interpreter reports every file that is opened; a hook cannot be removed again


def opened_by(call) -> set[str]:
    """Return the files that a call opens."""
    global OPENED  # noqa: PLW0603
    OPENED = []
    try:
        call()
        return set(OPENED)
    finally:
        OPENED = None


def make_batch(plan: Plan, root: Path) -> BatchInputs:
    pool, inputs = LocalShardPool(1), BatchInputs.of_workspace(plan, root / plan.key)
    synthesize(plan, inputs.documents, pool, shard_size=12)
    render_batch(inputs.documents, inputs.images, pool, dpi=60)
    build_pair_batch(inputs.documents, inputs.images, inputs.pairs, pool, PairRecipe(mix={Task.FULL_EXTRACTION: 1}))
    return inputs


@pytest.fixture(scope="module")
def batches(tmp_path_factory):
    root = tmp_path_factory.mktemp("batches")
    first, second = (
        make_batch(seed_plan(key, documents, 11), root) for key, documents in (("batch-000", 24), ("batch-001", 4))
    )
    build_data_set([first], "batch-000", root / "splits-000")
    return [first, second]


def shards(folder: Path) -> set[str]:
    return {str(file) for file in folder.glob("part-*.parquet")}


def test_a_later_data_set_reads_no_page_and_no_pair_of_earlier_batches(batches, tmp_path):
    first, second = batches
    opened = opened_by(lambda: build_data_set(batches, "batch-001", tmp_path))
    assert not opened & (shards(first.images) | shards(first.pairs))
    assert opened >= shards(second.images) | shards(second.pairs)
    assert len(shards(first.images)) == len(shards(first.pairs)) == 2


def test_only_a_shard_that_was_written_again_is_read_again(batches, tmp_path):
    first, _ = batches
    record = first.hashes / HASHES_RECORD_FILE
    before = record.read_bytes()
    changed = sorted(first.images.glob("part-*.parquet"))[1]
    changed.write_bytes(changed.read_bytes())
    opened = opened_by(lambda: build_data_set([first], "batch-000", tmp_path))
    assert opened & shards(first.images) == {str(changed)}
    assert record.read_bytes() != before
    assert read_json(record)["shards"]["images"][changed.name]["sha256"] == sha256_of_file(changed)


def test_the_manifest_does_not_depend_on_the_record(batches, tmp_path):
    known = build_data_set(batches, "batch-001", tmp_path)
    for batch in batches:
        write_text(batch.hashes / HASHES_RECORD_FILE, '{"of": "another version"}')
    assert build_data_set(batches, "batch-001", tmp_path) == known
    for batch in batches:
        (batch.hashes / HASHES_RECORD_FILE).unlink()
    assert build_data_set(batches, "batch-001", tmp_path) == known


@pytest.mark.parametrize("stage", ["documents", "images", "pairs"])
def test_a_batch_that_lost_a_shard_is_refused_and_the_shard_named(batches, tmp_path, stage):
    """Such as one that somebody deleted: its documents would be in the splits without pages."""
    root = shutil.copytree(batches[0].documents.parent, tmp_path / "batch-000")
    (root / stage / "part-00001.parquet").unlink()
    message = f"{root / stage}/part-00001.parquet: missing, though .*/part-00001.parquet is there"
    with pytest.raises(MissingInputError, match=message):
        build_data_set([BatchInputs.of_workspace(batches[0].plan, root)], "batch-000", tmp_path / "splits")
