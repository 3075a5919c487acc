"""All readings of one reader so far, and what they say of every factor × element.

A factor that harms an element stands in the way of estimating the others: it shifts rates where it happens to share
documents with them, and a garbled page shows no further mistakes. So the strongest effect of an element is taken first
and the others are estimated beside it, and so on while an effect stands out: readings with a factor that spoils most of
what it touches are left out, milder ones are covariates.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.value_types import Element
from finscribe_assets.probing.factors import COMPANION_KNOBS, Factor, FactorSpace
from finscribe_assets.probing.readings import ElementCounts
from finscribe_assets.probing.stratified_effects import Observations, StratifiedEffects, estimate_effects

STANDS_OUT = 3e-3  # p-value from which others are estimated beside a factor
SPOILS = 0.25  # effect from which readings with a factor say nothing of the others,
MAX_SHARE_LEFT_OUT = 0.3  # where no more of the readings have it than this
MAX_STANDING_OUT = 12  # factors of an element
EVERY_ELEMENT = "*"  # all fields of a document together
# What the rows of a table hold in bank statements, and in all others: document types are compared by both.
_STATEMENT_ROWS = {str(Element.ENTRY): str(Element.LINE_ITEM), str(Element.ENTRY_AMOUNT): str(Element.LINE_AMOUNT)}


@dataclass(frozen=True)
class Reading:
    """One document that was read.

    Readings are compared within a group: a screening wave, or a plain document and its changed versions.
    """

    group: str
    type: DocumentType
    locale: str
    present: frozenset[str]  # names of the factors that it was drawn with
    counts: ElementCounts
    is_screening: bool
    changed: str = ""  # name of the one factor in which it differs from its group's plain document


@dataclass(frozen=True)
class CellEffect:
    """What is known of a factor's effect on an element: failures per field, more than without the factor."""

    factor: str
    element: str
    effect: float
    low: float
    high: float
    p: float
    z: float
    readings: int  # with the factor


class Evidence:
    """Readings, and the effects that they are evidence of."""

    def __init__(self, space: FactorSpace) -> None:
        """Take the factors that effects are estimated for."""
        self.space = space
        self.readings: list[Reading] = []
        self._screening_rows: dict[int, np.ndarray] = {}
        self._pairs: defaultdict[str, set[str]] = defaultdict(set)  # factors by group
        # Document types are compared with each other, everything else within a type.
        self._factors = {
            is_type: tuple(one for one in space.factors if (one.choice == "type") is is_type)
            for is_type in (True, False)
        }

    def add(self, reading: Reading) -> None:
        """Take one more reading."""
        if reading.is_screening:
            eligible = [self._could_be_either(one, reading) for one in self._factors[False]]
            self._screening_rows[len(self.readings)] = np.array(eligible, dtype=bool)
        elif reading.changed:
            self._pairs[reading.group].add(reading.changed)
        whole = [counts for name, counts in reading.counts.items() if "/" not in name]
        total = (sum(failures for failures, _ in whole), sum(fields for _, fields in whole))
        self.readings.append(replace(reading, counts={**reading.counts, EVERY_ELEMENT: total} if whole else {}))

    def _could_be_either(self, factor: Factor, reading: Reading) -> bool:
        """Tell whether a screening document could have been drawn both with a factor and without it."""
        if factor.name in reading.present:
            return True
        companion = self.space.companion(factor, reading.type)
        return self.space.can_act(factor, reading.type, reading.locale) and (
            companion is None or companion in reading.present
        )

    def _eligible(self, row: int, *, is_type: bool) -> np.ndarray:
        """Return which factors' effects a reading is evidence of."""
        reading, factors = self.readings[row], self._factors[is_type]
        if reading.is_screening:
            return np.ones(len(factors), dtype=bool) if is_type else self._screening_rows[row]
        names = {reading.changed} if reading.changed else self._pairs[reading.group]
        return np.array([factor.name in names for factor in factors], dtype=bool)

    def fields_by_type(self) -> dict[DocumentType, dict[str, float]]:
        """Return how many fields of each element a document of each type has, on average."""
        readings: Counter[DocumentType] = Counter(reading.type for reading in self.readings)
        totals: dict[DocumentType, Counter[str]] = {kind: Counter() for kind in readings}
        for reading in self.readings:
            totals[reading.type].update({element: fields for element, (_, fields) in reading.counts.items()})
        return {
            kind: {element: count / readings[kind] for element, count in counts.items()}
            for kind, counts in totals.items()
        }

    def cells(self) -> list[CellEffect]:
        """Return the effect of every factor on every element of the documents that it was read on."""
        if not self.readings:
            return []
        within_types = [self._element(element, is_type=False) for element in self._elements(is_type=False)]
        # Between types, what harms an element within them is held equal.
        held: defaultdict[str, set[str]] = defaultdict(set)
        for effects in within_types:
            held[_STATEMENT_ROWS.get(effects.element, effects.element)] |= effects.standing_out
        over_types = [
            self._least_effect(cell, element, held[element])
            for element in self._elements(is_type=True)
            for cell in self._element(element, is_type=True, held=held[element]).cells
        ]
        by_cell: defaultdict[tuple[str, str], list[CellEffect]] = defaultdict(list)
        for effects in within_types:
            for cell in effects.cells:
                by_cell[cell.factor, cell.element].append(self._least_effect(cell, effects.element))
        return [*over_types, *map(_clearest, by_cell.values())]

    def _least_effect(self, cell: CellEffect, element: str, held: Collection[str] = ()) -> CellEffect:
        """Return the effect of a factor without another that shows beside it alone and from which it comes most.

        What one layout of a type does is no effect of the type, what a carried-forward sum does none of several pages.
        """
        if cell.p > STANDS_OUT or cell.effect <= 0:
            return cell
        factor = Factor(cell.factor)
        without = [
            other
            for name in self._shown_beside(factor)
            for other in self._element(element, is_type=factor.choice == "type", held=held, without=name).cells
            if other.factor == cell.factor
        ]
        return max([cell, *without], key=lambda one: one.p)

    def _shown_beside(self, factor: Factor) -> list[str]:
        """Return the names of the factors that no document shows without this one."""
        if factor.choice == "type":
            layouts = self.space.layouts_of(DocumentType(factor.value))
            return [f"layout:{layout}" for layout in (layouts if len(layouts) > 1 else ())]
        return [knob for knob, (companion, _) in COMPANION_KNOBS.items() if companion == factor.value]

    def _elements(self, *, is_type: bool) -> list[str]:
        return sorted({element for one in self.readings for element in _counts(one, is_type=is_type)})

    def _element(
        self, element: str, *, is_type: bool, held: Collection[str] = (), without: str = ""
    ) -> _ElementEffects:
        """Estimate every factor's effect on an element.

        Args:
            element: The element.
            is_type: Whether document types are compared, or all other factors within document types.
            held: Factors that are held equal between types, besides those that differ from type to type.
            without: A factor whose readings are left out.
        """
        factors = self._factors[is_type]
        eligible = {row: self._eligible(row, is_type=is_type) for row, _ in enumerate(self.readings)}
        rows = [
            row
            for row, one in enumerate(self.readings)
            if element in _counts(one, is_type=is_type) and eligible[row].any() and without not in one.present
        ]
        some = [self.readings[row] for row in rows]
        groups = [one.group if is_type else f"{one.group} {one.type}" for one in some]
        failures, fields = np.array([_counts(one, is_type=is_type)[element] for one in some], float).reshape(-1, 2).T
        # What documents of a type show besides differs from type to type; layouts are a part of what a type is.
        covariates = [
            one.name
            for one in self.space.factors
            if is_type and (one.choice not in ("type", "layout") or one.name in held)
        ]
        found, standing_out = _mutual_effects(
            Observations(
                failures,
                fields,
                np.unique(groups, return_inverse=True)[1],
                _present(some, [one.name for one in factors]),
                np.array([eligible[row] for row in rows], dtype=bool).reshape(-1, len(factors)),
                _present(some, covariates),
            ),
            np.array([one.is_screening for one in some], dtype=bool),
        )
        name, _, knob = element.partition("/")
        cells = tuple(
            CellEffect(
                factor.name,
                _own_name(name, factor),
                effect=float(found.effect[column]),
                low=float(found.low[column]),
                high=float(found.high[column]),
                p=float(found.p[column]),
                z=float(found.z[column]),
                readings=int(found.readings[column]),
            )
            for column, factor in enumerate(factors)
            if found.readings[column] and (not knob or factor.name == knob)
        )
        return _ElementEffects(element, cells, frozenset(factors[column].name for column in standing_out))


def _clearest(cells: Sequence[CellEffect]) -> CellEffect:
    """Return the effect of a factor on an element, or on those of its fields that a knob acts on: the clearer one.

    Of two the lesser p-value is doubled (Bonferroni).
    """
    clearest = min(cells, key=lambda cell: cell.p)
    return replace(clearest, p=min(1.0, len(cells) * clearest.p))


@dataclass(frozen=True)
class _ElementEffects:
    element: str
    cells: tuple[CellEffect, ...]
    standing_out: frozenset[str]  # names of the factors that others are estimated beside


def _present(readings: Sequence[Reading], names: Sequence[str]) -> np.ndarray:
    """Return which readings show which factors (readings × factors)."""
    return np.array([[name in one.present for name in names] for one in readings], bool).reshape(
        len(readings), len(names)
    )


def _counts(reading: Reading, *, is_type: bool) -> ElementCounts:
    """Return a reading's counts; where types are compared, a statement's entries count as other tables' line items."""
    return {_STATEMENT_ROWS.get(name, name): one for name, one in reading.counts.items()} if is_type else reading.counts


def _own_name(element: str, factor: Factor) -> str:
    """Return an element as a document type has it: a bank statement has entries for line items."""
    if factor.name == f"type:{DocumentType.BANK_STATEMENT}":
        return next((entry for entry, line in _STATEMENT_ROWS.items() if line == element), element)
    return element


def _mutual_effects(data: Observations, is_screening: np.ndarray) -> tuple[StratifiedEffects, list[int]]:
    """Return every factor's effect, estimated beside those that stand out; and the columns of these."""
    covariates: list[int] = []
    left_out: list[int] = []
    while True:
        held = np.hstack([data.covariates, data.has_factor[:, covariates]])
        found = estimate_effects(_without(replace(data, covariates=held), is_screening, left_out))
        p = np.where(found.effect > 0, found.p, 1.0)
        p[covariates + left_out] = 1.0
        strongest = int(np.argmin(p))
        if p[strongest] > STANDS_OUT or len(covariates) + len(left_out) == MAX_STANDING_OUT:
            return found, covariates + left_out
        is_rare = data.has_factor[is_screening, strongest].mean() <= MAX_SHARE_LEFT_OUT if is_screening.any() else False
        (left_out if found.effect[strongest] >= SPOILS and is_rare else covariates).append(strongest)


def _without(data: Observations, is_screening: np.ndarray, left_out: list[int]) -> Observations:
    """Return observations in which no factor is estimated from screening documents that show another of those named."""
    if not left_out:
        return data
    shown = data.has_factor[:, left_out].astype(int)
    others = np.repeat(shown.sum(axis=1)[:, None], data.has_factor.shape[1], axis=1)
    others[:, left_out] -= shown
    kept = (others == 0) | ~is_screening[:, None]  # both documents of a pair show what else there is
    return replace(data, is_eligible=data.is_eligible & kept)
