"""What the embedded base has seen, and what it has not: adapters are there to learn the rest."""

from __future__ import annotations

from finscribe_assets.documents.recipe import FONTS, LOCALES, Knobs, Recipe

HELD_OUT_LOCALE = "fr_FR"
HELD_OUT_FONTS = ("EB Garamond", "Courier Prime", "Comic Neue")
HELD_OUT_KNOBS = ("reversed_print", "confusable_identifiers")

BASE_RECIPE = Recipe(
    locales={locale: 1.0 for locale in LOCALES if locale != HELD_OUT_LOCALE},
    fonts={font: 1.0 for font in FONTS if font not in HELD_OUT_FONTS},
    knobs=Knobs(**dict.fromkeys(HELD_OUT_KNOBS, 0.0), many_lines=0.1, degradation=0.3),
)
