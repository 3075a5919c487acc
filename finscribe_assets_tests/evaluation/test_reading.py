"""Model output is untrusted text: whatever it is, it is read without an exception, and its fate has a name."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.evaluation.response import Fate, read_response

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(st.text(max_size=300) | json_values.map(json.dumps) | json_values)
@settings(max_examples=300)
def test_anything_is_read(value):
    response = read_response(value)
    assert isinstance(response.document, dict)
    assert response.fates


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4), st.integers(0, 400))
def test_a_cut_response_never_raises_and_says_so(document, cut):
    text = json.dumps(document)
    response = read_response(text[: min(cut, len(text) - 1)])
    assert response.fates
    assert Fate.CLEAN not in response.fates


@pytest.mark.parametrize(
    ("text", "document", "fate"),
    [
        ('{"a": "x", "b": {"c": ["1", {"d": "tru', {"a": "x", "b": {"c": ["1", {}]}}, Fate.TRUNCATED),
        ('{"a": 12.50, "b"', {"a": "12.50"}, Fate.TRUNCATED),
        ('Here it is:\n```json\n{"a": 1}\n```\nEnjoy', {"a": "1"}, Fate.FENCED),
        ('Sure! {"a": 1} Anything else?', {"a": "1"}, Fate.PROSE),
        ('{"a": NaN, "b": Infinity}', {"a": None, "b": None}, Fate.NOT_A_NUMBER),
        ('{"a": 1, "a": 2}', {"a": "2"}, Fate.DUPLICATE_KEYS),
        ("[1, 2]", {}, Fate.NOT_AN_OBJECT),
        ("I cannot read this.", {}, Fate.NO_JSON),
        ("", {}, Fate.EMPTY),
        (None, {}, Fate.EMPTY),
        (7, {}, Fate.NOT_AN_OBJECT),
        ('{"a":' * 5000, {}, Fate.TOO_DEEP),
        ('{"a": "' + "x" * 1_200_000 + '"}', {}, Fate.TOO_LONG),
        ('{"n": ' + "9" * 6000 + "}", {"n": "9" * 6000}, Fate.CLEAN),
        ('{"a": "line\nbreak\x00"}', {"a": "line\nbreak\x00"}, Fate.CLEAN),
    ],
)
def test_each_mishap_has_its_name_and_keeps_what_is_whole(text, document, fate):
    response = read_response(text)
    assert response.document == document
    assert fate in response.fates


def test_an_object_nested_too_deep_is_refused_whole():
    value: dict = {}
    for _ in range(200):
        value = {"a": value}
    assert read_response(value).fates == [Fate.TOO_DEEP]
