"""ANLS* is what the implementation of its authors computes."""

import copy
import random

import pytest
from anls_star import anls_score
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.evaluation.anls import anls_star

texts = st.sampled_from(["total", "Total ", "totals", "tot", "12.50", "12.5", "1250", "x", "blue pen", "Blue  pem"])
rows = st.lists(st.fixed_dictionaries({"name": texts, "amount": texts}), min_size=1, max_size=4)
documents = st.fixed_dictionaries(
    {"number": texts, "seller": st.dictionaries(st.sampled_from("abc"), texts, min_size=1)},
    optional={"rows": rows, "names": st.lists(texts, min_size=1, max_size=4), "nested": st.builds(dict, rows=rows)},
)


@given(documents, documents)
@settings(max_examples=100)
def test_it_is_what_its_authors_compute(truth, prediction):
    assert anls_star(truth, prediction) == pytest.approx(anls_score(truth, prediction), abs=1e-9)


def test_it_is_what_its_authors_compute_on_documents(batch):
    chance = random.Random(3)
    for drawn in batch.documents[:8]:
        truth = drawn.document.to_json()
        predicted = copy.deepcopy(truth)
        predicted.pop("issue_date")
        predicted["invented"] = {"a": ["1", {"b": "2"}]}
        for name in ("lines", "entries"):
            if members := predicted.get(name):
                chance.shuffle(members)
                members[0] = {key: value[:-1] or "7" for key, value in members[0].items()}
                members.append(dict.fromkeys(members[0], "9"))
        assert anls_star(truth, predicted) == pytest.approx(anls_score(truth, predicted), abs=1e-9)
        assert anls_star(truth, truth) == 1


@pytest.mark.parametrize(
    ("truth", "prediction", "score"),
    [
        ({"a": "Hello World"}, {"a": "hello  world"}, 1),
        ({"a": "Hello World"}, {"a": "Hello Wrld"}, 10 / 11),
        ({"a": "Hello"}, {"a": "Hippo"}, 0),  # below the threshold
        ({"a": "x", "b": "y"}, {"a": "x"}, 1 / 2),
        ({"a": "x"}, {"a": "x", "b": "y"}, 1 / 2),
        ({"a": ["x", "y", "z"]}, {"a": ["z", "x"]}, 2 / 3),
        ({"a": {"b": "x", "c": "y"}}, {"a": "x"}, 0),
        ({"a": "x", "b": None, "c": [], "d": ""}, {"a": "x", "e": None, "f": {}}, 1),
        ({"a": "5"}, {"a": 5}, 1),
        ({}, {}, 1),
        ({}, {"a": "x"}, 0),
    ],
)
def test_cases_by_hand(truth, prediction, score):
    assert anls_star(truth, prediction) == pytest.approx(score)


leaves = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5)
anything = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))


@given(anything, anything)
@settings(max_examples=50)
def test_anything_has_a_score(truth, prediction):
    assert 0 <= anls_star(truth, prediction) <= 1
    assert anls_star(truth, truth) == 1


def test_a_reader_that_repeats_itself_is_measured():
    row = {"name": "x" * 300, "amount": "1"}
    assert anls_star({"rows": [row]}, {"rows": [row] * 3000, "n": 10**5000}) == pytest.approx(2 / 6001)
