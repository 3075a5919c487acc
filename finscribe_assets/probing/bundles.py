"""Screening designs: documents that each show several factors at once, so that one reading says something of each.

Few factors harm a reader. So documents are not drawn for one factor each, but with a value of every choice and several
knobs, as documents of a recipe are: of 100 factors and 300 readings, each knob is on in about 60 documents rather than
three (group screening: Watson 1961; random balance: Satterthwaite 1959). Which factors share a document is random. How
often each is on is given, as its share of the documents.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.probing.factors import LONG_FACTORS, Factor, FactorSpace, Setting

MAX_KNOBS = 10  # on in one document, a few more than recipes draw
# Documents of several pages cost most of all. They are few, and each shows several of the factors that make it so.
LONG_SHARE = 0.02  # of the documents are long whether a factor that makes them so is lacking most or not
MOST_SHOWN = 0.5  # of the documents on which a knob can act, that it is on in for its own sake
LONG_FACTOR_USES = 4  # that a use of a factor counts as which makes documents several pages long


class BundleDesigner:
    """Draws the settings of screening documents."""

    def __init__(self, space: FactorSpace, seed: str) -> None:
        """Take the factors and the seed of the design."""
        self.space, self.random = space, Random(f"bundles:{seed}")

    def wave(
        self, shares: Mapping[Factor, float], count: int, types: Mapping[Factor, Sequence[DocumentType]] | None = None
    ) -> list[Setting]:
        """Return settings in which factors are on in about a given share of the documents.

        Args:
            shares: Share of the documents that each factor is to be on in; of all else documents are plain.
            count: Number of settings.
            types: Document types on which a factor is to be on, where not all on which it can act serve.
        """
        design = _Wave(self.space, self.random, shares, types or {})
        return [design.next_setting() for _ in range(count)]


class _Wave:
    """The settings of one wave so far, as the number of times that each factor was on."""

    def __init__(
        self,
        space: FactorSpace,
        random: Random,
        shares: Mapping[Factor, float],
        types: Mapping[Factor, Sequence[DocumentType]],
    ) -> None:
        self.space, self.random, self.shares, self.types = space, random, shares, types
        self.uses: Counter[Factor] = Counter(dict.fromkeys(shares, 0))
        self.shown: Counter[Factor] = Counter()  # in documents, of those on which the factor can act
        self.possible: Counter[Factor] = Counter()
        self.documents = 0
        self.max_knobs = min(MAX_KNOBS, math.ceil(sum(not factor.choice for factor in shares) / 2))

    def _lack(self, factor: Factor) -> float:
        """Return how much more often a factor would have been on by now, as a share of what it was to be."""
        return self.documents + 1 - self.uses[factor] / self.shares[factor]

    def next_setting(self) -> Setting:
        """Return a setting with the factor that is lacking most, and with others that it leaves room for."""
        rarest = self._most_lacking(self.shares)
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
        for factor in self.shares:
            if self._serves(factor, setting):
                self.uses[factor] += LONG_FACTOR_USES if factor.name in LONG_FACTORS else 1
                self.shown[factor] += 1
            self.possible[factor] += self.space.can_act(factor, setting.type, setting.locale)
        self.documents += 1
        return setting

    def _is_shown_enough(self, factor: Factor) -> bool:
        """Tell whether a knob is on in half of the documents on which it can act: it is compared with the others.

        A knob of one document type reaches its share of all documents only if it is on in nearly all of that type.
        """
        share = max(MOST_SHOWN, self.shares[factor])
        return not factor.choice and self.shown[factor] > share * self.possible[factor]

    def _most_lacking(self, factors: Iterable[Factor]) -> Factor:
        return max(factors, key=lambda factor: (self._lack(factor), self.random.random()))

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
        """Return the level that is lacking most, or the plain one where none is lacking."""
        if rarest.choice == choice and rarest.value in levels:
            return rarest.value
        plain = self.space.plain_level(choice)
        plain = plain if plain in levels else levels[0]
        lacking = [
            factor
            for level in levels
            if (factor := Factor(f"{choice}:{level}")) in self.shares and self._lack(factor) > 0
        ]
        return self._most_lacking(lacking).value if lacking else plain

    def _with_knobs(self, setting: Setting, rarest: Factor) -> Setting:
        """Return a setting with knobs changed: those that were on least often, as far as they can act together."""
        considered = [
            factor
            for factor in self.shares
            if not factor.choice
            and self.space.can_act(factor, setting.type, setting.locale)
            and (
                (factor == rarest and not self._is_shown_enough(factor))
                or (self._lack(factor) > 0 and self.random.random() < 0.5)
            )
        ]
        is_long = rarest.name in LONG_FACTORS or f"layout:{setting.layout}" in LONG_FACTORS
        if not is_long and self.random.random() >= LONG_SHARE:
            considered = [factor for factor in considered if factor.name not in LONG_FACTORS]
        order = sorted(considered, key=lambda one: (one != rarest, -self._lack(one), self.random.random()))
        changed: set[str] = set()
        count = 0
        for factor in order:
            companion = self.space.companion(factor, setting.type)
            added = {factor.value, *([companion] if companion else [])}
            if count < self.max_knobs and not any(self.space.excludes(knob, changed) for knob in added):
                changed |= added
                count += 1
        return replace(setting, knobs=setting.knobs ^ changed)
