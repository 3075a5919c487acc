"""The header of a document: its number, dates, references, terms, and which particulars of its parties it prints."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any

from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.line_drawing import draw_code
from finscribe_assets.documents.locales import LOCALE_FACTS, TaxRegime
from finscribe_assets.documents.schema import CashDiscount, DocumentType, Party, Totals
from finscribe_assets.documents.vendors import Vendor
from finscribe_assets.documents.wordings import phrases

TERMS_DAYS = (7, 10, 14, 30, 45, 60)
PARTICULARS = ("tax_registration", "legal_registration", "contact_name", "contact_phone", "contact_email", "identifier")


def trim_party(party: Party, kept: frozenset[str], *, with_vat: bool = False) -> Party:
    """Return a party with those of its particulars that a page prints."""
    dropped: dict[str, None] = {name: None for name in PARTICULARS if name not in kept}
    if not with_vat:
        dropped["vat_identifier"] = None
    return party.model_copy(update=dropped)


def draw_number(random: Random, seller: Vendor, day: dt.date, knobs: Mapping[str, float]) -> str:
    """Return a document's number in its seller's form; half of them have the year in front."""
    prefix = seller.number_prefix
    if seller.style_seed % 2 and "{year}" not in prefix:
        prefix += "{year}-"
    return f"{prefix.format(year=day.year)}{draw_code(random, seller.number_digits, knobs)}"


def draw_header(
    random: Random,
    kind: DocumentType,
    seller: Vendor,
    buyer: Party | None,
    day: dt.date,
    totals: Totals,
    unit: Decimal,
    knobs: Mapping[str, float],
) -> dict[str, Any]:
    """Return the fields of the header and of the payment block that a document has besides its number and date."""

    def optional(share: float) -> bool:
        return bool(knobs["optional_fields"]) and random.random() < share

    match kind:
        case DocumentType.RECEIPT:
            return {"payment_means": _means(random, seller.locale, totals)} if optional(0.8) else {}
        case DocumentType.PURCHASE_ORDER:
            return _order_header(random, day, seller, knobs, optional=optional)
    header = _references(random, day, seller, buyer, knobs, optional=optional)
    if kind is DocumentType.CREDIT_NOTE:
        earlier = day - dt.timedelta(days=random.randint(2, 90))
        header["preceding_invoice_reference"] = draw_number(random, seller, earlier, knobs)
        if optional(0.7):
            header["preceding_invoice_date"] = earlier
    else:
        header |= _terms(random, seller.locale, day, totals, unit, knobs)
    if optional(0.8):
        header |= {"payment_account": seller.bank.number}
        if random.random() < 0.7:
            header |= {"bank_identifier": seller.bank.bic}
        if random.random() < 0.5:
            header |= {"bank_name": seller.bank.bank_name}
        if random.random() < 0.3:
            header |= {"payment_reference": draw_code(random, 12, knobs)}
    if optional(0.3):
        header["payment_means"] = random.choice(phrases(seller.locale, "means.credit_transfer"))
    return header


def _order_header(
    random: Random, day: dt.date, seller: Vendor, knobs: Mapping[str, float], *, optional: Any
) -> dict[str, Any]:
    header: dict[str, Any] = {}
    if optional(0.8):
        header["delivery_date"] = day + dt.timedelta(days=random.randint(3, 40))
    if optional(0.3):
        header["contract_reference"] = f"C-{draw_code(random, 5, knobs)}"
    if optional(0.4):
        header["payment_terms"] = _net_terms(random, seller.locale, random.choice(TERMS_DAYS))
    return header


def _references(
    random: Random, day: dt.date, seller: Vendor, buyer: Party | None, knobs: Mapping[str, float], *, optional: Any
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if optional(0.5):
        found["delivery_date"] = day - dt.timedelta(days=random.randint(1, 9))
    elif optional(0.25):
        found["period_end"] = day - dt.timedelta(days=random.randint(1, 5))
        found["period_start"] = found["period_end"] - dt.timedelta(days=random.choice((6, 13, 27, 30)))
    if optional(0.6):
        found["purchase_order_reference"] = f"PO-{draw_code(random, 6, knobs)}"
    if optional(0.15):
        found["contract_reference"] = f"C-{draw_code(random, 5, knobs)}"
    if optional(0.25):
        found["despatch_reference"] = draw_code(random, 7, knobs)
    if optional(0.25):
        found["buyer_reference"] = draw_code(random, 6, knobs)
    if LOCALE_FACTS[seller.locale].regime is TaxRegime.INDIA_GST and buyer and buyer.address and optional(0.9):
        found["place_of_supply"] = buyer.address.subdivision
    return found


def _terms(
    random: Random, locale: str, day: dt.date, totals: Totals, unit: Decimal, knobs: Mapping[str, float]
) -> dict[str, Any]:
    """Return terms of payment with the due date that follows from them; an early day may earn a discount."""
    days = random.choice(TERMS_DAYS)
    found: dict[str, Any] = {}
    if knobs["cash_discounts"] or random.random() < 0.75:
        found = {"due_date": day + dt.timedelta(days=days), "payment_terms": _net_terms(random, locale, days)}
    elif random.random() < 0.3:
        found = {"due_date": day, "payment_terms": random.choice(phrases(locale, "terms.immediate"))}
    if knobs["cash_discounts"]:
        percentage = Decimal(random.choice((1, 2, 3)))
        found["cash_discount"] = CashDiscount(
            percentage=percentage,
            until=day + dt.timedelta(days=max(3, days // 3)),
            amount=round_to(totals.amount_due * percentage / 100, unit) if random.random() < 0.7 else None,
        )
    return found


def _net_terms(random: Random, locale: str, days: int) -> str:
    return random.choice(phrases(locale, "terms.net")).format(days=days)


def _means(random: Random, locale: str, totals: Totals) -> str:
    return random.choice(phrases(locale, "means.cash" if totals.tendered_amount is not None else "means.card"))
