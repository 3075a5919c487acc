"""Language, country, currency and decimal mark of a document's words."""

from __future__ import annotations

import pytest

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.measuring.text_measures import measure_text


def _text(locale: str, index: int, document_type: str = "invoice") -> str:
    recipe = Recipe(document_types={document_type: 1}, locales={locale: 1})
    drawn = draw_document(seed_plan("batch-000", 6, 3, recipe), index)
    return "\n".join([*drawn.presentation.labels.values(), *drawn.printed.values()])


@pytest.mark.parametrize("locale", LOCALES)
def test_the_language_of_most_documents_is_known(locale: str) -> None:
    found = [measure_text(_text(locale, index)).language for index in range(6)]
    assert found.count(LOCALE_FACTS[locale].language) >= 5


def test_a_german_receipt() -> None:
    text = (
        "ALDI\n33100 Paderborn\nBIO HONIG 3,29 C\nZU ZAHLEN EURO 24,23\nBARGELD 40,00\nZURÜCK 15,77\nMWST Netto\n"
        "Vielen Dank für Ihren Einkauf"
    )
    found = measure_text(text)
    assert (found.language, found.locale, found.currency, found.decimal_mark) == ("de", "de_DE", "EUR", ",")
    assert found.document_type == "receipt"


def test_the_country_is_that_of_identifiers_and_currency() -> None:
    swiss = "Rechnung\nRechnungsnummer 17\nZahlbar bis\nTotal CHF 1'200.50\nIBAN CH93 0076 2011 6238 5295 7"
    assert measure_text(swiss).locale == "de_CH"


@pytest.mark.parametrize("text", ["", "12345", "☃☃☃", "x"])
def test_texts_that_say_nothing_determine_nothing(text: str) -> None:
    found = measure_text(text)
    assert (found.language, found.locale, found.document_type, found.currency) == (None, None, None, None)
