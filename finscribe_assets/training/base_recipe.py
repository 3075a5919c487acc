"""What the embedded base has seen, and what it has not: adapters are there to learn the rest.

The demo's recipe draws what the base was trained on and what is held out from it, so that the first report on the base
shows these slices as its weak ones. The characters of French do occur in the random strings of the pretraining
(`lines.py`), so that an adapter starts from glyphs that are not wholly unknown; French words, labels, number formats
and the held-out fonts do not. Other countries, bank statements and most knobs are beyond so small a model.
"""

from __future__ import annotations

from finscribe_assets.documents.knobs import NO_KNOBS, Knobs
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType

HELD_OUT_LOCALE = "fr_FR"
HELD_OUT_FONTS = ("EB Garamond", "Courier Prime", "Comic Neue")
HELD_OUT_KNOBS = ("reversed_print", "confusable_identifiers")
_LOCALES = ("en_US", "en_GB", "de_DE")
# The knobs that the base knows, at their usual intensity, besides those held out from it.
_KNOWN_KNOBS = ("label_synonyms", "optional_fields", "long_amounts", "small_print", "ambiguous_dates",
                "two_digit_years", "wrapped_descriptions", "many_lines", "several_rates", "discounts", "prepayments",
                "repeated_totals", "repeated_headers", "degradation")  # fmt: skip
# The template families and fonts that there were when it was trained: those added since are beyond it.
_LAYOUTS = dict.fromkeys(("invoice_classic", "invoice_sidebar", "receipt_till", "receipt_slip", "order_form",
                          "order_letter", "statement_plain", "statement_boxed"), 1.0)  # fmt: skip
_FONTS = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "Liberation Sans", "Liberation Serif", "Liberation Mono",
          "Open Sans", "Roboto", "Carlito", "Caladea", "Lato", "Cantarell", "B612", *HELD_OUT_FONTS)  # fmt: skip
_TYPES = {DocumentType.INVOICE: 0.6, DocumentType.RECEIPT: 0.2, DocumentType.PURCHASE_ORDER: 0.2}


def _usual(*names: str) -> Knobs:
    return NO_KNOBS.model_copy(update={name: getattr(Knobs(), name) for name in names})


BASE_RECIPE = Recipe(
    document_types=_TYPES,
    locales=dict.fromkeys(_LOCALES, 1.0),
    fonts={font: 1.0 for font in _FONTS if font not in HELD_OUT_FONTS},
    layouts=_LAYOUTS,
    knobs=_usual(*_KNOWN_KNOBS).model_copy(update={"many_lines": 0.1}),
)

# What the embedded base can be asked and taught: its own distribution with what is held out from it.
EMBEDDED_RECIPE = Recipe(
    document_types=_TYPES,
    locales=dict.fromkeys((*_LOCALES, HELD_OUT_LOCALE), 1.0),
    fonts=dict.fromkeys(_FONTS, 1.0),
    layouts=_LAYOUTS,
    knobs=_usual(*_KNOWN_KNOBS, *HELD_OUT_KNOBS),
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
    "all_held_out": Recipe(document_types=_TYPES, locales={HELD_OUT_LOCALE: 1.0},
                           fonts=dict.fromkeys(HELD_OUT_FONTS, 1.0), layouts=_LAYOUTS,
                           knobs=_with_knobs(*HELD_OUT_KNOBS)),
}  # fmt: skip
