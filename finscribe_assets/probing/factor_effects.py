"""What a probe says of each factor × element: its effect, the interval, and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.probing.evidence import CellEffect
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


VERDICT_ORDER = (EffectVerdict.HARMFUL, EffectVerdict.UNDECIDED, EffectVerdict.HARMLESS)


def judge_effects(
    cells: Sequence[CellEffect], false_discovery_rate: float, harmless_below: float
) -> tuple[FactorEffect, ...]:
    """Give every effect a verdict, the harmful ones first, in each verdict the largest first.

    Args:
        cells: Effects of all factors × elements that were read.
        false_discovery_rate: Share of the harmful verdicts that may be wrong, on average (Benjamini and Hochberg 1995).
        harmless_below: Effect that is too small to matter: a verdict is harmless where the interval ends below it.
    """
    adjusted = adjusted_p_values([cell.p for cell in cells])
    effects = []
    for cell, p in zip(cells, adjusted, strict=True):
        verdict = EffectVerdict.UNDECIDED
        if cell.high < harmless_below:
            verdict = EffectVerdict.HARMLESS
        elif cell.effect > 0 and p <= false_discovery_rate:
            verdict = EffectVerdict.HARMFUL
        effects.append(
            FactorEffect(
                factor=cell.factor,
                element=cell.element,
                effect=round(cell.effect, 4),
                low=round(cell.low, 4),
                high=round(cell.high, 4),
                pairs=cell.readings,
                verdict=verdict,
            )
        )
    return tuple(
        sorted(effects, key=lambda one: (VERDICT_ORDER.index(one.verdict), -one.effect, one.factor, one.element))
    )


def harmful_factors(effects: Sequence[FactorEffect]) -> list[str]:
    """Return the factors that harm some element, the largest effect first."""
    found = sorted((one for one in effects if one.verdict is EffectVerdict.HARMFUL), key=lambda one: -one.effect)
    return list(dict.fromkeys(one.factor for one in found))
