"""Recipes: the distributions that documents are drawn from.

The generator draws from a recipe, each document stores the values that were drawn, mining compares error rates by them,
and plans turn recipes up or down. All use the same names.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from finscribe_assets.documents.channels import USUAL_CHANNELS, Channel
from finscribe_assets.documents.drawn_document import Colours, Engine
from finscribe_assets.documents.fonts import FONTS, fonts_for
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, LAYOUTS_BY_TYPE
from finscribe_assets.documents.locales import LOCALE_FACTS, TaxRegime
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import has_words
from finscribe_assets.errors import UserError

# A locale can be drawn as soon as there is a file of words for its language.
LOCALES = tuple(locale for locale, facts in LOCALE_FACTS.items() if has_words(facts.language))

Resolution = Annotated[int, Field(ge=72, le=400)]
Warmth = Annotated[int, Field(ge=-60, le=60)]
Factor = Annotated[float, Field(ge=0.4, le=2.0)]
GreyLevel = Annotated[int, Field(ge=0, le=255)]
RelativeWeight = Annotated[float, Field(ge=0.0, le=1e6)]  # bounded, so that sums of weights are finite


# Settings that a recipe leaves alone by default: how pages are captured and printed.
CAPTURE_FIELDS = (
    "resolutions",
    "paper_levels",
    "ink_levels",
    "paper_warmths",
    "stretches",
    "line_spacings",
    "rolls",
)


class Recipe(BaseModel):
    """A distribution of documents. Weights are relative; what has no weight, or weight 0, is never drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document_types: dict[DocumentType, RelativeWeight] = Field(
        default={
            DocumentType.INVOICE: 0.45,
            DocumentType.CREDIT_NOTE: 0.1,
            DocumentType.RECEIPT: 0.2,
            DocumentType.PURCHASE_ORDER: 0.15,
            DocumentType.BANK_STATEMENT: 0.1,
        },
        description="relative weight of each document type",
    )
    locales: dict[str, RelativeWeight] = Field(
        default=dict.fromkeys(LOCALES, 1.0), description="relative weight of each locale"
    )
    tax_regimes: dict[TaxRegime, RelativeWeight] | None = Field(
        default=None,
        description="relative weight of each tax regime, shared among its locales; if absent, only locales count",
    )
    fonts: dict[str, RelativeWeight] = Field(
        default=dict.fromkeys(FONTS, 1.0), description="relative weight of each font family"
    )
    layouts: dict[str, RelativeWeight] = Field(
        default=dict.fromkeys(LAYOUT_FACTS, 1.0),
        description="relative weight of each template family among those of the same document type",
    )
    engines: dict[Engine, RelativeWeight] = Field(
        default={Engine.WEASYPRINT: 0.1, Engine.PLUTOPRINT: 0.9},
        description="relative weight of each layout engine; engines differ slightly in how they set text",
    )
    colours: dict[Colours, RelativeWeight] = Field(
        default={Colours.COLOUR: 0.5, Colours.GREY_PRINT: 0.2, Colours.GREY: 0.3},
        description="relative weight of pages in colour, of black print captured in colour, and of grey pages",
    )
    channels: dict[DocumentType, dict[Channel, RelativeWeight]] = Field(
        default=USUAL_CHANNELS,
        description="relative weight of each way in which documents of a type arrive; it decides which of them are "
        "damaged together, not how many have the damage of a knob",
    )
    resolutions: dict[Resolution, RelativeWeight] | None = Field(
        default=None,
        description="relative weight of each resolution of page images in dots per inch; if absent, all pages have the "
        "one that they are rendered with",
    )
    paper_levels: dict[GreyLevel, RelativeWeight] | None = Field(
        default=None,
        description="relative weight of each brightness of the paper on scans and photographs; 255 if absent",
    )
    ink_levels: dict[GreyLevel, RelativeWeight] | None = Field(
        default=None,
        description="relative weight of each brightness of black print on scans and photographs; 0 if absent",
    )
    paper_warmths: dict[Warmth, RelativeWeight] | None = Field(
        default=None,
        description="relative weight of each cast of the paper on scans and photographs in colour, as red less blue in "
        "levels; 0 if absent",
    )
    stretches: dict[Factor, RelativeWeight] | None = Field(
        default=None,
        description="relative weight of each factor by which fixed-pitch layouts are higher: till letters are narrow",
    )
    line_spacings: dict[Factor, RelativeWeight] | None = Field(
        default=None, description="relative weight of each factor on the vendors' line and row heights; 1 if absent"
    )
    rolls: dict[Literal[58, 80], RelativeWeight] | None = Field(
        default=None,
        description="relative weight of each width of till rolls in millimetres; if absent, it is the vendor's habit",
    )
    knobs: Knobs = Field(default=Knobs(), description="probability of each hard feature")

    @model_validator(mode="after")
    def _check_names(self) -> Recipe:
        for field, weights, allowed in (
            ("locales", self.locales, LOCALES),
            ("fonts", self.fonts, FONTS),
            ("layouts", self.layouts, tuple(LAYOUT_FACTS)),
            ("document_types", self.document_types, tuple(DocumentType)),
            ("engines", self.engines, tuple(Engine)),
            ("colours", self.colours, tuple(Colours)),
        ):
            unknown = sorted(set(map(str, weights)) - set(map(str, allowed)))
            if unknown:
                raise UserError(f"{field}: unknown {', '.join(unknown)}; known are {', '.join(map(str, allowed))}")
            if not any(weights.values()):
                raise UserError(f"{field}: every weight is zero; give at least one a positive weight")
        for field in CAPTURE_FIELDS:
            given = getattr(self, field)
            if given is not None and not any(given.values()):
                raise UserError(f"{field}: every weight is zero; give at least one a positive weight, or leave it out")
        for document_type, weight in self.document_types.items():
            if weight and not any(self.channels.get(document_type, {}).values()):
                raise UserError(
                    f"channels: none with a positive weight for {document_type}; give a weight to one of "
                    f"{', '.join(Channel)}"
                )
        return self

    @model_validator(mode="after")
    def _check_combinations(self) -> Recipe:
        drawn = [locale for locale, weight in self.locales.items() if weight]
        for locale in drawn:
            usable = fonts_for(locale)
            if not any(self.fonts.get(font) for font in usable):
                raise UserError(
                    f"fonts: no font with a positive weight has the letters of {locale}; "
                    f"give a weight to one of {', '.join(usable)}, or remove {locale} from locales"
                )
        for document_type, weight in self.document_types.items():
            layouts = LAYOUTS_BY_TYPE[document_type]
            if weight and not any(self.layouts.get(layout) for layout in layouts):
                raise UserError(
                    f"layouts: no layout with a positive weight is for {document_type}; give a weight to one of "
                    f"{', '.join(layouts)}, or remove {document_type} from document_types"
                )
        if self.tax_regimes is None:
            return self
        for regime, weight in self.tax_regimes.items():
            locales = [locale for locale in LOCALES if LOCALE_FACTS[locale].regime is regime]
            if weight and not set(locales) & set(drawn):
                raise UserError(
                    f"tax_regimes: {regime} applies in {', '.join(locales)}, but locales has "
                    f"{', '.join(drawn)}; give one of the former a weight in locales"
                )
        for locale in drawn:
            regime = LOCALE_FACTS[locale].regime
            if not self.tax_regimes.get(regime):
                raise UserError(
                    f"tax_regimes: {locale} is taxed under {regime}, which has no positive weight; "
                    f"give it one, or remove {locale} from locales"
                )
        return self

    def locale_weights(self) -> dict[str, float]:
        """Return the weight of each locale: its share among those of its tax regime, times the weight of the regime."""
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
