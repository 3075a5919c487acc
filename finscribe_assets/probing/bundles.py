"""Screening designs: documents that each show several factors at once, so that one reading says something of each.

Few factors harm a reader. So documents are not drawn for one factor each, but with a value of every choice and several
knobs, as documents of a recipe are: of 100 factors and 300 readings, each knob is on in about 60 documents rather than
three (group screening: Watson 1961; random balance: Satterthwaite 1959). Which factors share a document is random. Each
is on about equally often, and a knob on no more than half the documents on which it can act, as it is compared with the
other half.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.probing.factors import LONG_FACTORS, Factor, FactorSpace, Setting

MAX_KNOBS = 10  # on in one document, a few more than recipes draw
LONG_FACTOR_USES = 6  # that a use of a factor counts as which makes documents several pages long


class BundleDesigner:
    """Draws the settings of screening documents."""

    def __init__(self, space: FactorSpace, seed: str) -> None:
        """Take the factors and the seed of the design."""
        self.space, self.random = space, Random(f"bundles:{seed}")

    def wave(
        self, factors: Sequence[Factor], count: int, types: Mapping[Factor, Sequence[DocumentType]] | None = None
    ) -> list[Setting]:
        """Return settings in which each of some factors is on about equally often.

        Args:
            factors: What is on in some documents and off in others; of all else documents are plain.
            count: Number of settings.
            types: Document types on which a factor is to be on, where not all on which it can act serve.
        """
        design = _Wave(self.space, self.random, factors, types or {})
        return [design.next_setting() for _ in range(count)]


class _Wave:
    """The settings of one wave so far, as the number of times that each factor was on."""

    def __init__(
        self,
        space: FactorSpace,
        random: Random,
        factors: Sequence[Factor],
        types: Mapping[Factor, Sequence[DocumentType]],
    ) -> None:
        self.space, self.random, self.factors, self.types = space, random, tuple(factors), types
        self.uses: Counter[Factor] = Counter(dict.fromkeys(factors, 0))
        self.max_knobs = min(MAX_KNOBS, math.ceil(sum(not factor.choice for factor in factors) / 2))

    def next_setting(self) -> Setting:
        """Return a setting with the factor that was on least often, and with others that it leaves room for."""
        least = min(self.uses.values())
        rarest = self.random.choice([factor for factor in self.factors if self.uses[factor] == least])
        document_type = self._type_for(rarest)
        locale = self._locale_for(rarest, document_type)
        setting = Setting(
            document_type,
            locale,
            self._level("layout", self.space.layouts_of(document_type), rarest),
            self._level("font", self.space.fonts_of(locale), rarest),
            self._level("engine", self.space.levels["engine"], rarest),
            self.space.plain_knobs,
        )
        setting = self._with_knobs(setting, rarest)
        for factor in self.factors:
            if self._serves(factor, setting):
                self.uses[factor] += LONG_FACTOR_USES if factor.name in LONG_FACTORS else 1
        return setting

    def _serves(self, factor: Factor, setting: Setting) -> bool:
        """Tell whether a setting shows a factor, or lacks a knob that plain documents have, on a type that serves."""
        is_toggled = setting.has(factor) is not (factor.value in self.space.plain_knobs)
        return is_toggled and setting.type in self.types.get(factor, (setting.type,))

    def _type_for(self, rarest: Factor) -> DocumentType:
        """Return a document type that can show a factor; rare types of the recipe are drawn more often than there."""
        if rarest.choice == "type":
            return DocumentType(rarest.value)
        possible = [kind for kind in self.types.get(rarest, self.space.types) if self.space.can_act(rarest, kind)]
        weights = [math.sqrt(self.space.recipe.document_types[kind]) for kind in possible]
        return self.random.choices(possible, weights)[0]

    def _locale_for(self, rarest: Factor, document_type: DocumentType) -> str:
        locales = self.space.levels["locale"]
        if rarest.choice != "locale":
            locales = tuple(one for one in locales if self.space.can_act(rarest, document_type, one)) or locales
        return self._level("locale", locales, rarest)

    def _level(self, choice: str, levels: Sequence[str], rarest: Factor) -> str:
        """Return the open level that was on least often, or the plain one where all were on more than factors are."""
        if rarest.choice == choice and rarest.value in levels:
            return rarest.value
        plain = self.space.plain_level(choice)
        plain = plain if plain in levels else levels[0]
        uses = {level: self.uses[factor] for level in levels if (factor := Factor(f"{choice}:{level}")) in self.uses}
        if not uses or min(uses.values()) > sum(self.uses.values()) / len(self.uses):
            return plain
        least = min(uses.values())
        return self.random.choice([level for level, count in uses.items() if count == least])

    def _with_knobs(self, setting: Setting, rarest: Factor) -> Setting:
        """Return a setting with knobs changed: those that were on least often, as far as they can act together."""
        considered = [
            factor
            for factor in self.factors
            if not factor.choice
            and self.space.can_act(factor, setting.type, setting.locale)
            and (factor == rarest or self.random.random() < 0.5)
        ]
        order = sorted(considered, key=lambda one: (one != rarest, self.uses[one], self.random.random()))
        changed: set[str] = set()
        count = 0
        for factor in order:
            companion = self.space.companion(factor, setting.type)
            added = {factor.value, *([companion] if companion else [])}
            if count < self.max_knobs and not any(self.space.excludes(knob, changed) for knob in added):
                changed |= added
                count += 1
        return replace(setting, knobs=setting.knobs ^ changed)
