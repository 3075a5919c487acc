"""A reader beside its base: what its adapter repaired, what it broke, what is left; as records and as a picture."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.value_types import Element
from finscribe_assets.probing.factor_effects import EffectVerdict, FactorEffect
from finscribe_assets.probing.sequential_probe import ProbeResult

MAX_FACTORS_DRAWN = 16
DARKEST = 0.5  # effect from which a cell of the map has the darkest colour


class ChangeStatus(StrEnum):
    """What became of a weakness."""

    REPAIRED = "repaired"  # harmful to the base, smaller with the adapter, and no longer harmful
    BROKEN = "broken"  # harmful with the adapter, and more than to the base
    LEFT = "left"  # harmful with the adapter, and no more than to the base
    UNCLEAR = "unclear"  # harmful to the base alone, though not clearly smaller with the adapter


class EffectChange(BaseModel):
    """A factor's effect on an element that is harmful to a base, to its adapter, or to both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    factor: str
    element: str
    base: float = Field(description="effect on the bare base")
    adapter: float = Field(description="effect on the base with the adapter")
    change: float = Field(description="effect with the adapter, less that without it")
    low: float = Field(description="bounds of the change's 95 % interval")
    high: float
    status: ChangeStatus


def compare_effects(base: Sequence[FactorEffect], adapter: Sequence[FactorEffect]) -> tuple[EffectChange, ...]:
    """Return what an adapter changed about the effects that are harmful without it or with it, broken ones first.

    The interval of a change combines those of both effects (Zou and Donner 2008) as if they were independent. Both
    readers read the same documents, so it is rather too wide.
    """
    before = {(one.factor, one.element): one for one in base}
    changes = []
    for after in adapter:
        earlier = before.get((after.factor, after.element))
        if earlier is None or EffectVerdict.HARMFUL not in (earlier.verdict, after.verdict):
            continue
        change = after.effect - earlier.effect
        low = change - math.hypot(after.effect - after.low, earlier.high - earlier.effect)
        high = change + math.hypot(after.high - after.effect, earlier.effect - earlier.low)
        changes.append(
            EffectChange(
                factor=after.factor,
                element=after.element,
                base=earlier.effect,
                adapter=after.effect,
                change=round(change, 4),
                low=round(low, 4),
                high=round(high, 4),
                status=_status(earlier, after, low, high),
            )
        )
    order = list(ChangeStatus)
    order.sort(key=lambda one: one is not ChangeStatus.BROKEN)
    return tuple(sorted(changes, key=lambda one: (order.index(one.status), -abs(one.change), one.factor, one.element)))


def _status(base: FactorEffect, adapter: FactorEffect, low: float, high: float) -> ChangeStatus:
    if adapter.verdict is EffectVerdict.HARMFUL:
        return ChangeStatus.BROKEN if low > 0 and base.verdict is not EffectVerdict.HARMFUL else ChangeStatus.LEFT
    return ChangeStatus.REPAIRED if high < 0 else ChangeStatus.UNCLEAR


def robustness_map(results: dict[str, ProbeResult], changes: Sequence[EffectChange] = ()) -> bytes:
    """Draw factors × elements for each reader side by side, as a PNG below about 100 KB.

    Cells show the effect in points with its interval: bold where it is harmful, empty where it is harmless, grey where
    it is undecided.

    Args:
        results: Probes by the name that is printed above a reader's map, the base first.
        changes: What the adapter changed, which is printed beside the factors.
    """
    from matplotlib.figure import Figure

    factors = _factors_to_draw(list(results.values()))
    drawn = {one.element for result in results.values() for one in result.effects}
    elements = [str(element) for element in Element if str(element) in drawn]
    width = 2.6 + len(results) * (0.62 * len(elements) + 0.4)
    figure = Figure(figsize=(width, 1.9 + 0.4 * len(factors)), dpi=80, layout="constrained")
    panels = figure.subplots(1, len(results), sharey=True, squeeze=False)[0]
    for axes, (name, result) in zip(panels, results.items(), strict=True):
        _draw_reader(axes, name, result, factors, elements)
    panels[0].set_yticks(range(len(factors)), [_label(factor, changes) for factor in factors], fontsize=8)
    figure.supxlabel("points of failure more with the factor than without it, 95 % interval; bold: harmful", fontsize=8)
    drawn_map, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn_map, format="png")
    # A palette makes the file a third as large, and the event log stores it.
    Image.open(drawn_map).convert("RGB").quantize(96, Image.Quantize.MAXCOVERAGE).save(small, "PNG", optimize=True)
    return small.getvalue()


def _factors_to_draw(results: Sequence[ProbeResult]) -> list[str]:
    """Return the harmful factors, and while there is room those whose effect may be largest."""
    harmful = [factor for result in results for factor in result.harmful]
    others = sorted(
        (one for result in results for one in result.effects if one.verdict is EffectVerdict.UNDECIDED),
        key=lambda one: -one.low,
    )
    return list(dict.fromkeys([*harmful, *(one.factor for one in others)]))[:MAX_FACTORS_DRAWN]


def _label(factor: str, changes: Sequence[EffectChange]) -> str:
    statuses = dict.fromkeys(str(one.status) for one in changes if one.factor == factor)
    return f"{factor}\n{', '.join(statuses)}" if statuses else factor


def _draw_reader(axes: Any, name: str, result: ProbeResult, factors: Sequence[str], elements: Sequence[str]) -> None:
    effects = {(one.factor, one.element): one for one in result.effects}
    shades = [[0.0] * len(elements) for _ in factors]
    for row, factor in enumerate(factors):
        for column, element in enumerate(elements):
            effect = effects.get((factor, element))
            if effect is None or effect.verdict is EffectVerdict.HARMLESS:
                continue
            is_harmful = effect.verdict is EffectVerdict.HARMFUL
            shades[row][column] = effect.effect if is_harmful else 0.0
            axes.text(
                column,
                row,
                f"{100 * effect.effect:+.0f}\n{100 * effect.low:.0f} to {100 * effect.high:.0f}",
                ha="center",
                va="center",
                fontsize=6,
                fontweight="bold" if is_harmful else None,
                color="white" if shades[row][column] > 0.6 * DARKEST else "black" if is_harmful else "0.6",
            )
    axes.imshow(shades, cmap="Reds", vmin=0, vmax=DARKEST, aspect="auto")
    axes.set_xticks(range(len(elements)), elements, rotation=40, ha="right", fontsize=8)
    axes.set_title(name, fontsize=9)
