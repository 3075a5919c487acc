"""Whether two harmful factors together cost more than both by themselves.

A document is read plain, with each of the two, and with both. On failure rates y, the interaction is
``y_both − y_first − y_second + y_plain``. Its interval combines Wilson's intervals of the four rates (Zou and Donner
2008), at a level that holds over all pairs of factors × elements that are tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.stats import norm

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.evaluation.score_interval import wilson
from finscribe_assets.probing.factor_effects import VERDICT_ORDER, EffectVerdict
from finscribe_assets.probing.factors import Factor, FactorSpace, Setting
from finscribe_assets.probing.reading_session import ReadingSession, Version
from finscribe_assets.probing.readings import ElementCounts
from finscribe_assets.probing.stratified_effects import design_effects

STRONGEST = 5  # factors, whose pairs are tried
DOCUMENTS = 4  # of each pair of factors
SIGNS = np.array([1.0, -1.0, -1.0, 1.0])  # both, first, second, plain


class FactorInteraction(BaseModel):
    """What two factors cost an element together, more than both by themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    factors: tuple[str, str]
    element: str
    effect: float = Field(description="failures per field with both factors, more than the sum of their effects")
    low: float = Field(description="bounds of the interval, at 95 % over all interactions that were tried together")
    high: float
    pairs: int = Field(description="documents that were read in all four versions")
    verdict: EffectVerdict


def try_interactions(
    session: ReadingSession, names: Sequence[str], pages: int, harmless_below: float
) -> tuple[FactorInteraction, ...]:
    """Read documents with two of the strongest factors at once, and estimate what they cost together.

    Args:
        session: Where documents are read; what it has read already is not read again.
        names: Harmful factors, the strongest first.
        pages: About the greatest number of pages to read.
        harmless_below: Effect that is too small to matter.

    Returns:
        The interactions on every element, the largest first in each verdict.
    """
    factors = [Factor(name) for name in names[:STRONGEST]]
    quartets = [
        (first, second, some)
        for first, second in combinations(factors, 2)
        if (some := _quartets(session, first, second))
    ]
    last = session.pages + pages
    counted: list[tuple[Factor, Factor, list[list[ElementCounts]]]] = []
    for first, second, some in quartets:
        if session.pages >= last:
            break
        counts = session.read([version for quartet in some for version in quartet])
        counted.append((first, second, [counts[start : start + 4] for start in range(0, len(counts), 4)]))
    tested = [
        (first, second, element, documents)
        for first, second, documents in counted
        for element in sorted({element for one in documents for element in set.intersection(*map(set, one))})
    ]
    z = float(norm.isf(0.025 / max(len(tested), 1)))
    found = [
        _interaction(first, second, element, documents, z, harmless_below)
        for first, second, element, documents in tested
    ]
    return tuple(
        sorted(found, key=lambda one: (VERDICT_ORDER.index(one.verdict), -one.effect, one.factors, one.element))
    )


def _quartets(session: ReadingSession, first: Factor, second: Factor) -> list[tuple[Version, ...]]:
    """Return documents plain, with each of two factors and with both; none where no document can show both."""
    if first.choice and first.choice == second.choice:
        return []
    space = session.space
    settings = [quartet for kind in space.types if (quartet := _settings(space, kind, first, second))]
    found = []
    for index in range(DOCUMENTS):
        if settings:
            quartet = settings[index % len(settings)]
            number = session.battery.pair_number(quartet[-1], index // len(settings), first, second)
            found.append(tuple(Version(number, setting) for setting in quartet))
    return found


def _settings(space: FactorSpace, kind: DocumentType, first: Factor, second: Factor) -> tuple[Setting, ...]:
    """Return the settings with both factors, each of them and neither, from the plain documents of a type."""
    if not (space.can_act(first, kind) and space.can_act(second, kind)):
        return ()
    plain = space.plain_for(first, kind)
    companion = space.companion(second, kind)
    plain = replace(plain, knobs=plain.knobs | {companion}) if companion else plain
    with_first, with_second = space.changed(plain, first), space.changed(plain, second)
    both = space.changed(with_first, second)
    fits = all(space.can_act(one, both.type, both.locale) for one in (first, second))
    if not fits or space.excludes(second.value, both.knobs - {second.value}) or plain.has(first) or plain.has(second):
        return ()
    return both, with_first, with_second, plain


def _interaction(
    first: Factor,
    second: Factor,
    element: str,
    documents: Sequence[Sequence[ElementCounts]],
    z: float,
    harmless_below: float,
) -> FactorInteraction:
    some = [[one[element] for one in quartet] for quartet in documents if all(element in one for one in quartet)]
    failures, fields = np.array(some, dtype=float).transpose(2, 0, 1)  # documents × versions
    rate = failures.sum(axis=0) / fields.sum(axis=0)
    everything = np.ones((len(some), 1), dtype=bool)
    inflation = [
        design_effects(failures[:, [one]] / fields[:, [one]], fields[:, [one]], everything)[0] for one in range(4)
    ]
    lower, upper = wilson(rate, fields.sum(axis=0) / np.array(inflation), z)
    effect = float(SIGNS @ rate)
    low = effect - float(np.hypot.reduce(np.where(SIGNS > 0, rate - lower, upper - rate)))
    high = effect + float(np.hypot.reduce(np.where(SIGNS > 0, upper - rate, rate - lower)))
    verdict = EffectVerdict.UNDECIDED
    if low > 0:
        verdict = EffectVerdict.HARMFUL
    elif high < harmless_below:
        verdict = EffectVerdict.HARMLESS
    return FactorInteraction(
        factors=(first.name, second.name),
        element=element,
        effect=round(effect, 4),
        low=round(low, 4),
        high=round(high, 4),
        pairs=len(some),
        verdict=verdict,
    )
