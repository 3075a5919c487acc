"""Every knob, turned from 0 to 1 while all others are 0, changes documents as it says."""

from decimal import Decimal
from functools import cache

import pytest

from finscribe_assets.documents.channels import Channel, channels_of_all_types
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.formats import ERA_PATTERN, SHORT_ERA_PATTERN, locale_number_style
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import DAMAGE_KNOBS, KNOB_FACTS, NO_KNOBS, Knobs
from finscribe_assets.documents.locales import LOCALE_FACTS, PRICE_LEVELS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType, VatCategory
from finscribe_assets.documents.wordings import wordings

COUNT = 40
A4_SALES = (DocumentType.INVOICE, DocumentType.CREDIT_NOTE, DocumentType.PURCHASE_ORDER)
OPTIONAL = (
    "delivery_date",
    "period_end",
    "purchase_order_reference",
    "payment_account",
    "payment_means",
    "contract_reference",
)


def rows(d: DrawnDocument) -> tuple:
    return d.document.entries or d.document.lines


def names(d: DrawnDocument) -> list[str]:
    return [getattr(row, "item_name", None) or row.description for row in rows(d)]


def style(d: DrawnDocument):
    return locale_number_style(d.document.locale)


# How a document shows the feature of each knob.
SHOWS = {
    "label_synonyms": lambda d: (
        d.presentation.labels["document_number"]
        != wordings(d.document.locale, f"document_number.{d.document.document_type}")[0]
    ),
    "label_distance": lambda d: d.presentation.labels_apart,
    "unlabelled_values": lambda d: d.presentation.unlabelled,
    "card_slips": lambda d: d.document.card_number is not None and bool(d.presentation.slip),
    "till_notices": lambda d: bool(d.presentation.notices),
    "optional_fields": lambda d: any(getattr(d.document, name) is not None for name in OPTIONAL),
    "decoy_labels": lambda d: any(not any(c.isdigit() for c in decoy.text) for decoy in d.presentation.decoys),
    "confusable_identifiers": lambda d: any(c in "OISBZ" for c in d.document.document_number[3:]),
    "long_amounts": lambda d: abs(Decimal(d.amount_due)) > 50_000 * PRICE_LEVELS[d.document.currency_code],
    "small_print": lambda d: d.presentation.font_size < 8,
    "foreign_separators": lambda d: d.presentation.numbers.decimal != style(d).decimal,
    "rare_grouping": lambda d: d.presentation.numbers.group != style(d).group,
    "negative_amounts": lambda d: d.document.totals.amount_due < 0,
    "till_corrections": lambda d: any(line.quantity < 0 for line in d.document.lines),
    "sign_styles": lambda d: d.presentation.numbers.negative != style(d).negative,
    "ambiguous_currency": lambda d: d.presentation.currency_display == "shared_symbol",
    "dual_currency": lambda d: "totals.total_vat_accounting" in d.printed,
    "ambiguous_dates": lambda d: d.document.issue_date.day <= 12,
    "two_digit_years": lambda d: str(d.document.issue_date.year) not in d.printed["issue_date"],
    "era_dates": lambda d: d.presentation.date_pattern in (ERA_PATTERN, SHORT_ERA_PATTERN),
    "decoy_dates": lambda d: any(any(c.isdigit() for c in decoy.text) for decoy in d.presentation.decoys),
    "third_parties": lambda d: d.document.payee is not None and d.document.ship_to is not None,
    "parties_side_by_side": lambda d: d.presentation.parties_side_by_side,
    "many_lines": lambda d: len(rows(d)) >= 15,
    "repeated_descriptions": lambda d: len(set(names(d))) < 0.7 * len(rows(d)),
    "wrapped_descriptions": lambda d: max(map(len, names(d))) > 45,
    "note_rows": lambda d: any(line.note for line in d.document.lines),
    "sub_items": lambda d: bool(d.presentation.sub_rows),
    "quantity_rows": lambda d: d.presentation.quantity_rows and "quantity" not in d.presentation.columns,
    "tax_codes": lambda d: bool(d.presentation.tax_codes),
    "blank_cells": lambda d: any(
        f"lines[{index}].{column}" not in d.printed
        for index in range(len(d.document.lines))
        for column in d.presentation.columns
    ),
    "borderless_tables": lambda d: d.presentation.borderless,
    "merged_headers": lambda d: d.presentation.merged_head,
    "list_prices": lambda d: "lines[0].gross_price" in d.printed,
    "gross_columns": lambda d: "lines[0].gross_amount" in d.printed,
    "several_rates": lambda d: len({share.rate for share in d.document.vat_breakdown}) > 1,
    "tax_exemptions": lambda d: d.document.vat_breakdown[0].category not in (VatCategory.STANDARD, VatCategory.ZERO),
    "tax_inclusive_prices": lambda d: d.document.lines[0].price_with_vat is not None,
    "discounts": lambda d: bool(d.document.allowances),
    "charges": lambda d: bool(d.document.charges),
    "line_allowances": lambda d: any(line.allowance_amount or line.charge_amount for line in d.document.lines),
    "prepayments": lambda d: "totals.paid_amount" in d.printed,
    "prior_balances": lambda d: "totals.account_balance" in d.printed,
    "repeated_totals": lambda d: "totals.sum_of_line_net_amounts" in d.printed,
    "cash_discounts": lambda d: "cash_discount.percentage" in d.printed,
    "several_pages": lambda d: len(rows(d)) >= 15,
    "repeated_headers": lambda d: d.presentation.repeated_head,
    "carried_forward": lambda d: bool(d.document.page_subtotals),
    "very_long_tables": lambda d: len(rows(d)) >= 60,
    "bilingual_labels": lambda d: " / " in d.presentation.labels["issue_date"],
    "native_digits": lambda d: d.presentation.numbers.digits != style(d).digits,
    "reversed_print": lambda d: d.presentation.reversed_print,
    "payment_codes": lambda d: bool(d.presentation.payment_code),
    "bar_codes": lambda d: bool(d.presentation.bar_code),
    "degradation": lambda d: d.presentation.degradation > 0.3,
    "item_bar_codes": lambda d: d.presentation.item_bar_codes and any(line.gtin for line in d.document.lines),
    "line_groups": lambda d: sum(line.heading is not None for line in getattr(d.document, "lines", ())) >= 2,
    "terms_pages": lambda d: d.presentation.terms_page is not None,
    "neighbour_receipts": lambda d: d.presentation.neighbour is not None,
    "tax_invoice_forms": lambda d: d.presentation.tax_form is not None,
    "payment_slips": lambda d: d.presentation.payment_slip is not None,
} | {name: lambda d, name=name: d.presentation.damage.get(name, 0.0) > 0 for name in DAMAGE_KNOBS}

# Knobs that must be turned up too, for a knob to have an effect.
COMPANIONS = {
    "sign_styles": {"negative_amounts": 1.0},
    "carried_forward": {"many_lines": 1.0},
    "repeated_descriptions": {"many_lines": 1.0},
}
# Knobs whose effect shows only in some of the document types to which they apply.
DOCUMENT_TYPES = {"blank_cells": A4_SALES, "repeated_totals": A4_SALES}


@cache
def documents(types: tuple[DocumentType, ...], locales: tuple[str, ...], knobs: Knobs) -> list[DrawnDocument]:
    """Draw documents, once for all knobs that share them while turned off."""
    recipe = Recipe(
        document_types=dict.fromkeys(types, 1.0),
        locales=dict.fromkeys(locales, 1.0),
        channels=channels_of_all_types(Channel.SCANNED),
        knobs=knobs,
    )
    plan = seed_plan("batch-000", COUNT, 9, recipe)
    return [draw_document(plan, index) for index in range(COUNT)]


def documents_with(name: str, value: float) -> list[DrawnDocument]:
    facts = KNOB_FACTS[name]
    locales = tuple(locale for locale in LOCALES if LOCALE_FACTS[locale].language in facts.languages)
    knobs = NO_KNOBS.model_copy(update=COMPANIONS.get(name, {}) | {name: value})
    return documents(DOCUMENT_TYPES.get(name, facts.documents), locales or ("en_GB", "de_DE"), knobs)


def test_every_knob_is_tested():
    assert SHOWS.keys() == Knobs.model_fields.keys()


@pytest.mark.parametrize("name", list(SHOWS))
def test_turning_a_knob_up_changes_documents(name):
    off, on = documents_with(name, 0.0), documents_with(name, 1.0)
    assert all(drawn.knobs[name] == 0 for drawn in off)
    assert sum(map(SHOWS[name], on)) >= sum(map(SHOWS[name], off)) + COUNT / 3
    took_effect = [drawn for drawn in on if drawn.knobs[name]]
    assert len(took_effect) > COUNT / 3
