"""Effects of many factors on one failure rate: stratified differences, permutation p-values, confidence intervals.

Readings are compared within strata: screening documents of one type, of the first wave or of the further ones, between
which the design decided at random which ones have a factor, or the readings of a pair. With y a reading's failure rate
and a weight for each reading, in each stratum

    effect = Σ W (y_on − y_off) / Σ W,   W = G_on G_off / (G_on + G_off)

where G is a sum of weights (Cochran 1954; Mantel and Haenszel's weights). A reading with m fields weighs
m / (1 + ρ (m − 1)), as fields of one document fail together.

Under the hypothesis that a factor changes nothing, every choice of the readings that have it was as likely as the one
that was made (Fisher's randomisation test), whatever the reader and whatever else the documents show. For the further
waves, which each show a factor in another share of their documents, this holds approximately; as strata of their own
they are so small that power is lost. The p-value is the upper tail of that distribution: its first three moments are
exact, its shape a Pearson type III distribution (Mielke and Berry 2007). For pairs it is the sign-flip test.

The interval combines Wilson's score intervals of both rates (Newcombe 1998, method 10), with as many independent fields
as would vary as much as the documents do (design effect of Kish 1965). It is sound at rates of 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control, norm, pearson3

from finscribe_assets.evaluation.score_interval import wilson

FIELD_CORRELATION = 0.1  # ρ of the weights
_MIN_SKEW = 1e-6  # below it the distribution is normal

Array = np.ndarray


@dataclass(frozen=True)
class Observations:
    """Readings of one element (rows), and the factors that their rates are compared by (columns)."""

    failures: Array  # (readings,)
    fields: Array  # (readings,), at least 1
    strata: Array  # (readings,), integers from 0
    has_factor: Array  # (readings, factors), bool
    is_eligible: Array  # (readings, factors), bool: readings that the factor's effect is estimated from
    covariates: Array  # (readings, covariates), bool: other factors that are held equal


@dataclass(frozen=True)
class StratifiedEffects:
    """One entry for each factor; of a factor without evidence the interval is [-1, 1] and p is 1."""

    effect: Array  # by how much the failure rate is higher with the factor
    low: Array  # bounds of the 95 % interval
    high: Array
    p: Array  # one-sided, that the factor makes nothing worse
    z: Array  # the effect by its standard deviation where there is none
    readings: Array  # with the factor, that some reading without it is compared with


def estimate_effects(data: Observations) -> StratifiedEffects:
    """Estimate every factor's effect, covariates being equal.

    A stratum whose readings all have a factor, or all have it not, says nothing of it. A covariate that is the factor
    itself is not held equal.
    """
    one_hot = (data.strata[:, None] == np.arange(data.strata.max(initial=-1) + 1)).T.astype(float)
    fields = data.fields[:, None]
    weights = np.where(data.is_eligible, _weights(fields), 0.0)

    def total(values: Array) -> Array:
        """Return sums over the readings of each stratum (strata × factors)."""
        return one_hot @ values

    weight = total(weights)

    def centred(values: Array) -> Array:
        """Return values less their stratum's weighted mean over the eligible readings (readings × factors)."""
        return np.where(data.is_eligible, values - _ratio(total(weights * values), weight)[data.strata], 0.0)

    rates = (data.failures / data.fields)[:, None]
    factors = data.has_factor.astype(float)
    rates_left, factors_left = centred(rates), centred(factors)
    information = (weights * factors_left**2).sum(axis=0)
    others = _centred_covariates(centred, data)
    rates_left, factors_left = (_residuals(values, others, weights) for values in (rates_left, factors_left))
    information_left = (weights * factors_left**2).sum(axis=0)
    statistic = (weights * factors_left * rates_left).sum(axis=0)
    effect = _ratio(statistic, information_left)
    # Scores are permuted among the readings of a stratum; they add up to 0 there.
    size = total(data.is_eligible.astype(float))
    level = np.where(data.is_eligible, factors_left - _ratio(total(factors_left), size)[data.strata], 0.0)
    variance, third = _permutation_moments(size, total, level, weights * rates_left)
    # Least squares takes from the residuals what the covariates have of degrees of freedom.
    readings = data.is_eligible.sum(axis=0)
    variance = variance * readings / np.maximum(readings - data.covariates.shape[1], 1)
    informs = data.is_eligible & (total(weights * factors_left**2) > 1e-9)[data.strata]
    low, high = _intervals(
        effect,
        rates,
        fields,
        data.has_factor & informs,
        ~data.has_factor & informs,
        _ratio(information_left, information),
    )
    return StratifiedEffects(
        effect=effect,
        low=low,
        high=high,
        p=_upper_tail(statistic, variance, third),
        z=_ratio(statistic, np.sqrt(variance)),
        readings=(data.has_factor & informs).sum(axis=0),
    )


def _centred_covariates(centred: Callable[[Array], Array], data: Observations) -> Array:
    """Return the centred covariates for each factor (covariates × readings × factors); 0 for the factor itself."""
    found = np.zeros((data.covariates.shape[1], *data.has_factor.shape))
    for place, covariate in enumerate(data.covariates.T):
        is_itself = (data.has_factor == covariate[:, None].astype(bool)).all(axis=0)
        found[place] = np.where(is_itself, 0.0, centred(covariate[:, None].astype(float)))
    return found


def _residuals(values: Array, others: Array, weights: Array) -> Array:
    """Return what weighted least squares on the covariates leaves of each column of values."""
    if not len(others):
        return values
    # Stacks of matrices, one for each column: np.einsum over three indices is ten times as slow.
    by_column = others.transpose(2, 1, 0)  # columns × rows × covariates
    weighted = by_column.transpose(0, 2, 1) * weights.T[:, None, :]
    gram = weighted @ by_column + 1e-9 * np.eye(len(others))
    coefficients = np.linalg.solve(gram, weighted @ values.T[..., None])
    return values - (by_column @ coefficients)[..., 0].T


def _weights(fields: Array) -> Array:
    return fields / (1 + FIELD_CORRELATION * (fields - 1))


def _ratio(above: Array, below: Array) -> Array:
    """Return a quotient, 0 where there is nothing to divide by."""
    return np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below > 0)


def _permutation_moments(
    size: Array, total: Callable[[Array], Array], level: Array, score: Array
) -> tuple[Array, Array]:
    """Return variance and third central moment of Σ level · score when scores are permuted within strata.

    Both add up to 0 in each stratum; for a factor that is on or off this is a sum drawn without replacement.
    """
    n = size
    variance = _ratio(total(level**2) * total(score**2), n - 1)
    third = _ratio(n * total(level**2 * level) * total(score**2 * score), (n - 1) * np.maximum(n - 2, 0))
    return variance.sum(axis=0), third.sum(axis=0)


def _upper_tail(statistic: Array, variance: Array, third: Array) -> Array:
    """Return the probabilities of sums at least as large, from the first three moments of their distributions."""
    z, skew = _ratio(statistic, np.sqrt(variance)), _ratio(third, variance**1.5)
    is_normal = np.abs(skew) < _MIN_SKEW
    tail = np.where(is_normal, norm.sf(z), pearson3.sf(z, np.where(is_normal, 1.0, skew)))
    return np.where(variance > 0, np.clip(tail, 0.0, 1.0), 1.0)


def _intervals(
    effect: Array, rates: Array, fields: Array, is_on: Array, is_off: Array, kept: Array
) -> tuple[Array, Array]:
    """Return the bounds of effects' 95 % intervals from Wilson's intervals of the rates with and without the factor.

    ``kept`` is the share of a factor's information that its covariates leave.
    """
    weights = np.where(is_on, _weights(fields), 0.0)
    rate_on = _ratio((weights * rates).sum(axis=0), weights.sum(axis=0))
    rate_off = np.clip(rate_on - effect, 0.0, 1.0)
    inflation_off = design_effects(rates, fields, is_off)
    inflation_on = np.maximum(inflation_off, design_effects(rates, fields, is_on))
    low_on, high_on = wilson(rate_on, _ratio(kept * (is_on * fields).sum(axis=0), inflation_on))
    low_off, high_off = wilson(rate_off, _ratio(kept * (is_off * fields).sum(axis=0), inflation_off))
    low = effect - np.hypot(rate_on - low_on, high_off - rate_off)
    high = effect + np.hypot(high_on - rate_on, rate_off - low_off)
    return np.maximum(-1.0, low), np.minimum(1.0, high)


def design_effects(rates: Array, fields: Array, chosen: Array) -> Array:
    """Return how many times a rate's variance over documents is that of independent fields; at least 1.

    ``chosen`` says which readings each rate is of (readings × rates); rates and fields are columns.
    """
    trials, documents = (chosen * fields).sum(axis=0), chosen.sum(axis=0)
    mean = _ratio((chosen * fields * rates).sum(axis=0), trials)
    between = (np.where(chosen, fields * (rates - mean), 0.0) ** 2).sum(axis=0)
    between = between * _ratio(documents, documents - 1.0)
    return np.maximum(1.0, _ratio(between, mean * (1 - mean) * trials))


def adjusted_p_values(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for false discovery: the least rate at which each is one (Benjamini, Hochberg 1995)."""
    return [float(p) for p in false_discovery_control(list(p_values), method="bh")]
