"""Line items from tables: heads tell columns, in any language, and misread ones too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.inference.line_items import extract_line_items
from finscribe_assets.instructions.otsl import to_otsl

ROWS = [["Hammer", "2", "9,00", "18,00"], ["Nägel", "1", "1,50", "1,50"]]


def texts(tables, locale=None):
    return {path: cell.text for path, cell in extract_line_items(tables, locale).items()}


@pytest.mark.parametrize(
    "head",
    [
        ["Bezeichnung", "Menge", "Einzelpreis", "Betrag"],
        ["BEZE1CHNUNG", "Mange", "Einzelpres", "Betrag"],  # as a weak reader reads it
        ["Bezeichnung / Description", "Menge / Qty", "Einzelpreis / Unit Price", "Betrag / Amount"],
    ],
)
def test_a_head_tells_the_columns(head):
    found = texts([to_otsl([head, *ROWS])])
    assert found["lines[0].item_name"] == "Hammer"
    assert found["lines[1].net_amount"] == "1,50"
    assert len(found) == 8


def test_a_bank_statements_columns_are_of_entries():
    found = texts([to_otsl([["Date", "Description", "Amount", "Balance"], ["2024-01-02", "Fee", "-3.00", "7.00"]])])
    assert found == {
        "entries[0].entry_date": "2024-01-02",
        "entries[0].description": "Fee",
        "entries[0].amount": "-3.00",
        "entries[0].balance": "7.00",
    }


def test_a_table_goes_on_on_the_next_page_and_sums_carried_forward_are_no_items():
    head = ["Description", "Qty", "Price", "Amount"]
    first = to_otsl([head, ["Bolt", "1", "2.00", "2.00"], ["Carried forward", "", "", "2.00"]])
    with_head = to_otsl([head, ["Brought forward", "", "", "2.00"], ["Nut", "1", "1.00", "1.00"]])
    without = to_otsl([["Washer", "3", "1.00", "3.00"]])
    found = extract_line_items([first, with_head, without])
    names = {path: cell for path, cell in found.items() if path.endswith("item_name")}
    assert [(cell.text, cell.table) for cell in names.values()] == [("Bolt", 0), ("Nut", 1), ("Washer", 2)]
    assert list(names) == [f"lines[{number}].item_name" for number in range(3)]


def test_a_name_across_the_table_belongs_to_the_figures_below_it():
    across = [None, None, None]
    head = [["Bezeichnung", *across], ["", "Menge", "Einzelpreis", "Betrag"]]
    items = [["Pflaster", *across], ["", "2", "1.10", "2.20"], ["Spritze, steril", *across], ["", "1", "0.72", "0.72"]]
    found = texts([to_otsl([*head, *items])], "de_CH")
    assert [found[f"lines[{number}].item_name"] for number in range(2)] == ["Pflaster", "Spritze, steril"]
    assert found["lines[1].quantity"] == "1"
    assert len(found) == 8


def test_a_column_whose_head_is_no_label_is_left_out():
    found = texts([to_otsl([["Description", "Colour", "Amount"], ["Bolt", "red", "2.00"]])])
    assert found == {"lines[0].item_name": "Bolt", "lines[0].net_amount": "2.00"}


def test_a_first_table_without_a_head_gives_nothing():
    assert texts([to_otsl(ROWS)]) == {}


@given(st.lists(st.text(alphabet="<>/#felucnx Descriptonamu|0123\n", max_size=80), max_size=3))
def test_whatever_a_model_writes_gives_fields_of_the_schema_or_none(tables):
    for path, cell in extract_line_items(tables, "en_US").items():
        assert path.startswith(("lines[", "entries["))
        assert 0 <= cell.table < len(tables)
