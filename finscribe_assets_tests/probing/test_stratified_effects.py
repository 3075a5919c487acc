import numpy as np
import pytest

from finscribe_assets.probing.stratified_effects import (
    Observations,
    adjusted_p_values,
    design_effects,
    estimate_effects,
)


def observations(failures, fields, strata, has_factor, covariates=None):
    readings = len(failures)
    return Observations(
        np.array(failures, float),
        np.array(fields, float),
        np.array(strata),
        np.array(has_factor, bool).reshape(readings, -1),
        np.ones((readings, np.array(has_factor).reshape(readings, -1).shape[1]), bool),
        np.zeros((readings, 0), bool) if covariates is None else np.array(covariates, bool).reshape(readings, -1),
    )


def test_the_effect_is_the_difference_within_strata():
    data = observations([1, 0, 4, 2], [4, 4, 4, 4], [0, 0, 1, 1], [1, 0, 1, 0])
    found = estimate_effects(data)
    assert found.effect[0] == pytest.approx((0.25 + 0.5) / 2)
    assert found.readings[0] == 2
    assert found.low[0] < found.effect[0] < found.high[0]


def test_a_stratum_without_both_says_nothing():
    found = estimate_effects(observations([4, 4, 0, 0], [4] * 4, [0, 0, 1, 1], [1, 1, 0, 0]))
    assert (found.readings[0], found.p[0]) == (0, 1.0)
    assert (found.low[0], found.high[0]) == pytest.approx((-1.0, 1.0))


def test_the_p_value_is_that_of_permutations_within_strata():
    random = np.random.default_rng(3)
    fields = random.integers(1, 8, 120)
    strata = random.integers(0, 3, 120)
    on = np.zeros(120, bool)
    on[random.choice(120, 18, replace=False)] = True
    failures = random.binomial(fields, np.where(on, 0.14, 0.05))
    found = estimate_effects(observations(failures, fields, strata, on))
    permuted = np.tile(on[:, None], 4000)
    for stratum in range(3):
        rows = np.flatnonzero(strata == stratum)
        permuted[rows] = random.permuted(permuted[rows], axis=0)
    effects = estimate_effects(observations(failures, fields, strata, permuted)).z
    assert found.p[0] == pytest.approx((effects >= found.z[0] - 1e-9).mean(), rel=0.35, abs=0.002)


def test_pairs_are_judged_by_the_signs_of_their_differences():
    differences = [1, 1, 1, 1, 1, 1, 1, 1]
    failures = [value for one in differences for value in (one, 0)]
    data = observations(failures, [1] * 16, [index // 2 for index in range(16)], [1, 0] * 8)
    found = estimate_effects(data)
    assert found.z[0] == pytest.approx(np.sqrt(8))
    assert found.effect[0] == 1


def test_what_a_covariate_explains_is_no_effect():
    random = np.random.default_rng(1)
    other = random.random(400) < 0.5
    on = np.where(other, random.random(400) < 0.8, random.random(400) < 0.2)
    failures = random.binomial(5, np.where(other, 0.4, 0.05))
    alone = estimate_effects(observations(failures, [5] * 400, [0] * 400, on))
    beside = estimate_effects(observations(failures, [5] * 400, [0] * 400, on, other))
    assert alone.effect[0] > 0.15
    assert abs(beside.effect[0]) < 0.04


def test_documents_that_fail_as_a_whole_count_as_one_observation():
    rates, fields = np.array([[0.0], [1.0]] * 20), np.full((40, 1), 6.0)
    assert design_effects(rates, fields, np.ones((40, 1), bool))[0] == pytest.approx(6 * 40 / 39)


def test_adjusted_p_values_are_those_of_benjamini_and_hochberg():
    assert adjusted_p_values([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert adjusted_p_values([]) == []
