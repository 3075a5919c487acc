"""A data set is rebuilt byte for byte from its manifest alone, and every difference is named."""

import json

import pytest
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.documents.document_batch import synthesize
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.instructions.task_mix import PairRecipe
from finscribe_assets.rendering.page_batch import render_batch
from finscribe_assets.shards import LocalShardPool
from finscribe_assets.splitting.manifest import BatchInputs, build_data_set, read_manifest
from finscribe_assets.splitting.rebuild import rebuild

# The locales are not in alphabetical order, as the order of weights decides what is drawn.
RECIPE = Recipe(locales={"sv_SE": 1.0, "en_GB": 2.0, "de_DE": 1.0, "fr_FR": 0.5})
PLANS = (seed_plan("batch-000", 22, 1, RECIPE), seed_plan("batch-001", 5, 2, RECIPE))


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The folder of a data set of two batches, with shard sizes and settings that are not the defaults."""
    root, pool = tmp_path_factory.mktemp("original"), LocalShardPool(1)
    batches = [BatchInputs.of_workspace(plan, root / plan.key) for plan in PLANS]
    for batch in batches:
        synthesize(batch.plan, batch.documents, pool, shard_size=12)
        render_batch(batch.documents, batch.images, pool, dpi=80)
        build_pair_batch(
            batch.documents, batch.images, batch.pairs, pool, PairRecipe().with_counts(ocr_line=1, absent_field=0)
        )
    build_data_set(batches, "batch-001", root / "splits")
    return root


@pytest.fixture(scope="module")
def rebuilt(original, tmp_path_factory):
    """A folder in which the command rebuilt the data set."""
    out = tmp_path_factory.mktemp("rebuilt")
    result = CliRunner().invoke(
        app, ["rebuild", str(original / "splits" / "manifest.json"), "--out", str(out), "--workers", "1"]
    )
    assert result.exit_code == 0, result.output
    assert "10 files" in " ".join(result.output.split())
    return out


def test_rebuilding_gives_the_same_bytes(original, rebuilt):
    for plan in PLANS:
        for stage in ("documents", "images", "pairs"):
            expected, actual = (
                {file.name: file.read_bytes() for file in (root / plan.key / stage).glob("part-*.parquet")}
                for root in (original, rebuilt)
            )
            assert actual == expected
            assert expected
    for name in ("manifest.json", "splits.parquet"):
        assert (original / "splits" / name).read_bytes() == (rebuilt / "batch-001" / "splits" / name).read_bytes()


def changed_manifest(original, change):
    value = json.loads((original / "splits" / "manifest.json").read_text(encoding="utf-8"))
    change(value)
    return value


def test_a_file_with_another_hash_is_named(original, rebuilt, tmp_path):
    def change(value):
        value["batches"][0]["files"]["images/part-00001.parquet"] = "0" * 64
        value["tools"]["weasyprint"] = "1.0"

    (tmp_path / "manifest.json").write_text(json.dumps(changed_manifest(original, change)), encoding="utf-8")
    result = CliRunner().invoke(
        app, ["rebuild", str(tmp_path / "manifest.json"), "--out", str(rebuilt), "--workers", "1"]
    )
    assert result.exit_code == 1
    assert [line for line in result.output.splitlines() if line.startswith("differs")] == [
        "differs: batch-000/images/part-00001.parquet"
    ]
    assert "weasyprint: 1.0 → " in result.output


def test_another_seed_changes_that_batch_and_the_splits(original, rebuilt):
    manifest = read_manifest(original / "splits")
    second = manifest.batches[1]
    changed = second.model_copy(update={"plan": second.plan.model_copy(update={"seed": 3})})
    result = rebuild(
        manifest.model_copy(update={"batches": (manifest.batches[0], changed)}), rebuilt, LocalShardPool(1)
    )
    assert not result.same
    assert result.changed_tools == ()
    assert set(result.changed_files) == {
        "batch-001/documents/part-00000.parquet",
        "batch-001/images/part-00000.parquet",
        "batch-001/pairs/part-00000.parquet",
        "batch-001/splits/splits.parquet",
    }


def test_other_fields_and_missing_files_are_named(original, rebuilt):
    manifest = read_manifest(original / "splits")
    first = manifest.batches[0]
    changed = first.model_copy(update={"pairs": 1, "files": {**first.files, "pairs/part-00009.parquet": "0" * 64}})
    result = rebuild(
        manifest.model_copy(update={"batches": (changed, manifest.batches[1])}), rebuilt, LocalShardPool(1)
    )
    assert result.changed_fields == ("batch-000.pairs",)
    assert result.changed_files == ("batch-000/pairs/part-00009.parquet",)


def test_an_unknown_key_of_the_manifest_is_an_error(original, tmp_path):
    (tmp_path / "m.json").write_text(
        json.dumps(changed_manifest(original, lambda value: value.update(colour="red"))), "utf-8"
    )
    result = CliRunner().invoke(app, ["rebuild", str(tmp_path / "m.json"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "colour: unknown key" in result.output
