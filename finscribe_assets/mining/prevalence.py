"""How often documents of a recipe show a knob's feature, or have a locale, a font or another choice."""

from __future__ import annotations

from collections.abc import Mapping

from finscribe_assets.documents.knobs import KNOB_FACTS
from finscribe_assets.documents.layout_families import LAYOUTS_BY_TYPE
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType


def prevalence(recipe: Recipe, factor: str) -> float:
    """Return the share of a recipe's documents that show a factor, in [0, 1]."""
    choice, _, value = factor.partition(":")
    types = _shares({str(name): weight for name, weight in recipe.document_types.items()})
    locales = _shares(recipe.locale_weights())
    if factor in KNOB_FACTS:
        facts = KNOB_FACTS[factor]
        can_act = sum(
            types[document_type] * locales[locale]
            for document_type in types
            for locale in locales
            if facts.applies_to(DocumentType(document_type), LOCALE_FACTS[locale].language)
        )
        return float(getattr(recipe.knobs, factor)) * can_act
    if choice == "layout":
        return sum(
            types.get(str(document_type), 0.0)
            * _shares({name: recipe.layouts.get(name, 0.0) for name in LAYOUTS_BY_TYPE[document_type]}).get(value, 0.0)
            for document_type in DocumentType
        )
    weights: Mapping[str, Mapping[str, float]] = {
        "type": types,
        "locale": locales,
        "font": recipe.fonts,
        "engine": {str(name): weight for name, weight in recipe.engines.items()},
    }
    return _shares(dict(weights[choice])).get(value, 0.0)


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()} if total else dict(weights)
