"""Factors: everything that a recipe can set alone, and the documents on which each can act.

A factor is a value of a choice (``font:EB Garamond``, ``locale:fr_FR``, ``type:receipt``) or a knob, by its bare name
(``reversed_print``). A `Setting` fixes every choice and every knob of a document; what a document then says and looks
like besides is decided by its number alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

from finscribe_assets.documents.channels import Channel, channels_of_all_types
from finscribe_assets.documents.document_outline import EXCLUSIVE_KNOBS
from finscribe_assets.documents.drawn_document import DrawnDocument, Engine
from finscribe_assets.documents.fonts import fonts_for
from finscribe_assets.documents.knobs import KNOB_FACTS, NO_KNOBS, applicable_knobs
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, LAYOUTS_BY_TYPE
from finscribe_assets.documents.locales import LOCALE_FACTS, TaxRegime
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType

# Name of a choice in factors → field of recipes.
CHOICES = {
    "type": "document_types",
    "locale": "locales",
    "layout": "layouts",
    "font": "fonts",
    "engine": "engines",
}
# What plain documents have where a recipe draws it; of other choices its first value.
PREFERRED_LEVELS = {"locale": "en_GB", "engine": str(Engine.PLUTOPRINT)}  # PlutoPrint is the quicker engine
# A plain document has its optional fields: without them little is left to read. Their factor is probed by leaving
# them out.
PLAIN_KNOBS = frozenset({"optional_fields"})
# Knobs that show only beside another one, on the documents named.
COMPANION_KNOBS = {
    "carried_forward": ("several_pages", tuple(DocumentType)),
    "repeated_headers": ("several_pages", tuple(DocumentType)),
    "sign_styles": ("negative_amounts", (DocumentType.CREDIT_NOTE,)),
}
# Knobs that show only on documents of sellers of goods: services have no article numbers.
GOODS_KNOBS = frozenset({"item_bar_codes"})
# Fields of its elements on which a knob acts, where it does not act on all of them: its effect is measured on these.
ACTING_FIELDS = {
    "confusable_identifiers": frozenset(
        {
            "document_number",
            "purchase_order_reference",
            "contract_reference",
            "despatch_reference",
            "buyer_reference",
            "preceding_invoice_reference",
            "payment_reference",
        }
    ),
    "reversed_print": frozenset({"totals.amount_due", "statement.closing_balance"}),
}
# They make documents several pages long, which take several times as long to read.
LONG_FACTORS = frozenset(
    {
        "several_pages",
        "many_lines",
        "very_long_tables",
        "carried_forward",
        "repeated_headers",
        *(f"layout:{name}" for name, facts in LAYOUT_FACTS.items() if facts.is_long or facts.page_rows),
    }
)
# A page-level model cannot be asked for the whole of such documents: they are too long, or printed too small.
BEYOND_WHOLE_EXTRACTION = LONG_FACTORS | {"small_print"}
# Tax is added to prices where two authorities levy it.
_REGIMES_WITHOUT_INCLUSIVE_PRICES = (TaxRegime.US_SALES_TAX, TaxRegime.INDIA_GST)


def _excluded(knob: str) -> frozenset[str]:
    """Return the knobs beside which a knob cannot act, and those that cannot act beside it."""
    beside = [dropped if knob == one else (one,) for one, dropped in EXCLUSIVE_KNOBS if knob in (one, *dropped)]
    return frozenset().union(*beside)


_EXCLUDED = {knob: _excluded(knob) for knob in KNOB_FACTS}


@dataclass(frozen=True, order=True)
class Factor:
    """Something that a recipe can set alone."""

    name: str

    @property
    def choice(self) -> str:
        """Return the choice that the factor is a value of, one of CHOICES; empty for a knob."""
        return self.name.partition(":")[0] if ":" in self.name else ""

    @property
    def value(self) -> str:
        """Return the value of the choice, or the knob's name."""
        return self.name.partition(":")[2] if ":" in self.name else self.name


@dataclass(frozen=True)
class Setting:
    """What a document is drawn with."""

    type: DocumentType
    locale: str
    layout: str
    font: str
    engine: str
    knobs: frozenset[str]  # that are on

    @property
    def is_long(self) -> bool:
        """Tell whether documents take several pages."""
        return f"layout:{self.layout}" in LONG_FACTORS or not LONG_FACTORS.isdisjoint(self.knobs)

    def has(self, factor: Factor) -> bool:
        """Tell whether the setting asks for a factor."""
        return getattr(self, factor.choice) == factor.value if factor.choice else factor.value in self.knobs


def present_factors(drawn: DrawnDocument) -> frozenset[str]:
    """Return the names of the factors that a document was drawn with; a knob that could not act is absent."""
    look = drawn.presentation
    return frozenset(
        {
            f"type:{drawn.document.document_type}",
            f"locale:{drawn.document.locale}",
            f"layout:{look.layout}",
            f"font:{look.font}",
            f"engine:{look.engine}",
            *(name for name, strength in drawn.knobs.items() if strength > 0),
        }
    )


class FactorSpace:
    """The factors of a recipe, and the settings that are made of them."""

    def __init__(self, recipe: Recipe) -> None:
        """Take the values and knobs that the recipe can draw."""
        self.recipe = recipe
        self.levels: dict[str, tuple[str, ...]] = {
            choice: tuple(str(level) for level, weight in getattr(recipe, field).items() if weight)
            for choice, field in CHOICES.items()
        }
        self.knobs = tuple(name for name, intensity in recipe.knobs if intensity)
        self.plain_knobs = PLAIN_KNOBS & set(self.knobs)
        self.can_act = cache(self._can_act)
        self.fonts_of = cache(self._fonts_of)

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """Return every factor that some document of the recipe can show beside one without it."""
        return tuple(factor for factor in self._all() if any(self.can_act(factor, one) for one in self.types))

    def _all(self) -> Iterator[Factor]:
        for choice, levels in self.levels.items():
            if len(levels) > 1:
                yield from (Factor(f"{choice}:{level}") for level in levels)
        yield from map(Factor, self.knobs)

    @property
    def types(self) -> tuple[DocumentType, ...]:
        """Return the document types that the recipe draws."""
        return tuple(map(DocumentType, self.levels["type"]))

    def plain_level(self, choice: str) -> str:
        """Return the value of a choice that plain documents have, whatever their type and locale."""
        levels = self.levels[choice]
        return PREFERRED_LEVELS[choice] if PREFERRED_LEVELS.get(choice) in levels else levels[0]

    def layouts_of(self, document_type: DocumentType) -> tuple[str, ...]:
        """Return the layouts that the recipe draws for a document type, the plain one first."""
        return tuple(layout for layout in LAYOUTS_BY_TYPE[document_type] if layout in self.levels["layout"])

    def _fonts_of(self, locale: str) -> tuple[str, ...]:
        """Return the fonts that the recipe draws and that have a locale's letters, the plain one first."""
        return tuple(font for font in self.levels["font"] if font in fonts_for(locale))

    def _can_act(self, factor: Factor, document_type: DocumentType, locale: str | None = None) -> bool:
        """Tell whether documents of a type, and of a locale where it is given, can be drawn with and without a factor.

        Without a locale: whether those of some locale of the recipe can.
        """
        if locale is None:
            return any(self.can_act(factor, document_type, one) for one in self.levels["locale"])
        if factor.choice == "layout":
            layouts = self.layouts_of(document_type)
            return factor.value in layouts and len(layouts) > 1
        if factor.choice == "font":
            fonts = self.fonts_of(locale)
            return factor.value in fonts and len(fonts) > 1
        if factor.choice:
            return True
        facts = LOCALE_FACTS[locale]
        if factor.value == "tax_inclusive_prices" and facts.regime in _REGIMES_WITHOUT_INCLUSIVE_PRICES:
            return False
        companion = self.companion(factor, document_type)
        return factor.value in applicable_knobs(document_type, facts.language) and (
            companion is None or companion in applicable_knobs(document_type, facts.language)
        )

    def companion(self, factor: Factor, document_type: DocumentType) -> str | None:
        """Return the knob without which a factor does not show on a document type."""
        knob, types = COMPANION_KNOBS.get(factor.value, (None, ()))
        return knob if document_type in types else None

    def plain(self, document_type: DocumentType, locale: str | None = None) -> Setting:
        """Return the setting of plain documents of a type."""
        locale = locale or self.plain_level("locale")
        return Setting(
            document_type,
            locale,
            self.layouts_of(document_type)[0],
            self.fonts_of(locale)[0],
            self.plain_level("engine"),
            self.plain_knobs,
        )

    def with_factor(self, setting: Setting, factor: Factor) -> Setting:
        """Return a setting with a factor on; what cannot stand beside it gets its plain value."""
        if not factor.choice:
            return replace(setting, knobs=setting.knobs | {factor.value})
        if factor.choice == "type":
            kind = DocumentType(factor.value)
            return replace(setting, type=kind, layout=self.layouts_of(kind)[0])
        changed: dict[str, Any] = {factor.choice: factor.value}
        if factor.choice == "locale" and setting.font not in self.fonts_of(factor.value):
            changed["font"] = self.fonts_of(factor.value)[0]
        return replace(setting, **changed)

    def plain_for(self, factor: Factor, document_type: DocumentType) -> Setting:
        """Return the plain setting of a type on which a factor can act, with the knob that it shows beside."""
        locales = (self.plain_level("locale"), *self.levels["locale"])
        locale = next(one for one in locales if self.can_act(factor, document_type, one))
        plain = self.plain(document_type, locale)
        companion = self.companion(factor, document_type)
        return replace(plain, knobs=plain.knobs | {companion}) if companion else plain

    def changed(self, plain: Setting, factor: Factor) -> Setting:
        """Return a plain setting with a factor changed: on, or where it is on already, off or another of its choice."""
        if not plain.has(factor):
            return self.with_factor(plain, factor)
        if not factor.choice:
            return replace(plain, knobs=plain.knobs - {factor.value})
        levels = {"layout": self.layouts_of(plain.type), "font": self.fonts_of(plain.locale)}
        others = levels.get(factor.choice, self.levels[factor.choice])
        return self.with_factor(plain, Factor(f"{factor.choice}:{next(one for one in others if one != factor.value)}"))

    def excludes(self, knob: str, others: Set[str]) -> bool:
        """Tell whether a knob and one of the others cannot both act on a document."""
        return not _EXCLUDED.get(knob, frozenset()).isdisjoint(others)

    def recipe_of(self, setting: Setting) -> Recipe:
        """Return the recipe that draws nothing but a setting; degradation is as strong as the whole recipe has it."""
        knobs = dict.fromkeys(setting.knobs, 1.0)
        if "degradation" in knobs:
            knobs["degradation"] = self.recipe.knobs.degradation
        return Recipe(
            document_types={setting.type: 1.0},
            locales={setting.locale: 1.0},
            layouts={setting.layout: 1.0},
            fonts={setting.font: 1.0},
            engines={Engine(setting.engine): 1.0},
            channels=channels_of_all_types(Channel.SCANNED),  # so that any damage can act, and degradation always does
            knobs=NO_KNOBS.model_copy(update=knobs),
        )


def factor_elements(factor: Factor) -> frozenset[str]:
    """Return the elements that a knob is made to make harder; none are known of a value of a choice."""
    facts = KNOB_FACTS.get(factor.value)
    return frozenset(map(str, facts.elements)) if facts else frozenset()
