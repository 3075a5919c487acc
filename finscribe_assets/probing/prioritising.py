"""How often each factor is to be on in further documents: the likelier it is that it harms some element, the oftener.

Every factor keeps a share, so that chance in few readings leaves none out. One that is certain already gets no more.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.probing.evidence import EVERY_ELEMENT, CellEffect
from finscribe_assets.probing.factors import Factor, FactorSpace

EFFECTS_LOOKED_FOR = (0.05, 0.1, 0.2)
PRIOR = 0.01  # probability that a factor harms an element, before anything is read
CERTAIN = 1e-7  # p-value from which a factor is harmful whatever comes: later documents do without it
MAX_LEVEL_SHARE = 0.3  # of the documents that have one value of a choice: it is compared with the others
LEVELS_SHARE = 0.85  # of the documents, that have a chosen value; the others have the plain one
MAX_KNOB_SHARE = 0.5
MAX_SHARES = {"engine:weasyprint": 0.06}  # its pages take ten times as long as those of the other engine
KNOBS_PER_DOCUMENT = 9.0
TYPE_SHARE = 0.1  # of the first documents that each document type has at least
FEWEST_FIELDS = 0.5  # of what the richest document type has of an element, that a type needs to serve for it


def first_shares(space: FactorSpace) -> dict[Factor, float]:
    """Return the share of the first documents that each factor is on in, alike for all of a choice and all knobs."""
    return {
        factor: TYPE_SHARE if factor.choice == "type" else share
        for factors in _by_choice(space)
        for factor, share in _shares(dict.fromkeys(factors, 1.0), factors[0].choice, 1.0).items()
    }


def next_shares(cells: Sequence[CellEffect], space: FactorSpace, kept: Collection[str] = ()) -> dict[Factor, float]:
    """Return the share of the next documents that each factor is to be on in.

    Args:
        cells: Effects so far.
        space: All factors.
        kept: Names of factors that count as likely, unless they are certain already.

    Returns:
        Shares in (0, 1], without document types (every document has one), and without factors that are certain.
    """
    certain = {cell.factor for cell in cells if cell.effect > 0 and cell.p < CERTAIN}
    chances: defaultdict[str, float] = defaultdict(float)
    for cell in cells:
        chances[cell.factor] += _chance(cell)
    found: dict[Factor, float] = {}
    for factors in _by_choice(space):
        some = [factor for factor in factors if factor.choice != "type" and factor.name not in certain]
        weights = {factor: (1.0 if factor.name in kept else min(1.0, chances[factor.name])) for factor in some}
        found |= _shares(
            {factor: weight for factor, weight in weights.items() if weight}, factors[0].choice, LEVELS_SHARE
        )
    return found


def _by_choice(space: FactorSpace) -> list[list[Factor]]:
    choices = dict.fromkeys(factor.choice for factor in space.factors)
    return [[factor for factor in space.factors if factor.choice == choice] for choice in choices]


def _shares(weights: Mapping[Factor, float], choice: str, levels_share: float) -> dict[Factor, float]:
    """Return shares in proportion to weights, none above its maximum; what these leave goes to the others."""
    total, usual = (levels_share, MAX_LEVEL_SHARE) if choice else (KNOBS_PER_DOCUMENT, MAX_KNOB_SHARE)
    most = {factor: MAX_SHARES.get(factor.name, usual) for factor in weights}
    open_factors = dict(weights)
    shares: dict[Factor, float] = {}
    while open_factors:
        scale = max(0.0, total - sum(shares.values())) / sum(open_factors.values())
        full = [factor for factor, weight in open_factors.items() if weight * scale >= most[factor]]
        if not full:
            return shares | {factor: max(weight * scale, 1e-3) for factor, weight in open_factors.items()}
        shares |= {factor: most[factor] for factor in full}
        open_factors = {factor: weight for factor, weight in open_factors.items() if factor not in shares}
    return shares


def types_that_show(
    cells: Sequence[CellEffect],
    space: FactorSpace,
    factors: Collection[Factor],
    fields: Mapping[DocumentType, Mapping[str, float]],
) -> dict[Factor, list[DocumentType]]:
    """Return, for each factor, the document types that have most of the element which it most likely harms.

    ``fields`` gives the number of fields of each element that a page of each type has.
    """
    likeliest: dict[str, CellEffect] = {}
    for cell in cells:
        if cell.element != EVERY_ELEMENT:
            likeliest[cell.factor] = max(likeliest.get(cell.factor, cell), cell, key=_chance)
    found = {}
    for factor in factors:
        if factor.name in likeliest:
            element = likeliest[factor.name].element
            counts = {one: fields.get(one, {}).get(element, 0) for one in space.types if space.can_act(factor, one)}
            most = max(counts.values(), default=0)
            if most:
                found[factor] = [one for one, count in counts.items() if count >= FEWEST_FIELDS * most]
    return found


def _chance(cell: CellEffect) -> float:
    """Return the probability that a factor harms an element, given its readings."""
    odds = PRIOR / (1 - PRIOR) * max(_bayes_factor(cell, effect) for effect in EFFECTS_LOOKED_FOR)
    return odds / (1 + odds)


def _bayes_factor(cell: CellEffect, effect: float) -> float:
    """Compare an effect with none; near 1 where there is little evidence."""
    expected = effect * cell.z / cell.effect if cell.effect else 0.0  # of z, if there is such an effect
    return math.exp(min(100.0, cell.z * expected - expected**2 / 2))
