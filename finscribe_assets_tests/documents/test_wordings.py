"""Labels of every language: many wordings, none that states what is drawn apart from it, no two alike on a page."""

import re
from random import Random

import pytest

from finscribe_assets.documents.captions import HEADER_FIELDS, label_key
from finscribe_assets.documents.presentation_drawing import draw_labels
from finscribe_assets.documents.printed_values import REDUNDANT_TOTALS
from finscribe_assets.documents.recipe import LOCALES
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import label_keys, readable_labels, usual_wordings, wordings

FREQUENT_LABELS = (
    "document_number.invoice",
    "issue_date.invoice",
    "due_date",
    "purchase_order_reference",
    "party_identifier",
    "vat_identifier",
    "payment_account",
    "totals.total_without_vat",
    "totals.total_vat",
    "totals.total_with_vat",
    "totals.amount_due",
    "totals.paid_amount",
    "totals.tendered_amount",
    "totals.change_amount",
    "payment_terms",
    "columns.vat_rate",
    "columns.quantity",
    "columns.net_price",
    "columns.net_amount",
    "columns.item_name",
)


@pytest.mark.parametrize("locale", LOCALES)
def test_readers_know_twelve_wordings_of_each_frequent_label_and_all_that_pages_are_drawn_with(locale):
    known = readable_labels(locale)
    assert {key: len(known[key]) for key in FREQUENT_LABELS if len(known[key]) < 12} == {}
    assert all(known[key][: len(wordings(locale, key))] == wordings(locale, key) for key in label_keys())


@pytest.mark.parametrize("locale", LOCALES)
def test_labels_that_pages_are_drawn_with_state_no_rate_and_no_currency(locale):
    """The currency and the rate of a document are drawn apart from its labels."""
    for key in label_keys():
        if key.startswith(("totals.", "vat_", "columns.")) and key != "totals.rounding_amount":
            assert not [
                word for word in wordings(locale, key) if re.search(r"\d ?%|€|\b[A-Z]*(EUR|CHF|PLN|USD)\b", word)
            ]


@pytest.mark.parametrize("rare", [0.0, 1.0])
def test_labels_of_a_page_differ_and_are_usual_or_rare_by_the_knob(rare):
    totals = [f"totals.{name}" for name in (*REDUNDANT_TOTALS, "total_vat", "amount_due")]
    keys = {path: label_key(path, DocumentType.INVOICE) for path in (*HEADER_FIELDS, *totals)}
    knobs = {"label_synonyms": rare, "bilingual_labels": 0.0}
    for locale in LOCALES:
        labels = draw_labels(Random(locale), locale, keys, knobs, capital_heads=False)
        apart = {name: key for name, key in keys.items() if name != "statement.account_number"}
        assert len({labels[name].casefold() for name in apart}) == len(apart)
        usual = [
            labels[name] in usual_wordings(locale, key) for name, key in apart.items() if len(wordings(locale, key)) > 2
        ]
        assert sum(usual) / len(usual) < 0.1 if rare else sum(usual) / len(usual) > 0.9
