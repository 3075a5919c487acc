"""Numbers with check digits, checked by independent validators (python-stdnum and schwifty)."""

from random import Random

import pytest
from schwifty import BIC, IBAN
from stdnum.at import uid as austrian
from stdnum.au import abn, acn
from stdnum.ch import uid
from stdnum.ch import vat as swiss
from stdnum.cn import uscc
from stdnum.de import vat as german
from stdnum.ean import is_valid as is_ean
from stdnum.es import nif as spanish
from stdnum.fr import siret
from stdnum.fr import tva as french
from stdnum.gb import vat as british
from stdnum.in_ import gstin
from stdnum.it import iva as italian
from stdnum.jp import cn as japanese
from stdnum.nl import bsn
from stdnum.nl import btw as dutch
from stdnum.pl import nip as polish
from stdnum.pt import nif as portuguese
from stdnum.se import orgnr
from stdnum.se import vat as swedish
from stdnum.us import ein, rtn

from finscribe_assets.documents.articles import draw_article
from finscribe_assets.documents.banking import draw_account
from finscribe_assets.documents.identifiers import GS1_PREFIXES, gtin
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.places import places_of
from finscribe_assets.documents.trades import products_of
from finscribe_assets.documents.vendors import VENDORS_PER_LOCALE, draw_party, vendor

VALIDATORS = {
    "DE": german,
    "AT": austrian,
    "CH": swiss,
    "GB": british,
    "FR": french,
    "ES": spanish,
    "IT": italian,
    "NL": dutch,
    "PL": polish,
    "PT": portuguese,
    "SE": swedish,
    "US": ein,
    "IN": gstin,
    "AU": abn,
    "JP": japanese,
    "CN": uscc,
}
LOCALES = list(LOCALE_FACTS)


@pytest.mark.parametrize("locale", LOCALES)
def test_tax_identifiers_pass(locale):
    country = LOCALE_FACTS[locale].country_code
    for number in range(500):
        value = draw_party(f"test:{number}", locale, with_vat=True).vat_identifier
        if country == "AE":  # only the form is published
            assert value.isdigit() and len(value) == 15 and value.startswith("100")
        else:
            assert VALIDATORS[country].is_valid(value.removeprefix("T") if country == "JP" else value), value


@pytest.mark.parametrize("locale", LOCALES)
def test_accounts_pass(locale):
    facts = LOCALE_FACTS[locale]
    for number in range(200):
        account = draw_account(Random(number), facts.country_code)
        if facts.iban_country:
            # The check digit of Swedish account numbers is not registered, and the validator would warn about it.
            IBAN(account.number, validate_bban=facts.iban_country != "SE")
            assert BIC(account.bic).country_code == facts.country_code
        elif facts.country_code == "US":
            assert rtn.is_valid(account.bic)
        assert account.bank_name


def test_article_numbers_pass():
    assert all(is_ean(gtin(Random(number), country)) for country in GS1_PREFIXES for number in range(60))


# From GS1's list of prefixes, by the country whose organisation gives them out.
PREFIXES = {
    "de_DE": range(400, 441),
    "fr_FR": range(300, 380),
    "it_IT": range(800, 840),
    "ja_JP": (*range(450, 460), *range(490, 500)),
}


@pytest.mark.parametrize("locale", PREFIXES)
def test_most_article_numbers_are_of_makers_in_the_vendors_country(locale):
    numbers = {
        draw_article(Random(seed), seed % 40, locale, product, reserved=False).gtin
        for seed in range(120)
        for product in products_of("bakery")[:3]
    }
    prefixes = [int(number[:3]) for number in numbers]
    domestic = sum(prefix in PREFIXES[locale] for prefix in prefixes) / len(prefixes)
    assert 0.5 < domestic < 0.85
    assert {facts.country_code for facts in LOCALE_FACTS.values()} == GS1_PREFIXES.keys()


# Ranges and single codes of cities that share a region with others, from the postal services' own lists.
CITIES_OF_CODES = {
    ("de_DE", "Berlin"): (10115, 14199),
    ("de_DE", "Essen"): (45127, 45359),
    ("de_DE", "Bochum"): (44787, 44894),
    ("de_DE", "Dortmund"): (44135, 44388),
    ("de_AT", "Wien"): (1010, 1230),
    ("de_AT", "Feldkirch"): (6800, 6800),
    ("de_AT", "Dornbirn"): (6850, 6850),
    ("de_CH", "Rapperswil"): (8640, 8640),
    ("de_CH", "Uster"): (8610, 8610),
    ("de_CH", "Davos"): (7260, 7270),
    ("fr_FR", "Paris"): (75001, 75020),
    ("it_IT", "Milano"): (20121, 20162),
    ("es_ES", "Barcelona"): (8001, 8042),
    ("nl_NL", "Amsterdam"): (1011, 1109),
}


@pytest.mark.parametrize(("locale", "name"), CITIES_OF_CODES)
def test_post_codes_are_those_of_their_city(locale, name):
    places, (least, greatest) = places_of(locale), CITIES_OF_CODES[locale, name]
    for city in [city for city in places.cities if city.name == name]:
        for seed in range(40):
            code = places.draw_post_code(Random(seed), city)
            assert least <= int(code.split()[0]) <= greatest, code


def test_every_post_code_pattern_is_filled_in():
    for locale in LOCALES:
        for city in places_of(locale).cities:
            for seed in range(8):
                code = places_of(locale).draw_post_code(Random(seed), city)
                assert code is None or not set(code) & set("<>#[]'"), code


@pytest.mark.parametrize("locale", LOCALES)
def test_sellers_of_a_locale_have_distinct_names_and_one_country(locale):
    sellers = [vendor(locale, number) for number in range(VENDORS_PER_LOCALE)]
    assert len({seller.party.name for seller in sellers}) == VENDORS_PER_LOCALE
    assert {seller.party.address.country_code for seller in sellers} == {LOCALE_FACTS[locale].country_code}
    assert all(seller.party.contact_email.endswith(".example.com") for seller in sellers)
    assert all(
        "#" not in text and "{" not in text and "%" not in text
        for seller in sellers
        for text in (seller.party.name, seller.party.address.street, seller.party.contact_phone)
    )


# Registration numbers that contain the national number of the company: the field, and its validator.
REGISTERED = {
    "FR": ("tax_registration", siret),
    "IT": ("tax_registration", italian),
    "ES": ("tax_registration", spanish),
    "PT": ("legal_registration", portuguese),
    "SE": ("legal_registration", orgnr),
    "CH": ("legal_registration", uid),
    "AU": ("legal_registration", acn),
    "NL": ("tax_registration", bsn),
    "CN": ("tax_registration", uscc),
}


@pytest.mark.parametrize("locale", [locale for locale in LOCALES if LOCALE_FACTS[locale].country_code in REGISTERED])
def test_the_numbers_of_a_company_agree(locale):
    country = LOCALE_FACTS[locale].country_code
    name, validator = REGISTERED[country]
    for number in range(100):
        party = draw_party(f"register:{number}", locale, with_vat=True)
        written = getattr(party, name)
        assert validator.is_valid(written), written
        digits = "".join(filter(str.isdigit, written))[: 9 if country == "FR" else None]
        assert digits in "".join(filter(str.isdigit, party.vat_identifier))
        if country == "FR":
            assert party.legal_registration.replace(" ", "") == f"RCS{party.address.city}{digits}".replace(" ", "")


def test_an_indian_number_begins_with_the_state_of_its_company():
    codes = {city.name: city.subdivision_code for city in places_of("en_IN").cities}
    for number in range(100):
        party = draw_party(f"state:{number}", "en_IN", with_vat=True)
        assert party.vat_identifier.startswith(codes[party.address.city])
        assert party.tax_registration == party.vat_identifier[2:12]
