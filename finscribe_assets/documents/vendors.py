"""Companies: a fixed pool of sellers for each locale, and other companies at random.

A seller depends only on its locale and number, so it recurs in all batches with the same address, identifiers, trade
and habits. For that reason, splits must keep all documents of a vendor together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from finscribe_assets.documents.articles import regional_noun
from finscribe_assets.documents.banking import BankAccount, draw_account
from finscribe_assets.documents.batch_keys import EXAMINATION_KEYS
from finscribe_assets.documents.identifiers import digits, national_number, vat_identifier
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.numbering import invoice_patterns
from finscribe_assets.documents.places import mail_address, places_of
from finscribe_assets.documents.schema import Address, DocumentType, Party
from finscribe_assets.documents.trades import TRADES, trade_table

VENDORS_PER_LOCALE = 150  # sellers that batches draw from
EXAMINATION_VENDORS_PER_LOCALE = 50  # further sellers for each of the keys whose documents examine readers


@dataclass(frozen=True)
class Vendor:
    """A seller."""

    id: str
    locale: str
    party: Party
    bank: BankAccount
    trade: str
    invoice_pattern: str  # of invoice numbers (see `numbering.py`)
    style_seed: int  # seeds everything that its documents have in common


def draw_party(seed: str, locale: str, *, with_vat: bool, trade: str | None = None) -> Party:
    """Draw a company with all its fields.

    Args:
        seed: names the random stream; the same seed gives the same company.
        locale: the company's locale.
        with_vat: whether it has a tax identifier.
        trade: its trade, which its name may tell; any that buys from others if None.
    """
    random, places, country = Random(f"party:{seed}"), places_of(locale), LOCALE_FACTS[locale].country_code
    city = random.choice(places.cities)
    if trade is None:
        trade = random.choice(_BUYING_TRADES)
    words = trade_table()[trade].company_words[locale[:2]]
    name = places.draw_company(random, city, regional_noun(random.choice(words), locale))
    address = Address(
        street=places.draw_street(random),
        post_code=places.draw_post_code(random, city),
        city=city.name,
        subdivision=city.subdivision or None,
        country_code=country,
    )
    tax_number = vat_identifier(random, country, city.subdivision_code, name)
    national = national_number(country, tax_number)
    registrations = [
        places.write_registration(random, random.choice(patterns), city, national) if patterns else None
        for patterns in (places.tax_registrations, places.register_of(name))
    ]
    return Party(
        name=name,
        address=address,
        identifier=digits(random, random.randint(4, 7)),
        vat_identifier=tax_number if with_vat else None,
        tax_registration=registrations[0],
        legal_registration=registrations[1],
        contact_name=places.write(random, random.choice(places.people)),
        contact_phone=places.write(random, random.choice(places.phones)),
        contact_email=mail_address(random, name, locale),
    )


_BUYING_TRADES = tuple(name for name, trade in trade_table().items() if trade.bills)


def _city_and_state(party: Party) -> tuple[str | None, ...]:
    return (party.address.city, party.address.subdivision) if party.address else ()


@cache
def _pool(locale: str) -> tuple[Vendor, ...]:
    """Draw all sellers of a locale, each with a different name."""
    sellers: dict[str, Vendor] = {}
    for number in range(VENDORS_PER_LOCALE + len(EXAMINATION_KEYS) * EXAMINATION_VENDORS_PER_LOCALE):
        seed, attempt = f"vendor:{locale}:{number}", 0
        trade = Random(f"trade:{seed}").choice(TRADES)
        while (party := draw_party(f"{seed}:{attempt}", locale, with_vat=True, trade=trade)).name in sellers:
            attempt += 1
        random = Random(seed)
        sellers[party.name] = Vendor(
            id=f"{locale}-{number:03d}",
            locale=locale,
            party=party,
            bank=draw_account(random, LOCALE_FACTS[locale].country_code, *_city_and_state(party)),
            trade=trade,
            invoice_pattern=random.choice(invoice_patterns(locale)),
            style_seed=random.getrandbits(48),
        )
    return tuple(sellers.values())


def vendor(locale: str, number: int) -> Vendor:
    """Return a seller of a locale by its number (see `vendor_numbers`)."""
    return _pool(locale)[number]


@cache
def weighted_sellers(
    locale: str, document_type: DocumentType, numbers: range, trades: frozenset[str]
) -> tuple[range, tuple[float, ...]]:
    """Return numbers of sellers, and how often each has documents of a type, which depends on its trade.

    Args:
        locale: the sellers' locale.
        document_type: the type of the document.
        numbers: numbers of the sellers that the document may have.
        trades: the only trades that it may have; empty for all.
    """
    sellers = [vendor(locale, number).trade for number in numbers]
    weights = tuple(trade_table()[trade].weight(document_type) * (not trades or trade in trades) for trade in sellers)
    return numbers, weights if any(weights) else (1.0,) * len(numbers)


def vendor_numbers(key: str) -> range:
    """Return the numbers of the sellers that documents of a plan with this key may have.

    Batches share theirs; the probe and the exam each have their own.
    """
    if key not in EXAMINATION_KEYS:
        return range(VENDORS_PER_LOCALE)
    first = VENDORS_PER_LOCALE + EXAMINATION_KEYS.index(key) * EXAMINATION_VENDORS_PER_LOCALE
    return range(first, first + EXAMINATION_VENDORS_PER_LOCALE)


def is_examination_vendor(vendor_id: str) -> bool:
    """Tell whether only documents of the probe or the exam have a seller, given its id such as fr_FR-163."""
    return int(vendor_id.rpartition("-")[2]) >= VENDORS_PER_LOCALE
