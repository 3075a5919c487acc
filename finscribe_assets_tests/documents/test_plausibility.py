"""Documents are plausible to a bookkeeper of the country, beyond correct totals."""

import re

import pytest

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.locales import PRICE_LEVELS
from finscribe_assets.documents.places import places_of
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType, VatCategory
from finscribe_assets.documents.vendors import draw_party, vendor
from finscribe_assets.documents.wordings import phrases, wordings


def documents(count, document_type, locales=LOCALES, **knobs):
    recipe = Recipe(
        document_types={document_type: 1.0},
        locales=dict.fromkeys(locales, 1.0),
        knobs=NO_KNOBS.model_copy(update=knobs),
    )
    plan = seed_plan("batch-000", count, 17, recipe)
    return [draw_document(plan, index) for index in range(count)]


def test_an_item_has_one_price_in_a_document():
    repeated = 0
    for drawn in documents(120, DocumentType.INVOICE, repeated_descriptions=1.0, list_prices=1.0):
        prices = {}
        for line in drawn.document.lines:
            price = (line.gross_price, line.net_price)
            assert prices.setdefault(line.item_name, price) == price, drawn.id
        repeated += len(drawn.document.lines) - len(prices)
    assert repeated > 100


def test_an_order_is_worded_from_the_buyers_side():
    for drawn in documents(60, DocumentType.PURCHASE_ORDER, parties_side_by_side=1.0, label_synonyms=1.0):
        locale, labels = drawn.document.locale, drawn.presentation.labels
        assert labels["seller"] in wordings(locale, "seller.purchase_order")
        assert labels["buyer"] in wordings(locale, "buyer.purchase_order")
        assert drawn.presentation.remarks[-1] in phrases(locale, "thanks.purchase_order")


def test_a_year_in_a_document_number_is_that_of_the_issue_date():
    with_years = 0
    for drawn in documents(300, DocumentType.INVOICE):
        for year in re.findall(r"(?<!\d)20[12]\d(?=[-/])", drawn.document.document_number):
            assert int(year) == drawn.document.issue_date.year
            with_years += 1
    assert with_years > 50


def test_statements_are_numbered_by_month_and_their_fees_and_notes_are_plausible():
    counts = {"fee": 0, "cash": 0}
    for drawn in documents(200, DocumentType.BANK_STATEMENT, long_amounts=1.0):
        document = drawn.document
        assert document.document_number == f"{document.issue_date.month}/{document.issue_date.year}"
        level = PRICE_LEVELS[document.currency_code]
        for entry in document.entries:
            if entry.description in phrases(document.locale, "entries.fee"):
                assert -21 * level < entry.amount < 0
                counts["fee"] += 1
            elif entry.description in phrases(document.locale, "entries.cash"):
                assert entry.amount % 10 == 0
                counts["cash"] += 1
    assert min(counts.values()) > 20


def test_registers_and_tax_numbers_fit_the_legal_form():
    legal_forms = set()
    for number in range(150):
        german, spanish = vendor("de_DE", number).party, vendor("es_ES", number).party
        partnership = german.name.endswith(("KG", "OHG", "e.K."))
        assert german.legal_registration.startswith("HRA" if partnership else "HRB"), german.name
        assert spanish.vat_identifier[2] == ("A" if spanish.name.endswith("S.A.") else "B")
        british = vendor("en_GB", number).party
        assert british.legal_registration.startswith("OC") == british.name.endswith("LLP")
        legal_forms.add((partnership, spanish.vat_identifier[2], british.name.endswith("LLP")))
    assert len(legal_forms) > 4


def test_a_chinese_company_has_the_name_and_the_code_of_its_city():
    codes = {city.name: city.subdivision_code for city in places_of("zh_CN").cities}
    for number in range(60):
        party = draw_party(f"city:{number}", "zh_CN", with_vat=True)
        assert party.name.startswith(party.address.city[:2])
        assert party.vat_identifier[2:8] == codes[party.address.city]


@pytest.mark.parametrize("locale", ["ja_JP", "ar_AE"])
def test_exempt_sellers_have_no_tax_identifier(locale):
    sales = documents(80, DocumentType.INVOICE, [locale], tax_exemptions=1.0)
    categories = [(drawn.document, drawn.document.vat_breakdown[0].category) for drawn in sales]
    exempt = [document for document, category in categories if category is VatCategory.EXEMPT]
    assert exempt
    assert all(document.seller.vat_identifier is None for document in exempt)


def test_only_in_india_do_services_have_codes():
    codes = {
        locale: {
            line.classification
            for drawn in documents(150, DocumentType.INVOICE, [locale])
            for line in drawn.document.lines
            if line.classification
        }
        for locale in ("en_IN", "it_IT")
    }
    assert any(code.startswith("99") for code in codes["en_IN"])
    assert any(not code.startswith("99") for code in codes["en_IN"])
    assert codes["it_IT"]
    assert not any(code.startswith("99") for code in codes["it_IT"])
