"""Attribute the failures of a cell to drawn values: knobs, locales, fonts, layouts, document types, engines.

A knob is compared only among the documents on which it could act; a knob of credit notes, among credit notes. Drawn
values are confounded: a layout with the document type that has it, a font with the locale. So values are selected
stepwise. Of the values that show an effect, the one is selected that leaves the others with the least effect within its
strata. The documents are stratified by it, and a further value must show an effect within the strata. The effects that
are reported are each measured within the strata of all other selected values.

Within strata the effect is the rate difference of Mantel and Haenszel (1959), and its statistic is Mantel's (1963)
extension to doses and scores. Many values are tested at once: a value counts if its statistic is above the maximum
statistic of 19 in 20 permutations of the documents within strata (the maxT procedure of Westfall and Young 1993).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.knobs import KNOB_FACTS
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.mining.error_cells import Z95, CellKey, DocumentFailures

MIN_GROUP = 5  # documents with a value, and without it, so that the value is tested
MAX_EFFECTS = 3  # values that a cell is attributed to
MAX_CANDIDATES = 8  # values with the largest statistics, which are compared with each other
NULL_PERMUTATIONS = 299
FAMILYWISE_ERROR = 0.05

DrawnValues = Mapping[str, Mapping[str, float]]
"""Drawn values by document id and name, from 0 to 1; a choice such as ``locale:fr_FR`` is 1 if it was made."""


@dataclass(frozen=True)
class Effect:
    """How much more often an element fails with a drawn value at its greatest strength than without it.

    Attributes:
        name: a knob, or ``type:receipt``, ``locale:fr_FR``, ``font:Lato``, ``layout:invoice_open``,
            ``engine:weasyprint``.
        difference: difference of the failure rates, within strata of the cell's other effects.
        low: lower bound of the two-sided 90 % interval of the difference (test-based, Miettinen 1976).
        high: upper bound of the interval.
        documents: number of documents that have the value at half of its greatest strength or more.
    """

    name: str
    difference: float
    low: float
    high: float
    documents: int


def drawn_values(documents: Sequence[DrawnDocument]) -> dict[str, dict[str, float]]:
    """Return the values drawn for each document, by document id, under the names that plans use."""
    return {
        drawn.id: {
            **drawn.knobs,
            f"type:{drawn.document.document_type}": 1.0,
            f"locale:{drawn.document.locale}": 1.0,
            f"font:{drawn.presentation.font}": 1.0,
            f"layout:{drawn.presentation.layout}": 1.0,
            f"engine:{drawn.presentation.engine}": 1.0,
        }
        for drawn in documents
    }


@lru_cache(maxsize=100_000)
def _could_have(name: str, document_type: str, locale: str) -> bool:
    """Tell whether a knob acts on documents of this type and locale; choices such as fonts act on all."""
    facts = KNOB_FACTS.get(name)
    return facts is None or facts.applies_to(DocumentType(document_type), LOCALE_FACTS[locale].language)


def _choice(values: Mapping[str, float], dimension: str) -> str:
    """Return the choice that was drawn in a dimension, such as ``fr_FR`` of ``locale``; empty if it is unknown."""
    prefix = f"{dimension}:"
    return next((name.removeprefix(prefix) for name in values if name.startswith(prefix)), "")


class Attribution:
    """Drawn values of a set of documents, against which the failures of any cell can be tested."""

    def __init__(self, tallies: Sequence[DocumentFailures], drawn: DrawnValues) -> None:
        """Prepare the documents whose drawn values are known; the others are left out."""
        self.tallies = [tally for tally in tallies if tally.id in drawn]
        self.names = sorted({name for tally in self.tallies for name in drawn[tally.id]})
        shape = len(self.tallies), len(self.names)
        self.values, self.eligible = np.zeros(shape, np.float32), np.ones(shape, np.float32)
        for row, tally in enumerate(self.tallies):
            values = drawn[tally.id]
            document_type, locale = _choice(values, "type"), _choice(values, "locale")
            for column, name in enumerate(self.names):
                self.values[row, column] = values.get(name, 0.0)
                if document_type and locale:
                    self.eligible[row, column] = _could_have(name, document_type, locale)
        self.values *= self.eligible

    def effects(self, key: CellKey) -> list[Effect]:
        """Return the drawn values under which a cell fails more often, in the order in which they were selected.

        A value whose effect vanishes within the strata of the other selected values is left out: they explain it.

        Args:
            key: element and error type of the cell.
        """
        evidence = self._evidence(key)
        if evidence is None:
            return []
        columns = evidence.selected_columns()
        while True:
            adjusted = {column: evidence.adjusted_effect(column, columns) for column in columns}
            vanished = min(columns, key=lambda column: adjusted[column][0], default=None)
            if vanished is None or adjusted[vanished][0] > 0:
                break
            columns.remove(vanished)
        return [
            Effect(
                self.names[column],
                round(difference, 4),
                round(difference - Z95 * difference / z, 4),
                round(difference + Z95 * difference / z, 4),
                int(evidence.has[:, column].sum()),
            )
            for column, (z, difference) in adjusted.items()
        ]

    def _evidence(self, key: CellKey) -> _Evidence | None:
        rows = [row for row, tally in enumerate(self.tallies) if tally.trials.get(key[0])]
        if not rows:
            return None
        tallies = [self.tallies[row] for row in rows]
        rates = [tally.failures.get(key, 0) / tally.trials[key[0]] for tally in tallies]
        return _Evidence(np.array(rates, np.float32), self.values[rows], self.eligible[rows])


class _Evidence:
    """Failure rates of one cell and drawn values, of the documents that have the cell's element."""

    def __init__(self, rates: np.ndarray, values: np.ndarray, eligible: np.ndarray) -> None:
        self.rates = rates  # (documents,)
        self.values, self.eligible = values, eligible  # (documents, names)
        self.strongest = values.max(axis=0)  # (names,)
        self.has = (values >= np.maximum(self.strongest, 1e-6) / 2) & (eligible > 0)  # (documents, names)

    def selected_columns(self) -> list[int]:
        """Select the values that explain the failures, one after the other, each within strata of those before it."""
        having = self.has.sum(axis=0)
        testable = (having >= MIN_GROUP) & (self.eligible.sum(axis=0) - having >= MIN_GROUP)
        columns = np.flatnonzero(testable)
        selected: list[int] = []
        strata = np.zeros(len(self.rates), np.int64)
        random = np.random.default_rng(0)
        while len(selected) < MAX_EFFECTS and len(columns):
            statistic = _Mantel(self.values[:, columns], self.eligible[:, columns], strata)
            z = statistic(self.rates[:, None])[0][:, 0]
            order = np.argsort(-z, kind="stable")
            candidates = columns[order[z[order] > statistic.largest_by_chance(self.rates, random)][:MAX_CANDIDATES]]
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
        within = _Mantel(self.values[:, others], self.eligible[:, others], strata * 2 + self.has[:, column])
        return float(within(self.rates[:, None])[0].max(initial=0.0))

    def adjusted_effect(self, column: int, selected: Sequence[int]) -> tuple[float, float]:
        """Return a value's statistic and rate difference within strata of all other selected values."""
        strata = np.zeros(len(self.rates), np.int64)
        for other in selected:
            if other != column:
                strata = strata * 2 + self.has[:, other]
        statistic = _Mantel(self.values[:, [column]], self.eligible[:, [column]], strata)
        z, slope = (float(part[0, 0]) for part in statistic(self.rates[:, None]))
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
        products, variances, squares = 0.0, 0.0, 0.0
        for rows, within, centred, count, square in self.parts:
            stratum_rates = rates[rows]
            of_rates = within.T @ stratum_rates**2 - (within.T @ stratum_rates) ** 2 / np.maximum(count, 1)
            products = products + centred.T @ stratum_rates
            variances = variances + square * np.maximum(of_rates, 0) / np.maximum(count - 1, 1)
            squares = squares + square
        return products / np.sqrt(np.maximum(variances, 1e-12)), products / np.maximum(squares, 1e-12)

    def largest_by_chance(self, rates: np.ndarray, random: np.random.Generator) -> float:
        """Return the value that the largest z exceeds in ``FAMILYWISE_ERROR`` of the permutations within strata."""
        shuffled = np.empty((len(rates), NULL_PERMUTATIONS), np.float32)
        for rows, *_ in self.parts:
            shuffled[rows] = random.permuted(np.tile(rates[rows][:, None], NULL_PERMUTATIONS), axis=0)
        return float(np.quantile(self(shuffled)[0].max(axis=0), 1 - FAMILYWISE_ERROR))
