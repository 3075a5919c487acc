"""What a probe says of each factor × element: its effect, the interval, and a verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.probing.evidence import EVERY_ELEMENT, CellEffect
from finscribe_assets.probing.factors import Factor, factor_elements
from finscribe_assets.probing.stratified_effects import adjusted_p_values


class EffectVerdict(StrEnum):
    """What is known of an effect."""

    HARMFUL = "harmful"  # it is above 0, with false discovery controlled over all factors × elements
    HARMLESS = "harmless"  # the interval's upper bound is below what matters
    UNDECIDED = "undecided"


class FactorEffect(BaseModel):
    """The effect of a factor on an element."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    factor: str = Field(description="a knob by its name, or a value of a choice, such as font:EB Garamond")
    element: str = Field(description="group of fields that are counted together, such as amount")
    effect: float = Field(description="failures per field with the factor, more than without it")
    low: float = Field(description="lower bound of the effect's 95 % interval")
    high: float = Field(description="upper bound of the effect's 95 % interval")
    pairs: int = Field(description="documents read with the factor, each beside documents without it")
    verdict: EffectVerdict


WEIGHT_OF_ALL = 2.0  # of the test of all elements together, beside 1 for one element,
WEIGHT_OF_MADE_FOR = 2.0  # and for one that a knob is made to make harder
VERDICT_ORDER = (EffectVerdict.HARMFUL, EffectVerdict.UNDECIDED, EffectVerdict.HARMLESS)


def judge_effects(
    cells: Sequence[CellEffect], false_discovery_rate: float, harmless_below: float
) -> tuple[FactorEffect, ...]:
    """Give every effect a verdict, the harmful ones first, in each verdict the largest first.

    First factors are selected that harm some element, then the elements that each of them harms (Benjamini and
    Bogomolov 2014): a factor that harms many elements does not make room for others that harm none.

    Args:
        cells: Effects of all factors × elements that were read, and of factors on all elements together.
        false_discovery_rate: Share of the factors with a harmful verdict that may harm nothing, on average.
        harmless_below: Effect that is too small to matter: a verdict is harmless where the interval ends below it.
    """
    by_factor: defaultdict[str, list[CellEffect]] = defaultdict(list)
    for cell in cells:
        by_factor[cell.factor].append(cell)
    adjusted = adjusted_p_values([_combined_p(some) for some in by_factor.values()])
    selected = [
        some
        for some, p in zip(by_factor.values(), adjusted, strict=True)
        if p <= false_discovery_rate and any(cell.effect > 0 for cell in some)
    ]
    level = false_discovery_rate * len(selected) / max(len(by_factor), 1)
    harmful = {(cell.factor, cell.element) for some in selected for cell in _harmed(some, level)}
    effects = [
        FactorEffect(
            factor=cell.factor,
            element=cell.element,
            effect=round(cell.effect, 4),
            low=round(cell.low, 4),
            high=round(cell.high, 4),
            pairs=cell.readings,
            verdict=_verdict(cell, harmless_below, is_harmful=(cell.factor, cell.element) in harmful),
        )
        for cell in cells
        if cell.element != EVERY_ELEMENT
    ]
    return tuple(
        sorted(effects, key=lambda one: (VERDICT_ORDER.index(one.verdict), -one.effect, one.factor, one.element))
    )


def _verdict(cell: CellEffect, harmless_below: float, *, is_harmful: bool) -> EffectVerdict:
    if cell.high < harmless_below:
        return EffectVerdict.HARMLESS
    return EffectVerdict.HARMFUL if is_harmful else EffectVerdict.UNDECIDED


def _weights(cells: Sequence[CellEffect]) -> list[float]:
    """Return a weight for each of a factor's cells; they add up to their number.

    A knob is made to make some elements harder: of these more is expected.
    """
    made_for = factor_elements(Factor(cells[0].factor))
    weights = [
        WEIGHT_OF_ALL if cell.element == EVERY_ELEMENT else WEIGHT_OF_MADE_FOR if cell.element in made_for else 1.0
        for cell in cells
    ]
    return [weight * len(cells) / sum(weights) for weight in weights]


def _combined_p(cells: Sequence[CellEffect]) -> float:
    """Return the p-value that a factor harms no element: Simes', with weights (Hochberg and Liberman 1994)."""
    ordered = sorted(cell_p / weight for cell_p, weight in zip((one.p for one in cells), _weights(cells), strict=True))
    return min(1.0, *(len(cells) * p / rank for rank, p in enumerate(ordered, start=1)))


def _harmed(cells: Sequence[CellEffect], level: float) -> list[CellEffect]:
    """Return the cells of a factor that is known to harm some element in which it does: at least the clearest."""
    own = [cell for cell in cells if cell.element != EVERY_ELEMENT]
    adjusted = adjusted_p_values([min(1.0, cell.p / weight) for cell, weight in zip(own, _weights(own), strict=True)])
    found = [cell for cell, p in zip(own, adjusted, strict=True) if p <= level and cell.effect > 0]
    return found or [min(own, key=lambda cell: cell.p)]


def harmful_factors(effects: Sequence[FactorEffect]) -> list[str]:
    """Return the factors that harm some element, the largest effect first."""
    found = sorted((one for one in effects if one.verdict is EffectVerdict.HARMFUL), key=lambda one: -one.effect)
    return list(dict.fromkeys(one.factor for one in found))
