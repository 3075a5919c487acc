import numpy as np
import pytest
from scipy.stats import binom, binomtest

from finscribe_assets.evaluation.score_interval import wilson

ONE_SIDED_Z = 1.6448536269514722


def test_bounds_are_those_of_scipy():
    for failures in (0, 1, 7, 20):
        expected = binomtest(failures, 20).proportion_ci(method="wilson")
        assert [float(bound) for bound in wilson(failures / 20, 20)] == pytest.approx([expected.low, expected.high])


def test_bounds_are_sound_at_the_ends_and_without_trials():
    low, high = wilson(np.array([0.0, 1.0, 0.0]), np.array([10.0, 10.0, 0.0]))
    assert (low[0], high[1]) == pytest.approx((0.0, 1.0))
    assert high[0] == pytest.approx(0.2775, abs=1e-3)
    assert (low[2], high[2]) == pytest.approx((0.0, 1.0))


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
def test_the_lower_bound_has_its_coverage(rate):
    # Brown, Cai and DasGupta's check: over the binomial, the bound is below the true rate about 95 % of the time.
    bounds = {k: wilson(k / 200, 200, ONE_SIDED_Z)[0] for k in range(201)}
    assert 0.93 <= sum(binom.pmf(k, 200, rate) for k, low in bounds.items() if low <= rate) <= 0.975
