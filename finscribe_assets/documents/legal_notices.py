"""What the law of a country, or its custom, puts on bills besides their fields: managers, capital, late payment.

Numbers of registers are fields of the seller and do not belong here.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random

from finscribe_assets.documents.places import places_of
from finscribe_assets.documents.schema import Document, DocumentType
from finscribe_assets.documents.vendors import Vendor

# Countries whose companies must print the number of their register on bills.
REGISTER_COUNTRIES = frozenset({"DE", "AT", "FR", "IT", "ES", "PT", "PL", "NL", "GB"})
NOTICE_CHANCE = 0.8  # of a seller to print what its country asks for
_CAPITALS = (1_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000)
MIN_CAPITAL_FRENCH_SA, MIN_CAPITAL_POLISH = 37_000, 5_000
_COURTS_OF_POLAND = ("m.st. Warszawy w Warszawie", "Kraków-Śródmieście", "Gdańsk-Północ", "Poznań-Nowe Miasto i Wilda")
SPLIT_PAYMENT_ABOVE = 15_000  # złoty: art. 106e of the Polish VAT act
_NOT_ENGLISH = ("Glasgow", "Edinburgh", "Belfast", "Aberdeen")

Notices = tuple[str, ...]


def legal_notices(seller: Vendor, document: Document) -> Notices:
    """Return the notices on a seller's bills. They are the same on all its bills, except for late payment in France.

    Args:
        seller: the seller.
        document: the invoice or credit note.
    """
    random = Random(f"legal:{seller.id}")
    if random.random() >= NOTICE_CHANCE:
        return ()
    write = _NOTICES.get(seller.locale[-2:])
    return write(random, seller, document) if write else ()


def _city(seller: Vendor) -> str:
    return (seller.party.address.city or "") if seller.party.address else ""


def _german(random: Random, seller: Vendor, _: Document) -> Notices:
    return (f"{_managers(random, seller)} · Registergericht: Amtsgericht {_city(seller)}",)


def _austrian(random: Random, seller: Vendor, _: Document) -> Notices:
    court = "Handelsgericht Wien" if _city(seller) == "Wien" else f"Landesgericht {_city(seller)}"
    return (f"Firmenbuchgericht: {court} · {_managers(random, seller)}",)


def _french(random: Random, seller: Vendor, document: Document) -> Notices:
    """Return share capital, and the sentences on late payment of articles L441-9 and D441-5 of the Code de commerce."""
    notices, capital = [], random.choice(_CAPITALS)
    form = next((form for form in ("SARL", "SAS", "SA", "EURL") if form in seller.party.name.split()), None)
    if form:
        capital = max(capital, MIN_CAPITAL_FRENCH_SA) if form == "SA" else capital
        notices.append(f"{form} au capital de {_grouped(capital, ' ')} €")
    if document.document_type is DocumentType.INVOICE:
        discount = "" if document.cash_discount else "Pas d'escompte pour paiement anticipé. "
        notices.append(
            f"{discount}En cas de retard de paiement : pénalités au taux de trois fois le taux d'intérêt légal "
            "et indemnité forfaitaire pour frais de recouvrement de 40 €."
        )
    return tuple(notices)


def _italian(random: Random, seller: Vendor, _: Document) -> Notices:
    capital = _grouped(10 * random.choice(_CAPITALS), ".")
    return (f"Capitale sociale € {capital},00 i.v.",) if seller.party.name.endswith(("S.r.l.", "S.p.A.")) else ()


def _spanish(_: Random, seller: Vendor, __: Document) -> Notices:
    address = seller.party.address
    return (f"Inscrita en el Registro Mercantil de {address.subdivision}",) if address else ()


def _portuguese(random: Random, seller: Vendor, _: Document) -> Notices:
    capital = _grouped(random.choice(_CAPITALS), " ")
    return (
        f"Capital social {capital},00 € · Conservatória do Registo Comercial de {_city(seller)}",
        f"Processado por programa certificado n.º {random.randint(20, 2900)}/AT",
    )


def _polish(random: Random, seller: Vendor, document: Document) -> Notices:
    total = document.totals.total_with_vat if document.totals else Decimal(0)
    is_split = document.currency_code == "PLN" and total > SPLIT_PAYMENT_ABOVE and len(document.vat_breakdown) > 0
    split = ("Mechanizm podzielonej płatności",) if is_split else ()
    if not seller.party.name.endswith(("Sp. z o.o.", "S.A.")):
        return split
    court, capital = random.choice(_COURTS_OF_POLAND), max(random.choice(_CAPITALS), MIN_CAPITAL_POLISH)
    return (
        *split,
        f"Sąd Rejonowy {court}, Wydział Gospodarczy KRS · Kapitał zakładowy: {_grouped(capital, ' ')} zł",
    )


def _british(_: Random, seller: Vendor, __: Document) -> Notices:
    is_registered = seller.party.name.endswith(("Ltd", "Limited", "PLC", "LLP"))
    return ("Registered in England and Wales",) if is_registered and _city(seller) not in _NOT_ENGLISH else ()


def _managers(random: Random, seller: Vendor) -> str:
    """Return who runs a German or Austrian company, under the name that its legal form has for them."""
    places, name = places_of(seller.locale), seller.party.name
    people = [places.write(random, random.choice(places.people)) for _ in range(random.choice((1, 1, 2, 2, 3)))]
    if name.endswith((" AG", " SE")):
        return f"Vorstand: {', '.join(people)}"
    if name.endswith((" KG", " OHG", " OG")) and "GmbH" not in name:
        return f"Persönlich haftende Gesellschafter: {', '.join(people)}"
    if name.endswith(("e.K.", "e.U.")):
        return f"Inhaber: {name[:-5]}"
    return f"Geschäftsführer: {', '.join(people)}"


def _grouped(number: int, separator: str) -> str:
    return f"{number:,}".replace(",", separator)


_NOTICES: dict[str, Callable[[Random, Vendor, Document], Notices]] = {
    "DE": _german,
    "AT": _austrian,
    "FR": _french,
    "IT": _italian,
    "ES": _spanish,
    "PT": _portuguese,
    "PL": _polish,
    "GB": _british,
    "SE": lambda *_: ("Godkänd för F-skatt",),
    "NL": lambda *_: ("Op al onze leveringen zijn onze algemene voorwaarden van toepassing",),
    "IN": lambda _, seller, __: (f"Subject to {_city(seller)} jurisdiction. E. & O.E.",),
    "JP": lambda *_: ("振込手数料は貴社にてご負担願います",),
}
