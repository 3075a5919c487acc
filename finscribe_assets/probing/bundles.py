"""Screening designs: documents that each show several factors at once, so that one reading says something of each.

Few factors harm a reader. So documents are not drawn for one factor each, but with a value of every choice and several
knobs, as documents of a recipe are: with 100 factors and 300 readings each knob is on in about 60 documents rather than
three (group screening: Watson 1961; supersaturated random balance: Satterthwaite 1959). Which factors share a document
is random, and every factor is on equally often among the documents on which it can act.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.probing.factors import Factor, FactorSpace, Setting

MAX_KNOBS = 8  # on in one document, about as many as recipes draw


class BundleDesigner:
    """Settings of screening documents for the factors that are still open."""

    def __init__(self, space: FactorSpace, seed: str) -> None:
        """Take the factors and the seed of the design."""
        self.space, self.random = space, Random(f"bundles:{seed}")

    def wave(
        self, factors: Sequence[Factor], count: int, types: Mapping[Factor, Sequence[DocumentType]] | None = None
    ) -> list[Setting]:
        """Return ``count`` settings in which every one of the factors is on about equally often.

        ``types`` names the document types on which a factor is to be on, where not all of them serve.
        """
        self.wanted_types = types or {}
        is_open = set(factors)
        uses: Counter[str] = Counter({factor.name: 0 for factor in factors})
        knobs = sum(not factor.choice for factor in factors)
        size = min(MAX_KNOBS, math.ceil(knobs / 2))
        settings = []
        for _ in range(count):
            setting = self._setting(is_open, uses, size)
            settings.append(setting)
            uses.update(factor.name for factor in factors if self._serves(factor, setting))
        return settings

    def _is_toggled(self, factor: Factor, setting: Setting) -> bool:
        """Tell whether a setting shows a factor; of a knob that plain documents have, whether it lacks it."""
        return setting.has(factor) is not (factor.value in self.space.plain_knobs)

    def _serves(self, factor: Factor, setting: Setting) -> bool:
        return self._is_toggled(factor, setting) and setting.type in self.wanted_types.get(factor, (setting.type,))

    def _setting(self, factors: set[Factor], uses: Counter[str], size: int) -> Setting:
        rarest = self._rarest(factors, uses)
        document_type = self._type_for(rarest)
        locale = self._locale_for(rarest, document_type, factors, uses)
        setting = Setting(
            document_type,
            locale,
            self._level("layout", self.space.layouts_of(document_type), rarest, factors, uses),
            self._level("font", self.space.fonts_of(locale), rarest, factors, uses),
            self._level("engine", self.space.levels["engine"], rarest, factors, uses),
            self.space.plain_knobs,
        )
        return self._with_knobs(setting, rarest, factors, uses, size)

    def _rarest(self, factors: set[Factor], uses: Counter[str]) -> Factor:
        least = min(uses.values())
        return self.random.choice(sorted(factor for factor in factors if uses[factor.name] == least))

    def _type_for(self, rarest: Factor) -> DocumentType:
        """Return a document type that can show a factor, as often as the recipe draws it."""
        weights = {kind: math.sqrt(self.space.recipe.document_types[kind]) for kind in self.space.types}
        if rarest.choice == "type":
            return DocumentType(rarest.value)
        possible = [kind for kind in self.wanted_types.get(rarest, weights) if self.space.can_act(rarest, kind)]
        return self.random.choices(possible, [weights[kind] for kind in possible])[0]

    def _locale_for(self, rarest: Factor, document_type: DocumentType, factors: set[Factor], uses: Counter[str]) -> str:
        locales = self.space.levels["locale"]
        if rarest.choice != "locale":
            locales = tuple(one for one in locales if self.space.can_act(rarest, document_type, one)) or locales
        return self._level("locale", locales, rarest, factors, uses)

    def _level(
        self, choice: str, levels: Sequence[str], rarest: Factor, factors: set[Factor], uses: Counter[str]
    ) -> str:
        """Return the open level used least, or the plain one where all were used as often as factors are on average."""
        if rarest.choice == choice and rarest.value in levels:
            return rarest.value
        plain = self.space.plain_level(choice)
        plain = plain if plain in levels else levels[0]
        candidates = [level for level in levels if Factor(f"{choice}:{level}") in factors]
        if not candidates:
            return plain
        least = min(uses[f"{choice}:{level}"] for level in candidates)
        if least > sum(uses.values()) / len(uses):
            return plain
        return self.random.choice([level for level in candidates if uses[f"{choice}:{level}"] == least])

    def _with_knobs(
        self, setting: Setting, rarest: Factor, factors: set[Factor], uses: Counter[str], size: int
    ) -> Setting:
        """Return a setting with the knobs that were on least often, ``size`` of them where they can act together."""
        possible = [one for one in factors if not one.choice and self.space.can_act(one, setting.type, setting.locale)]
        # Each is left out of half the documents on which it can act: those are what it is compared with.
        considered = [one for one in possible if one == rarest or self.random.random() < 0.5]
        order = sorted(considered, key=lambda one: (one != rarest, uses[one.name], self.random.random()))
        on: set[str] = set()
        toggled: set[str] = set()
        for factor in order:
            companion = self.space.companion(factor, setting.type)
            added = {factor.value, *([companion] if companion else [])}
            if len(toggled) >= size:
                break
            if not any(self.space.excludes(knob, frozenset(on)) for knob in added):
                toggled.add(factor.value)
                on |= added
        return Setting(
            setting.type, setting.locale, setting.layout, setting.font, setting.engine, setting.knobs ^ frozenset(on)
        )
