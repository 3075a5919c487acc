"""Field F1 equals the one of Donut's evaluator where both mean the same: values without other spellings.

Donut (Kim et al. 2022) counts a document's flattened leaves as a multiset of path and value, list positions left out.
"""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.report import evaluate


def leaves(value, path=()):
    if isinstance(value, dict):
        return sum((leaves(item, (*path, key)) for key, item in value.items()), Counter())
    if isinstance(value, list):
        return sum((leaves(item, path) for item in value), Counter())
    return Counter([(path, value)])


def donut_f1(pairs):
    """Return the F1 of all documents' leaves together: 2 · shared / (true + predicted)."""
    counted = [(leaves(truth), leaves(predicted)) for truth, predicted in pairs]
    shared = sum((true & predicted).total() for true, predicted in counted)
    return 2 * shared / sum(true.total() + predicted.total() for true, predicted in counted)


words = st.sampled_from(["Alpha", "Beta", "Gamma", "Delta"])
flat = st.fixed_dictionaries(
    {"document_number": st.sampled_from(["A1", "B2"])},
    optional={
        "payment_terms": words,
        "bank_name": words,
        "seller": st.fixed_dictionaries(
            {"name": words}, optional={"contact_name": words, "vat_identifier": st.sampled_from(["DE1", "DE2"])}
        ),
    },
)


def ours(pairs):
    truths = {str(number): Truth(str(number), truth) for number, (truth, _) in enumerate(pairs)}
    predicted = {str(number): Prediction(str(number), answer) for number, (_, answer) in enumerate(pairs)}
    return evaluate(truths, predicted).headline["field_f1"].value


@given(st.lists(st.tuples(flat, flat), min_size=1, max_size=5))
@settings(max_examples=25)
def test_on_flat_documents_it_is_donuts(pairs):
    assert ours(pairs) == pytest.approx(donut_f1(pairs), abs=1e-4)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=4, unique=True), st.data())
@settings(max_examples=25)
def test_rows_that_are_whole_or_not_there_count_as_donuts(cells, data):
    rows = [{"item_name": name, "note": note} for name, note in cells]
    kept = data.draw(st.permutations(rows))[: data.draw(st.integers(0, len(rows)))]
    pair = ({"document_number": "A1", "lines": rows}, {"document_number": "A1", "lines": kept})
    assert ours([pair]) == pytest.approx(donut_f1([pair]), abs=1e-4)


def test_values_of_different_rows_do_not_count_as_one_row_though_donut_has_it_so():
    rows = [{"item_name": "Alpha", "note": "Beta"}, {"item_name": "Gamma", "note": "Delta"}]
    mixed = [{"item_name": "Alpha", "note": "Delta"}, {"item_name": "Gamma", "note": "Beta"}]
    pair = ({"lines": rows}, {"lines": mixed})
    assert (ours([pair]), donut_f1([pair])) == (0.5, 1.0)
