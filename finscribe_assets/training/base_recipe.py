"""What the embedded base has seen, and what it has not: adapters are there to learn the rest.

The demo's recipe draws all of it, so the first report on the base shows these slices as its weak ones. The characters
of French do occur in the random strings of the pretraining (`lines.py`), so that an adapter starts from glyphs that
are not wholly unknown; French words, labels, number formats and the held-out fonts do not.
"""

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


def _with_knobs(*names: str) -> Knobs:
    return BASE_RECIPE.knobs.model_copy(update=dict.fromkeys(names, 1.0))


# What the base is scored on: its own distribution, each thing held out by itself, and all of it together.
SLICES: dict[str, Recipe] = {
    "base": BASE_RECIPE,
    "locale": BASE_RECIPE.model_copy(update={"locales": {HELD_OUT_LOCALE: 1.0}}),
    "fonts": BASE_RECIPE.model_copy(update={"fonts": dict.fromkeys(HELD_OUT_FONTS, 1.0)}),
    "reversed_print": BASE_RECIPE.model_copy(update={"knobs": _with_knobs("reversed_print")}),
    "confusable_identifiers": BASE_RECIPE.model_copy(update={"knobs": _with_knobs("confusable_identifiers")}),
    "all_held_out": Recipe(locales={HELD_OUT_LOCALE: 1.0}, fonts=dict.fromkeys(HELD_OUT_FONTS, 1.0),
                           knobs=_with_knobs(*HELD_OUT_KNOBS)),
}  # fmt: skip
