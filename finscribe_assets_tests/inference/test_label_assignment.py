import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.documents.elements import TERMS
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.wordings import labels_of
from finscribe_assets.inference import label_assignment
from finscribe_assets.inference.label_assignment import assign_fields
from finscribe_assets.inference.text_spans import TextLine
from finscribe_assets.rendering.pages import Box


def line(text, y, x=0.0, page=0):
    return TextLine(page, Box(x, y, x + 8 * max(1, len(text)), y + 20), text, 0.9, truncated=False)


def page(*rows):
    """Lay out rows of texts, each text to the right of the previous one."""
    return [
        line(text, 40.0 * index, 300.0 * column) for index, row in enumerate(rows) for column, text in enumerate(row)
    ]


def fields(lines, locale=None):
    return {field.path: field.text for field in assign_fields(lines, locale).fields}


GERMAN = page(
    ["Muster GmbH", "Rechnung"],
    ["Rechnungs-Nr.: RE-2024/17", "Fällig am", "3. Mai 2024"],
    ["Rechnungsdatum", "03.04.2024"],
    ["Pos.", "Bezeichnung", "Betrag"],
    ["1", "Papier", "1.234,50"],
    ["Gesamtbetrag EUR", "1.234,50 €"],
    ["IBAN DE89 3704 0044 0532 0130 00", "BIC COBADEFFXXX"],
    ["Zahlungsbedingungen: 30 Tage netto"],
)


def test_a_value_follows_its_label_in_the_same_box_or_in_the_next_one():
    assert fields(GERMAN) == {
        "document_type": "invoice",
        "document_number": "RE-2024/17",
        "due_date": "3. Mai 2024",
        "issue_date": "03.04.2024",
        "totals.total_with_vat": "1.234,50 €",
        "payment_account": "DE89 3704 0044 0532 0130 00",
        "bank_identifier": "COBADEFFXXX",
        "payment_terms": "30 Tage netto",
    }


def test_each_field_names_the_line_where_it_was_read():
    assignment = assign_fields(GERMAN)
    assert assignment.locale == "de_DE"
    assert all(field.text in GERMAN[field.line].text for field in assignment.fields if field.path != "document_type")
    assert {field.path: field.label for field in assignment.fields}["due_date"] == "Fällig am"


@pytest.mark.parametrize("locale", [locale for locale, facts in LOCALE_FACTS.items() if not facts.right_to_left])
def test_every_locale_is_detected_by_its_own_labels(locale):
    words = labels_of(locale)
    lines = page(
        [words["title.invoice"][0]],
        [words["document_number.invoice"][0], "A-17"],
        [words["totals.amount_due"][0], "12.50"],
        [words["due_date"][0], "2024-05-03"],
    )
    assert assign_fields(lines).locale.split("_")[0] == locale.split("_")[0]
    assert fields(lines, locale) == {
        "document_type": "invoice",
        "document_number": "A-17",
        "totals.amount_due": "12.50",
        "due_date": "2024-05-03",
    }


@pytest.mark.parametrize(
    ("rows", "path"),
    [
        ([["Due Date", "2 Portland cement, 25 kg"]], "due_date"),  # a neighbour that is not a date
        ([["Due Date"], ["10/10/2021"]], "due_date"),  # below, not beside
        ([["Invoice No."]], "document_number"),
        ([["Invoice Notes 17"]], "document_number"),  # a longer word
        ([["Printed on 03/10/2021"]], "issue_date"),  # a decoy
        ([["Amount Due", "see below"]], "totals.amount_due"),
        ([["Payment Terms", "Amount Due £12.50"]], "payment_terms"),  # of another column
        ([["PO-916252"]], "purchase_order_reference"),  # a value that begins like a label
    ],
)
def test_an_uncertain_value_is_not_assigned(rows, path):
    assignment = assign_fields(page(["Invoice"], *rows), "en_GB")
    assert path not in {field.path for field in assignment.fields}
    assert path in assignment.not_assigned[label_assignment.NOT_FOUND]


def test_a_value_on_the_line_of_its_label_precedes_one_in_the_next_box():
    assert fields(page(["Due Date 10/10/2021", "11/11/2021"]), "en_GB") == {"due_date": "10/10/2021"}


@pytest.mark.parametrize(("x", "assigned"), [(0, False), (49, False), (50, True), (219, True), (221, False)])
def test_a_text_value_is_to_the_right_of_its_label_and_near_it(x, assigned):
    """A value begins in the right half of the label's box of 100 × 20 pixels, or up to six line heights after it."""
    label = TextLine(0, Box(0, 0, 100, 20), "Payment Terms", 0.9, truncated=False)
    value = TextLine(0, Box(x, 4, x + 80, 24), "30 days net", 0.9, truncated=False)
    assert ("payment_terms" in fields([label, value], "en_GB")) is assigned


def test_reasons_of_fields_that_are_not_assigned():
    reasons = {path: reason for reason, paths in assign_fields([], "en_GB").not_assigned.items() for path in paths}
    assert reasons["totals.amount_due"] == label_assignment.NOT_FOUND
    assert reasons["lines.item_name"] == reasons["vat_breakdown.rate"] == label_assignment.IN_TABLE
    assert reasons["currency_code"] == label_assignment.IMPLIED
    assert reasons["seller.name"] == reasons["buyer.address.city"] == label_assignment.NO_LABEL_OF_ITS_OWN


def test_a_field_with_two_different_values_is_not_assigned():
    twice = ["Due Date 10/10/2021"]
    assignment = assign_fields(page(["Invoice No. 17"], ["Invoice No. 18"], twice, twice), "en_GB")
    assert {field.path for field in assignment.fields} == {"document_type", "due_date"}
    assert assignment.not_assigned[label_assignment.CONTRADICTED] == ("document_number",)


@settings(max_examples=30)
@given(st.lists(st.text(max_size=30), max_size=6))
def test_each_field_of_the_schema_is_assigned_or_has_one_reason(texts):
    assignment = assign_fields(page(*([text] for text in texts)), "en_GB")
    paths = [field.path for field in assignment.fields]
    paths += [path for reason_paths in assignment.not_assigned.values() for path in reason_paths]
    assert sorted(paths) == sorted(TERMS)


def test_a_locale_without_labels_is_named():
    with pytest.raises(ValueError, match="'tlh_KL' are not known; use one of en_US"):
        assign_fields([], "tlh_KL")


def test_a_value_may_be_below_a_label_that_stands_alone():
    grid = [line("Invoice", 0), line("Invoice No.", 100), line("Invoice Date", 100, 300), line("Due Date", 100, 600)]
    values = [line("RE-4711", 124), line("2024-03-01", 124, 300), line("2024-03-31", 124, 600)]
    expected = {
        "document_type": "invoice",
        "document_number": "RE-4711",
        "issue_date": "2024-03-01",
        "due_date": "2024-03-31",
    }
    assert fields(grid + values, "en_GB") == expected
    flush_right = [
        line(text, 124, x + 8 * (len(label) - len(text)))
        for text, label, x in (
            ("RE-4711", "Invoice No.", 0),
            ("2024-03-01", "Invoice Date", 300),
            ("2024-03-31", "Due Date", 600),
        )
    ]
    assert fields(grid + flush_right, "en_GB") == expected
    far = [line(value.text, value.box.y0 + 40, value.box.x0) for value in values]
    assert fields(grid + far, "en_GB") == {"document_type": "invoice"}


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("Invoice number: INV-20815", "en_US", {"document_number": "INV-20815"}),
        ("Invoice # 20815", "en_GB", {"document_number": "20815"}),
        ("Facture n° 2022089083", "fr_FR", {"document_number": "2022089083"}),
        ("FACTURE Nº: 2022089083", "fr_FR", {"document_number": "2022089083"}),
        ("Numéro de factura: 2026-77", "es_ES", {"document_number": "2026-77"}),
        ("N.º factura 2026/77", "es_ES", {"document_number": "2026/77"}),
        ("Fattura nr. 12/2026", "it_IT", {"document_number": "12/2026"}),
        ("Rechnung Nr: 4711 vom 03.04.2024", "de_DE", {"document_number": "4711", "issue_date": "03.04.2024"}),
        ("MwSt.: 19,00 EUR", "de_DE", {"totals.total_vat": "19,00 EUR"}),
        ("zzgl. 19 % MwSt. 19,00 EUR", "de_DE", {}),
        ("MwSt. 19 %: 19,00 €", "de_DE", {"totals.total_vat": "19,00 €"}),
        ("VAT (20%) 4.00", "en_GB", {"totals.total_vat": "4.00"}),
        ("VAT: GB123456789", "en_GB", {"seller.vat_identifier": "GB123456789"}),
        ("VAT 20% on 100.00", "en_GB", {}),
        ("TVA : 9,34", "fr_FR", {"totals.total_vat": "9,34"}),
        ("Total HT 46,68", "fr_FR", {"totals.total_without_vat": "46,68"}),
        ("Total HT 46,68", "en_US", {}),  # HT is no currency
        ("Total TTC 56,02 €", "fr_FR", {"totals.total_with_vat": "56,02 €"}),
        ("Datum: 03.04.2024 12:33 Uhr", "de_DE", {"issue_date": "03.04.2024"}),
    ],
)
def test_labels_of_real_pages(text, locale, expected):
    found = fields([line(text, 0)], locale)
    assert {path: value for path, value in found.items() if path != "document_type"} == expected


def test_equal_locales_are_settled_by_the_words_of_the_page():
    """ "Total", "Date" and "IBAN" are labels in English and in French."""
    labels = page(["Date", "03/04/2024"], ["IBAN", "FR76 3000 6000 0112 3456 7890 189"], ["Total", "56,02 €"])
    words = [line("Merci de votre confiance. Nous restons à votre disposition pour toute question.", 400)]
    assert assign_fields([*labels, *words]).locale == "fr_FR"
    words = [line("Thank you for your business. Please quote this number with your payment.", 400)]
    assert assign_fields([*labels, *words]).locale.startswith("en_")


def test_the_longer_one_of_two_labels_that_contain_each_other_decides():
    lines = page(["Date 01/02/2024"], ["Invoice Date 03/02/2024"], ["Total 100.00"], ["Grand Total 120.00"])
    assert fields(lines, "en_GB") == {"issue_date": "03/02/2024", "totals.total_with_vat": "120.00"}


def test_a_label_of_two_fields_means_the_one_that_no_other_label_identifies():
    lines = page(["Gesamtbetrag 119,00"], ["Rechnungsbetrag 99,00"])
    assert fields(lines, "de_DE") == {"totals.total_with_vat": "119,00", "totals.amount_due": "99,00"}


def test_a_label_is_not_the_value_of_another_label():
    assert fields([line("Bank", 0), line("BIC", 24), line("DEUTDEFF", 48)], "en_GB") == {"bank_identifier": "DEUTDEFF"}
    assert fields([line("Bank", 0), line("BIC", 0, 60), line("Westpac", 24), line("WPACAU2S", 24, 60)], "en_GB") == {
        "bank_name": "Westpac",
        "bank_identifier": "WPACAU2S",
    }


def test_the_number_after_the_title_is_the_documents():
    lines = page(["Invoice FA-2017-0008"], ["Invoice Date", "11/03/2017"])
    assert fields(lines, "en_US") == {
        "document_type": "invoice",
        "document_number": "FA-2017-0008",
        "issue_date": "11/03/2017",
    }


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("nl_NL", "Uw BTW nummer: NL003335996B01"),
        ("nl_NL", "Uw btw-id: NL003335996B01"),
        ("en_GB", "Your VAT number: GB123456789"),
        ("de_DE", "Ihre USt-IdNr.: DE123456789"),
    ],
)
def test_the_customers_tax_number_is_not_the_sellers(locale, text):
    assert "seller.vat_identifier" not in fields(page([text]), locale)
    assert "seller.vat_identifier" in fields(page([text.split(maxsplit=1)[1]]), locale)


def test_a_label_whose_line_has_its_own_number_takes_no_other_from_the_right():
    lines = page(["Registergericht Hanau | HRB 13302", "IBAN DE30507500940000048567"])
    assert fields(lines, "de_DE") == {"payment_account": "DE30507500940000048567"}
    assert "seller.legal_registration" not in fields(page(["Registergericht", "IBAN DE89370400440532013000"]), "de_DE")


def test_of_two_numbers_of_an_account_the_iban_counts():
    national = ["Konto-Nr. 48567"]
    assert fields(page(national), "de_DE") == {"payment_account": "48567"}
    assert fields(page(national, ["IBAN DE89 3704 0044 0532 0130 00"]), "de_DE") == {
        "payment_account": "DE89 3704 0044 0532 0130 00"
    }
    # Two accounts, or one with a misread digit: nobody knows which one is to be paid to.
    assert fields(page(national, ["IBAN DE89 3704 0044 0532 0130 01"]), "de_DE") == {}


def test_an_address_of_e_mail_does_not_begin_with_a_label():
    assert fields(page(["contact@example.org"]), "en_GB") == {}
