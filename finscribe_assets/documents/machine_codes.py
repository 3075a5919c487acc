"""What machines read on a page: the text of a payment code and the number below a bar code."""

from __future__ import annotations

from random import Random

from finscribe_assets.documents.schema import Address, Document, Party

MAX_EPC_NAME, MAX_SWISS_NAME, MAX_POLISH_NAME = 70, 70, 20  # characters
BAR_CODE_PREFIXES = ("", "", "9", "00", "JD", "DOC")


def payment_code(document: Document) -> str:
    """Return the text of the QR code that pays a document, in the form that is usual in its country.

    EPC069-12 (the Giro code) for euros to an IBAN, the Swiss QR bill's for francs, the Polish banks' code, UPI in
    India; elsewhere, and where no account is printed, the address of a page for payment.
    """
    if document.totals is None:
        raise ValueError(f"{document.document_number}: a document without totals has no payment code")
    amount, account = document.totals.amount_due, document.payment_account
    name, number = (document.payee or document.seller).name, document.document_number
    reference = document.payment_reference or number
    if account and amount > 0:
        country = account[:2]
        if document.currency_code == "EUR" and country.isalpha():
            bic = document.bank_identifier or ""
            lines = ("BCD", "002", "1", "SCT", bic, name[:MAX_EPC_NAME], account, f"EUR{amount:.2f}", "", "", reference)
            return "\n".join(lines)
        if document.currency_code == "CHF" and country == "CH":
            return _swiss_code(document, account)
        if document.currency_code == "PLN" and country == "PL":
            cents = int(amount * 100)
            return f"||{account[2:]}|{cents:06d}|{name[:MAX_POLISH_NAME]}|{reference[:32]}|||"
    if document.locale == "en_IN":
        handle = "".join(letter for letter in name.lower() if letter.isalpha())[:16]
        return f"upi://pay?pa={handle}@bank.example&pn={name}&am={amount:.2f}&cu={document.currency_code}&tn={number}"
    return f"https://pay.example/{number}?amount={amount}&currency={document.currency_code}"


def _swiss_code(document: Document, account: str) -> str:
    """Return the text of a Swiss QR bill (Swiss Implementation Guidelines QR-bill, version 2.3)."""
    amount = document.totals.amount_due if document.totals else 0
    reference = document.payment_reference or ""
    kind = "QRR" if reference.isdigit() and len(reference) == 27 else "SCOR" if reference.startswith("RF") else "NON"
    creditor, debtor = _swiss_party(document.seller), _swiss_party(document.buyer)
    number, ultimate = document.document_number, ("",) * 7
    header = ("SPC", "0200", "1", account)
    payment = (f"{amount:.2f}", "CHF")
    closing = (kind, reference if kind != "NON" else "", number, "EPD")
    return "\n".join((*header, *creditor, *ultimate, *payment, *debtor, *closing))


def _swiss_party(party: Party | None) -> tuple[str, ...]:
    if party is None or party.address is None:
        return ("",) * 7
    address: Address = party.address
    return (
        "S",
        party.name[:MAX_SWISS_NAME],
        address.street or "",
        "",
        address.post_code or "",
        address.city or "",
        address.country_code,
    )


def draw_bar_code(random: Random) -> str:
    """Draw the text of a bar code: an archive's or carrier's number, which is no field of the document."""
    return random.choice(BAR_CODE_PREFIXES) + "".join(random.choices("0123456789", k=random.randint(8, 16)))
