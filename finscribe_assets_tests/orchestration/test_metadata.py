"""What values look like in the UI: tables that fit, links that open."""

from pathlib import Path

import dagster as dg
from upath import UPath

from finscribe_assets.documents.value_types import Element
from finscribe_assets.orchestration.metadata import TABLE_WIDTH, least_width, table
from finscribe_assets.orchestration.resources import Storage


def rows_of(value) -> list[dict]:
    return [dict(row.data) for row in value.records]


def test_bounds_stand_beside_their_value_and_empty_columns_are_left_out():
    made = table(
        [
            {"factor": "a", "effect": 0.12345, "low": -0.1, "high": 0.2, "note": None, "of": ("x", "y")},
            {"factor": Element.DATE, "effect": None, "low": None, "high": None, "note": "", "of": ()},
        ]
    )
    assert rows_of(made) == [
        {"factor": "a", "effect": "0.123 [-0.100, 0.200]", "of": "x, y"},
        {"factor": "date", "effect": "", "of": ""},
    ]
    assert {column.name: column.type for column in made.schema.columns} == dict.fromkeys(
        ("factor", "effect", "of"), "string"
    )


def test_bounds_of_another_column_and_zeros_stay():
    made = table([{"f1": 0.5, "lower_bound": 0.4, "teds": 0, "f1_low": 0.4, "f1_high": 0.6, "passed": False}])
    assert rows_of(made) == [{"f1": "0.500 [0.400, 0.600]", "lower bound": 0.4, "teds": 0, "passed": False}]


def test_only_a_wide_table_has_short_names():
    narrow = [{"documents": 3, "exact_match": 0.5}]
    assert list(rows_of(table(narrow))[0]) == ["documents", "exact match"]
    wide = [{"text": "x" * 60, **narrow[0]}]
    assert least_width([{"text": "x" * 60, "documents": 3, "exact match": 0.5}]) > TABLE_WIDTH
    assert list(rows_of(table(wide))[0]) == ["text", "docs", "exact"]


def test_links_lead_to_the_file_server_where_there_is_one():
    storage = Storage(root="/data", files_url="http://127.0.0.1:3001/")
    report = UPath("/data/evaluation_report/batch-000/report.html")
    address = "http://127.0.0.1:3001/evaluation_report/batch-000/report.html"
    assert storage.link(report) == dg.MetadataValue.url(address)
    assert storage.link(report, "worst") == dg.MetadataValue.url(f"{address}#worst")
    assert storage.link(Path("/database/report.html")) == dg.MetadataValue.path("/database/report.html")
    assert storage.tensorboard_link("batch-000") == dg.MetadataValue.url("http://127.0.0.1:3001/tensorboard")
    bare = Storage(root="/data").tensorboard_link("batch-000")
    assert bare == dg.MetadataValue.path("/data/trained_adapter/batch-000/tensorboard")
