"""Recipes of documents for tests."""

from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE, UNSEEN_FONTS, UNSEEN_KNOBS, UNSEEN_LOCALE

# What the embedded base has never seen is rare in its own recipe. Here it is frequent, so that few documents show it.
FREQUENT_RECIPE = EMBEDDED_RECIPE.model_copy(
    update={
        "locales": {**EMBEDDED_RECIPE.locales, UNSEEN_LOCALE: 3.0},
        "fonts": {**EMBEDDED_RECIPE.fonts, **dict.fromkeys(UNSEEN_FONTS, 2.0)},
        "knobs": EMBEDDED_RECIPE.knobs.model_copy(update={name: getattr(Knobs(), name) for name in UNSEEN_KNOBS}),
    }
)
