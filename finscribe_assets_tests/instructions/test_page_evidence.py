"""Responses hold what the page determines and no more: checked from printed texts and boxes, with tables of its own."""

import json
import re
from collections import Counter
from functools import cache

from finscribe_assets.documents.captions import HEADER_FIELDS, PARTY_ROLES, PAYMENT_FIELDS
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.page_evidence import determined_values, unidentified_fields
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import flatten
from finscribe_assets.instructions.pair import Task
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.rendering.pages import MarkType
from finscribe_assets_tests.instructions.test_tasks import paired_documents, pairs_of

# How a person reads currencies; a shared sign means that of the country.
SIGNS = {"€": "EUR", "£": "GBP", "zł": "PLN", "₹": "INR", "CHF": "CHF", "د.إ": "AED"}
LOCAL_SIGNS = {
    ("$", "en_US"): "USD",
    ("$", "en_AU"): "AUD",
    ("¥", "ja_JP"): "JPY",
    ("¥", "zh_CN"): "CNY",
    ("kr", "sv_SE"): "SEK",
}
TAX_LABELS = {
    "en_IN": {"CGST": "Central|CGST", "SGST": "State|SGST", "IGST": "Integrated|IGST"},
    "en_US": {"STATE": "State", "COUNTY": "County|Local"},
}


@cache
def documents() -> list[DrawnDocument]:
    plan = seed_plan("batch-000", 600, 7)
    return [draw_document(plan, index) for index in range(600)]


def currencies_read(texts: list[str], locale: str) -> set[str]:
    """Return the currencies that amounts show by code or sign."""
    read = set()
    for text in texts:
        read |= set(re.findall(r"\b(?:EUR|USD|GBP|CHF|PLN|SEK|NOK|DKK|CAD|AUD|SGD|INR|AED|CNY|JPY|KWD)\b", text))
        read |= {code for sign, code in SIGNS.items() if sign in text}
        read |= {code for (sign, country), code in LOCAL_SIGNS.items() if country == locale and sign in text}
    return read


def amount_texts(drawn: DrawnDocument) -> list[str]:
    groups = ("totals.", "statement.", "vat_breakdown[", "allowances[", "charges[", "cash_discount.amount")
    return [
        text
        for path, text in drawn.printed.items()
        if path.startswith(groups) and path != "totals.total_vat_accounting" and not path.endswith("reason")
    ]


def test_the_currency_is_determined_just_where_a_person_reads_the_true_one():
    counts: Counter[str] = Counter()
    for drawn in documents():
        read = currencies_read(amount_texts(drawn), drawn.document.locale)
        evidence = determined_values(drawn, drawn.printed.keys())
        assert ("currency_code" in evidence) == (read == {drawn.document.currency_code}), (drawn.id, read)
        counts["determined"] += "currency_code" in evidence
        counts["undetermined"] += "currency_code" not in evidence
        if "totals.total_vat_accounting" in drawn.printed:
            assert "vat_accounting_currency_code" in evidence
            counts["accounting"] += 1
    assert counts["determined"] > 0.85 * len(documents())
    assert counts["undetermined"] > 10
    assert counts["accounting"] > 10


def test_without_legible_evidence_a_value_is_undetermined():
    for drawn in documents()[:100]:
        amounts = [path for path in drawn.printed if drawn.printed[path] in amount_texts(drawn)]
        assert determined_values(drawn, drawn.printed.keys() - set(amounts)).keys() <= {
            "document_type",
            "vat_accounting_currency_code",
        }


def test_names_of_taxes_are_asked_where_their_labels_tell_them_apart():
    named = unnamed = 0
    for drawn in documents():
        evidence = determined_values(drawn, drawn.printed.keys())
        for index, share in enumerate(drawn.document.vat_breakdown):
            if share.tax_name:
                label = drawn.presentation.labels[f"vat_breakdown.{share.tax_name}"]
                tells = re.search(TAX_LABELS[drawn.document.locale][share.tax_name], label) is not None
                assert tells == (f"vat_breakdown[{index}].tax_name" in evidence), label
                named, unnamed = named + tells, unnamed + (not tells)
    assert named > 50


def test_full_extraction_has_the_type_the_currency_and_the_names_of_taxes():
    with_currency = 0
    for drawn, rendered, pair in pairs_of(Task.FULL_EXTRACTION):
        response = json.loads(pair.response)
        number_legible = any(mark.visible and mark.name == "document_number" for mark in rendered.marks)
        assert response.get("document_type") == (drawn.document.document_type if number_legible else None)
        assert response.get("currency_code") in (drawn.document.currency_code, None)
        visible = [mark.text for mark in rendered.of_type(MarkType.FIELD) if mark.visible]
        if response.get("currency_code"):
            assert response["currency_code"] in currencies_read(visible, drawn.document.locale)
            with_currency += 1
        taxes = [json.dumps(share) for share in response.get("vat_breakdown", ()) if "tax_amount" in share]
        if drawn.document.locale == "en_IN" and len(response.get("vat_breakdown", ())) == len(
            drawn.document.vat_breakdown
        ):
            assert len(taxes) == len(set(taxes)), pair.response
    assert with_currency > 0.6 * len(paired_documents())


def test_a_currency_of_a_region_or_a_page_is_shown_in_it():
    shown = 0
    for drawn, rendered, pair in pairs_of(Task.REGION_EXTRACTION, Task.PAGE_EXTRACTION):
        if "currency_code" in (response := json.loads(pair.response)):
            inside = [
                part.text
                for mark in rendered.of_type(MarkType.FIELD)
                for part in mark.fragments
                if part.page in pair.pages and (pair.box is None or pair.box.holds(part.box, slack=4))
            ]
            assert response["currency_code"] in currencies_read(inside, drawn.document.locale)
            shown += 1
        assert "document_type" not in response or pair.pages == (0,)
    assert shown > 20


def test_each_role_in_an_answer_about_a_region_is_named_in_its_prompt_or_printed_inside_it():
    named = 0
    for drawn, rendered, pair in pairs_of(Task.REGION_EXTRACTION, Task.PAGE_EXTRACTION):
        if pair.task is Task.PAGE_EXTRACTION and pair.pages == (0,):
            continue  # the whole first page: letterhead and captions
        texts = [
            part.text
            for mark in rendered.of_type(MarkType.LINE)
            for part in mark.fragments
            if part.page in pair.pages and (pair.box is None or pair.box.holds(part.box, slack=4))
        ]
        for role in set(json.loads(pair.response)) & set(PARTY_ROLES):
            inside = drawn.presentation.labels.get(role) in texts
            assert inside or all(f'"{role}"' in prompt for prompt in (pair.prompt, pair.prompt_held_out)), pair.id
            named += not inside
    assert named >= 90


def test_what_nothing_identifies_is_not_asked_by_name():
    plan = seed_plan("batch-000", 200, 5, Recipe(knobs=Knobs(unlabelled_values=1.0)))
    kept: Counter[str] = Counter()
    for index in range(200):
        drawn = draw_document(plan, index)
        details = [path for path in (*HEADER_FIELDS, *PAYMENT_FIELDS) if path in drawn.printed]
        hidden = unidentified_fields(drawn)
        assert bool(drawn.presentation.unlabelled) or not hidden
        if not drawn.presentation.unlabelled:
            continue
        dates = [path for path in details if path.endswith(("date", "period_start", "period_end"))]
        assert "issue_date" not in details or ("issue_date" in hidden) == (len(dates) > 1)
        assert hidden <= set(details)
        assert not {"due_date", "delivery_date", "buyer_reference", "payment_reference"} & set(details) - hidden
        kept.update(set(details) - hidden)
    assert kept["issue_date"] > 5
    assert kept["payment_terms"] > 20


def test_unidentified_fields_are_in_no_prompt_and_in_no_answer():
    asked = 0
    for drawn, rendered, pairs in paired_documents():
        hidden = unidentified_fields(drawn)
        shown = VisibleDocument(drawn, rendered)
        assert not hidden & (shown.values.keys() | shown.illegible | set(shown.absent))
        for pair in pairs:
            if pair.task in (Task.FIELD_QUESTION, Task.FIELD_TO_BOX, Task.BOX_TO_FIELD, Task.SCHEMA_EXTRACTION):
                assert pair.target not in hidden
                assert not hidden & flatten(json.loads(pair.response)).keys()
                asked += bool(hidden)
    assert asked > 10
