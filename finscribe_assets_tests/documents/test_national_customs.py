"""What an accountant of the country would strike out does not occur, in many drawn documents."""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from html import escape
from random import Random

import pytest

from finscribe_assets.documents.banking import draw_account
from finscribe_assets.documents.chinese_amounts import amount_in_capitals
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.indian_amounts import rupees_in_words
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.legal_notices import REGISTER_COUNTRIES
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.trades import products_of, trade_table
from finscribe_assets.documents.vendors import vendor
from finscribe_assets.documents.wordings import phrases
from finscribe_assets.evaluation.normalise import ValueContext, canonical_value
from finscribe_assets.rendering.page_html import to_markup

BILLS = (DocumentType.INVOICE, DocumentType.CREDIT_NOTE)


@cache
def documents(locale: str, *types: DocumentType, **knobs: float) -> list[DrawnDocument]:
    return list(each_document(locale, *types, **knobs))


def each_document(locale: str, *types: DocumentType, **knobs: float) -> Iterator[DrawnDocument]:
    recipe = Recipe(
        document_types=dict.fromkeys(types, 1.0), locales={locale: 1.0}, knobs=Knobs().model_copy(update=knobs)
    )
    plan = seed_plan("batch-000", 120, 6, recipe)
    return (draw_document(plan, index) for index in range(120))


def html_of(drawn: DrawnDocument) -> str:
    """Return the text of a document's page, without tags."""
    return re.sub(r"<[^>]*>", "", to_markup(drawn).html.partition("<body>")[2])


def test_swiss_documents_have_no_sharp_s_but_in_names_from_abroad():
    for drawn in documents("de_CH", *BILLS, DocumentType.RECEIPT, DocumentType.BANK_STATEMENT):
        foreign = {text for path, text in drawn.printed.items() if path.startswith(("buyer", "ship_to"))}
        text = html_of(drawn)
        for name in foreign:
            text = text.replace(name, "")
        assert "ß" not in text, drawn.id


def test_swiss_documents_name_no_payment_slip_that_they_lack():
    assert not any("QR" in html_of(drawn) for drawn in documents("de_CH", *BILLS))


def test_australian_bills_show_no_tax_file_number():
    for drawn in documents("en_AU", *BILLS):
        assert drawn.document.seller.tax_registration is None
        assert "TFN" not in html_of(drawn)


def test_indian_floors_have_their_ordinals():
    floors = [
        word
        for drawn in documents("en_IN", *BILLS)
        for word in re.findall(r"(\S+) Floor", drawn.document.seller.address.street)
    ]
    assert floors
    assert set(floors) <= {"1st", "2nd", "3rd", "4th", "5th"}


@pytest.mark.parametrize(
    ("locale", "names"), [("de_DE", ("FRANKREICH", "VEREINIGTE STAATEN")), ("fr_FR", ("ALLEMAGNE",))]
)
def test_addresses_abroad_end_with_the_country_in_the_language_of_the_document(locale, names):
    abroad = 0
    for drawn in documents(locale, *BILLS, tax_exemptions=1.0):
        is_abroad = drawn.document.buyer.address.country_code != locale[-2:]
        abroad += is_abroad
        named = any(name in html_of(drawn) for name in names)
        assert is_abroad or not named, drawn.id
    assert abroad > 20
    assert any(names[0] in html_of(drawn) for drawn in documents(locale, *BILLS, tax_exemptions=1.0))


@pytest.mark.parametrize("locale", LOCALES)
def test_banks_book_on_working_days_and_accounts_are_mostly_in_credit(locale):
    overdrawn = 0
    for drawn in documents(locale, DocumentType.BANK_STATEMENT):
        document = drawn.document
        if (document.period_end - document.period_start).days > 6:
            assert all(entry.entry_date.weekday() < 5 for entry in document.entries)
        assert all(entry.value_date is None or entry.value_date.weekday() < 5 for entry in document.entries)
        balances = [document.statement.opening_balance]
        for entry in document.entries:
            balances.append(balances[-1] + entry.amount)
        overdrawn += min(balances) < 0
    assert overdrawn < 0.2 * 120


@pytest.mark.parametrize("locale", LOCALES)
def test_tax_in_the_accounting_currency_names_the_currency(locale):
    drawn = next(
        drawn
        for drawn in each_document(locale, *BILLS, dual_currency=1.0)
        if drawn.document.totals.total_vat_accounting is not None
    )
    label = drawn.presentation.labels["totals.total_vat_accounting"]
    assert f"{label} {drawn.document.vat_accounting_currency_code}" in html_of(drawn)


def test_german_bills_name_managers_court_and_register_number():
    drawn = documents("de_DE", DocumentType.INVOICE)
    named = [one for one in drawn if any("Amtsgericht" in notice for notice in one.presentation.legal_notices)]
    assert len(named) > 0.6 * len(drawn)
    for one in named:
        name, (notice,) = one.document.seller.name, one.presentation.legal_notices
        assert ("Vorstand" in notice) == name.endswith(" AG")
        assert ("Inhaber" in notice) == name.endswith("e.K.")
        assert "Inhaber" not in notice or name == f"{notice.partition(' · ')[0].removeprefix('Inhaber: ')} e.K."
        assert one.document.seller.address.city in notice


def test_french_invoices_state_penalties_and_the_indemnity_of_forty_euro():
    drawn = documents("fr_FR", DocumentType.INVOICE)
    notices = [" ".join(one.presentation.legal_notices) for one in drawn]
    assert sum("pénalités" in notice and "40 €" in notice for notice in notices) > 0.6 * len(drawn)
    for one, notice in zip(drawn, notices, strict=True):
        assert "Pas d'escompte" not in notice or one.document.cash_discount is None
        assert "capital" not in notice or any(
            form in one.document.seller.name for form in ("SARL", "SAS", "SA", "EURL")
        )


@pytest.mark.parametrize("locale", [locale for locale in LOCALES if locale[-2:] in REGISTER_COUNTRIES])
def test_bills_state_the_register_number_as_a_field(locale):
    assert all("seller.legal_registration" in drawn.printed for drawn in documents(locale, *BILLS))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("6500", "陆仟伍佰圆整"),
        ("1409.50", "壹仟肆佰零玖圆伍角整"),
        ("6007.14", "陆仟零柒圆壹角肆分"),
        ("325.04", "叁佰贰拾伍圆零肆分"),
        ("10000000", "壹仟万圆整"),
        ("200300", "贰拾万零叁佰圆整"),
        ("0.07", "柒分"),
    ],
)
def test_chinese_capital_numerals(amount, text):
    assert amount_in_capitals(Decimal(amount)) == text


def test_chinese_bills_state_the_total_in_capitals():
    in_yuan = [drawn for drawn in documents("zh_CN", *BILLS) if drawn.document.currency_code == "CNY"]
    assert all("价税合计(大写)" in html_of(drawn) and "圆" in html_of(drawn) for drawn in in_yuan)


def test_japanese_addressees_have_their_honorific():
    for drawn in documents("ja_JP", *BILLS):
        assert f"{escape(drawn.document.buyer.name, quote=False)} 御中" in html_of(drawn)
    for drawn in documents("ja_JP", DocumentType.PURCHASE_ORDER):
        assert f"{drawn.document.seller.name} 御中" in html_of(drawn)


def test_discounts_have_the_sign_of_the_page_and_the_value_of_the_schema():
    signs = set()
    for drawn in documents("it_IT", *BILLS, discounts=1.0, sign_styles=0.0):
        for index, allowance in enumerate(drawn.document.allowances):
            path = f"allowances[{index}].amount"
            signs.add("-" in drawn.printed[path])
            context = ValueContext(locale="it_IT", currency=drawn.document.currency_code)
            truth = format(allowance.amount, "f")
            if not drawn.knobs["foreign_separators"] and not drawn.knobs["rare_grouping"]:
                assert canonical_value(path, drawn.printed[path], context) == canonical_value(
                    path, truth, ValueContext(decimal_mark=".")
                )
    assert signs == {True, False}


def test_banks_of_one_region_have_customers_there():
    for locale in ("de_DE", "de_CH", "de_AT", "en_US"):
        for number in range(150):
            seller = vendor(locale, number)
            city, bank = seller.party.address.city, seller.bank.bank_name
            assert "München" not in bank or city == "München"
            assert "Zürcher" not in bank or city in ("Zürich", "Winterthur")
            assert "Lone Star" not in bank or seller.party.address.subdivision == "TX"
    assert {draw_account(Random(n), "DE", "München").bank_name for n in range(60)} >= {"Stadtsparkasse München"}


def test_polish_sole_traders_are_not_in_the_register_of_companies():
    numbers = {"KRS": 0, "EDG": 0}
    for drawn in documents("pl_PL", *BILLS):
        party = drawn.document.seller
        register = party.legal_registration.split(" ")[0]
        assert (register == "KRS") == party.name.endswith(("Sp. z o.o.", "S.A.", "Sp. j.", "Sp. k."))
        numbers[register] += 1
    assert all(numbers.values())


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("195072.88", "Rupees One Lakh Ninety Five Thousand Seventy Two and Eighty Eight Paise Only"),
        ("20000000", "Rupees Two Crore Only"),
        ("1100014.05", "Rupees Eleven Lakh Fourteen and Five Paise Only"),
        ("0.5", "Rupees Zero and Fifty Paise Only"),
        ("-119", "Minus Rupees One Hundred Nineteen Only"),
    ],
)
def test_rupees_in_words_count_lakhs_and_crores(amount, text):
    assert rupees_in_words(Decimal(amount)) == text


def test_services_have_no_serial_number_and_no_warranty():
    for locale in LOCALES:
        services = {*phrases(locale, "service_notes"), *phrases(locale, "service_suffixes")}
        assert len(services) >= 6 and not any("24" in text for text in services)
        assert services.isdisjoint({*phrases(locale, "line_notes")})


@pytest.mark.parametrize("locale", ["en_IN", "de_DE", "ja_JP"])
def test_sales_are_in_the_sellers_currency_unless_a_knob_says_otherwise(locale):
    for drawn in documents(locale, *BILLS, DocumentType.RECEIPT, DocumentType.PURCHASE_ORDER):
        asked = drawn.knobs["dual_currency"] or drawn.knobs["ambiguous_currency"]
        assert (drawn.document.currency_code == LOCALE_FACTS[locale].currency_code) is not bool(asked), drawn.id


def test_only_rupees_are_counted_in_lakhs():
    def grouped_in_twos(drawn):
        return any(re.search(r"\b\d{1,2},\d\d,\d{3}\b", text) for text in drawn.printed.values())

    rupees = documents("en_IN", *BILLS, dual_currency=0.0, ambiguous_currency=0.0, long_amounts=1.0)
    foreign = documents("en_IN", *BILLS, dual_currency=1.0, tax_exemptions=0.0, long_amounts=1.0)
    assert sum(map(grouped_in_twos, rupees)) > 60
    assert all(drawn.document.currency_code != "INR" for drawn in foreign)
    assert not any(map(grouped_in_twos, foreign))
    assert any(re.search(r"\b\d{1,3},\d{3},\d{3}\b", text) for drawn in foreign for text in drawn.printed.values())


@pytest.mark.parametrize("locale", ["en_GB", "de_DE", "ja_JP"])
def test_what_is_eaten_is_not_fitted_and_services_have_no_packaging(locale):
    fitted = phrases(locale, "sub_items")[0]
    kinds = set()
    for drawn in documents(locale, *BILLS, sub_items=1.0):
        number = int(drawn.vendor.rpartition("-")[2])
        trade = vendor(locale, number).trade
        texts = {text for row in drawn.presentation.sub_rows.values() for text in row}
        kinds.add(kind := trade_table()[trade].kind)
        if kind == "service":
            assert texts <= set(phrases(locale, "sub_items.service")), drawn.id
        elif trade in ("bakery", "butcher", "greengrocer", "supermarket"):
            assert fitted not in texts, drawn.id
    assert len(kinds) > 1


def test_a_till_thanks_for_a_purchase_and_not_for_an_order():
    for drawn in documents("de_DE", DocumentType.RECEIPT):
        assert drawn.presentation.remarks[-1] in phrases("de_DE", "thanks.receipt")


def test_what_a_seller_of_other_goods_adds_is_not_sold_by_the_thousand():
    drawn = documents("it_IT", DocumentType.INVOICE, several_rates=1.0, long_amounts=1.0, tax_exemptions=0.0)
    books = {product.nouns["it"] for product in products_of("bookshop") if product.tax_class == "book"}
    quantities = [
        line.quantity
        for one in drawn
        for line in one.document.lines
        if vendor("it_IT", int(one.vendor.rpartition("-")[2])).trade != "bookshop"
        and any(line.item_name.startswith(book) for book in books)
    ]
    assert len(quantities) > 5
    assert max(map(abs, quantities)) < 500
