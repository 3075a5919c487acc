"""Invoices for the tests of UBL and its validation: one written by hand that has every field, and drawn ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.locales import LOCALE_FACTS, TaxRegime
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import Document

VAT_LOCALES = tuple(locale for locale in LOCALES if LOCALE_FACTS[locale].regime is TaxRegime.VAT)

BILL: dict[str, Any] = {
    "document_type": "invoice",
    "locale": "de_DE",
    "document_number": "RE-2024-0815",
    "issue_date": "2024-03-01",
    "due_date": "2024-03-31",
    "delivery_date": "2024-02-27",
    "currency_code": "EUR",
    "vat_accounting_currency_code": "SEK",
    "exchange_rate": "11.0000",
    "buyer_reference": "04011000-12345-67",
    "contract_reference": "V-77",
    "purchase_order_reference": "B-4711",
    "despatch_reference": "LS-99",
    "payment_terms": "Zahlbar innerhalb von 30 Tagen",
    "cash_discount": {"percentage": "2", "until": "2024-03-11", "amount": "2.34"},
    "payment_means": "Überweisung",
    "payment_reference": "RF18539007547034",
    "payment_account": "DE36 5001 0517 9999 0878 92",
    "bank_identifier": "INGDDEFFXXX",
    "bank_name": "ING-DiBa",
    "seller": {
        "name": "Müller & Söhne GmbH",
        "address": {
            "street": "Hauptstraße 1",
            "additional_line": "Hinterhaus",
            "post_code": "10115",
            "city": "Berlin",
            "country_code": "DE",
        },
        "identifier": "L-5",
        "legal_registration": "HRB 86786 B",
        "vat_identifier": "DE123456788",
        "tax_registration": "30/123/45678",
        "contact_name": "E. Schmidt",
        "contact_phone": "+49 30 1234567",
        "contact_email": "post@mueller.example.com",
    },
    "buyer": {
        "name": "Wiener Handels GmbH",
        "address": {
            "street": "Ring 2",
            "post_code": "1010",
            "city": "Wien",
            "subdivision": "Wien",
            "country_code": "AT",
        },
        "identifier": "K-17",
        "vat_identifier": "U39700150",  # printed without the country prefix
    },
    "payee": {"name": "Inkasso AG", "identifier": "P-1", "legal_registration": "HRB 1"},
    "ship_to": {
        "name": "Lager Süd",
        "identifier": "W-3",
        "address": {"street": "Am Hafen 3", "post_code": "4020", "city": "Linz", "country_code": "AT"},
    },
    "lines": [
        {
            "line_id": "10",
            "purchase_order_line": "1",
            "sku": "A-1",
            "gtin": "4006381333931",
            "classification": "48201030",
            "item_name": "Notizblock",
            "note": "ohne Linien",
            "quantity": "10",
            "unit": "Stk",
            "unit_code": "H87",
            "gross_price": "12.00",
            "price_discount": "2.00",
            "net_price": "10.00",
            "allowance_amount": "5.00",
            "allowance_reason": "Kratzer",
            "charge_amount": "1.00",
            "charge_reason": "Eilauftrag",
            "vat_category": "S",
            "vat_rate": "19",
            "net_amount": "96.00",
        },
        {
            "item_name": "Kaffee",
            "quantity": "2.5",
            "unit_code": "KGM",
            "net_price": "20.00",
            "vat_category": "S",
            "vat_rate": "7",
            "net_amount": "50.00",
        },
    ],
    "allowances": [
        {
            "reason": "Treuerabatt",
            "percentage": "10",
            "base_amount": "50.00",
            "amount": "5.00",
            "vat_category": "S",
            "vat_rate": "7",
        },
    ],
    "charges": [{"reason": "Fracht", "amount": "4.00", "vat_category": "S", "vat_rate": "19"}],
    "vat_breakdown": [
        {"category": "S", "rate": "7", "taxable_amount": "45.00", "tax_amount": "3.15"},
        {"category": "S", "rate": "19", "taxable_amount": "100.00", "tax_amount": "19.00"},
    ],
    "totals": {
        "sum_of_line_net_amounts": "146.00",
        "allowance_total": "5.00",
        "charge_total": "4.00",
        "total_without_vat": "145.00",
        "total_vat": "22.15",
        "total_vat_accounting": "243.65",
        "total_with_vat": "167.15",
        "paid_amount": "50.00",
        "rounding_amount": "0.05",
        "amount_due": "117.20",
    },
}


def bill(**changes: Any) -> Document:
    """Return the invoice written by hand with some fields changed."""
    return Document.model_validate({**BILL, **changes})


def drawn_bills(count: int, seed: int, **knobs: float) -> Iterator[DrawnDocument]:
    """Draw invoices and credit notes of all countries that have a VAT, with knob values given by name."""
    recipe = Recipe(
        document_types={"invoice": 0.7, "credit_note": 0.3},
        locales=dict.fromkeys(VAT_LOCALES, 1.0),
        knobs=Knobs(**knobs),
    )
    plan = seed_plan("batch-000", count, seed, recipe)
    return (draw_document(plan, index) for index in range(count))
