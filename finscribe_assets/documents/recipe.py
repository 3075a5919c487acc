"""Recipes and plans: the knobs from which a document is drawn, and who asked for which documents.

The same vocabulary is used by the generator, stored with each document (the values actually drawn), read by mining
(which knobs do failures share?) and written by the plan (draw more of these).
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from finscribe_assets.documents.drawn_document import Engine
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, LAYOUTS
from finscribe_assets.documents.locales import LOCALE_FACTS, TaxRegime
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import has_words

# A country is drawn as soon as its language has its words.
LOCALES = tuple(locale for locale, facts in LOCALE_FACTS.items() if has_words(facts.language))

# Debian's packages of open fonts; rendering/system_packages.py names which.
LATIN_FONTS = (
    "DejaVu Sans",
    "DejaVu Serif",
    "DejaVu Sans Mono",
    "Liberation Sans",
    "Liberation Serif",
    "Liberation Mono",
    "Open Sans",
    "Roboto",
    "Carlito",
    "Caladea",
    "Lato",
    "Cantarell",
    "B612",
    "EB Garamond",
    "Courier Prime",
    "Comic Neue",
    "Noto Sans",
    "Noto Serif",
    "Noto Sans Mono",
    "PT Sans",
    "PT Serif",
    "Inter",
    "Roboto Slab",
    "Linux Libertine O",
    "Gentium Plus",
    "Hack",
    "IBM 3270",
)
_OTHER_FONTS = {
    "ja": ("Noto Sans CJK JP", "Noto Serif CJK JP", "Noto Sans Mono CJK JP", "IPAexGothic", "IPAexMincho"),
    "zh": ("Noto Sans CJK SC", "Noto Serif CJK SC", "Noto Sans Mono CJK SC", "WenQuanYi Micro Hei", "AR PL UMing CN"),
    "ar": ("Noto Sans Arabic", "Noto Naskh Arabic", "Noto Kufi Arabic", "Amiri"),
}
MONOSPACED = (
    "DejaVu Sans Mono",
    "Liberation Mono",
    "Courier Prime",
    "Noto Sans Mono",
    "Hack",
    "IBM 3270",
    "Noto Sans Mono CJK JP",
    "Noto Sans Mono CJK SC",
)
FONTS = (*LATIN_FONTS, *(font for fonts in _OTHER_FONTS.values() for font in fonts))
_NO_POLISH = ("B612",)  # it has no ł

BATCH_KEY = re.compile(r"batch-\d{3,6}")

Weight = Annotated[float, Field(ge=0.0, le=1e6)]  # bounded, so that a sum of them is finite


def fonts_for(locale: str) -> tuple[str, ...]:
    """Return the font families that have a locale's letters."""
    language = LOCALE_FACTS[locale].language
    fonts = _OTHER_FONTS.get(language, LATIN_FONTS)
    return tuple(font for font in fonts if language != "pl" or font not in _NO_POLISH)


class Recipe(BaseModel):
    """The distribution documents are drawn from. Weights are relative; an absent or zero weight is never drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document_types: dict[DocumentType, Weight] = Field(
        default={
            DocumentType.INVOICE: 0.45,
            DocumentType.CREDIT_NOTE: 0.1,
            DocumentType.RECEIPT: 0.2,
            DocumentType.PURCHASE_ORDER: 0.15,
            DocumentType.BANK_STATEMENT: 0.1,
        },
        description="relative weight of each kind of document",
    )
    locales: dict[str, Weight] = Field(
        default=dict.fromkeys(LOCALES, 1.0), description="relative weight of each locale"
    )
    tax_regimes: dict[TaxRegime, Weight] | None = Field(
        default=None, description="relative weight of each tax regime, over the locales that have it; absent for all"
    )
    fonts: dict[str, Weight] = Field(
        default=dict.fromkeys(FONTS, 1.0), description="relative weight of each font family"
    )
    layouts: dict[str, Weight] = Field(
        default=dict.fromkeys(LAYOUT_FACTS, 1.0),
        description="relative weight of each template family among those of its kind of document",
    )
    engines: dict[Engine, Weight] = Field(
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
                raise ValueError(f"{field}: unknown {', '.join(unknown)}; known are {', '.join(map(str, allowed))}")
            if not any(drawn.values()):
                raise ValueError(f"{field}: every weight is zero; give at least one a positive weight")
        return self

    @model_validator(mode="after")
    def _check_combinations(self) -> Recipe:
        drawn = [locale for locale, weight in self.locales.items() if weight]
        for locale in drawn:
            usable = fonts_for(locale)
            if not any(self.fonts.get(font) for font in usable):
                raise ValueError(
                    f"fonts: none with a positive weight has the letters of {locale}; "
                    f"give one of {', '.join(usable)} a weight, or {locale} none"
                )
        for kind, weight in self.document_types.items():
            if weight and not any(self.layouts.get(layout) for layout in LAYOUTS[kind]):
                raise ValueError(
                    f"layouts: none with a positive weight is for {kind}; give one of "
                    f"{', '.join(LAYOUTS[kind])} a weight, or {kind} none in document_types"
                )
        if self.tax_regimes is None:
            return self
        for regime, weight in self.tax_regimes.items():
            at_home = [locale for locale in LOCALES if LOCALE_FACTS[locale].regime is regime]
            if weight and not set(at_home) & set(drawn):
                raise ValueError(
                    f"tax_regimes: {regime} applies in {', '.join(at_home)}, but locales has "
                    f"{', '.join(drawn)}; give one of the former a weight in locales"
                )
        for locale in drawn:
            regime = LOCALE_FACTS[locale].regime
            if not self.tax_regimes.get(regime):
                raise ValueError(
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


def _preset(share: float, **knobs: float) -> Recipe:
    """Return the usual recipe with every knob times a share, and some knobs as given."""
    usual = {name: round(min(1.0, value * share), 4) for name, value in Knobs().model_dump().items()}
    return Recipe(knobs=Knobs(**{**usual, **knobs}))


# How hard the documents are as a whole: recipes to begin with.
PRESETS: dict[str, Recipe] = {
    "simple": _preset(0.2, optional_fields=0.4, repeated_headers=0.7),
    "medium": Recipe(),
    "complex": _preset(2.2, optional_fields=0.8, many_lines=0.4),
}


class PlanComponent(BaseModel):
    """A share of a plan's documents and the recipe they are drawn from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="what this share is for: base, floor, or the knob that it turns up")
    documents: int = Field(ge=0, description="number of documents")
    recipe: Recipe = Field(default=Recipe(), description="what they are drawn from")


class WeakCell(BaseModel):
    """An element that fails in one way often enough to act on, with the evidence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    element: str
    error_type: str
    failures: int = Field(ge=0)
    trials: int = Field(ge=0)
    lower_bound: float = Field(ge=0, le=1, description="one-sided 95 % Wilson lower bound of the failure rate")
    rate: float = Field(default=0.0, ge=0, le=1, description="failure rate, mean over documents")
    knobs: tuple[str, ...] = Field(default=(), description="knobs to turn up, those that failures share first")
    effects: dict[str, float] = Field(
        default={},
        description="by how much the rate is higher with a knob, where the "
        "failures show it; the other knobs are presumed from what they are made for",
    )
    examples: tuple[str, ...] = Field(default=(), description="ids of documents that fail so")
    documents: int = Field(default=0, ge=0, description="documents of the plan that turn up one of its knobs")
    expected_gain: float = Field(default=0.0, description="by how much its rate is expected to fall")
    left_out: str = Field(default="", description="why the plan does nothing for it: disabled, or retired")

    @property
    def name(self) -> str:
        """Return the cell's name, as in ``amount×sign``."""
        return f"{self.element}×{self.error_type}"


class Plan(BaseModel):
    """What one batch is drawn from, and why. A document is a function of (plan, index) and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(description="the batch's key, such as batch-007")
    seed: int = Field(ge=0, lt=2**63, description="seed of every random draw of the batch")
    components: tuple[PlanComponent, ...] = Field(min_length=1, description="shares of the batch, in index order")
    parent: str | None = Field(default=None, description="the batch whose evaluation asked for this one")
    reasons: tuple[WeakCell, ...] = Field(default=(), description="the weak cells that this batch is for")
    rule: str = Field(default="portfolio", description="how documents were allocated, one of mining/allocation.RULES")
    disabled: tuple[str, ...] = Field(default=(), description="cells and knobs that a person has vetoed")

    @field_validator("key")
    @classmethod
    def _check_key(cls, key: str) -> str:
        if not BATCH_KEY.fullmatch(key):
            raise ValueError(f"key: {key!r} is not of the form batch-007")
        return key

    @property
    def documents(self) -> int:
        """Return the number of documents of the batch."""
        return sum(component.documents for component in self.components)

    def component_of(self, index: int) -> PlanComponent:
        """Return the share that document number ``index`` belongs to."""
        rest = index
        for component in self.components:
            if rest < component.documents:
                return component
            rest -= component.documents
        raise IndexError(f"{self.key} has {self.documents} documents; there is no number {index}")


def seed_plan(key: str, documents: int, seed: int, recipe: Recipe | None = None) -> Plan:
    """Return the plan of a first batch: one share, drawn from the base recipe."""
    return Plan(
        key=key, seed=seed, components=(PlanComponent(name="base", documents=documents, recipe=recipe or Recipe()),)
    )


def next_key(key: str) -> str:
    """Return the key of the batch after this one: batch-007 → batch-008."""
    return f"batch-{int(key.removeprefix('batch-')) + 1:03d}"
