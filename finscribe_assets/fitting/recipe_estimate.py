"""Estimate the weights of a recipe from a pool of synthetic documents beside the real ones.

What belongs here: which parts of a recipe show in the measures of pages, and the estimate of each. How one share is
estimated is in `value_shares.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from finscribe_assets.documents.channels import Channel
from finscribe_assets.documents.drawn_document import Colours
from finscribe_assets.documents.knobs import DAMAGE_KNOBS, Knobs
from finscribe_assets.documents.layout_families import LAYOUTS_BY_TYPE
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.fitting.value_shares import SharePool

KNOB_PRIOR = 2.0  # documents that the base recipe's knobs, layouts, colours and channels count as
LEAST_EXPLAINED = 0.3  # of a strength's variance by measures, so that it is estimated
LEAST_CHANGE = 0.02  # of a share, so that the fit changes it
# Knobs that show in the measures of a page. Others, such as ambiguous dates, keep the base recipe's values.
VISIBLE_KNOBS = (
    *DAMAGE_KNOBS,
    "small_print",
    "many_lines",
    "very_long_tables",
    "label_distance",
    "reversed_print",
    "borderless_tables",
    "optional_fields",
    "card_slips",
    "till_notices",
    "quantity_rows",
    "bar_codes",
    "payment_codes",
    "wrapped_descriptions",
)

_Name = TypeVar("_Name", bound=str)


@dataclass(frozen=True)
class ChangedWeight:
    """A weight that the fit changed, with its evidence."""

    key: str  # such as knobs.skew or layouts.receipt_till
    before: float | None  # share or probability in the base recipe; None if the base recipe does not determine it
    after: float
    evidence: str


@dataclass(frozen=True)
class RecipeEstimate:
    """An estimated recipe, what it changed of the base recipe, and what it kept because measures do not show it."""

    recipe: Recipe
    changed: tuple[ChangedWeight, ...]
    invisible: tuple[str, ...]


def estimate_recipe(base: Recipe, pool: SharePool, count: int, earlier: RecipeEstimate | None = None) -> RecipeEstimate:
    """Estimate channels, layouts, colours and visible knobs of the real documents.

    Args:
        base: recipe with the real documents' types and locales, which the estimate is shrunk towards.
        pool: synthetic documents beside the real ones.
        count: number of real documents.
        earlier: an estimate from a wider pool, which stands where this pool shows nothing.
    """
    return _Estimator(base, pool, count, earlier).estimate()


class _Estimator:
    def __init__(self, base: Recipe, pool: SharePool, count: int, earlier: RecipeEstimate | None) -> None:
        self.base, self.pool, self.count, self.earlier = base, pool, count, earlier
        self.changed: list[ChangedWeight] = []
        self.invisible: list[str] = []

    def estimate(self) -> RecipeEstimate:
        parts: dict[str, Any] = {
            "channels": self._channels(),
            "colours": self._colours(),
            "layouts": self._layouts(),
            "knobs": Knobs(**(self.base.knobs.model_dump() | self._knobs() | self._degradation())),
        }
        return RecipeEstimate(
            self.base.model_copy(update=parts), tuple(self.changed), tuple(sorted(set(self.invisible)))
        )

    def _shares(self, field: str, start: Mapping[str, float], prefix: str) -> dict[str, float] | None:
        """Estimate the shares of choices; None if measures do not show them, or only one is drawn."""
        classes = [_choice(drawn, prefix) for drawn in self.pool.drawn]
        found = self.pool.share(classes, start, KNOB_PRIOR)
        if found.is_visible:
            evidence = self._evidence(found.auc)
            self.changed += changes(field, start, found.shares, lambda name: evidence)
            return found.shares
        if self.earlier:
            self.changed += [one for one in self.earlier.changed if one.key.partition(".")[2] in start]
        self.invisible.append(field)
        return None

    def _evidence(self, auc: float) -> str:
        return f"{self.count} documents; held-out synthetic pages show it with an AUC of {auc:.2f}"

    def _channels(self) -> Mapping[DocumentType, Mapping[Channel, float]]:
        types = shares_of(self.base.document_types)
        usual: dict[str, float] = {}
        for channel in Channel:
            of_types = [
                share * shares_of(self.base.channels[DocumentType(name)]).get(str(channel), 0.0)
                for name, share in types.items()
            ]
            usual[str(channel)] = float(sum(of_types))
        found = self._shares("channels", usual, "channel")
        if found is None:
            return (self.earlier.recipe if self.earlier else self.base).channels
        some = {Channel(name): share for name, share in found.items() if share > 0}
        return dict.fromkeys(DocumentType, some)

    def _colours(self) -> Mapping[Colours, float]:
        found = self._shares("colours", {str(name): share for name, share in self.base.colours.items()}, "colours")
        if found is None:
            return (self.earlier.recipe if self.earlier else self.base).colours
        return {Colours(name): share for name, share in found.items()}

    def _layouts(self) -> Mapping[str, float]:
        layouts = dict((self.earlier.recipe if self.earlier else self.base).layouts)
        for document_type, share in shares_of(self.base.document_types).items():
            names = LAYOUTS_BY_TYPE[DocumentType(document_type)]
            if share * self.count < 2:
                continue
            start = {name: self.base.layouts.get(name, 0.0) for name in names}
            found = self._shares("layouts", start, "layout") if any(start.values()) else None
            if found:
                # Weights of families are compared within a document type: these keep their type's total.
                layouts |= {name: round(weight * sum(start.values()), 5) for name, weight in found.items()}
        return layouts

    def _knobs(self) -> dict[str, float]:
        knobs: dict[str, float] = {}
        for name in VISIBLE_KNOBS:
            before = float(getattr(self.base.knobs, name))
            classes = ["on" if drawn.get(name, 0.0) > 0 else "off" for drawn in self.pool.drawn]
            found = self.pool.share(classes, {"on": max(before, 0.001), "off": 1 - before}, KNOB_PRIOR)
            if found.is_visible:
                knobs[name] = round(min(1.0, found.shares["on"]), 4)
                if abs(knobs[name] - before) >= LEAST_CHANGE:
                    key = f"knobs.{name}"
                    self.changed.append(ChangedWeight(key, before, knobs[name], self._evidence(found.auc)))
            elif self.earlier and (kept := float(getattr(self.earlier.recipe.knobs, name))) != before:
                knobs[name] = kept
                self.changed += [one for one in self.earlier.changed if one.key == f"knobs.{name}"]
            else:
                self.invisible.append(f"knobs.{name}")
        return knobs

    def _degradation(self) -> dict[str, float]:
        """Estimate the light mix, a strength: the recipe has the greatest one of a uniform draw, twice its mean."""
        strength, explained = self.pool.strength("degradation")
        if explained < LEAST_EXPLAINED:
            self.invisible.append("knobs.degradation")
            earlier = self.earlier.recipe.knobs.degradation if self.earlier else self.base.knobs.degradation
            return {"degradation": earlier}
        before = self.base.knobs.degradation
        target = float(np.clip(2 * strength, 0, 1)) * self.count
        after = round((target + before * KNOB_PRIOR) / (self.count + KNOB_PRIOR), 4)
        evidence = f"{self.count} documents; measures explain {explained:.0%} of its strength on held-out pages"
        self.changed.append(ChangedWeight("knobs.degradation", before, after, evidence))
        return {"degradation": after}


def changes(
    field: str, before: Mapping[str, float], after: Mapping[str, float], evidence: Callable[[str], str]
) -> list[ChangedWeight]:
    """Return the shares of a field that differ, both sets of weights taken as shares."""
    old, new = shares_of(before), shares_of(after)
    return [
        ChangedWeight(f"{field}.{name}", round(old.get(name, 0.0), 4), round(share, 4), evidence(name))
        for name, share in new.items()
        if abs(old.get(name, 0.0) - share) >= LEAST_CHANGE
    ]


def shares_of(weights: Mapping[_Name, float]) -> dict[str, float]:
    """Return weights as shares that add up to 1."""
    total = sum(weights.values()) or 1.0
    return {str(name): weight / total for name, weight in weights.items()}


def _choice(drawn: Mapping[str, float], prefix: str) -> str | None:
    return next((name.partition(":")[2] for name in drawn if name.startswith(f"{prefix}:")), None)
