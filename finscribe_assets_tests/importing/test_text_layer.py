"""Values are found in a text layer in every form that this project's pages print, and hardly anywhere else."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from finscribe_assets.documents.elements import field_of
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.schema import flatten
from finscribe_assets.importing.text_layer import has_text_layer, printed_values, shows_currency
from finscribe_assets.rendering import plutoprint_engine, weasyprint_engine
from finscribe_assets.rendering.rasterising import rasterise
from finscribe_assets.rendering.render import render
from finscribe_assets_tests.documents.bills import drawn_bills


def test_every_printed_value_of_drawn_documents_is_found_in_its_text():
    plan = seed_plan("batch-000", 34, 7)
    missed, total = [], 0
    for drawn in (draw_document(plan, index) for index in range(34)):
        texts = [f"Label {text} x" for text in drawn.printed.values()]
        paths = printed_values(flatten(drawn.document.to_json()), texts, drawn.document.locale).keys()
        total += len(drawn.printed)
        missed += [(drawn.document.locale, path, drawn.printed[path]) for path in drawn.printed if path not in paths]
    assert total > 2_000
    assert missed == []


def test_printed_values_are_found_in_the_text_layer_of_rendered_pdfs(monkeypatch):
    texts: list[str] = []

    def rasterise_and_keep_texts(pdf, scale, heights, *, in_colour):
        texts[:] = [page.get_textpage().get_text_range() for page in pdf]
        return rasterise(pdf, scale, heights, in_colour=in_colour)

    monkeypatch.setattr(weasyprint_engine, "rasterise", rasterise_and_keep_texts)
    monkeypatch.setattr(plutoprint_engine, "rasterise", rasterise_and_keep_texts)
    printed: Counter[str] = Counter()
    found: Counter[str] = Counter()
    reliable = 0
    for drawn in drawn_bills(16, 11):
        render(drawn, 144)
        if has_text_layer(texts, [False] * len(texts)):
            reliable += 1
            paths = printed_values(flatten(drawn.document.to_json()), texts, drawn.document.locale).keys()
            direction = "rtl" if drawn.document.locale.startswith("ar") else "ltr"
            printed[direction] += len(drawn.printed)
            found[direction] += len(paths & set(drawn.printed))
    assert reliable > 10
    assert found["ltr"] > 0.99 * printed["ltr"] > 500
    # PDFium gives numbers and Latin words of several parts in the order of their places on an Arabic line: 8412 555 06.
    assert found["rtl"] > 0.9 * printed["rtl"] > 50


def test_values_are_seldom_found_in_the_text_of_another_document():
    plan = seed_plan("batch-000", 40, 8)
    drawn = [draw_document(plan, index) for index in range(40)]
    fields = ("document_number", "issue_date", "totals.amount_due", "buyer.name", "payment_account")
    found, total = [], 0
    for first, second in pairwise(drawn):
        values = {path: value for path, value in flatten(first.document.to_json()).items() if field_of(path) in fields}
        total += len(values)
        found += printed_values(values, second.printed.values(), first.document.locale).keys()
    assert total > 100
    assert len(found) <= 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1.234,50", True),
        ("1,234.50", True),
        ("1 234,50 €", True),
        ("1'234.5", True),
        ("1234.50", True),
        ("11.234,50", False),
        ("1.234,51", False),
        ("1.234,505", False),
        ("-1.234,50", False),
        ("(1,234.50)", False),
        ("1.234,50-", False),
        ("1,234.50 CR", False),
        ("EUR 1.234,50", True),
        ("1.234", False),
    ],
)
def test_an_amount_is_found_in_its_usual_forms(text, shown):
    assert bool(printed_values({"totals.amount_due": "1234.50"}, [f"Summe {text}\n"], "de_DE")) is shown


@pytest.mark.parametrize(
    ("locale", "text", "shown"),
    [
        ("de_DE", "05.03.2024", True),
        ("de_DE", "5. März 2024", True),
        ("de_DE", "03/05/2024", False),
        ("en_US", "03/05/2024", True),
        ("en_US", "March 5, 2024", True),
        ("en_US", "05/03/2024", False),
        ("fr_FR", "5 mars 2024", True),
        ("sv_SE", "2024-03-05", True),
        ("ja_JP", "令和6年3月5日", True),
        ("de_BE", "5.3.2024", True),
        ("de_DE", "15.03.2024", False),
    ],
)
def test_a_date_is_found_in_the_forms_of_its_locale(locale, text, shown):
    assert bool(printed_values({"issue_date": "2024-03-05"}, [f"am {text}, hier"], locale)) is shown


@pytest.mark.parametrize(
    ("path", "value", "text", "shown"),
    [
        ("payment_account", "DE36500105179999087892", "IBAN: DE36 5001 0517 9999 0878 92", True),
        ("seller.name", "Müller & Söhne GmbH", "MÜLLER &\r\nSÖHNE GMBH", True),
        ("seller.name", "Mueller", "Muellerin", False),
        ("document_number", "R-17", "R-175", False),
        ("payment_terms", "Zahlung innerhalb", "Zah\u0002lung innerhalb", True),
    ],
)
def test_texts_and_identifiers_are_found_regardless_of_spaces_and_case(path, value, text, shown):
    assert bool(printed_values({path: value}, [text], "de_DE")) is shown


def test_deductions_may_be_printed_with_a_minus():
    leaves = {"allowances[0].amount": "5.00", "totals.paid_amount": "50.00", "totals.amount_due": "7.00"}
    assert printed_values(leaves, ["Rabatt -5,00\nAnzahlung -50,00\nzu zahlen -7,00"], "de_DE").keys() == {
        "allowances[0].amount",
        "totals.paid_amount",
    }


def test_a_credit_note_may_print_its_amounts_with_the_other_sign():
    leaves = {
        "totals.total_without_vat": "100.00",
        "totals.total_vat": "19.00",
        "issue_date": "2026-11-05",
        "document_number": "-5",
    }
    text = ["05.11.2026 Nettobetrag -100,00 EUR, USt 19,00 EUR"]
    assert printed_values(leaves, text, "de_DE").keys() == {"totals.total_vat", "issue_date"}
    found = printed_values(leaves, text, "de_DE", may_be_negated=True)
    assert found == {"totals.total_without_vat": "-100.00", "totals.total_vat": "19.00", "issue_date": "2026-11-05"}


def test_a_text_layer_must_cover_every_page_that_is_not_blank():
    assert has_text_layer(["text", ""], [False, True])
    assert not has_text_layer(["text", " "], [False, False])
    assert not has_text_layer(["", ""], [True, True])
    assert not has_text_layer(["Summe ��,�� EUR"], [False])


def test_chinese_and_japanese_values_need_no_spaces_around_them():
    leaves = {"seller.address.city": "徐汇区", "seller.address.street": "25号", "buyer.name": "5号"}
    found = printed_values(leaves, ["上海市徐汇区工业大道25号1609室"], "zh_CN")
    assert found.keys() == {"seller.address.city", "seller.address.street"}


@pytest.mark.parametrize(
    ("currency", "locale", "text", "shown"),
    [
        ("EUR", "de_DE", "Zu zahlen 12,50 EUR", True),
        ("EUR", "de_DE", "Zu zahlen 12,50 €", True),
        ("EUR", "de_DE", "Zu zahlen 12,50", False),
        ("EUR", "de_DE", "NEURAL GMBH 12,50", False),
        ("USD", "en_US", "Total $12.50", True),
        ("CAD", "en_US", "Total $12.50", False),
        ("USD", "de_DE", "Summe 12,50 $", False),
        ("SEK", "sv_SE", "Att betala 125,00 kr", True),
        ("SEK", "sv_SE", "Er 5 kronblad", False),
        ("JPY", "ja_JP", "合計 ￥1,250", True),
        ("PLN", "pl_PL", "Do zapłaty 12,50 zł", True),
    ],
)
def test_a_currency_is_shown_by_its_code_or_by_a_symbol_that_means_no_other(currency, locale, text, shown):
    assert shows_currency(currency, [text], locale) is shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Muster-\r\nhandel GmbH", True),
        ("Muster\nhandel GmbH", True),
        ("Muster-handel GmbH", False),
        ("-\nMuster", False),
    ],
)
def test_a_word_may_be_divided_at_the_end_of_a_line(text, shown):
    assert bool(printed_values({"seller.name": "Musterhandel GmbH"}, [text], "de_DE")) is shown
