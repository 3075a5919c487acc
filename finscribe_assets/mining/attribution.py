"""Which drawn values make a cell fail more: knobs, locales, fonts, layouts, kinds of document, engines.

A knob is compared among the documents on which it could act: one of credit notes among credit notes. What is confounded
(a layout with the kind of document that has it, a font with the locale) is parted by going step by step: of the values
that show an effect the one is taken that explains the others best, as they show least within its strata; documents are
stratified by it, and others must then show an effect within.

Within strata the effect is Mantel and Haenszel's (1959) difference of rates, and its statistic Mantel's (1963)
extension to doses and scores. Many values are looked at: a value counts when its statistic is above what the largest of
all of them reaches in 19 of 20 permutations of the documents within strata (Westfall and Young 1993).
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
from finscribe_assets.mining.error_cells import Z95, DocumentFailures, Key

MIN_DOCUMENTS = 5  # with a value, and without it
MOST = 3  # values that a cell is put down to
RIVALS = 8  # of the strongest values, that are held against each other
PERMUTATIONS, LEVEL = 299, 0.05

DrawnValues = Mapping[str, Mapping[str, float]]  # by document id and name


@dataclass(frozen=True)
class Effect:
    """How much more a cell's element fails with a drawn value than without it, at the strength that is greatest."""

    name: str  # a knob, or type:receipt, locale:fr_FR, font:Lato, layout:invoice_open, engine:weasyprint
    difference: float  # of the rate of failure, other values that count being equal
    low: float  # bounds of its two-sided 90 % interval (test-based, Miettinen 1976)
    high: float
    documents: int  # that have the value


def drawn_values(documents: Sequence[DrawnDocument]) -> dict[str, dict[str, float]]:
    """Return what was drawn for each document, in the vocabulary of plans."""
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
def _could_have(name: str, kind: str, locale: str) -> bool:
    """Tell whether a document of such a kind and locale can be drawn with a value; of a choice, any has one."""
    facts = KNOB_FACTS.get(name)
    return facts is None or facts.applies_to(DocumentType(kind), LOCALE_FACTS[locale].language)


class Attribution:
    """What was drawn for some documents, as matrices that every cell is held against."""

    def __init__(self, tallies: Sequence[DocumentFailures], drawn: DrawnValues) -> None:
        """Take the documents of which something is known; the others are left out."""
        self.tallies = [one for one in tallies if one.id in drawn]
        self.names = sorted({name for one in self.tallies for name in drawn[one.id]})
        shape = len(self.tallies), len(self.names)
        self.values, self.eligible = np.zeros(shape, np.float32), np.ones(shape, np.float32)
        for row, one in enumerate(self.tallies):
            own = drawn[one.id]
            kind, locale = (
                next((name[len(what) :] for name in own if name.startswith(what)), "") for what in ("type:", "locale:")
            )
            for column, name in enumerate(self.names):
                self.values[row, column] = own.get(name, 0.0)
                if kind and locale:
                    self.eligible[row, column] = _could_have(name, kind, locale)
        self.values *= self.eligible

    def effects(self, key: Key) -> list[Effect]:
        """Return the values under which a cell fails more, the strongest first."""
        rows = [row for row, one in enumerate(self.tallies) if one.trials.get(key[0])]
        if not rows:
            return []
        rates = np.array(
            [self.tallies[row].failures.get(key, 0) / self.tallies[row].trials[key[0]] for row in rows], np.float32
        )
        values, eligible = self.values[rows], self.eligible[rows]
        strongest = values.max(axis=0)
        has = (values >= np.maximum(strongest, 1e-6) / 2) & (eligible > 0)
        testable = (has.sum(axis=0) >= MIN_DOCUMENTS) & (eligible.sum(axis=0) - has.sum(axis=0) >= MIN_DOCUMENTS)
        chosen = np.flatnonzero(testable)
        strata = np.zeros(len(rows), np.int64)
        random = np.random.default_rng(0)
        found: list[Effect] = []
        while len(found) < MOST and len(chosen):
            statistic = _Mantel(values[:, chosen], eligible[:, chosen], strata)
            z, slopes = (part[:, 0] for part in statistic(rates[:, None]))
            order = np.argsort(-z, kind="stable")
            rivals = order[z[order] > statistic.largest_by_chance(rates, random)][:RIVALS]
            if not len(rivals):
                break

            columns = chosen[rivals]
            left = []  # of the rivals' effects, where documents are stratified by one of them
            for column in columns:
                others = columns[columns != column]
                within = _Mantel(values[:, others], eligible[:, others], strata * 2 + has[:, column])
                left.append(float(within(rates[:, None])[0].max(initial=0.0)))
            best = rivals[int(np.argmin(left))]
            column = chosen[best]
            difference = float(slopes[best] * strongest[column])
            spread = Z95 * difference / float(z[best])
            found.append(
                Effect(
                    self.names[column],
                    round(difference, 4),
                    round(difference - spread, 4),
                    round(difference + spread, 4),
                    int(has[:, column].sum()),
                )
            )
            strata = strata * 2 + has[:, column]
            chosen = np.delete(chosen, best)
        return found


class _Mantel:
    """Mantel's statistic of every column of values at once, for many columns of rates."""

    def __init__(self, values: np.ndarray, eligible: np.ndarray, strata: np.ndarray) -> None:
        self.parts = []
        for stratum in np.unique(strata):
            rows = np.flatnonzero(strata == stratum)
            within = eligible[rows]
            count = within.sum(axis=0)
            centred = (values[rows] - (values[rows] * within).sum(axis=0) / np.maximum(count, 1)) * within
            self.parts.append((rows, within, centred, count[:, None], (centred**2).sum(axis=0)[:, None]))

    def __call__(self, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return z and the slope of rate on value, of each value (rows) and each column of rates."""
        products, variances, squares = 0.0, 0.0, 0.0
        for rows, within, centred, count, spread in self.parts:
            own = rates[rows]
            of_rates = within.T @ own**2 - (within.T @ own) ** 2 / np.maximum(count, 1)
            products = products + centred.T @ own
            variances = variances + spread * np.maximum(of_rates, 0) / np.maximum(count - 1, 1)
            squares = squares + spread
        return products / np.sqrt(np.maximum(variances, 1e-12)), products / np.maximum(squares, 1e-12)

    def largest_by_chance(self, rates: np.ndarray, random: np.random.Generator) -> float:
        """Return what the largest of all z stays below in all but LEVEL of the permutations within strata."""
        shuffled = np.empty((len(rates), PERMUTATIONS), np.float32)
        for rows, *_ in self.parts:
            shuffled[rows] = random.permuted(np.tile(rates[rows][:, None], PERMUTATIONS), axis=0)
        return float(np.quantile(self(shuffled)[0].max(axis=0), 1 - LEVEL))
