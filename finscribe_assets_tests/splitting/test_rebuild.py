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

# In an order that is not the alphabet's: weights are drawn from in their order.
PLAIN = Recipe(locales={"sv_SE": 1.0, "en_GB": 2.0, "de_DE": 1.0, "fr_FR": 0.5})
PLANS = (seed_plan("batch-000", 22, 1, PLAIN), seed_plan("batch-001", 5, 2, PLAIN))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a data set of two batches, in shards and with settings that are not the usual ones."""
    root, pool = tmp_path_factory.mktemp("made"), LocalShardPool(1)
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
def again(made, tmp_path_factory):
    """A folder in which the data set was made again by the command."""
    out = tmp_path_factory.mktemp("again")
    result = CliRunner().invoke(
        app, ["rebuild", str(made / "splits" / "manifest.json"), "--out", str(out), "--workers", "1"]
    )
    assert result.exit_code == 0, result.output
    assert "10 files" in " ".join(result.output.split())
    return out


def test_the_same_bytes_come_of_the_manifest_alone(made, again):
    for plan in PLANS:
        for stage in ("documents", "images", "pairs"):
            ours, theirs = (
                {file.name: file.read_bytes() for file in (root / plan.key / stage).glob("part-*.parquet")}
                for root in (made, again)
            )
            assert ours == theirs
            assert ours
    for name in ("manifest.json", "splits.parquet"):
        assert (made / "splits" / name).read_bytes() == (again / "batch-001" / "splits" / name).read_bytes()


def tampered(made, change):
    value = json.loads((made / "splits" / "manifest.json").read_text(encoding="utf-8"))
    change(value)
    return value


def test_the_file_whose_hash_is_not_the_manifests_is_named(made, again, tmp_path):
    def change(value):
        value["batches"][0]["files"]["images/part-00001.parquet"] = "0" * 64
        value["tools"]["weasyprint"] = "1.0"

    (tmp_path / "manifest.json").write_text(json.dumps(tampered(made, change)), encoding="utf-8")
    result = CliRunner().invoke(
        app, ["rebuild", str(tmp_path / "manifest.json"), "--out", str(again), "--workers", "1"]
    )
    assert result.exit_code == 1
    assert [line for line in result.output.splitlines() if line.startswith("differs")] == [
        "differs: batch-000/images/part-00001.parquet"
    ]
    assert "weasyprint: 1.0 → " in result.output


def test_another_seed_differs_in_that_batch_and_in_the_splits(made, again):
    manifest = read_manifest(made / "splits")
    late = manifest.batches[1]
    changed = late.model_copy(update={"plan": late.plan.model_copy(update={"seed": 3})})
    done = rebuild(manifest.model_copy(update={"batches": (manifest.batches[0], changed)}), again, LocalShardPool(1))
    assert not done.same
    assert done.changed_tools == ()
    assert set(done.changed_files) == {
        "batch-001/documents/part-00000.parquet",
        "batch-001/images/part-00000.parquet",
        "batch-001/pairs/part-00000.parquet",
        "batch-001/splits/splits.parquet",
    }


def test_figures_and_missing_files_of_the_manifest_are_compared_too(made, again):
    manifest = read_manifest(made / "splits")
    first = manifest.batches[0]
    changed = first.model_copy(update={"pairs": 1, "files": {**first.files, "pairs/part-00009.parquet": "0" * 64}})
    done = rebuild(manifest.model_copy(update={"batches": (changed, manifest.batches[1])}), again, LocalShardPool(1))
    assert done.changed_fields == ("batch-000.pairs",)
    assert done.changed_files == ("batch-000/pairs/part-00009.parquet",)


def test_a_manifest_with_an_unknown_key_is_refused_by_name(made, tmp_path):
    (tmp_path / "m.json").write_text(json.dumps(tampered(made, lambda value: value.update(colour="red"))), "utf-8")
    result = CliRunner().invoke(app, ["rebuild", str(tmp_path / "m.json"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "colour: unknown key" in result.output
