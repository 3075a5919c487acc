"""What machines read on a page: the text of a payment code and the number below a bar code."""

from __future__ import annotations

import base64
import re
from decimal import Decimal
from random import Random

from finscribe_assets.documents.schema import Document, Party

# Lengths in characters: EPC069-12, section 3; Swiss Implementation Guidelines, section 4.2.2; the Polish Bank
# Association's recommendation on 2D codes.
MAX_EPC_NAME, MAX_EPC_TEXT, MAX_EPC_REFERENCE = 70, 140, 35
MAX_SWISS_NAME, MAX_SWISS_STREET, MAX_SWISS_TOWN, MAX_SWISS_NUMBER = 70, 70, 35, 16
MAX_POLISH_NAME, MAX_POLISH_TITLE = 20, 32
MAX_CODE_AMOUNT = Decimal("999999999.99")  # of EPC and Swiss codes
BAR_CODE_PREFIXES = ("", "", "9", "00", "JD", "DOC")
# Basic Latin, Latin-1 Supplement, Latin Extended-A, and the letters and the euro sign that the guidelines add.
_NOT_SWISS = re.compile("[^\u0020-\u007e\u00a0-\u017fȘșȚț€]")
_HOUSE_NUMBER = re.compile(r"(?P<street>.*\D)\s+(?P<number>\d+\s?[a-zA-Z]?)")
# Tags of the Saudi tax authority's code (ZATCA, security features of e-invoices, section 4): seller, tax number, time,
# total with tax, and tax.
_ZATCA_TAGS = (1, 2, 3, 4, 5)


def payment_code(document: Document) -> str:
    """Return the text of the QR code that pays a document, in the form that is usual in its country.

    EPC069-12 (the Giro code) for euros to an IBAN, the Swiss QR bill's to a Swiss account, the Polish banks' code, UPI
    in India, the code of tax invoices in Arabic; elsewhere, and where no account is printed, the address of a page for
    payment.
    """
    if document.totals is None:
        raise ValueError(f"{document.document_number}: a document without totals has no payment code")
    amount, account = document.totals.amount_due, document.payment_account
    name, number = (document.payee or document.seller).name or "", document.document_number
    reference = document.payment_reference or number
    if account and 0 < amount <= MAX_CODE_AMOUNT:
        country = account[:2]
        if country == "CH" and document.currency_code in ("CHF", "EUR") and document.locale.endswith("CH"):
            return swiss_code(document, account)
        if document.currency_code == "EUR" and country.isalpha():
            return _epc_code(name, account, document.bank_identifier or "", amount, reference)
        if document.currency_code == "PLN" and country == "PL":
            cents = int(amount * 100)
            return f"||{account[2:]}|{cents:06d}|{name[:MAX_POLISH_NAME]}|{reference[:MAX_POLISH_TITLE]}|||"
    if document.locale == "en_IN":
        handle = "".join(letter for letter in name.lower() if letter.isalpha())[:16]
        return f"upi://pay?pa={handle}@bank.example&pn={name}&am={amount:.2f}&cu={document.currency_code}&tn={number}"
    if document.locale.startswith("ar") and document.seller.vat_identifier:
        return _tax_invoice_code(document, document.seller.vat_identifier)
    return f"https://pay.example/{number}?amount={amount}&currency={document.currency_code}"


def _epc_code(name: str, account: str, bic: str, amount: Decimal, reference: str) -> str:
    """Return the text of a Giro code: EPC069-12, version 002, in UTF-8. A creditor reference has an element of its own.

    The lines are service tag, version, character set, identification, BIC, name, account, amount, purpose, structured
    reference and text; those at the end that are empty are left out.
    """
    plain = plain_reference(reference)
    remittance = (plain,) if is_creditor_reference(plain) else ("", reference[:MAX_EPC_TEXT])
    header = ("BCD", "002", "1", "SCT", bic, name[:MAX_EPC_NAME], account, f"EUR{amount:.2f}", "")
    return "\n".join((*header, *remittance))


def plain_reference(reference: str) -> str:
    """Return a payment reference without the spaces between its groups."""
    return "".join(reference.split())


def is_creditor_reference(plain: str) -> bool:
    """Return whether a reference is one of ISO 11649, with valid check digits."""
    if not (plain.startswith("RF") and plain.isalnum() and plain.isascii() and 5 <= len(plain) <= 25):
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def is_qr_reference(plain: str) -> bool:
    """Return whether a reference has the 27 digits of a Swiss QR reference."""
    return plain.isdigit() and plain.isascii() and len(plain) == 27


def swiss_reference_type(reference: str) -> str:
    """Return the type of a reference on a Swiss bill: QRR, SCOR, or NON for one that is neither or missing."""
    plain = plain_reference(reference)
    return "QRR" if is_qr_reference(plain) else "SCOR" if is_creditor_reference(plain) else "NON"


def swiss_code(document: Document, account: str) -> str:
    """Return the text of a Swiss QR bill (Swiss Implementation Guidelines QR-bill, version 2.3, section 4.2.2)."""
    amount = document.totals.amount_due if document.totals else 0
    reference = document.payment_reference or ""
    kind = swiss_reference_type(reference)
    payee = Party(name=(document.payee or document.seller).name, address=document.seller.address)
    debtor, number = swiss_debtor(document.buyer), document.document_number
    message = f"{number} {reference}".strip() if kind == "NON" else number
    header, ultimate = ("SPC", "0200", "1", account), ("",) * 7
    payment = (f"{amount:.2f}", document.currency_code)
    closing = (kind, plain_reference(reference) if kind != "NON" else "", message, "EPD")
    creditor, debtor_lines = _swiss_party(payee), _swiss_party(debtor) if debtor else ("",) * 7
    return "\n".join((*header, *creditor, *ultimate, *payment, *debtor_lines, *closing))


def swiss_debtor(party: Party | None) -> Party | None:
    """Return a buyer if a Swiss bill can name it: with an address, in letters of the code's character set."""
    if party is None or party.address is None:
        return None
    return None if _NOT_SWISS.search("".join(_swiss_party(party))) else party


def _swiss_party(party: Party) -> tuple[str, ...]:
    """Return the lines of a structured address: type, name, street, number, post code, town and country."""
    address = party.address
    if address is None:
        raise ValueError(f"{party.name}: a party on a Swiss bill needs an address")
    split = _HOUSE_NUMBER.fullmatch(address.street or "")
    street, number = (split["street"], split["number"]) if split else (address.street or "", "")
    town = (address.city or "")[:MAX_SWISS_TOWN]
    name, number = (party.name or "")[:MAX_SWISS_NAME], number[:MAX_SWISS_NUMBER]
    return ("S", name, street[:MAX_SWISS_STREET], number, address.post_code or "", town, address.country_code)


def _tax_invoice_code(document: Document, tax_number: str) -> str:
    """Return the text of the code on Arabic tax invoices: tag, length and value of five facts, in base 64."""
    totals = document.totals
    if totals is None:
        raise ValueError(f"{document.document_number}: a document without totals has no payment code")
    time = f"{document.issue_date.isoformat()}T{document.issue_time or '00:00:00'}Z"
    tax = totals.total_vat or Decimal(0)
    values = (document.seller.name or "", tax_number, time, f"{totals.total_with_vat:.2f}", f"{tax:.2f}")
    encoded = [value.encode() for value in values]
    return base64.b64encode(
        b"".join(bytes((tag, len(value))) + value for tag, value in zip(_ZATCA_TAGS, encoded, strict=True))
    ).decode()


def draw_bar_code(random: Random) -> str:
    """Draw the text of a bar code: an archive's or carrier's number, which is no field of the document."""
    return random.choice(BAR_CODE_PREFIXES) + "".join(random.choices("0123456789", k=random.randint(8, 16)))
