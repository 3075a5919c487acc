"""What only receipts have, at random: time of sale, card slip, tax codes, fiscal signatures and notices of the shop.

Lines that only tills print, such as weighed goods and deposits, are drawn in `receipt_lines.py`.
"""

from __future__ import annotations

import base64
import datetime as dt
from decimal import Decimal
from random import Random

from finscribe_assets.documents.drawn_document import Decoy
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import Document, VatBreakdown
from finscribe_assets.documents.wordings import phrases, wordings

TIME_CHANCE = 0.92  # of a receipt to state its time
OPENING_HOUR, BUSIEST_HOUR, CLOSING_HOUR = 7.0, 16.5, 21.9
FISCAL_WIDTH = 28  # characters of a fiscal signature on one line of the narrowest roll
# Application identifiers of card schemes. Source: EMVCo, list of registered application providers.
_CARD_APPLICATIONS = ("A0000000031010", "A0000000041010", "A0000000043060", "A0000000032010", "A0000003591010028001")
_MASKS = (
    "************{}",
    "XXXXXXXXXXXX{}",
    "############{}",
    "**** **** **** {}",
    "XXXX XXXX XXXX {}",
    "{bin}******{}",
)
_TAX_CODE_SERIES = ("ABCD", "ABCD", "BACD", "CDEF", "1234")


def draw_issue_time(random: Random, pattern: str) -> str | None:
    """Draw the time of a sale within opening hours, with seconds if the pattern shows them; None for no time."""
    if random.random() >= TIME_CHANCE:
        return None
    seconds = round(random.triangular(OPENING_HOUR, CLOSING_HOUR, BUSIEST_HOUR) * 3600)
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    if "s" not in pattern.partition("'")[0]:
        return dt.time(hour, minute).isoformat("minutes")
    return dt.time(hour, minute, second).isoformat("seconds")


def draw_card_payment(random: Random) -> dict[str, str]:
    """Draw the fields of a card payment: masked number, terminal and authorisation."""
    mask = random.choice(_MASKS)
    number = mask.format(_digits(random, 4), bin=f"{random.choice('45')}{_digits(random, 5)}")
    payment = {"card_number": number, "terminal_id": f"{random.randint(1, 9)}{_digits(random, 7)}"}
    if random.random() < 0.8:
        code = (
            _digits(random, 6)
            if random.random() < 0.7
            else "".join(random.choices("ABCDEFHKLMNPRSTUXYZ0123456789", k=6))
        )
        payment["authorisation_code"] = code
    return payment


def draw_slip(random: Random, locale: str) -> tuple[Decoy, ...]:
    """Draw the numbers of a card slip that are no fields: transaction, merchant and application."""
    texts = {
        "decoy.trace": _digits(random, 6),
        "decoy.merchant": _digits(random, random.choice((8, 10, 12))),
        "decoy.aid": random.choice(_CARD_APPLICATIONS),
    }
    chosen = [key for key in texts if random.random() < 0.75] or ["decoy.trace"]
    return tuple(Decoy(label=random.choice(wordings(locale, key)), text=texts[key]) for key in chosen)


def draw_tax_codes(random: Random, breakdown: tuple[VatBreakdown, ...]) -> dict[str, str]:
    """Draw the letter or digit that stands for each tax rate beside the prices.

    Returns:
        The code of each rate; rates are decimal text without trailing zeros.
    """
    series = random.choice(_TAX_CODE_SERIES)
    rates = sorted({share.rate for share in breakdown}, reverse=random.random() < 0.5)
    return {tax_code_key(rate): code for rate, code in zip(rates, series, strict=False)}


def tax_code_key(rate: Decimal) -> str:
    """Return a tax rate as the text by which `Presentation.tax_codes` knows it."""
    return format(rate.normalize(), "f")


def draw_notices(random: Random, document: Document) -> tuple[str, ...]:
    """Draw what a shop prints below the totals: points, opening hours, how to return goods, fiscal signatures."""
    locale = document.locale
    notices = []
    if random.random() < 0.4:
        notices.append(random.choice(phrases(locale, "till.points")).format(points=random.randint(3, 2400)))
    if random.random() < 0.5:
        opening, closing = f"{random.randint(6, 10):02d}:{random.choice(('00', '30'))}", f"{random.randint(18, 22)}:00"
        notices.append(random.choice(phrases(locale, "till.hours")).format(open=opening, close=closing))
    if random.random() < 0.4:
        notices.append(random.choice(phrases(locale, "till.goods_policy")))
    return (*notices, *draw_fiscal_signature(random, document))


def draw_fiscal_signature(random: Random, document: Document) -> tuple[str, ...]:
    """Draw the lines by which a tax office can check a receipt, in the form of the seller's country.

    Germany: TSE (KassenSichV § 6). Austria: RKSV. France: NF525. Portugal: ATCUD and certified software. Italy: RT.
    Spain: VERI*FACTU. Poland: fiscal printer. Sweden: control unit. Elsewhere none.
    """
    day, hour = document.issue_date, document.issue_time or "12:00"
    number = random.randint(1000, 99999)
    match LOCALE_FACTS[document.locale].country_code:
        case "DE":
            signature = base64.b64encode(random.randbytes(48)).decode()
            lines = [f"TSE-Transaktion: {number}", f"TSE-Signaturzähler: {2 * number + 1}"]
            lines += [
                f"TSE-Start: {day}T{hour}",
                f"TSE-Seriennr.: {random.randbytes(16).hex()}",
                f"TSE-Signatur: {signature}",
            ]
        case "AT":
            value = base64.b32encode(random.randbytes(10)).decode()
            lines = [f"R1-AT{random.randint(1, 3)}_KASSE{random.randint(1, 9)}_{number}_{day}T{hour}_{value}"]
        case "FR":
            lines = [f"NF525 Cat. B n° {random.randint(100, 999)}/{_digits(random, 4)}-{random.randint(1, 9)}"]
            lines += [f"Signature : {''.join(random.choices('ABCDEFGHKLMNPRTUVXZabdefghkmnprtuvxz', k=4))}"]
            lines += [f"Version logiciel {random.randint(2, 9)}.{random.randint(0, 9)}.{random.randint(0, 20)}"]
        case "PT":
            code = "".join(random.choices("BCDFGHJKMPQRTVWXY2346789", k=8))
            mark = "".join(random.choices("ABCDEFGHKLMabcdefghkm", k=4))
            lines = [
                f"ATCUD:{code}-{number}",
                f"{mark}-Processado por programa",
                f"certificado n.º {random.randint(20, 2900)}/AT",
            ]
        case "IT":
            lines = ["DOCUMENTO COMMERCIALE", "di vendita o prestazione"]
            lines += [f"RT {random.choice(('99MEX', '88S25', '72MKB'))}{_digits(random, 6)}"]
        case "ES":
            lines = (
                ["Factura verificable en la", "sede electrónica de la AEAT", "VERI*FACTU"] if day.year >= 2025 else []
            )
        case "PL":
            lines = [f"{random.randbytes(10).hex().upper()}", f"#{random.randint(1, 12)} KASA {random.randint(1, 9)}"]
            lines += [f"{random.choice(('EAZ', 'BHL', 'ZBF', 'CAT'))} {_digits(random, 10)}"]
        case "SE":
            lines = [f"Kontrollenhet {random.choice(('CC', 'IS'))}{_digits(random, 12)}"]
        case _:
            lines = []
    return tuple(line[start : start + FISCAL_WIDTH] for line in lines for start in range(0, len(line), FISCAL_WIDTH))


def _digits(random: Random, count: int) -> str:
    return "".join(random.choices("0123456789", k=count))
