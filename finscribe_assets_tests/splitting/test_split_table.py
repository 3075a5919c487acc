"""The table of splits survives writing and reading, with the same columns whatever the rows are."""

import pytest

from finscribe_assets.errors import MissingInputError
from finscribe_assets.files import read_table, sha256_of
from finscribe_assets.splitting.exposure import Exposure
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import SPLIT_SCHEMA, SPLITS_FILE, content_hash, read_splits, write_splits
from finscribe_assets_tests.splitting.test_splits import split_row

ROW = split_row(1)
HELD_OUT_ROW = split_row(2, Split.TEST, exposure=Exposure.ZERO_SHOT, held_out_by=("font", "locale"))
HELD_BACK_ROW = split_row(3, Split.HELD_BACK, looks_like=ROW.document_id, targeted=True, batch="batch-001")


@pytest.mark.parametrize("rows", [[], [ROW], [ROW, HELD_OUT_ROW, HELD_BACK_ROW]])
def test_rows_survive_writing_and_reading(tmp_path, rows):
    write_splits(tmp_path, rows)
    assert read_splits(tmp_path) == rows
    assert read_table(tmp_path / SPLITS_FILE).schema.equals(SPLIT_SCHEMA)


def test_the_content_hash_ignores_the_order_of_keys():
    assert content_hash({"b": {"y": "2.00", "x": 1}, "a": [None]}) == sha256_of('{"a":[null],"b":{"x":1,"y":"2.00"}}')


def test_a_folder_without_splits_is_named_with_the_command_that_writes_them(tmp_path):
    with pytest.raises(MissingInputError, match=r"splits\.parquet: is not there; `finscribe split` writes it"):
        read_splits(tmp_path)
