import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from finscribe_assets.documents.document_batch import read_documents, synthesize, write_ground_truth, write_single_table
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe_files import load_plan, load_recipe
from finscribe_assets.shards import LocalShardPool

PLAN = seed_plan("batch-000", 25, 3)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path):
    synthesize(PLAN, tmp_path / "one", LocalShardPool(1), shard_size=7)
    synthesize(PLAN, tmp_path / "two", LocalShardPool(2), shard_size=7)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_documents_do_not_depend_on_the_shard_size(tmp_path):
    synthesize(PLAN, tmp_path / "a", LocalShardPool(1), shard_size=4)
    synthesize(PLAN, tmp_path / "b", LocalShardPool(1), shard_size=25)
    assert list(read_documents(tmp_path / "a")) == list(read_documents(tmp_path / "b"))


def test_a_killed_run_resumes_to_the_same_bytes(tmp_path):
    synthesize(PLAN, tmp_path / "whole", LocalShardPool(1), shard_size=5)
    synthesize(PLAN, tmp_path / "killed", LocalShardPool(1), shard_size=5)
    (tmp_path / "killed" / "part-00002.parquet").unlink()
    (tmp_path / "killed" / "part-00004.parquet").write_bytes(b"half a fi")
    resumed = synthesize(PLAN, tmp_path / "killed", LocalShardPool(1), shard_size=5)
    assert resumed.skipped == 3
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_another_plan_replaces_shards_and_removes_surplus_ones(tmp_path):
    synthesize(PLAN, tmp_path, LocalShardPool(1), shard_size=5)
    smaller = seed_plan("batch-000", 8, 4)
    assert synthesize(smaller, tmp_path, LocalShardPool(1), shard_size=5).skipped == 0
    assert [drawn.index for drawn in read_documents(tmp_path)] == list(range(8))


def test_single_table_and_ground_truth_hold_the_same_documents(tmp_path):
    synthesize(PLAN, tmp_path / "documents", LocalShardPool(1), shard_size=10)
    write_single_table(tmp_path / "documents", tmp_path / "documents.parquet")
    write_ground_truth(tmp_path / "documents", tmp_path / "documents.jsonl")
    ids = [drawn.id for drawn in read_documents(tmp_path / "documents")]
    assert pq.read_table(tmp_path / "documents.parquet")["id"].to_pylist() == ids
    records = [json.loads(line) for line in (tmp_path / "documents.jsonl").read_text().splitlines()]
    assert [record["id"] for record in records] == ids
    assert records[0]["document"]["totals"]["amount_due"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("knobs: {long_amount: 1}", "knobs.long_amount: unknown key"),
        ("knobs: {long_amounts: 1.5}", "less than or equal to 1 (it is 1.5)"),
        ("locales: {xx_XX: 1}", "locales: unknown xx_XX; known are en_US"),
        ("fonts: {Lato: 0}", "fonts: every weight is zero"),
        ("fonts: {Lato: .inf}", "fonts.Lato: Input should be less than or equal to 1000000 (it is inf)"),
        ("document_types: {bill: 1}", "document_types.bill: Input should be 'invoice', 'credit_note'"),
        ("knobs: {discounts: 0.1}\nknobs: {discounts: 0.9}", "the key 'knobs' is given twice"),
        ("- knobs", "the file: Input should be a valid dictionary"),
        ("[", "not valid YAML"),
    ],
)
def test_errors_in_a_recipe_name_file_key_value_and_range(tmp_path, text, message):
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"recipe\.yaml") as error:
        load_recipe(path)
    assert message in str(error.value)


def test_a_recipe_that_is_not_text_names_the_file(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_bytes(b"knobs: {discounts: 0.5} # \xff")
    with pytest.raises(ValueError, match=r"recipe\.yaml: byte 26 is not UTF-8"):
        load_recipe(path)


@pytest.mark.parametrize("key", ["", "a/b", "batch-1", "../batch-001"])
def test_a_plan_with_a_bad_key_is_rejected(tmp_path, key):
    path = tmp_path / "plan.json"
    path.write_text(PLAN.model_dump_json().replace('"batch-000"', json.dumps(key)))
    with pytest.raises(ValueError, match="is not of the form batch-007"):
        load_plan(path)
