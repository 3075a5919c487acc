"""The two-sample test is held to samples whose distance is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from finscribe_assets.errors import UserError
from finscribe_assets.fitting.two_sample_test import area_under_curve, auc_interval, two_sample_test
from finscribe_assets.measuring.page_measures import PAGE_MEASURES


def _sample(count: int, seed: int, shift: float = 0.0) -> list[dict[str, float]]:
    values = np.random.default_rng(seed).normal(10 + shift, 1, (count, len(PAGE_MEASURES)))
    return [dict(zip(PAGE_MEASURES, row.tolist(), strict=True)) for row in values]


@pytest.mark.parametrize("classifier", ["trees", "linear", "neighbours"])
def test_samples_of_one_distribution_cannot_be_told_apart(classifier: str) -> None:
    found = two_sample_test(_sample(40, 1), _sample(60, 2), classifier)
    assert found.low < 0.5 < found.high


@pytest.mark.parametrize("classifier", ["trees", "linear", "neighbours"])
def test_samples_of_two_distributions_are_told_apart(classifier: str) -> None:
    found = two_sample_test(_sample(20, 1), _sample(40, 2, shift=3), classifier)
    assert found.auc > 0.99
    assert found.low < 1


def test_the_measure_that_differs_is_named_first() -> None:
    real = [measures | {"noise": measures["noise"] + 5} for measures in _sample(30, 1)]
    found = two_sample_test(real, _sample(30, 2))
    assert found.giveaways[0].measure == "noise"
    assert found.giveaways[0].real - found.giveaways[0].synthetic == pytest.approx(5, abs=0.7)


def test_five_documents_give_a_wide_interval_even_if_all_are_told_apart() -> None:
    low, high = auc_interval(1.0, 5, 80)
    assert low < 0.9
    assert high == 1


def test_the_interval_covers_the_area_as_often_as_it_says() -> None:
    random, covered = np.random.default_rng(0), 0
    true_area = 0.7602  # of two normal distributions one standard deviation apart
    for _ in range(400):
        area = area_under_curve(random.normal(1, 1, 15), random.normal(0, 1, 60))
        low, high = auc_interval(area, 15, 60)
        covered += low <= true_area <= high
    assert covered / 400 == pytest.approx(0.95, abs=0.035)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=20), st.lists(st.integers(0, 6), min_size=1, max_size=20))
def test_the_area_is_that_of_scikit_learn(positive: list[int], negative: list[int]) -> None:
    area = area_under_curve(np.array(positive), np.array(negative))
    labels = [1] * len(positive) + [0] * len(negative)
    assert area == pytest.approx(roc_auc_score(labels, positive + negative))
    low, high = auc_interval(area, len(positive), len(negative))
    assert 0 <= low <= area + 1e-9
    assert area - 1e-9 <= high <= 1


def test_two_documents_are_too_few() -> None:
    with pytest.raises(UserError, match="2 real"):
        two_sample_test(_sample(2, 1), _sample(40, 2))
