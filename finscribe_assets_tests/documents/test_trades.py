"""The tables of trades and products, and the articles that are composed from them."""

import re
from collections import Counter
from random import Random

import pytest

from finscribe_assets.documents.articles import draw_article
from finscribe_assets.documents.coined_words import coin_word, known_names
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.trades import LANGUAGES, TRADES, attribute_patterns, products_of, trade_table
from finscribe_assets.documents.vendors import vendor
from finscribe_assets.documents.wordings import unit_words

DRAWN_OTHERWISE = {"model", "month", "city"}
PRODUCTS = [product for trade in TRADES for product in products_of(trade)]


def test_the_tables_are_complete():
    assert len(TRADES) >= 40
    assert set(LANGUAGES) == {LOCALE_FACTS[locale].language for locale in LOCALES}
    for trade in trade_table().values():
        assert trade.kind in ("goods", "service", "construction"), trade
        assert trade.ending in ("charm", "round", "plain"), trade
        assert max(trade.till, trade.bills, trade.orders) > 0 and trade.basket >= 1 and trade.budget > 0, trade
        assert all(all(words) for words in trade.company_words.values()), trade
        assert len(products_of(trade.name)) >= 5, trade
    for product in PRODUCTS:
        assert product.price > 0, product
        assert re.fullmatch(r"\d{4}", product.code), product
        assert all(product.nouns.values()), product
        for kind in set(product.attributes) - DRAWN_OTHERWISE:
            assert all(attribute_patterns(kind, language) for language in LANGUAGES), (product, kind)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_locale_has_words_for_every_unit(locale):
    units = unit_words(locale)
    assert {product.unit_code for product in PRODUCTS} <= set(units)
    rates = {index for product in PRODUCTS if (index := product.rate(locale))}
    assert rates <= {1, -1}


def test_what_an_article_is_called_it_costs_on_all_documents_of_a_vendor():
    seller = vendor("de_DE", 3)
    articles = {}
    for number in range(400):
        product = products_of(seller.trade)[number % 5]
        article = draw_article(Random(number), seller.style_seed, "de_DE", product, reserved=False)
        identity = (article.price, article.gtin, article.till_name)
        assert articles.setdefault(article.name, identity) == identity
        assert (article.gtin is None) is product.is_service
    assert len(articles) > 40


def documents(count, document_type, **knobs):
    recipe = Recipe(document_types={document_type: 1.0}, knobs=NO_KNOBS.model_copy(update=knobs))
    plan = seed_plan("batch-000", count, 5, recipe)
    return [draw_document(plan, index) for index in range(count)]


def trade_of(drawn):
    locale, _, number = drawn.vendor.rpartition("-")
    return trade_table()[vendor(locale, int(number)).trade]


@pytest.mark.parametrize("document_type", [DocumentType.RECEIPT, DocumentType.INVOICE, DocumentType.PURCHASE_ORDER])
def test_a_document_type_implies_fitting_trades(document_type):
    trades = Counter()
    for drawn in documents(200, document_type):
        trade = trade_of(drawn)
        assert trade.weight(document_type) > 0, drawn.id
        layout_trades = LAYOUT_FACTS[drawn.presentation.layout].trades
        assert not layout_trades or trade.name in layout_trades, drawn.id
        trades[trade.name] += 1
    assert len(trades) > 20
    assert "machinery" not in trades or document_type is not DocumentType.RECEIPT


def test_an_item_has_one_article_number_in_a_document_and_services_have_none():
    repeated = 0
    for drawn in documents(150, DocumentType.INVOICE, repeated_descriptions=1.0):
        numbers = {}
        for line in drawn.document.lines:
            identity = (line.sku, line.gtin)
            assert numbers.setdefault(line.item_name, identity) == identity, drawn.id
            assert line.gtin is None or line.unit_code not in ("HUR", "DAY", "MON"), drawn.id
        repeated += len(drawn.document.lines) - len(numbers)
    assert repeated > 100


def test_nothing_is_named_like_one_of_the_largest_companies():
    assert len(known_names()) > 200
    coined = {coin_word(Random(number), language) for number in range(4000) for language in LANGUAGES}
    assert len(coined) > 6000
    assert not {word.casefold() for word in coined} & known_names()
    names = {vendor(locale, number).party.name for locale in LOCALES for number in range(150)}
    words = {word for name in names for word in re.findall(r"\w+", name.casefold())}
    assert not words & (known_names() - GENERIC)


# Known names that are also words or family names of which companies' names are made.
GENERIC = frozenset({"johnson", "leroy", "braun"})
