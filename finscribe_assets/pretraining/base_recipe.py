"""Recipes of the documents that the embedded base is trained on, of those held out from it, and of its scores.

The base is small on purpose, and some things are held out from it, so that adapters have something to learn: a locale,
three font families and two knobs. `EMBEDDED_RECIPE`, from which the demo draws, has a few of them as well. The letters
of French do occur in pretraining, in other languages and in random strings (`line_corpus`); French words, labels and
number formats do not.

Other scripts, strong damage and rows below an item are beyond a model of this size, so neither recipe draws them. Nor
does either draw the fonts and layouts that splits hold out to test readers on (`documents.held_out`).
"""

from __future__ import annotations

from finscribe_assets.documents.channels import Channel, channels_of_all_types
from finscribe_assets.documents.knobs import DAMAGE_KNOBS, MAIL_ROOM_KNOBS, NO_KNOBS, Knobs
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
_CHANNELS = channels_of_all_types(Channel.SCANNED)  # every document has light damage
_TYPES = {
    DocumentType.INVOICE: 0.4,
    DocumentType.CREDIT_NOTE: 0.1,
    DocumentType.RECEIPT: 0.2,
    DocumentType.PURCHASE_ORDER: 0.15,
    DocumentType.BANK_STATEMENT: 0.15,
}
# Rows below an item look like its wrapped description; dates and digits of other scripts have no effect on these
# locales; damage is too strong; codes are no letters.
_UNKNOWN_KNOBS = {
    *UNSEEN_KNOBS,
    *DAMAGE_KNOBS,
    "note_rows",
    "sub_items",
    "merged_headers",
    "very_long_tables",
    "era_dates",
    "native_digits",
    "payment_codes",
    "bar_codes",
    *MAIL_ROOM_KNOBS,
}
_KNOWN_KNOBS = tuple(name for name in Knobs.model_fields if name not in _UNKNOWN_KNOBS)


def _usual(*names: str) -> Knobs:
    """Return the base's knobs, and the named ones, at their usual intensity."""
    known = {name: getattr(Knobs(), name) for name in (*_KNOWN_KNOBS, *names)}
    return NO_KNOBS.model_copy(update=known | {"many_lines": 0.1})


BASE_RECIPE = Recipe(
    document_types=_TYPES,
    locales=dict.fromkeys(_LOCALES, 1.0),
    fonts=dict.fromkeys(_FONTS, 1.0),
    layouts=_LAYOUTS,
    channels=_CHANNELS,
    knobs=_usual(),
)

# Documents for adapters on the embedded base: its own distribution, and each of the things that are held out from it in
# about one document of seventy, as rare things are in a company's mail. So a first batch teaches them hardly at all.
RARE = 0.015  # share of the documents that show one of them


def _with_rare(usual: tuple[str, ...], rare: tuple[str, ...]) -> dict[str, float]:
    """Return weights under which each rare value is drawn at the share RARE."""
    weight = RARE * len(usual) / (1 - RARE * len(rare))
    return dict.fromkeys(usual, 1.0) | dict.fromkeys(rare, round(weight, 4))


EMBEDDED_RECIPE = Recipe(
    document_types=_TYPES,
    locales=_with_rare(_LOCALES, (UNSEEN_LOCALE,)),
    fonts=_with_rare(_FONTS, UNSEEN_FONTS),
    layouts=_LAYOUTS,
    channels=_CHANNELS,
    knobs=_usual().model_copy(update=dict.fromkeys(UNSEEN_KNOBS, RARE)),
)


def _with_knobs(*names: str, **values: float) -> Knobs:
    return BASE_RECIPE.knobs.model_copy(update={**dict.fromkeys(names, 1.0), **values})


MAX_LIGHT_DAMAGE = 0.5  # strength of damage


# What the base is scored on: its own distribution, without damage and with light damage; each held-out thing by itself;
# and all of them together.
SCORED_SLICES: dict[str, Recipe] = {
    "clean": BASE_RECIPE.model_copy(update={"knobs": _with_knobs(degradation=0.0)}),
    "base": BASE_RECIPE,
    "light": BASE_RECIPE.model_copy(update={"knobs": _with_knobs(degradation=MAX_LIGHT_DAMAGE)}),
    "locale": BASE_RECIPE.model_copy(update={"locales": {UNSEEN_LOCALE: 1.0}}),
    "fonts": BASE_RECIPE.model_copy(update={"fonts": dict.fromkeys(UNSEEN_FONTS, 1.0)}),
    "reversed_print": BASE_RECIPE.model_copy(update={"knobs": _with_knobs("reversed_print")}),
    "confusable_identifiers": BASE_RECIPE.model_copy(update={"knobs": _with_knobs("confusable_identifiers")}),
    "all_held_out": Recipe(
        document_types=_TYPES,
        locales={UNSEEN_LOCALE: 1.0},
        fonts=dict.fromkeys(UNSEEN_FONTS, 1.0),
        layouts=_LAYOUTS,
        channels=_CHANNELS,
        knobs=_with_knobs(*UNSEEN_KNOBS),
    ),
}
