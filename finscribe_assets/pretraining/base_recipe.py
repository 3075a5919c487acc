"""What the embedded base has seen, and what it has not: adapters are there to learn the rest.

The demo's recipe draws what the base was trained on and what is held out from it, so that the first report on the base
shows these slices as its weak ones. The letters of French do occur, in other languages and in the random strings of the
pretraining (`lines.py`); French words, labels and number formats and the held-out fonts do not. Other scripts, strong
damage and rows below an item are beyond so small a model. What the splits hold out to test readers on, but for the
locale, is drawn by neither recipe, so that the base has not seen it either.
"""

from __future__ import annotations

from finscribe_assets.documents.knobs import DAMAGE_KNOBS, NO_KNOBS, Knobs
from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType

UNSEEN_LOCALE = "fr_FR"
UNSEEN_FONTS = ("EB Garamond", "Courier Prime", "Comic Neue")
UNSEEN_KNOBS = ("reversed_print", "confusable_identifiers")
_OTHER_SCRIPTS = ("ja", "zh", "ar")
_LOCALES = tuple(
    locale for locale in LOCALES if locale != UNSEEN_LOCALE and LOCALE_FACTS[locale].language not in _OTHER_SCRIPTS
)
_FONTS = (
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
    "Noto Sans",
    "PT Sans",
    "Inter",
)
_LAYOUTS = {name: 1.0 for name, facts in LAYOUT_FACTS.items() if not facts.held_out}
_TYPES = {
    DocumentType.INVOICE: 0.4,
    DocumentType.CREDIT_NOTE: 0.1,
    DocumentType.RECEIPT: 0.2,
    DocumentType.PURCHASE_ORDER: 0.15,
    DocumentType.BANK_STATEMENT: 0.15,
}
# Rows below an item look like its description gone on; other scripts' dates and digits cannot act; damage is strong.
_UNKNOWN_KNOBS = {
    *UNSEEN_KNOBS,
    *DAMAGE_KNOBS,
    "note_rows",
    "sub_items",
    "merged_headers",
    "very_long_tables",
    "era_dates",
    "native_digits",
}
_KNOWN_KNOBS = tuple(name for name in Knobs.model_fields if name not in _UNKNOWN_KNOBS)


def _usual(*names: str) -> Knobs:
    """Return the knobs that the base knows, at their usual intensity, and some others."""
    known = {name: getattr(Knobs(), name) for name in (*_KNOWN_KNOBS, *names)}
    return NO_KNOBS.model_copy(update=known | {"many_lines": 0.1})


BASE_RECIPE = Recipe(
    document_types=_TYPES,
    locales=dict.fromkeys(_LOCALES, 1.0),
    fonts=dict.fromkeys(_FONTS, 1.0),
    layouts=_LAYOUTS,
    knobs=_usual(),
)

# What the embedded base can be asked and taught: its own distribution with what is held out from it. As with the
# documents of somebody new, nearly half of them have a locale or a font that the base has never seen.
EMBEDDED_RECIPE = Recipe(
    document_types=_TYPES,
    locales=dict.fromkeys(_LOCALES, 1.0) | {UNSEEN_LOCALE: 3.0},
    fonts=dict.fromkeys(_FONTS, 1.0) | dict.fromkeys(UNSEEN_FONTS, 2.0),
    layouts=_LAYOUTS,
    knobs=_usual(*UNSEEN_KNOBS),
)


def _with_knobs(*names: str, **values: float) -> Knobs:
    return BASE_RECIPE.knobs.model_copy(update={**dict.fromkeys(names, 1.0), **values})


LIGHTEST_STRONG = 0.5  # strength of damage that is no longer light


# What the base is scored on: its own distribution without damage and with all light damage, each thing held out by
# itself, and all of it together.
SCORED_SLICES: dict[str, Recipe] = {
    "clean": BASE_RECIPE.model_copy(update={"knobs": _with_knobs(degradation=0.0)}),
    "base": BASE_RECIPE,
    "light": BASE_RECIPE.model_copy(update={"knobs": _with_knobs(degradation=LIGHTEST_STRONG)}),
    "locale": BASE_RECIPE.model_copy(update={"locales": {UNSEEN_LOCALE: 1.0}}),
    "fonts": BASE_RECIPE.model_copy(update={"fonts": dict.fromkeys(UNSEEN_FONTS, 1.0)}),
    "reversed_print": BASE_RECIPE.model_copy(update={"knobs": _with_knobs("reversed_print")}),
    "confusable_identifiers": BASE_RECIPE.model_copy(update={"knobs": _with_knobs("confusable_identifiers")}),
    "all_held_out": Recipe(
        document_types=_TYPES,
        locales={UNSEEN_LOCALE: 1.0},
        fonts=dict.fromkeys(UNSEEN_FONTS, 1.0),
        layouts=_LAYOUTS,
        knobs=_with_knobs(*UNSEEN_KNOBS),
    ),
}
