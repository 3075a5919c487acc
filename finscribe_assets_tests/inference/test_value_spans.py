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
def test_a_span_covers_the_value_of_its_path(value, indent, escaped, prose):
    text = prose + json.dumps(value, indent=indent, ensure_ascii=escaped) + prose
    values = {path: json.loads(text[start:end]) for path, (start, end) in value_spans(text).items()}
    assert values == flatten(value)


@settings(max_examples=50)
@given(objects, st.integers(0, 200))
def test_a_truncated_text_keeps_the_values_before_the_end(value, length):
    text = json.dumps(value)
    cut, whole = value_spans(text[:length]), value_spans(text)
    assert cut.keys() <= whole.keys()
    # A truncated number may look complete, as in 1.|5 or 1e+|16; all other values must be as in the whole text.
    assert all(cut[path] == whole[path] or cut[path][1] >= length - 2 for path in cut)
    assert all(path in cut for path, (_, end) in whole.items() if end < length)


@given(st.one_of(st.text(), st.text('{}[]":,0 \\n"null')))
def test_any_text_gives_spans_within_it(text):
    for start, end in value_spans(text).values():
        assert 0 <= start < end <= len(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('Use {braces}: {"a": "x", "b": {"c": "x"}}', {"a": '"x"', "b.c": '"x"'}),
        (
            '{"x": 1}\n{"a": 1, "b": [1, 1]}',
            {"a": "1", "b[0]": "1", "b[1]": "1"},
        ),  # the longest object, as in evaluation
        ('{"a": 1, "b": 2, "c": 3} {"x": 1}', {"a": "1", "b": "2", "c": "3"}),
        ('{"a": 1, "b": tru, "c": {"d": 1, "e": 2, "f": 3}}', {"a": "1"}),  # the rest belongs to a broken object
        ('{"a": "\\"a\\": 1", "\\u0061b": "\\\\"}', {"a": '"\\"a\\": 1"', "ab": '"\\\\"'}),
        ('{"a": 1, "a": 22}', {"a": "22"}),
        ("{" * 100_000, {}),
        ('{"' * 100_000, {}),
    ],
)
def test_spans_are_those_of_values_and_not_of_equal_text_elsewhere(text, values):
    assert {path: text[start:end] for path, (start, end) in value_spans(text).items()} == values


def test_endless_nesting_is_given_up():
    assert value_spans('{"a":1,"b":' + "[" * 100_000) == {"a": (5, 6)}
    assert value_spans('{"a":' * 100_000) == {}


@pytest.mark.parametrize(("opening", "closing", "step"), [('{"a":', "}", ".a"), ("[", "]", "[0]")])
def test_values_are_found_down_to_64_levels(opening, closing, step):
    nested = '{"first":1,"a":' + opening * 63 + "2" + closing * 63 + "}"
    assert list(value_spans(nested)) == ["first", "a" + step * 63]
    too_deep = '{"first":1,"a":' + opening * 64 + "2" + closing * 64 + "}"
    assert list(value_spans(too_deep)) == ["first"]
