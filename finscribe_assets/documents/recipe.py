"""Recipes: the distribution that documents are drawn from.

The same vocabulary is used by the generator, stored with each document (the values actually drawn), read by mining and
written by plans.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from finscribe_assets.documents.drawn_document import Engine
from finscribe_assets.documents.fonts import FONTS, fonts_for
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, LAYOUTS_BY_TYPE
from finscribe_assets.documents.locales import LOCALE_FACTS, TaxRegime
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import has_words
from finscribe_assets.errors import UserError

# A country is drawn as soon as its language has its words.
LOCALES = tuple(locale for locale, facts in LOCALE_FACTS.items() if has_words(facts.language))

RelativeWeight = Annotated[float, Field(ge=0.0, le=1e6)]  # bounded, so that a sum of them is finite


class Recipe(BaseModel):
    """The distribution documents are drawn from. Weights are relative; an absent or zero weight is never drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document_types: dict[DocumentType, RelativeWeight] = Field(
        default={
            DocumentType.INVOICE: 0.45,
            DocumentType.CREDIT_NOTE: 0.1,
            DocumentType.RECEIPT: 0.2,
            DocumentType.PURCHASE_ORDER: 0.15,
            DocumentType.BANK_STATEMENT: 0.1,
        },
        description="relative weight of each kind of document",
    )
    locales: dict[str, RelativeWeight] = Field(
        default=dict.fromkeys(LOCALES, 1.0), description="relative weight of each locale"
    )
    tax_regimes: dict[TaxRegime, RelativeWeight] | None = Field(
        default=None, description="relative weight of each tax regime, over the locales that have it; absent for all"
    )
    fonts: dict[str, RelativeWeight] = Field(
        default=dict.fromkeys(FONTS, 1.0), description="relative weight of each font family"
    )
    layouts: dict[str, RelativeWeight] = Field(
        default=dict.fromkeys(LAYOUT_FACTS, 1.0),
        description="relative weight of each template family among those of its kind of document",
    )
    engines: dict[Engine, RelativeWeight] = Field(
        default={Engine.WEASYPRINT: 0.1, Engine.PLUTOPRINT: 0.9},
        description="relative weight of each engine that lays pages out; two engines set type a little differently",
    )
    knobs: Knobs = Field(default=Knobs(), description="intensity of each hard feature")

    @model_validator(mode="after")
    def _check_names(self) -> Recipe:
        for field, drawn, allowed in (
            ("locales", self.locales, LOCALES),
            ("fonts", self.fonts, FONTS),
            ("layouts", self.layouts, tuple(LAYOUT_FACTS)),
            ("document_types", self.document_types, tuple(DocumentType)),
            ("engines", self.engines, tuple(Engine)),
        ):
            unknown = sorted(set(map(str, drawn)) - set(map(str, allowed)))
            if unknown:
                raise UserError(f"{field}: unknown {', '.join(unknown)}; known are {', '.join(map(str, allowed))}")
            if not any(drawn.values()):
                raise UserError(f"{field}: every weight is zero; give at least one a positive weight")
        return self

    @model_validator(mode="after")
    def _check_combinations(self) -> Recipe:
        drawn = [locale for locale, weight in self.locales.items() if weight]
        for locale in drawn:
            usable = fonts_for(locale)
            if not any(self.fonts.get(font) for font in usable):
                raise UserError(
                    f"fonts: none with a positive weight has the letters of {locale}; "
                    f"give one of {', '.join(usable)} a weight, or {locale} none"
                )
        for kind, weight in self.document_types.items():
            if weight and not any(self.layouts.get(layout) for layout in LAYOUTS_BY_TYPE[kind]):
                raise UserError(
                    f"layouts: none with a positive weight is for {kind}; give one of "
                    f"{', '.join(LAYOUTS_BY_TYPE[kind])} a weight, or {kind} none in document_types"
                )
        if self.tax_regimes is None:
            return self
        for regime, weight in self.tax_regimes.items():
            at_home = [locale for locale in LOCALES if LOCALE_FACTS[locale].regime is regime]
            if weight and not set(at_home) & set(drawn):
                raise UserError(
                    f"tax_regimes: {regime} applies in {', '.join(at_home)}, but locales has "
                    f"{', '.join(drawn)}; give one of the former a weight in locales"
                )
        for locale in drawn:
            regime = LOCALE_FACTS[locale].regime
            if not self.tax_regimes.get(regime):
                raise UserError(
                    f"tax_regimes: {locale} is taxed under {regime}, which has no positive weight; "
                    f"give it one, or take {locale} out of locales"
                )
        return self

    def locale_weights(self) -> dict[str, float]:
        """Return the weight of each locale: its own, times its tax regime's share among the locales of that regime."""
        if self.tax_regimes is None:
            return dict(self.locales)
        of_regime: dict[TaxRegime, float] = {}
        for locale, weight in self.locales.items():
            regime = LOCALE_FACTS[locale].regime
            of_regime[regime] = of_regime.get(regime, 0.0) + weight
        return {
            locale: weight * self.tax_regimes[regime] / of_regime[regime]
            for locale, weight in self.locales.items()
            if weight and (regime := LOCALE_FACTS[locale].regime)
        }
