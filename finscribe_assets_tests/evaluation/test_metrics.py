import itertools
import random
from collections import Counter

import numpy as np
import pytest
from scipy.stats import binomtest

from finscribe_assets.documents.elements import field_of
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.metrics import METRICS, estimate_metrics, resample
from finscribe_assets.evaluation.paired_comparison import compare_readers, permutation_p
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.instructions.responses import unflatten


def flawed(documents, rate, seed):
    """Return what is printed, with some values lost at random."""
    draw = random.Random(seed)
    return {
        one.id: Prediction(
            one.id, unflatten({path: text for path, text in one.printed.items() if draw.random() >= rate})
        )
        for one in documents
    }


@pytest.fixture(scope="module")
def truths(batch):
    return {one.id: Truth(one.id, one.document.to_json(), frozenset(one.printed)) for one in batch.documents}


def test_an_interval_covers_the_truth_as_often_as_it_says_and_narrows_with_n():
    """Documents of 20 fields each that fail together: the interval over documents knows, one over fields would not."""
    draw = np.random.default_rng(3)
    covered, widths = 0, {}
    for n, trials in ((30, 200), (300, 10)):
        for trial in range(trials):
            right = draw.binomial(20, draw.beta(4, 1, n))  # mean 0.8
            counts = np.stack([right, np.full(n, 20)], axis=1)[:, None].astype(float)
            sums = resample(counts, seed=trial)[:, 0]
            low, high = np.percentile(sums[:, 0] / sums[:, 1], [2.5, 97.5])
            widths[n] = high - low
            covered += n == 30 and low <= 0.8 <= high
    assert 0.87 * 200 <= covered <= 200  # percentile intervals at n = 30 cover a little less than they say
    assert widths[300] < widths[30] / 2


def test_resampling_is_of_whole_documents_and_repeats_itself():
    counts = np.eye(5)
    drawn = resample(counts, draws=400)
    assert (drawn.sum(axis=1) == 5).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(5), abs=0.2)
    assert (drawn == resample(counts, draws=400)).all()


def test_metrics_against_counts_by_hand(batch, truths):
    """Fields outside lists are lost at random: what is left is right, so that precision is exactly 1."""
    draw = random.Random(1)
    kept = {
        one.id: {path: text for path, text in one.printed.items() if "[" in path or draw.random() >= 0.3}
        for one in batch.documents
    }
    predictions = {name: Prediction(name, unflatten(texts)) for name, texts in kept.items()}
    expected, correct = Counter(), Counter()
    for one in batch.documents:
        expected.update(map(field_of, one.printed))
        correct.update(map(field_of, kept[one.id]))
    found = estimate_metrics(score(truths, predictions))
    values = {name: estimate.value for name, estimate in found.items() if estimate}
    recall = correct.total() / expected.total()
    assert 0.7 < recall < 0.95
    assert values["field_precision"] == 1
    assert values["field_recall"] == values["field_accuracy"] == pytest.approx(recall, abs=1e-4)
    assert values["field_f1"] == pytest.approx(2 * recall / (1 + recall), abs=1e-4)
    by_field = [2 * correct[field] / (correct[field] + expected[field]) for field in expected]
    assert values["field_f1_macro"] == pytest.approx(np.mean(by_field), abs=1e-4)
    assert values["exact_match"] == pytest.approx(
        np.mean([len(kept[one.id]) == len(one.printed) for one in batch.documents]), abs=1e-4
    )
    assert values["teds"] == 1
    assert found["field_recall"].n == expected.total()
    assert found["field_precision"].n == correct.total()
    assert found["field_f1"].n == (expected.total() + correct.total()) // 2
    assert found["field_f1_macro"].n == len(expected)
    assert found["exact_match"].n == len(batch.documents)
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in found.values())
    assert found["field_recall"].low < found["field_recall"].value < found["field_recall"].high
    assert estimate_metrics([]) == dict.fromkeys(METRICS)


def test_an_implied_field_but_the_currency_is_expected_only_where_the_truth_lists_it():
    document = {"document_number": "7", "currency_code": "EUR", "document_type": "invoice"}
    prediction = {"a": Prediction("a", {"document_number": "7", "currency_code": "USD"})}
    for printed, expected, correct in ((None, 2, 1), ({"document_number"}, 1, 1), (document.keys(), 3, 1)):
        (scored,) = score({"a": Truth("a", document, printed and frozenset(printed))}, prediction)
        assert (scored.expected, scored.correct) == (expected, correct)


def test_macro_f1_weighs_a_rare_field_like_a_frequent_one():
    documents = [{"document_number": "A"} for _ in range(10)]
    documents[0]["due_date"] = "2024-01-05"
    truths = {str(number): Truth(str(number), document) for number, document in enumerate(documents)}
    read = {name: Prediction(name, {"document_number": "A"}) for name in truths}
    found = estimate_metrics(score(truths, read))
    assert found["field_f1_macro"].value == 0.5
    assert found["field_recall"].value == pytest.approx(10 / 11, abs=1e-4)


def test_a_p_value_is_the_exact_one_of_all_exchanges():
    draw = np.random.default_rng(0)
    counts = np.stack([draw.integers(0, 10, (9, 2)), np.full((9, 2), 10)], axis=2).astype(float)

    def difference(swapped):
        sums = np.array([one[::-1] if swap else one for one, swap in zip(counts, swapped, strict=True)]).sum(axis=0)
        return abs(sums[0, 0] / sums[0, 1] - sums[1, 0] / sums[1, 1])

    every = [difference(swapped) for swapped in itertools.product((False, True), repeat=9)]
    exact = np.mean([one >= every[0] - 1e-12 for one in every])
    assert permutation_p(counts) == pytest.approx(exact, abs=0.04)


def test_a_p_value_of_documents_that_are_right_or_wrong_is_mcnemars():
    """Exact match, paired: the coin decides the documents that differ alone, which is McNemar's exact test."""
    counts = np.ones((40, 2, 2))
    counts[:9, 1, 0] = 0  # nine documents that this reader alone has right
    counts[9:11, 0, 0] = 0
    assert permutation_p(counts) == pytest.approx(binomtest(9, 11).pvalue, abs=0.03)


def test_the_paired_comparison_finds_what_changed(batch, truths):
    good, poor = flawed(batch.documents, 0.0, 1), flawed(batch.documents, 0.3, 1)
    compared = compare_readers(score(truths, good), score(truths, poor))
    f1 = compared.metrics["field_f1"]
    assert f1.this == 1.0
    assert 0 < f1.low <= f1.difference <= f1.high
    assert f1.p < 0.01
    assert (compared.better, compared.worse) == (len(truths), 0)
    assert compared.improved[0].gained
    assert not compared.worsened
    same = compare_readers(score(truths, poor), score(truths, poor))
    assert (same.metrics["field_f1"].low, same.metrics["field_f1"].high, same.same) == (0.0, 0.0, len(truths))
    assert same.metrics["field_f1"].p == 1.0
    nobody = compare_readers([], [])
    assert (nobody.documents, nobody.row()["difference"]) == (0, 0)
