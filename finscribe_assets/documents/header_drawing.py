"""The header of a document at random: number, dates, references and terms, and which party fields it prints."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any

from finscribe_assets.documents.banking import qr_iban
from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.locales import LOCALE_FACTS, TaxRegime
from finscribe_assets.documents.machine_codes import is_qr_reference, plain_reference
from finscribe_assets.documents.numbering import (
    draw_buyer_reference,
    draw_contract_number,
    draw_despatch_number,
    draw_order_number,
    draw_payment_reference,
    fill_number,
    number_pattern,
)
from finscribe_assets.documents.schema import CashDiscount, DocumentType, Party, Totals
from finscribe_assets.documents.vendors import Vendor
from finscribe_assets.documents.wordings import phrases

SLIP_REFERENCE_CHANCE = 0.7  # of a slip to have a reference other than the document's number
PAYMENT_DAYS = (7, 10, 14, 30, 45, 60)  # days until payment is due
_OPTIONAL_PARTY_FIELDS = (
    "tax_registration",
    "legal_registration",
    "contact_name",
    "contact_phone",
    "contact_email",
    "identifier",
)


def trim_party(party: Party, kept: frozenset[str], *, with_vat: bool = False) -> Party:
    """Return a party without the optional fields that its document does not print."""
    dropped: dict[str, None] = {name: None for name in _OPTIONAL_PARTY_FIELDS if name not in kept}
    if not with_vat:
        dropped["vat_identifier"] = None
    return party.model_copy(update=dropped)


def draw_number(
    random: Random, seller: Vendor, document_type: DocumentType, day: dt.date, knobs: Mapping[str, float]
) -> str:
    """Draw a document number in the format that the seller has for documents of a type."""
    pattern = number_pattern(seller.invoice_pattern, seller.locale, document_type, seller.style_seed)
    return fill_number(random, pattern, day, knobs)


def draw_header(
    random: Random,
    document_type: DocumentType,
    number: str,
    seller: Vendor,
    buyer: Party | None,
    day: dt.date,
    totals: Totals,
    unit: Decimal,
    knobs: Mapping[str, float],
) -> dict[str, Any]:
    """Draw the fields of the header and the payment block, without document number and issue date.

    Args:
        random: the stream to draw from.
        document_type: any type but a bank statement.
        number: the document's number.
        seller: the seller.
        buyer: the buyer; None on a receipt.
        day: the issue date.
        totals: the document's totals; cash discounts are computed from them.
        unit: minor unit of the currency.
        knobs: the knob values that were drawn for the document.
    """

    def optional(chance: float) -> bool:
        return bool(knobs["optional_fields"]) and random.random() < chance

    match document_type:
        case DocumentType.RECEIPT:
            return (
                {"payment_means": _draw_receipt_means(random, seller.locale, totals)}
                if optional(0.8) or knobs["card_slips"]
                else {}
            )
        case DocumentType.PURCHASE_ORDER:
            return _draw_order_header(random, day, seller, knobs, optional=optional)
    header = _draw_references(random, day, seller, buyer, knobs, optional=optional)
    if document_type is DocumentType.CREDIT_NOTE:
        earlier = day - dt.timedelta(days=random.randint(2, 90))
        header["preceding_invoice_reference"] = draw_number(random, seller, DocumentType.INVOICE, earlier, knobs)
        if optional(0.7):
            header["preceding_invoice_date"] = earlier
    else:
        header |= _draw_terms(random, seller.locale, day, totals, unit, knobs)
    if optional(0.8):
        header |= {"payment_account": seller.bank.number}
        if random.random() < 0.7:
            header |= {"bank_identifier": seller.bank.bic}
        if random.random() < 0.5:
            header |= {"bank_name": seller.bank.bank_name}
        if random.random() < 0.3:
            header |= {"payment_reference": draw_payment_reference(random, seller.locale, number, knobs)}
    if optional(0.3):
        header["payment_means"] = random.choice(phrases(seller.locale, "means.credit_transfer"))
    return header | _payment_details(header, number, seller, knobs)


def _payment_details(
    header: Mapping[str, Any], number: str, seller: Vendor, knobs: Mapping[str, float]
) -> dict[str, str]:
    """Return account and reference where a slip or the reference itself determines them."""
    account, reference = header.get("payment_account"), header.get("payment_reference")
    if knobs["payment_slips"]:
        random = Random(f"slip:{seller.style_seed}:{number}")  # a stream of its own: the knob changes no other field
        account = account or seller.bank.number
        if reference is None and random.random() < SLIP_REFERENCE_CHANCE:
            reference = draw_payment_reference(random, seller.locale, number, knobs)
    if reference and seller.locale == "de_CH" and is_qr_reference(plain_reference(reference)):
        account = qr_iban(seller.bank.number)  # no other account takes such a reference
    details = {"payment_account": account, "payment_reference": reference}
    return {name: value for name, value in details.items() if value is not None}


def _draw_order_header(
    random: Random, day: dt.date, seller: Vendor, knobs: Mapping[str, float], *, optional: Any
) -> dict[str, Any]:
    header: dict[str, Any] = {}
    if optional(0.8):
        header["delivery_date"] = day + dt.timedelta(days=random.randint(3, 40))
    if optional(0.3):
        header["contract_reference"] = draw_contract_number(random, day, knobs)
    if optional(0.4):
        header["payment_terms"] = _write_net_terms(random, seller.locale, random.choice(PAYMENT_DAYS))
    return header


def _draw_references(
    random: Random, day: dt.date, seller: Vendor, buyer: Party | None, knobs: Mapping[str, float], *, optional: Any
) -> dict[str, Any]:
    references: dict[str, Any] = {}
    if optional(0.5):
        references["delivery_date"] = day - dt.timedelta(days=random.randint(1, 9))
    elif optional(0.25):
        references["period_end"] = day - dt.timedelta(days=random.randint(1, 5))
        references["period_start"] = references["period_end"] - dt.timedelta(days=random.choice((6, 13, 27, 30)))
    if optional(0.6):
        ordered = day - dt.timedelta(days=random.randint(3, 45))
        references["purchase_order_reference"] = draw_order_number(random, seller.locale, ordered, knobs)
    if optional(0.15):
        references["contract_reference"] = draw_contract_number(random, day, knobs)
    if optional(0.25):
        references["despatch_reference"] = draw_despatch_number(random, day, knobs)
    if optional(0.25):
        references["buyer_reference"] = draw_buyer_reference(random, day, knobs)
    if LOCALE_FACTS[seller.locale].regime is TaxRegime.INDIA_GST and buyer and buyer.address and optional(0.9):
        references["place_of_supply"] = buyer.address.subdivision
    return references


def _draw_terms(
    random: Random, locale: str, day: dt.date, totals: Totals, unit: Decimal, knobs: Mapping[str, float]
) -> dict[str, Any]:
    """Draw terms of payment with the due date that follows from them, and perhaps a discount for early payment."""
    days = random.choice(PAYMENT_DAYS)
    terms: dict[str, Any] = {}
    if knobs["cash_discounts"] or random.random() < 0.75:
        terms = {"due_date": day + dt.timedelta(days=days), "payment_terms": _write_net_terms(random, locale, days)}
    elif random.random() < 0.3:
        terms = {"due_date": day, "payment_terms": random.choice(phrases(locale, "terms.immediate"))}
    if knobs["cash_discounts"]:
        percentage = Decimal(random.choice((1, 2, 3)))
        terms["cash_discount"] = CashDiscount(
            percentage=percentage,
            until=day + dt.timedelta(days=max(3, days // 3)),
            amount=round_to(totals.amount_due * percentage / 100, unit) if random.random() < 0.7 else None,
        )
    return terms


def _write_net_terms(random: Random, locale: str, days: int) -> str:
    return random.choice(phrases(locale, "terms.net")).format(days=days)


def _draw_receipt_means(random: Random, locale: str, totals: Totals) -> str:
    return random.choice(phrases(locale, "means.cash" if totals.tendered_amount is not None else "means.card"))
