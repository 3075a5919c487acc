"""Numbers of documents and references, in the formats of countries and their software.

In a pattern, each # stands for a digit of the number, {yyyy}, {yy}, {mm} and {dd} for parts of the date, and {next} for
the two digits of the following year, as Indian financial years are written.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from random import Random

from finscribe_assets.documents.identifiers import digits, luhn, weighted_sum
from finscribe_assets.documents.schema import DocumentType

LOOK_ALIKE_CHARACTERS = "0O1I5S8B2Z"
_DIGITS = re.compile("#+")

_COMMON_INVOICES = (
    "######",
    "#####",
    "INV-#####",
    "{yyyy}-#####",
    "{yyyy}####",
    "{yy}-####",
    "{yyyy}/####",
    "9#######",
)
# Numbers of invoices by language, as programs for bookkeeping of the country count them.
_INVOICES: Mapping[str, tuple[str, ...]] = {
    "en": ("INV-####", "INV-00####", "SI-#####", "INV{yy}####", "IN######", "{yy}/####", "A####", "INV/{yyyy}/####"),
    "en_IN": ("INV/{yy}-{next}/####", "GST/{yy}-{next}/###", "{yy}-{next}/####", "TI/####/{yy}-{next}", "INV-####"),
    "de": (
        "RE{yy}#####",
        "RE-{yyyy}-####",
        "R-{yyyy}-#####",
        "RG{yyyy}####",
        "{yyyy}/#####",
        "AR-{yyyy}-####",
        "RE #####",
    ),
    "fr": ("F{yyyy}-####", "FA{yy}{mm}####", "FAC-{yyyy}-####", "FC######", "{yyyy}{mm}-###", "FACT/{yyyy}/#####"),
    "es": ("F{yy}/####", "FV-{yyyy}-#####", "{yyyy}/A/####", "FRA-#####", "A{yy}-####", "FAC/{yyyy}/####"),
    "it": ("####/{yyyy}", "FPR ###/{yy}", "###/A", "{yyyy}/####", "FT-{yyyy}-####", "##/PA", "V1/####"),
    "nl": ("{yyyy}####", "F{yyyy}-####", "VF-{yy}#####", "{yy}7####", "V{yyyy}#####"),
    "pl": (
        "FV/{yyyy}/{mm}/##",
        "FV ###/{mm}/{yyyy}",
        "FS ####/{yyyy}",
        "F/####/{mm}/{yy}",
        "##/{mm}/{yyyy}",
        "FA/###/{yyyy}",
    ),
    "pt": ("FT {yyyy}/####", "FT A/####", "FAC A{yyyy}/####", "FT 1/####", "FT {yyyy}A{yy}/###"),
    "sv": ("#####", "{yyyy}####", "F-#####", "F{yy}####", "1####", "K#######"),
    "ja": ("{yyyy}{mm}-####", "INV{yyyy}{mm}-##", "S{yy}{mm}###", "No.#####", "{yyyy}-#####", "T-######"),
    "zh": ("########", "{yyyy}{mm}{dd}####", "XS-{yyyy}{mm}-####", "FP{yyyy}####", "NO.#######"),
    "ar": ("INV-####", "INV/{yyyy}/#####", "SI-#####", "{yyyy}-####", "TAX-INV-####"),
}
# What replaces the letters of an invoice's number on credit notes.
_CREDIT_PREFIXES = {"de": "GS", "fr": "AV", "es": "AB", "it": "NC", "pl": "FK", "pt": "NC", "sv": "KR"}
_RECEIPTS = (
    "####",
    "######",
    "## #### ##",
    "####-##-####",
    "#/####",
    "T##-#####",
    "{yy}{mm}{dd}-####",
    "########",
    "##/####",
)
_COMMON_ORDERS = ("PO-#####", "PO######", "45########", "{yy}-####", "#######")
_ORDERS: Mapping[str, tuple[str, ...]] = {
    "en": ("P/O ####", "PO{yy}-####", "ORD-#####", "SO#####"),
    "de": ("BE-#####", "B-{yyyy}-####", "Best. ####", "{yy}/B/####", "BNR ######"),
    "fr": ("BC-#####", "CDE{yy}-####", "CF#####", "BDC {yyyy}-###"),
    "es": ("PED-####", "PC{yy}/####", "OC-#####", "P{yyyy}-####"),
    "it": ("ODA-####", "ORD. ###/{yy}", "OA{yy}-####", "####/OF"),
    "nl": ("INK-#####", "IO{yy}####", "BO-####", "O{yyyy}###"),
    "pl": ("ZAM/###/{mm}/{yyyy}", "ZD ####/{yyyy}", "Z/####/{yy}", "ZK ###/{yyyy}"),
    "pt": ("ENC-####", "NE {yyyy}/####", "EC#####", "ECF {yyyy}/###"),
    "sv": ("IO-#####", "BE#####", "O{yy}-####"),
    "ja": ("H{yy}{mm}-###", "CHU-#####", "{yyyy}{mm}##"),
    "zh": ("CG{yyyy}{mm}{dd}##", "DD######", "CGDD-{yyyy}-###"),
    "ar": ("LPO-####", "PO/{yyyy}/###", "LPO ####"),
}
_CONTRACTS = ("C-#####", "K{yyyy}-###", "RV-{yy}-####", "###/{yyyy}", "CT#####", "FA-####", "{yyyy}/###", "V ######")
_DESPATCHES = (
    "#######",
    "LS-#####",
    "DN{yy}####",
    "80######",
    "L{yyyy}-####",
    "WZ/###/{mm}/{yyyy}",
    "DEL-####",
    "{yy}#####",
)
_BUYER_REFERENCES = (
    "######",
    "KST ####",
    "CC-####",
    "####/##",
    "{yyyy}-@@",
    "@@/####",
    "@@ {mm}/{yy}",
    "P####-@",
    "8##-####",
)
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def draw_code(random: Random, length: int, knobs: Mapping[str, float]) -> str:
    """Draw ``length`` digits, or look-alike characters if the knob asks for them."""
    alphabet = LOOK_ALIKE_CHARACTERS if knobs["confusable_identifiers"] else "0123456789"
    return "".join(random.choice(alphabet) for _ in range(length))


def fill_number(random: Random, pattern: str, day: dt.date, knobs: Mapping[str, float]) -> str:
    """Fill in the pattern of a number for a date."""
    following = f"{(day.year + 1) % 100:02d}"
    dated = pattern.format(yyyy=day.year, yy=f"{day:%y}", next=following, mm=f"{day:%m}", dd=f"{day:%d}")
    lettered = re.sub("@", lambda _: random.choice(_LETTERS), dated)
    return _DIGITS.sub(lambda match: draw_code(random, len(match[0]), knobs), lettered)


def invoice_patterns(locale: str) -> tuple[str, ...]:
    """Return the patterns of invoice numbers of a locale. Those of its language are more common than the others."""
    own = _INVOICES.get(locale) or _INVOICES[locale[:2]]
    return (*own, *own, *_COMMON_INVOICES)


def number_pattern(invoice_pattern: str, locale: str, document_type: DocumentType, style_seed: int) -> str:
    """Return the pattern of a vendor's documents of a type, which depends on that of its invoices."""
    random = Random(f"numbers:{style_seed}:{document_type}")
    match document_type:
        case DocumentType.RECEIPT:
            return random.choice(_RECEIPTS)
        case DocumentType.PURCHASE_ORDER:
            return random.choice(_order_patterns(locale))
        case DocumentType.CREDIT_NOTE:
            return re.sub(r"^[A-Z-]*[A-Z]", _CREDIT_PREFIXES.get(locale[:2], "CN"), invoice_pattern)
        case _:
            return invoice_pattern


def _order_patterns(locale: str) -> tuple[str, ...]:
    own = _ORDERS[locale[:2]]
    return (*own, *own, *_COMMON_ORDERS)


def draw_order_number(random: Random, locale: str, day: dt.date, knobs: Mapping[str, float]) -> str:
    """Draw the number of a buyer's order."""
    return fill_number(random, random.choice(_order_patterns(locale)), day, knobs)


def draw_contract_number(random: Random, day: dt.date, knobs: Mapping[str, float]) -> str:
    """Draw the number of a contract that was signed some years before a day."""
    signed = day - dt.timedelta(days=random.randint(30, 1200))
    return fill_number(random, random.choice(_CONTRACTS), signed, knobs)


def draw_despatch_number(random: Random, day: dt.date, knobs: Mapping[str, float]) -> str:
    """Draw the number of a delivery note."""
    return fill_number(random, random.choice(_DESPATCHES), day, knobs)


def draw_buyer_reference(random: Random, day: dt.date, knobs: Mapping[str, float]) -> str:
    """Draw a reference of the buyer, such as a cost centre."""
    return fill_number(random, random.choice(_BUYER_REFERENCES), day, knobs)


# Payment references. They have check digits, so there are none of look-alike characters.


def creditor_reference(random: Random) -> str:
    """Draw a creditor reference of ISO 11649: RF, two check digits (ISO 7064 MOD 97-10) and a number."""
    body = digits(random, random.randint(6, 14))
    check = 98 - int(f"{body}{int('R', 36)}{int('F', 36)}00") % 97
    return f"RF{check:02d} " + " ".join(body[start : start + 4] for start in range(0, len(body), 4))


# Row of the table of the recursive check digit of Swiss references (modulo 10, recursive).
_SWISS_CARRIES = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)


def swiss_reference(random: Random) -> str:
    """Draw a Swiss QR reference: 27 digits, the last of which is a recursive check digit modulo 10."""
    body = digits(random, random.choice((12, 16, 20, 26))).zfill(26)
    carry = 0
    for digit in body:
        carry = _SWISS_CARRIES[(carry + int(digit)) % 10]
    number = f"{body}{(10 - carry) % 10}"
    return " ".join((number[:2], *(number[start : start + 5] for start in range(2, 27, 5))))


def nordic_reference(random: Random) -> str:
    """Draw an OCR number as Swedish invoices have it: a number with a check digit of Luhn."""
    body = digits(random, random.randint(6, 15))
    return body + luhn(body)


def dutch_reference(random: Random) -> str:
    """Draw a Dutch payment reference (betalingskenmerk): 16 digits, the first a check digit modulo 11."""
    body = digits(random, 15)
    check = 11 - weighted_sum(body[::-1], (2, 4, 8, 5, 10, 9, 7, 3, 6, 1, 2, 4, 8, 5, 10)) % 11
    return f"{check % 11 if check != 10 else 1}{body}"


def italian_reference(random: Random) -> str:
    """Draw the 18 digits of an Italian premarked postal slip: the last two are the first 16 modulo 93."""
    body = digits(random, 16)
    return f"{body}{int(body) % 93:02d}"


def portuguese_reference(random: Random) -> str:
    """Draw the nine digits of a Portuguese payment reference (referência Multibanco)."""
    body = digits(random, 9)
    return f"{body[:3]} {body[3:6]} {body[6:]}"


def luhn_reference(random: Random) -> str:
    """Draw a customer reference number of Australian bill payments, which ends with a check digit of Luhn."""
    body = digits(random, random.randint(7, 11))
    return body + luhn(body)


_PAYMENT_REFERENCES: Mapping[str, Callable[[Random], str]] = {
    "de_CH": swiss_reference,
    "sv_SE": nordic_reference,
    "nl_NL": dutch_reference,
    "it_IT": italian_reference,
    "pt_PT": portuguese_reference,
    "en_AU": luhn_reference,
}
_CREDITOR_REFERENCE_LOCALES = ("de_DE", "de_AT", "fr_FR", "es_ES", "nl_NL", "pt_PT", "sv_SE", "de_CH", "it_IT")


def draw_payment_reference(random: Random, locale: str, number: str, knobs: Mapping[str, float]) -> str:
    """Draw what to quote with the payment: a reference of the country, or the document's number, or digits.

    Args:
        random: the stream to draw from.
        locale: the seller's locale.
        number: the number of the document.
        knobs: the knob values that were drawn for the document.
    """
    usual = _draw_usual_payment_reference(random, locale, number, knobs)
    # A stream of its own: the knob changes no other field.
    return draw_code(Random(f"confusable:{usual}"), 12, knobs) if knobs["confusable_identifiers"] else usual


def _draw_usual_payment_reference(random: Random, locale: str, number: str, knobs: Mapping[str, float]) -> str:
    draw = random.random()
    if locale in _PAYMENT_REFERENCES and draw < 0.7:
        return _PAYMENT_REFERENCES[locale](random)
    if locale in _CREDITOR_REFERENCE_LOCALES and draw < 0.85:
        return creditor_reference(random)
    customer = digits(random, random.randint(4, 7))
    plain = draw_code(random, 12, knobs)
    return random.choice((f"{number}/{customer}", f"{customer}-{number}", plain, customer + number[-4:]))
