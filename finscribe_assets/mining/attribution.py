"""Attribute the failures of cells to drawn values: knobs, locales, fonts, layouts, document types, engines.

A knob is compared only among the documents on which it could act; a knob of credit notes, among credit notes. Drawn
values are confounded: a layout with the document type that has it, a font with the locale. So values are selected
stepwise. Of the values that show an effect, the one is selected that leaves the others with the least effect within its
strata. The documents are stratified by it, and a further value must show an effect within the strata. The effects that
are reported are each measured within the strata of all other selected values.

Within strata the effect is the rate difference of Mantel and Haenszel (1959), and its statistic is Mantel's (1963)
extension to doses and scores. Many values of many cells are tested at once. Over the values of a cell, the p-value is
that of the largest statistic, from permutations of the documents within strata (maxT; Westfall and Young 1993). Over
the cells, those whose failures have a cause at all are selected by Benjamini and Hochberg (1995), and the values of the
R selected cells out of m are tested at R/m of the level (Benjamini and Bogomolov 2014).

Failures were only observed, so much stays unknown: `AttributionLimits` states it for each cell. A probe
(`finscribe probe`) draws the documents that an answer needs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.knobs import KNOB_FACTS
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.mining.cell_evidence import ATTRIBUTION_POWER, CellEvidence
from finscribe_assets.mining.error_cells import Z95, CellKey, DocumentFailures

MIN_PERMUTATIONS = 299
FALSE_ATTRIBUTION_RATE = 0.05  # of the cells that are attributed to a value; for a single cell, the familywise error

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
        inseparable: other values that the same documents have, but for ``MIN_GROUP`` - 1 documents at most: the effect
            may be theirs.
    """

    name: str
    difference: float
    low: float
    high: float
    documents: int
    inseparable: tuple[str, ...] = ()


@dataclass(frozen=True)
class TestedValue:
    """A drawn value that a cell's failures were compared by.

    Attributes:
        name: of the value.
        documents: number of documents that have it.
        without: number of documents that could have it, and do not.
        smallest_effect: difference of the failure rates from which on it would have been found with the power
            ``ATTRIBUTION_POWER``; None if no effect would have been.
    """

    __test__ = False  # not a test, whatever pytest takes its name for

    name: str
    documents: int
    without: int
    smallest_effect: float | None


@dataclass(frozen=True)
class AttributionLimits:
    """What observed failures of a cell can say about causes, and what not.

    Attributes:
        documents: number of documents that have the cell's element and whose drawn values are known.
        tested: values that were compared, those with the smallest provable effect first.
        untested: values that fewer than ``MIN_GROUP`` documents have, or lack.
    """

    documents: int
    tested: tuple[TestedValue, ...] = ()
    untested: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return it as a sentence for a table."""
        if not self.documents:
            return "no drawn value of its documents is known"
        parts = [f"{self.documents} documents", f"{len(self.tested)} drawn values compared"]
        if self.untested:
            parts.append(f"{len(self.untested)} not compared (too few documents with or without them)")
        if self.tested:
            ends = dict.fromkeys(_found_from(value) for value in (self.tested[0], self.tested[-1]))
            parts.append(f"an effect would have been found (power {ATTRIBUTION_POWER}) {', '.join(ends)}")
        return "; ".join(parts)


def _found_from(value: TestedValue) -> str:
    start = "never" if value.smallest_effect is None else f"from {value.smallest_effect:+.0%} on"
    return f"{start} for {value.name} ({value.documents} documents)"


@dataclass(frozen=True)
class CellAttribution:
    """The values that a cell's failures are attributed to, and what could not be known.

    Attributes:
        effects: in the order in which they were selected.
        limits: of what the documents can show.
    """

    effects: tuple[Effect, ...] = ()
    limits: AttributionLimits = AttributionLimits(0)

    def describe(self) -> str:
        """Return what the evidence is and what it cannot show, as a sentence for a table."""
        found = []
        for effect in self.effects:
            others = f", and so are {', '.join(effect.inseparable)}: the cause may be any" if effect.inseparable else ""
            found.append(f"{effect.name} is in {effect.documents} of them{others}")
        return "; ".join([self.limits.describe(), *found])

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self) | {"summary": self.describe()}


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


def drawable_values(recipe: Recipe) -> set[str]:
    """Return the names of all values that a recipe may draw, as `drawn_values` names them."""
    weights: dict[str, Mapping[Any, float]] = {
        "type": recipe.document_types,
        "locale": recipe.locale_weights(),
        "font": recipe.fonts,
        "layout": recipe.layouts,
        "engine": recipe.engines,
    }
    names = {name for name, value in recipe.knobs if value}
    for dimension, choices in weights.items():
        names |= {f"{dimension}:{choice}" for choice, weight in choices.items() if weight}
    return names


@lru_cache(maxsize=100_000)
def _could_have(name: str, document_type: str, locale: str) -> bool:
    """Return whether a knob acts on documents of this type and locale; choices such as fonts act on all."""
    facts = KNOB_FACTS.get(name)
    return facts is None or facts.applies_to(DocumentType(document_type), LOCALE_FACTS[locale].language)


def _choice(values: Mapping[str, float], dimension: str) -> str:
    """Return the choice that was drawn in a dimension, such as ``fr_FR`` of ``locale``; empty if it is unknown."""
    prefix = f"{dimension}:"
    return next((name.removeprefix(prefix) for name in values if name.startswith(prefix)), "")


class Attribution:
    """Drawn values of a set of documents, against which the failures of any cell can be tested."""

    def __init__(self, tallies: Sequence[DocumentFailures], drawn: DrawnValues, drawable: Collection[str] = ()) -> None:
        """Prepare the documents whose drawn values are known; the others are left out.

        Args:
            tallies: failures of the documents.
            drawn: drawn values by document id.
            drawable: names of further values that could have been drawn, which are reported as not compared.
        """
        self.tallies = [tally for tally in tallies if tally.id in drawn]
        self.names = sorted({name for tally in self.tallies for name in drawn[tally.id]})
        self.never_drawn = tuple(sorted(set(drawable) - set(self.names)))
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

    def attribute(self, keys: Sequence[CellKey]) -> dict[CellKey, CellAttribution]:
        """Return the drawn values under which cells fail more often.

        A value whose effect vanishes within the strata of the other selected values is left out: they explain it.

        Args:
            keys: element and error type of each cell. False attributions are controlled over all of them, so they
                belong in one call.
        """
        evidence = {key: found for key in keys if (found := self._evidence(key)) is not None}
        # Enough that the smallest possible p-value is below the level of a single selected cell.
        permutations = max(MIN_PERMUTATIONS, round(2 * len(evidence) / FALSE_ATTRIBUTION_RATE))
        for found in evidence.values():
            found.permute(permutations)
        p_values = [found.p_value for found in evidence.values()]
        adjusted = false_discovery_control(p_values, method="bh") if p_values else []
        caused = {key for key, p in zip(evidence, adjusted, strict=True) if p <= FALSE_ATTRIBUTION_RATE}
        level = FALSE_ATTRIBUTION_RATE * max(1, len(caused)) / max(1, len(evidence))
        return {
            key: CellAttribution(
                self._effects(evidence[key], level) if key in caused else (), self._limits(evidence[key], level)
            )
            if key in evidence
            else CellAttribution()
            for key in keys
        }

    def _effects(self, evidence: CellEvidence, level: float) -> tuple[Effect, ...]:
        columns = evidence.selected_columns(level)
        while True:
            adjusted = {column: evidence.adjusted_effect(column, columns) for column in columns}
            vanished = min(columns, key=lambda column: adjusted[column][0], default=None)
            if vanished is None or adjusted[vanished][0] > 0:
                break
            columns.remove(vanished)
        return tuple(
            Effect(
                self.names[column],
                round(difference, 4),
                round(difference - Z95 * difference / z, 4),
                round(difference + Z95 * difference / z, 4),
                int(evidence.has[:, column].sum()),
                tuple(self.names[other] for other in evidence.inseparable_columns(column)),
            )
            for column, (z, difference) in adjusted.items()
        )

    def _limits(self, evidence: CellEvidence, level: float) -> AttributionLimits:
        smallest = evidence.smallest_effects(level)
        tested = [
            TestedValue(self.names[column], int(having), int(without), round(float(effect), 4) if effect <= 1 else None)
            for column, having, without, effect in zip(
                evidence.columns,
                evidence.having[evidence.columns],
                evidence.lacking[evidence.columns],
                smallest,
                strict=True,
            )
        ]
        compared = set(evidence.columns)
        untested = [name for column, name in enumerate(self.names) if column not in compared]
        return AttributionLimits(
            documents=len(evidence.rates),
            tested=tuple(sorted(tested, key=lambda value: (value.smallest_effect or 1.0, value.name))),
            untested=tuple(sorted([*untested, *self.never_drawn])),
        )

    def _evidence(self, key: CellKey) -> CellEvidence | None:
        rows = [row for row, tally in enumerate(self.tallies) if tally.trials.get(key[0])]
        if not rows:
            return None
        tallies = [self.tallies[row] for row in rows]
        rates = [tally.failures.get(key, 0) / tally.trials[key[0]] for tally in tallies]
        return CellEvidence(np.array(rates, np.float32), self.values[rows], self.eligible[rows])
