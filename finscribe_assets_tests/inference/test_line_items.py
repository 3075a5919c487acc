"""Line items from tables: header cells determine columns, in any language, and even when they are misread."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.inference.line_items import extract_line_items
from finscribe_assets.instructions.otsl import to_otsl

ROWS = [["Hammer", "2", "9,00", "18,00"], ["Nägel", "1", "1,50", "1,50"]]


def values_of(tables, locale=None):
    return {path: cell.text for path, cell in extract_line_items(tables, locale).items()}


@pytest.mark.parametrize(
    "header",
    [
        ["Bezeichnung", "Menge", "Einzelpreis", "Betrag"],
        ["BEZE1CHNUNG", "Mange", "Einzelpres", "Betrag"],  # as a weak model reads it
        ["Bezeichnung / Description", "Menge / Qty", "Einzelpreis / Unit Price", "Betrag / Amount"],
    ],
)
def test_a_header_determines_the_columns(header):
    assert values_of([to_otsl([header, *ROWS])]) == {
        "lines[0].item_name": "Hammer",
        "lines[0].quantity": "2",
        "lines[0].net_price": "9,00",
        "lines[0].net_amount": "18,00",
        "lines[1].item_name": "Nägel",
        "lines[1].quantity": "1",
        "lines[1].net_price": "1,50",
        "lines[1].net_amount": "1,50",
    }


def test_the_columns_of_a_bank_statement_are_fields_of_entries():
    rows = [["Date", "Description", "Amount", "Balance"], ["2024-01-02", "Fee", "-3.00", "7.00"]]
    assert values_of([to_otsl(rows)]) == {
        "entries[0].entry_date": "2024-01-02",
        "entries[0].description": "Fee",
        "entries[0].amount": "-3.00",
        "entries[0].balance": "7.00",
    }


def test_a_table_continues_on_the_next_page_and_carried_sums_are_not_items():
    header = ["Description", "Qty", "Price", "Amount"]
    first = to_otsl([header, ["Bolt", "1", "2.00", "2.00"], ["Carried forward", "", "", "2.00"]])
    with_header = to_otsl([header, ["Brought forward", "", "", "2.00"], ["Nut", "1", "1.00", "1.00"]])
    without_header = to_otsl([["Washer", "3", "1.00", "3.00"]])
    cells = extract_line_items([first, with_header, without_header])
    names = {path: cell for path, cell in cells.items() if path.endswith("item_name")}
    assert [(cell.text, cell.table) for cell in names.values()] == [("Bolt", 0), ("Nut", 1), ("Washer", 2)]
    assert list(names) == [f"lines[{index}].item_name" for index in range(3)]


def test_an_item_name_across_the_table_belongs_to_the_amounts_below_it():
    across = [None, None, None]
    header = [["Bezeichnung", *across], ["", "Menge", "Einzelpreis", "Betrag"]]
    items = [["Pflaster", *across], ["", "2", "1.10", "2.20"], ["Spritze, steril", *across], ["", "1", "0.72", "0.72"]]
    values = values_of([to_otsl([*header, *items])], "de_CH")
    assert [values[f"lines[{index}].item_name"] for index in range(2)] == ["Pflaster", "Spritze, steril"]
    assert values["lines[1].quantity"] == "1"
    assert len(values) == 8


def test_item_names_are_joined_with_amounts_in_a_table_of_two_columns():
    rows = [["Item", "Amount"], ["Pflaster", None], ["", "2.20"]]
    assert values_of([to_otsl(rows)], "en_US") == {"lines[0].item_name": "Pflaster", "lines[0].net_amount": "2.20"}


def test_quantities_in_a_row_below_an_item_and_letters_of_tax_rates():
    rows = [
        ["Bezeichnung", "Betrag brutto"],
        ["Bananen", "1,43 A"],
        ["0,946 kg x 1,51 EUR/kg", None],
        ["Seife", "2,58 B"],
        ["2 x 1,29", None],
        ["Kerze", "4,99 B"],
    ]
    assert values_of([to_otsl(rows)], "de_DE") == {
        "lines[0].item_name": "Bananen",
        "lines[0].gross_amount": "1,43",
        "lines[0].quantity": "0,946",
        "lines[0].unit": "kg",
        "lines[0].price_with_vat": "1,51",
        "lines[1].item_name": "Seife",
        "lines[1].gross_amount": "2,58",
        "lines[1].quantity": "2",
        "lines[1].price_with_vat": "1,29",
        "lines[2].item_name": "Kerze",
        "lines[2].gross_amount": "4,99",
    }


def test_the_most_similar_header_cell_determines_the_column():
    values = values_of([to_otsl([["Description", "Amounts", "Amount"], ["Bolt", "5.00", "2.00"]])])
    assert values == {"lines[0].item_name": "Bolt", "lines[0].net_amount": "2.00"}


def test_a_column_with_an_unknown_header_is_left_out():
    values = values_of([to_otsl([["Description", "Colour", "Amount"], ["Bolt", "red", "2.00"]])])
    assert values == {"lines[0].item_name": "Bolt", "lines[0].net_amount": "2.00"}


def test_a_first_table_without_a_header_is_ignored():
    assert values_of([to_otsl(ROWS)]) == {}


@given(st.lists(st.text(alphabet="<>/#felucnx Descriptonamu|0123\n", max_size=80), max_size=3))
def test_any_text_of_a_model_gives_fields_of_the_schema(tables):
    valid = to_otsl([["Description", "Amount"], ["Bolt", "2.00"]])
    cells = extract_line_items([*tables, valid], "en_US")
    assert {field_of(path) for path in cells} <= TERMS.keys()
    assert {cell.table for cell in cells.values()} <= set(range(len(tables) + 1))
    assert [cell.text for cell in cells.values() if cell.table == len(tables)] == ["Bolt", "2.00"]
