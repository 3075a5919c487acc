"""A document that fails its layout check: rejected with its reason, and left out by later stages."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.documents.document_table import documents_from_table, documents_to_table
from finscribe_assets.files import read_table
from finscribe_assets.instructions.pair_batch import build_pair_batch, read_pairs
from finscribe_assets.instructions.task_mix import PairRecipe
from finscribe_assets.rendering.page_batch import RenderSummary, read_rendered, rejected_documents, render_batch
from finscribe_assets.rendering.page_sampling import stored_pages
from finscribe_assets.shards import LocalShardPool, read_fingerprint, shard_files, write_shard
from finscribe_assets.splitting.manifest import BatchInputs, build_data_set
from finscribe_assets.splitting.split_table import read_splits

POOL = LocalShardPool(1)


def spoil(folder, *numbers):
    """Give documents of the first shard a value that no template prints; return their ids."""
    file = shard_files(folder)[0]
    documents = documents_from_table(read_table(file))
    for number in numbers:
        printed = documents[number].printed | {"totals.nowhere": "1.00"}
        documents[number] = documents[number].model_copy(update={"printed": printed})
    write_shard(file, documents_to_table(documents), f"spoilt {numbers} {read_fingerprint(file)}")
    return [documents[number].id for number in numbers]


@pytest.fixture
def workspace(batch, tmp_path):
    shutil.copytree(batch.folder / "documents", tmp_path / "documents")
    return tmp_path


def test_a_rejected_document_has_a_reason_and_no_part_in_later_stages(batch, workspace):
    (rejected,) = spoil(workspace / "documents", 4)
    documents, images, pairs = (workspace / name for name in ("documents", "images", "pairs"))
    summary = render_batch(documents, images, POOL, dpi=72)
    assert list(summary.rejects) == [rejected]
    assert rejected in summary.rejects[rejected]
    assert "printed, but it has no box" in summary.rejects[rejected]
    assert not summary.too_many_rejects
    assert rejected_documents(images) == summary.rejects
    assert render_batch(documents, images, POOL, dpi=72).rejects == summary.rejects  # nothing is rendered again
    kept = [drawn for drawn in batch.documents if drawn.id != rejected]
    assert [rendered.id for rendered in read_rendered(images)] == [drawn.id for drawn in kept]
    assert [drawn.id for drawn, _ in stored_pages(batch.documents, images)] == [drawn.id for drawn in kept]

    build_pair_batch(documents, images, pairs, POOL, PairRecipe().with_counts(ocr_line=1))
    assert {pair.document_id for pair in read_pairs(pairs)} == {drawn.id for drawn in kept}
    manifest = build_data_set([BatchInputs.of_workspace(batch.plan, workspace)], "batch-000", workspace / "splits")
    assert {row.document_id for row in read_splits(workspace / "splits")} == {drawn.id for drawn in kept}
    assert manifest.batches[0].documents == len(kept)


def test_more_than_one_percent_and_one_document_is_too_many():
    def rejecting(count, documents):
        return RenderSummary(documents, 0, 1, 0, {str(number): "" for number in range(count)}).too_many_rejects

    assert not rejecting(1, 12)
    assert rejecting(2, 12)
    assert not rejecting(10, 1000)
    assert rejecting(11, 1000)


def test_the_command_says_what_it_rejects_and_fails_on_too_many(workspace):
    def rendered_with(fails):
        result = CliRunner().invoke(app, ["render", str(workspace), "--dpi", "72", "--no-preview", "--workers", "1"])
        assert (result.exit_code != 0) == fails, result.output
        return " ".join(result.output.split())

    (first,) = spoil(workspace / "documents", 0)
    assert f"rejected: {first}" in rendered_with(fails=False)
    truths = (workspace / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    assert first not in {json.loads(line)["id"] for line in truths}
    spoil(workspace / "documents", 0, 1)
    assert "2 of 36 documents were rejected" in rendered_with(fails=True)
