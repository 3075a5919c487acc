"""Companies: a fixed pool of sellers a locale, each always the same wherever it appears, and buyers at random.

A seller is a function of locale and number alone, so it recurs over batches with its address, its identifiers, its
trade and its way of writing documents: that is what makes a vendor a group that splits must not divide.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from faker import Faker

from finscribe_assets.documents.identifiers import BankAccount, account, vat_identifier
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import Address, Party
from finscribe_assets.documents.words import TRADES

VENDORS_PER_LOCALE = 150


@dataclass(frozen=True)
class Vendor:
    """A seller and its habits."""

    id: str
    locale: str
    party: Party
    bank: BankAccount
    trade: str
    number_prefix: str  # of its invoice numbers
    number_digits: int
    style_seed: int  # what its documents look like


@cache
def _faker(locale: str) -> Faker:
    # Building a Faker costs a hundred times what a draw costs; weighting only slows it.
    return Faker(locale, use_weighting=False)


def draw_party(seed: str, locale: str, *, with_vat: bool) -> Party:
    """Return a company as a function of the seed; names and addresses are the locale's."""
    faker = _faker(locale)
    faker.seed_instance(seed)
    facts = LOCALE_FACTS[locale]
    street = faker.street_address().split("\n")[0]
    return Party(
        name=faker.company(),
        address=Address(street=street, post_code=faker.postcode(), city=faker.city(), country_code=facts.country_code),
        vat_identifier=vat_identifier(Random(f"vat:{seed}"), facts.country_code) if with_vat else None,
    )


@cache
def vendor(locale: str, number: int) -> Vendor:
    """Return seller ``number`` of a locale."""
    seed = f"vendor:{locale}:{number}"
    random = Random(seed)
    return Vendor(
        id=f"{locale}-{number:03d}",
        locale=locale,
        party=draw_party(seed, locale, with_vat=True),
        bank=BankAccount(account(random, LOCALE_FACTS[locale].iban_country), "", ""),
        trade=random.choice(TRADES),
        number_prefix=random.choice(("", "", "INV-", "RE-", "A", "S/", "F-", "2024-", "N")),
        number_digits=random.randint(4, 8),
        style_seed=random.getrandbits(48),
    )
