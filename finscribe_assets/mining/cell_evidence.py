"""Test one cell's failures against drawn values, in the documents that have the cell's element.

What belongs here: the statistic, its distribution by chance, and the stepwise selection of values. Which cells are
tested at which level is decided in `attribution.py`, which also names the methods' sources.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

MIN_GROUP = 5  # documents with a value, and without it, so that the value is tested
MAX_EFFECTS = 3  # values that a cell is attributed to
MAX_CANDIDATES = 8  # values with the largest statistics, which are compared with each other
ATTRIBUTION_POWER = 0.8  # with which the smallest effect that a sample can show is stated


class CellEvidence:
    """Failure rates of one cell and drawn values, of the documents that have the cell's element."""

    def __init__(self, rates: np.ndarray, values: np.ndarray, eligible: np.ndarray) -> None:
        self.rates = rates  # (documents,)
        self.values, self.eligible = values, eligible  # (documents, names)
        self.strongest = values.max(axis=0)  # (names,)
        self.has = (values >= np.maximum(self.strongest, 1e-6) / 2) & (eligible > 0)  # (documents, names)
        self.having = self.has.sum(axis=0)  # (names,)
        self.lacking = eligible.sum(axis=0) - self.having  # (names,)
        self.columns = np.flatnonzero((self.having >= MIN_GROUP) & (self.lacking >= MIN_GROUP))  # that are tested
        self.random = np.random.default_rng(0)
        self.by_chance = np.zeros(0)  # largest statistic of each permutation, without strata

    def permute(self, permutations: int) -> None:
        """Compute the largest statistics that chance gives."""
        if len(self.columns):
            self.by_chance = self._statistic(self.columns).by_chance(self.rates, permutations, self.random)

    def _statistic(self, columns: np.ndarray, strata: np.ndarray | None = None) -> _Mantel:
        strata = np.zeros(len(self.rates), np.int64) if strata is None else strata
        return _Mantel(self.values[:, columns], self.eligible[:, columns], strata)

    @property
    def p_value(self) -> float:
        """Return the probability that chance gives a largest statistic like this; 1 if no value can be tested."""
        if not len(self.columns):
            return 1.0
        largest = self._statistic(self.columns)(self.rates[:, None])[0].max()
        return float((1 + (self.by_chance >= largest).sum()) / (1 + len(self.by_chance)))

    def smallest_effects(self, level: float) -> np.ndarray:
        """Return the smallest difference of rates that each tested value would have shown with `ATTRIBUTION_POWER`.

        By the normal approximation, for documents without the value that fail as all do now. The variance of a rate p
        is taken as the same share of p·(1 - p), its largest, with the value as without. Infinity where no effect would
        have been found.
        """
        if not len(self.columns):
            return np.zeros(0)
        needed, power = float(np.quantile(self.by_chance, 1 - level)), float(norm.ppf(ATTRIBUTION_POWER))
        rate, variance = float(self.rates.mean()), float(self.rates.var())
        effects = np.arange(0.01, 1, 0.01)
        effects = effects[effects <= 1 - rate]  # (effects,)
        if not len(effects):  # almost all fail already
            return np.full(len(self.columns), np.inf)
        with_value = variance / max(rate * (1 - rate), 1e-9) * (rate + effects) * (1 - rate - effects)
        documents = (self.having + self.lacking)[self.columns]
        having = (self.having[self.columns] / documents)[:, None]  # (values, 1)
        total = having * with_value + (1 - having) * variance + having * (1 - having) * effects**2  # (values, effects)
        information = self._statistic(self.columns).squares()[:, 0] / self.strongest[self.columns] ** 2  # (values,)
        z = effects * np.sqrt(information[:, None] / total)
        error = np.sqrt(((1 - having) * with_value + having * variance) / total)
        found = z - power * error >= needed
        return np.where(found.any(axis=1), effects[np.argmax(found, axis=1)], np.inf)

    def inseparable_columns(self, column: int) -> list[int]:
        """Return other values that the same documents have, but for fewer than are needed to compare."""
        differing = (self.has != self.has[:, [column]]).sum(axis=0)
        same = np.flatnonzero((differing < MIN_GROUP) & (self.having >= MIN_GROUP))
        return [int(other) for other in same if other != column]

    def selected_columns(self, level: float) -> list[int]:
        """Select the values that explain the failures, one after the other, each within strata of those before it."""
        columns, by_chance = self.columns, self.by_chance
        selected: list[int] = []
        strata = np.zeros(len(self.rates), np.int64)
        while len(selected) < MAX_EFFECTS and len(columns):
            statistic = self._statistic(columns, strata)
            if selected:
                by_chance = statistic.by_chance(self.rates, len(by_chance), self.random)
            z = statistic(self.rates[:, None])[0][:, 0]
            order = np.argsort(-z, kind="stable")
            largest = float(np.quantile(by_chance, 1 - level))
            candidates = columns[order[z[order] > largest][:MAX_CANDIDATES]]
            if not len(candidates):
                break
            best = min(candidates, key=lambda column: self._unexplained(column, candidates, strata))
            selected.append(int(best))
            strata = strata * 2 + self.has[:, best]
            columns = columns[columns != best]
        return selected

    def _unexplained(self, column: int, candidates: np.ndarray, strata: np.ndarray) -> float:
        """Return the largest statistic of the other candidates once documents are stratified by this one."""
        others = candidates[candidates != column]
        within = self._statistic(others, strata * 2 + self.has[:, column])
        return float(within(self.rates[:, None])[0].max(initial=0.0))

    def adjusted_effect(self, column: int, selected: Sequence[int]) -> tuple[float, float]:
        """Return a value's statistic and rate difference within strata of all other selected values."""
        strata = np.zeros(len(self.rates), np.int64)
        for other in selected:
            if other != column:
                strata = strata * 2 + self.has[:, other]
        z, slope = (float(part[0, 0]) for part in self._statistic(np.array([column]), strata)(self.rates[:, None]))
        return z, slope * float(self.strongest[column])


class _Mantel:
    """Mantel's statistic of many drawn values at once, within strata of documents."""

    def __init__(self, values: np.ndarray, eligible: np.ndarray, strata: np.ndarray) -> None:
        self.parts = []
        for stratum in np.unique(strata):
            rows = np.flatnonzero(strata == stratum)
            within = eligible[rows]
            count = within.sum(axis=0)
            centred = (values[rows] - (values[rows] * within).sum(axis=0) / np.maximum(count, 1)) * within
            self.parts.append((rows, within, centred, count[:, None], (centred**2).sum(axis=0)[:, None]))

    def __call__(self, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the statistic z and the slope of rate on value.

        Args:
            rates: failure rates, (documents, sets); a set is the observed rates or a permutation of them.

        Returns:
            z and slopes, both (values, sets).
        """
        products = np.zeros((1, 1))
        for rows, _, centred, *_ in self.parts:
            products = products + centred.T @ rates[rows]
        return products / self._spread(rates), products / np.maximum(self.squares(), 1e-12)

    def _spread(self, rates: np.ndarray) -> np.ndarray:
        """Return the standard deviations of the products of values and rates over permutations, (values, sets)."""
        variances = np.zeros((1, 1))
        for rows, within, _, count, square in self.parts:
            stratum_rates = rates[rows]
            of_rates = within.T @ stratum_rates**2 - (within.T @ stratum_rates) ** 2 / np.maximum(count, 1)
            variances = variances + square * np.maximum(of_rates, 0) / np.maximum(count - 1, 1)
        return np.sqrt(np.maximum(variances, 1e-12))

    def squares(self) -> np.ndarray:
        """Return the sums of squares of the values within strata, (values, 1)."""
        return np.sum([square for *_, square in self.parts], axis=0)

    def by_chance(self, rates: np.ndarray, permutations: int, random: np.random.Generator) -> np.ndarray:
        """Return the largest z of each of some permutations of the documents within strata, (permutations,)."""
        shuffled = np.empty((len(rates), permutations), np.float32)
        for rows, *_ in self.parts:
            shuffled[rows] = random.permuted(np.tile(rates[rows][:, None], permutations), axis=0)
        return self(shuffled)[0].max(axis=0)
