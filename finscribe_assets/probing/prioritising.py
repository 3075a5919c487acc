"""Which factors are worth further readings: those for which it is still likely that they harm some element."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.probing.evidence import CellEffect
from finscribe_assets.probing.factors import Factor, FactorSpace

EFFECT_LOOKED_FOR = 0.08
CERTAIN = 1e-7  # p-value from which a factor is harmful whatever comes: later documents do without it


def promising_factors(
    cells: Sequence[CellEffect], space: FactorSpace, share: float, kept: Collection[str] = ()
) -> list[Factor]:
    """Return a share of the factors of each choice, and of the knobs: those that most likely harm some element.

    Args:
        cells: Effects so far.
        space: All factors.
        share: Share of the factors of each choice to return, in (0, 1].
        kept: Names of factors that are returned in any case, unless they are certain already.

    Returns:
        The factors, without document types (every document has one), and without those that are certain.
    """
    certain = {cell.factor for cell in cells if cell.effect > 0 and cell.p < CERTAIN}
    support = _support(cells)
    chosen: list[Factor] = []
    for choice in dict.fromkeys(factor.choice for factor in space.factors if factor.choice != "type"):
        factors = [one for one in space.factors if one.choice == choice and one.name not in certain]
        factors.sort(key=lambda one: -support.get(one.name, math.inf))
        most = math.ceil(share * len(factors))
        chosen += factors[:most] + [one for one in factors[most:] if one.name in kept]
    return chosen


def types_that_show(
    cells: Sequence[CellEffect],
    space: FactorSpace,
    factors: Sequence[Factor],
    elements: Mapping[DocumentType, set[str]],
) -> dict[Factor, list[DocumentType]]:
    """Return, for each factor, the document types that have the element which it most likely harms.

    ``elements`` names the elements that documents of each type have.
    """
    likeliest: dict[str, tuple[float, str]] = {}
    for cell in cells:
        likeliest[cell.factor] = max(
            likeliest.get(cell.factor, (-math.inf, "")), (_log_bayes_factor(cell), cell.element)
        )
    found = {}
    for factor in factors:
        element = likeliest.get(factor.name, (0.0, ""))[1]
        types = [one for one in space.types if element in elements.get(one, ()) and space.can_act(factor, one)]
        if types:
            found[factor] = types
    return found


def _support(cells: Sequence[CellEffect]) -> dict[str, float]:
    """Return, by factor, the logarithm of how much likelier the readings are if it harms one of its elements."""
    by_factor: defaultdict[str, list[float]] = defaultdict(list)
    for cell in cells:
        by_factor[cell.factor].append(_log_bayes_factor(cell))
    return {name: math.log(math.fsum(math.exp(min(one, 100.0)) for one in some)) for name, some in by_factor.items()}


def _log_bayes_factor(cell: CellEffect) -> float:
    """Compare an effect of EFFECT_LOOKED_FOR with none; near 0 where there is little evidence."""
    expected = EFFECT_LOOKED_FOR * cell.z / cell.effect if cell.effect else 0.0  # of z, if there is such an effect
    return cell.z * expected - expected**2 / 2
