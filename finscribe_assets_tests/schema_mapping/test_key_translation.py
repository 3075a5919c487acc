import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.documents.elements import FIELDS, LIST_FIELDS, ValueType, element_of, value_type_of
from finscribe_assets.documents.schema import flatten
from finscribe_assets.errors import UserError
from finscribe_assets.schema_mapping.date_patterns import parse_by_pattern
from finscribe_assets.schema_mapping.key_reading import nest, read_document, scored_path, scored_values
from finscribe_assets.schema_mapping.key_writing import DocumentValues, plain_json, structure, write_document
from finscribe_assets.schema_mapping.mapping import MappedKey, SchemaMapping
from finscribe_assets.schema_mapping.mapping_files import load_mapping, parse_mapping, shipped_mappings
from finscribe_assets.schema_mapping.user_paths import UserPath

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mappings(draw):
    """Draw a mapping of some fields of the schema to keys of any names, nested and in lists."""
    fields = draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=12, unique=True))
    keys, used = [], set()
    for number, field in enumerate(fields):
        list_name = field.partition(".")[0]
        if list_name in LIST_FIELDS:
            steps = (f"list {list_name}", None, f"{draw(names)}{number}")
        else:
            steps = (*draw(st.lists(names.map(lambda name: f"group {name}"), max_size=2)), f"{draw(names)}{number}")
        if any(steps[:end] in used for end in range(1, len(steps) + 1)):
            continue
        used.add(steps)
        keys.append(
            MappedKey(key=str(UserPath(steps)), paths=(field,), type=value_type_of(field), element=element_of(field))
        )
    return SchemaMapping(name="drawn", keys=tuple(keys))


@st.composite
def values_of(draw, mapping):
    """Draw values of the fields that a mapping covers; rows have gaps."""
    values = {}
    for field in mapping.by_path:
        list_name, _, column = field.partition(".")
        if list_name in LIST_FIELDS:
            for row in draw(st.lists(st.integers(0, 6), max_size=4, unique=True)):
                values[f"{list_name}[{row}].{column}"] = draw(st.text(min_size=1, max_size=5))
        elif draw(st.booleans()):
            values[field] = draw(st.text(min_size=1, max_size=5))
    return values


@given(st.data(), mappings())
@settings(max_examples=200, deadline=None)
def test_ours_to_theirs_to_ours_is_the_identity_on_what_is_covered(data, mapping):
    values = data.draw(values_of(mapping))
    outside = {path: "x" for path in FIELDS if path not in mapping.by_path and "[" not in path}
    document = plain_json(write_document(mapping, DocumentValues(outside | values)))
    # Gaps between rows are closed, in order.
    rows = {
        name: sorted({int(path[len(name) + 1 : path.index("]")]) for path in values if path.startswith(f"{name}[")})
        for name in LIST_FIELDS
    }
    expected = {}
    for path, value in values.items():
        name, bracket, rest = path.partition("[")
        row, _, column = rest.partition("]")
        expected[f"{name}[{rows[name].index(int(row))}]{column}" if bracket else path] = value
    read = read_document(mapping, json.loads(json.dumps(document)))
    assert read.values == expected
    assert read.unmapped == ()
    assert flatten(read.document) == expected


@given(mappings())
@settings(max_examples=100, deadline=None)
def test_every_key_of_the_structure_is_read(mapping):
    shape = json.loads(json.dumps(structure(mapping)))
    read = read_document(mapping, shape)
    assert len(read.values) == len(mapping.keys)
    assert set(read.values.values()) <= {""}


@given(json_values)
@settings(max_examples=200, deadline=None)
def test_nothing_that_a_model_writes_breaks_the_reading(document):
    for name in ("cord", "wildreceipt", "invoice2data"):
        read = read_document(load_mapping(name), document)
        assert flatten(read.document).keys() <= read.values.keys() | set(flatten(nest(read.values)))


@given(st.lists(names | st.integers(0, 99) | st.none(), min_size=1, max_size=5))
def test_paths_are_read_as_they_are_written(steps):
    path = UserPath(tuple(steps))
    assert UserPath.parse(str(path)) == path
    assert UserPath.parse(f"$.{path}" if isinstance(steps[0], str) and not str(path).startswith("[") else f"${path}")


@pytest.mark.parametrize(
    "text", ["", "$", "a..b", "a.", "a[", "a[-1]", "a[?(@.b)]", "$..a", "a[1:2]", "a.*", "a b[*]c"]
)
def test_paths_that_cannot_be_written_are_refused(text):
    with pytest.raises(UserError, match="not a path"):
        UserPath.parse(text)


def test_a_receipt_of_cord():
    mapping = load_mapping("cord")
    read = read_document(
        mapping,
        {
            "menu": {"nm": "KOPI", "cnt": "1", "price": "45,500", "sub": {"nm": "ES"}},  # an item alone has no list
            "sub_total": {"subtotal_price": "45,500", "etc": ["a", "b"]},
            "total": {"total_price": "50,050", "menuqty_cnt": "1"},
        },
    )
    assert read.document["lines"] == [{"item_name": "KOPI", "quantity": "1", "gross_amount": "45,500"}]
    assert read.document["totals"] == {"total_without_vat": "45,500", "total_with_vat": "50,050"}
    assert read.values["custom.text.text.sub_total_etc"] == "a b"
    assert value_type_of("custom.amount.amount.total_menuqty_cnt") is ValueType.AMOUNT
    assert read.unmapped == ("menu.sub.nm",)


def test_parallel_lists_of_wildreceipt_keep_their_rows():
    mapping = load_mapping("wildreceipt")
    values = {"lines[0].item_name": "A", "lines[0].gross_amount": "1.00", "lines[1].item_name": "B"}
    document = plain_json(write_document(mapping, DocumentValues(values)))
    assert document["Prod_item_value"] == ["A", "B"]
    assert document["Prod_price_value"] == ["1.00", None]
    assert flatten(read_document(mapping, document).document) == values


def test_joined_addresses_are_in_the_order_of_their_country():
    mapping = load_mapping("sroie")
    parts = {
        "seller.address.street": "12 Main St",
        "seller.address.city": "Austin",
        "seller.address.subdivision": "TX",
        "seller.address.post_code": "78701",
    }
    american = parts | {"seller.address.country_code": "US"}
    assert scored_values(mapping, american)["custom.address.text.address"] == "12 Main St, Austin, TX 78701"
    assert scored_values(mapping, parts, "DE")["custom.address.text.address"] == "12 Main St, 78701 Austin"
    written = write_document(mapping, DocumentValues(parts, {}, {"seller.address.country_code": "US"}), complete=True)
    assert plain_json(written) == {
        "company": None,
        "date": None,
        "address": "12 Main St, Austin, TX 78701",
        "total": None,
    }


def test_values_are_written_as_each_key_says():
    mapping = parse_mapping(
        "keys:\n  a: totals.amount_due\n  b: {path: totals.total_vat, write: decimal}\n"
        "  c: {path: totals.total_with_vat, write: number}\n  d: issue_date\n  e: {path: due_date, write: iso}\n"
        "  f: {path: totals.paid_amount, write: number}\n",
        "x",
        "x.yaml",
    )
    canonical = {
        "totals.amount_due": "1234.50",
        "totals.total_vat": "234.50",
        "totals.total_with_vat": "1234.50",
        "issue_date": "2024-02-01",
        "due_date": "2024-03-01",
        "totals.paid_amount": "5.00",
    }
    printed = {
        "totals.amount_due": "1.234,50 €",
        "totals.total_vat": "234,50 €",
        "issue_date": "01.02.2024",
        "due_date": "01.03.2024",
    }
    document = plain_json(write_document(mapping, DocumentValues(canonical, printed)))
    assert document == {"a": "1.234,50 €", "b": "234.50", "c": 1234.5, "d": "01.02.2024", "e": "2024-03-01", "f": 5}
    assert json.dumps(document["f"]) == "5"


def test_keys_without_a_field_are_no_part_of_synthetic_prompts():
    mapping = load_mapping("invoice2data")
    assert "booking_id" not in structure(mapping)
    assert "booking_id" in structure(mapping, mapping.labelled_fields)


def test_positions_of_their_values_are_found():
    mapping = load_mapping("cord")
    assert scored_path(mapping, "menu[2].nm") == "lines[2].item_name"
    assert scored_path(mapping, "menu[1].etc") == "lines[1].custom.line_item.text.menu_etc"
    assert scored_path(mapping, "void_menu[1].nm") == "custom.line_item.text.void_menu_nm[1]"
    assert scored_path(mapping, "menu[2].foo") is None
    assert scored_path(mapping, "}{") is None


@given(st.dates(dt.date(1970, 1, 1), dt.date(2069, 12, 31)))
def test_a_date_format_decides_the_order(day):
    assert parse_by_pattern(day.strftime("%d/%m/%Y"), "dd/MM/yyyy") == day
    assert parse_by_pattern(day.strftime("%m-%d-%y"), "MM-dd-yy") == day
    assert parse_by_pattern(f"{day.day}.{day.month}.{day.year:04d}", "d.M.yyyy") == day
    assert parse_by_pattern(day.isoformat(), "dd/MM/yyyy") is None


def test_every_shipped_mapping_names_every_field_once():
    for name in shipped_mappings():
        mapping = load_mapping(name)
        assert len(mapping.scored_fields) == len(mapping.keys)
