"""The payment slip at the foot of an invoice: the Swiss QR bill, and the transfer forms and coupons of other countries.

A slip repeats values of the document: payee, account, amount, reference and payer. It has no values of its own, so
nothing on it is a field. The codes on slips are made in `machine_codes.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from finscribe_assets.documents.addresses import address_lines
from finscribe_assets.documents.drawn_slip import PaymentSlip, SlipForm, SlipText
from finscribe_assets.documents.formats import NumberStyle, group_characters, write_date, write_number
from finscribe_assets.documents.locales import LOCALE_FACTS, minor_unit
from finscribe_assets.documents.machine_codes import (
    MAX_CODE_AMOUNT,
    payment_code,
    plain_reference,
    swiss_code,
    swiss_debtor,
    swiss_reference_type,
)
from finscribe_assets.documents.schema import Document, Party

_TINTS = ("#fbe9e1", "#fdf0d9", "#eef3ea", "#ffffff", "#f2f2f2")  # of forms; orange and red are usual for SEPA


@dataclass(frozen=True)
class SlipWords:
    """The print of a country's form. A field without a caption is not on the form."""

    title: str
    stub: str  # title of the part that the payer keeps
    payee: str
    account: str
    bank: str
    reference: str
    payer: str
    currency: str
    amount: str
    due: str
    blanks: tuple[str, ...]  # captions of boxes that the payer fills in


# The Swiss QR bill's captions are those of the Swiss Implementation Guidelines, annex D.
_SWISS = SlipWords(
    "Zahlteil", "Empfangsschein", "Konto / Zahlbar an", "", "", "Referenz", "Zahlbar durch", "Währung", "Betrag", "", ()
)
_SWISS_MESSAGE, _SWISS_OFFICE = "Zusätzliche Informationen", "Annahmestelle"
_FORMS: Mapping[str, SlipWords] = {
    "de_CH": _SWISS,
    "de_DE": SlipWords(
        "SEPA-Überweisung/Zahlschein",
        "Beleg für Kontoinhaber/Einzahler-Quittung",
        "Angaben zum Zahlungsempfänger: Name, Vorname/Firma",
        "IBAN",
        "BIC des Kreditinstituts",
        "Kunden-Referenznummer - Verwendungszweck",
        "Angaben zum Kontoinhaber/Zahler",
        "Währung",
        "Betrag: Euro, Cent",
        "",
        ("IBAN des Kontoinhabers", "Datum, Unterschrift(en)"),
    ),
    "de_AT": SlipWords(
        "ZAHLUNGSANWEISUNG",
        "AUFTRAGSBESTÄTIGUNG",
        "EmpfängerIn Name/Firma",
        "IBAN EmpfängerIn",
        "BIC (SWIFT-Code) der Empfängerbank",
        "Zahlungsreferenz",
        "KontoinhaberIn/AuftraggeberIn",
        "Währung",
        "Betrag",
        "",
        ("IBAN KontoinhaberIn/AuftraggeberIn", "Unterschrift ZeichnungsberechtigteR"),
    ),
    "en_GB": SlipWords(
        "Bank Giro Credit",
        "Customer's copy",
        "Credit account of",
        "Account number (IBAN)",
        "Sort code / BIC",
        "Reference (customer account no.)",
        "Paid in by",
        "Currency",
        "Amount",
        "Please pay by",
        ("Cashier's stamp and initials", "Signature", "Cash", "Cheques"),
    ),
    "en_US": SlipWords(
        "REMITTANCE COUPON - please detach and return with your payment",
        "Keep for your records",
        "Make checks payable to",
        "Account no.",
        "Routing no.",
        "Invoice no. / memo",
        "Customer",
        "Currency",
        "Amount due",
        "Pay by",
        ("Amount enclosed", "Check no."),
    ),
    "en_AU": SlipWords(
        "Payment slip",
        "Your record",
        "Pay to",
        "Account no.",
        "BSB",
        "Reference",
        "From",
        "Currency",
        "Amount",
        "Payment due",
        ("Date paid", "Receipt no."),
    ),
    "fr_FR": SlipWords(
        "TALON DE PAIEMENT à joindre à votre règlement",
        "Partie à conserver",
        "Bénéficiaire",
        "IBAN",
        "BIC",
        "Référence à rappeler",
        "Débiteur",
        "Devise",
        "Montant à payer",
        "À payer avant le",
        ("Date et signature", "N° de chèque"),
    ),
    "it_IT": SlipWords(
        "BOLLETTINO DI VERSAMENTO",
        "Ricevuta",
        "Intestato a",
        "IBAN",
        "BIC",
        "Causale",
        "Eseguito da",
        "Valuta",
        "Importo",
        "Scadenza",
        ("Bollo dell'ufficio", "Firma"),
    ),
    "nl_NL": SlipWords(
        "OVERSCHRIJVINGSKAART",
        "Controlestrook",
        "Naam begunstigde",
        "IBAN begunstigde",
        "BIC",
        "Betalingskenmerk",
        "Naam opdrachtgever",
        "Valuta",
        "Bedrag",
        "Betalen voor",
        ("IBAN opdrachtgever", "Handtekening"),
    ),
    "pl_PL": SlipWords(
        "POLECENIE PRZELEWU / WPŁATA GOTÓWKOWA",
        "Odcinek dla zleceniodawcy",
        "nazwa odbiorcy",
        "nr rachunku odbiorcy",
        "",
        "tytułem",
        "nazwa zleceniodawcy",
        "waluta",
        "kwota",
        "",
        ("nr rachunku zleceniodawcy", "pieczęć, data i podpis(y) zleceniodawcy", "opłata"),
    ),
    "sv_SE": SlipWords(
        "INBETALNING/GIRERING AVI",
        "Kvitto",
        "Betalningsmottagare",
        "IBAN",
        "BIC",
        "OCR-nummer/meddelande",
        "Inbetalare",
        "Valuta",
        "Belopp",
        "Oss tillhanda senast",
        ("Underskrift vid girering", "Till bankgironr (ifylls alltid)"),
    ),
}


def has_slip(locale: str) -> bool:
    """Return whether sellers of a locale put slips on invoices in their own currency."""
    return locale in _FORMS


def payment_slip(random: Random, document: Document, numbers: NumberStyle, date_pattern: str) -> PaymentSlip | None:
    """Return the slip of an invoice; None if there is nothing to pay, or more than slips have digits for.

    Args:
        random: the stream to draw the form's look from.
        document: the invoice. It has an account to pay to.
        numbers: format of the page's numbers, which transfer forms have too.
        date_pattern: format of the page's dates.

    Raises:
        ValueError: the document has no totals or no account, or its country has no form.
    """
    words, totals, account = _FORMS.get(document.locale), document.totals, document.payment_account
    if words is None or totals is None or account is None:
        raise ValueError(f"{document.document_number}: a slip needs totals, an account and a country with a form")
    if not 0 < totals.amount_due <= MAX_CODE_AMOUNT:
        return None
    if document.locale == "de_CH":
        return _swiss_slip(document, account, totals.amount_due)
    return _transfer_slip(random, words, document, account, totals.amount_due, numbers, date_pattern)


def _party_lines(party: Party, document: Document) -> tuple[str, ...]:
    """Return name and address of a party as slips print them, without the parts that an address lacks."""
    if party.address is None:
        return (party.name or "",)
    values = dict(party.address)
    lines = address_lines(party.address, document.locale)
    texts = ("".join(f"{before}{values.get(name) or ''}{after}" for before, name, after in line) for line in lines)
    return (party.name or "", *(text.strip() for text in texts))


def _payee(document: Document) -> Party:
    """Return who is paid, with the seller's address: a payee is printed without one."""
    payee = document.payee
    return document.seller if payee is None else Party(name=payee.name, address=document.seller.address)


def _swiss_slip(document: Document, account: str, amount: Decimal) -> PaymentSlip:
    """Return the slip of the Swiss Implementation Guidelines QR-bill, version 2.3, section 3."""
    payee = _payee(document)
    texts = [SlipText(caption=_SWISS.payee, lines=(group_characters(account), *_swiss_lines(payee)))]
    reference = document.payment_reference or ""
    if swiss_reference_type(reference) != "NON":
        texts.append(SlipText(caption=_SWISS.reference, lines=(_grouped_reference(reference),)))
    debtor = swiss_debtor(document.buyer)
    payer = SlipText(caption=_SWISS.payer, lines=_swiss_lines(debtor) if debtor else ())
    message = SlipText(caption=_SWISS_MESSAGE, lines=(_message(document),))
    return PaymentSlip(
        form=SlipForm.SWISS,
        title=_SWISS.title,
        stub_title=_SWISS.stub,
        texts=(*texts, message, payer),
        stub_texts=(*texts, payer),
        currency_caption=_SWISS.currency,
        currency=document.currency_code,
        amount_caption=_SWISS.amount,
        amount=f"{amount:,.2f}".replace(",", " "),
        blanks=(_SWISS_OFFICE,),
        code=swiss_code(document, account),
    )


def _swiss_lines(party: Party) -> tuple[str, ...]:
    """Return name, street, and town with its code, and before it that of a country other than Switzerland."""
    address = party.address
    if address is None:
        return (party.name or "",)
    country = "" if address.country_code == "CH" else f"{address.country_code}-"
    town = f"{country}{address.post_code or ''} {address.city or ''}".strip()
    return tuple(line for line in (party.name, address.street, town) if line)


def _message(document: Document) -> str:
    reference = document.payment_reference or ""
    is_free = bool(reference) and swiss_reference_type(reference) == "NON"
    return f"{document.document_number} {reference}" if is_free else document.document_number


def _grouped_reference(reference: str) -> str:
    """Return a reference in groups: of five digits from the end, or of four characters for a creditor reference."""
    plain = plain_reference(reference)
    if plain.startswith("RF"):
        return group_characters(plain)
    return " ".join((plain[:2], *(plain[start : start + 5] for start in range(2, len(plain), 5))))


def _transfer_slip(
    random: Random,
    words: SlipWords,
    document: Document,
    account: str,
    amount: Decimal,
    numbers: NumberStyle,
    date_pattern: str,
) -> PaymentSlip:
    number = group_characters(account) if LOCALE_FACTS[document.locale].iban_country else account
    unit = minor_unit(document.currency_code)
    reference = document.payment_reference or document.document_number
    payee = SlipText(caption=words.payee, lines=_party_lines(_payee(document), document))
    payer: tuple[SlipText, ...] = ()
    if document.buyer:
        payer = (SlipText(caption=words.payer, lines=_party_lines(document.buyer, document)),)
    to_account = SlipText(caption=words.account, lines=(number,))
    to_quote = SlipText(caption=words.reference, lines=(reference,))
    texts = [payee, to_account]
    if words.bank and document.bank_identifier:
        texts.append(SlipText(caption=words.bank, lines=(document.bank_identifier,)))
    texts.append(to_quote)
    if words.due and document.due_date:
        due = write_date(document.due_date, document.locale, date_pattern, numbers.digits)
        texts.append(SlipText(caption=words.due, lines=(due,)))
    code = payment_code(document)
    return PaymentSlip(
        form=SlipForm.TRANSFER,
        title=words.title,
        stub_title=words.stub,
        texts=(*texts, *payer),
        stub_texts=(payee, to_account, to_quote),
        currency_caption=words.currency,
        currency=document.currency_code,
        amount_caption=words.amount,
        amount=write_number(amount, numbers, -int(unit.as_tuple().exponent)),
        blanks=words.blanks,
        code=code if document.locale in ("de_DE", "de_AT", "pl_PL") else "",
        tint=random.choice(_TINTS),
        framed=random.random() < 0.6,
    )
