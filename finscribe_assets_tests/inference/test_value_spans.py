import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.documents.schema import flatten
from finscribe_assets.inference.value_spans import value_spans

names = st.text("abc_", min_size=1, max_size=4)
scalars = st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False))
nested = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=12
)
objects = st.dictionaries(names, nested)


@given(objects, st.sampled_from([None, 1]), st.booleans(), st.text("ab \n", max_size=5))
def test_a_span_holds_the_value_of_its_path(value, indent, escaped, prose):
    text = prose + json.dumps(value, indent=indent, ensure_ascii=escaped) + prose
    found = {path: json.loads(text[start:end]) for path, (start, end) in value_spans(text).items()}
    assert found == flatten(value)


@settings(max_examples=50)
@given(objects, st.integers(0, 200))
def test_a_text_that_breaks_off_keeps_the_values_before(value, length):
    text = json.dumps(value)
    cut, whole = value_spans(text[:length]), value_spans(text)
    assert cut.keys() <= whole.keys()
    # A number's end cannot be told from its middle, as in 1.|5 or 1e+|16; all else must stand as it does in the whole.
    assert all(cut[path] == whole[path] or cut[path][1] >= length - 2 for path in cut)
    assert all(path in cut for path, (_, end) in whole.items() if end < length)


@given(st.one_of(st.text(), st.text('{}[]":,0 \\n"null')))
def test_any_text_is_taken(text):
    for start, end in value_spans(text).values():
        assert 0 <= start < end <= len(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('Use {braces}: {"a": "x", "b": {"c": "x"}}', {"a": '"x"', "b.c": '"x"'}),
        ('{"x": 1}\n{"a": 1, "b": [1, 1]}', {"a": "1", "b[0]": "1", "b[1]": "1"}),  # the longest, as evaluation has it
        ('{"a": "\\"a\\": 1", "\\u0061b": "\\\\"}', {"a": '"\\"a\\": 1"', "ab": '"\\\\"'}),
        ('{"a": 1, "a": 22}', {"a": "22"}),
        ("{" * 100_000, {}),
        ('{"' * 100_000, {}),
    ],
)
def test_a_value_that_repeats_has_its_own_place(text, values):
    assert {path: text[start:end] for path, (start, end) in value_spans(text).items()} == values


def test_nesting_without_end_is_given_up():
    assert value_spans('{"a":1,"b":' + "[" * 100_000) == {"a": (5, 6)}
    assert value_spans('{"a":' * 100_000) == {}
