"""Fonts have the glyphs of all words that documents of their locale are composed of."""

from random import Random

import pytest

from finscribe_assets.documents.coined_words import coin_word
from finscribe_assets.documents.fonts import fonts_for
from finscribe_assets.documents.places import places_of
from finscribe_assets.documents.recipe import LOCALES
from finscribe_assets.documents.trades import TRADES, attribute_patterns, products_of, trade_table
from finscribe_assets.documents.wordings import words_of
from finscribe_assets.rendering.font_faces import FALLBACK_FONT, missing_glyphs


def all_words(locale):
    language = locale[:2]
    places, words = places_of(locale), words_of(locale)
    texts = [*places.streets, *places.companies, *(word for kind in places.words.values() for word in kind)]
    texts += [phrase for phrases in words.phrases.values() for phrase in phrases]
    for trade in TRADES:
        texts += trade_table()[trade].company_words[language]
        for product in products_of(trade):
            texts.append(product.nouns[language])
            for kind in product.attributes:
                texts += attribute_patterns(kind, language, is_american=locale == "en_US")
    return texts


@pytest.mark.parametrize("locale", LOCALES)
def test_fonts_have_the_glyphs_of_words(locale):
    text = "".join(all_words(locale)) + "".join(coin_word(Random(number), locale[:2]) for number in range(300))
    characters = "".join(sorted(set(text) - {"\u200f", "\u200e"}))
    for font in fonts_for(locale):
        missing = missing_glyphs(characters, font)
        assert not missing_glyphs(missing, FALLBACK_FONT), (font, missing)
        assert locale[:2] in ("ar",) or not missing, (font, missing)
