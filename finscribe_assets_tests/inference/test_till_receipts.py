"""Items, tax tables and dates of till receipts, which print no headers and labels for them."""

from finscribe_assets.inference.field_identification import identify_fields
from finscribe_assets.inference.tax_rows import find_tax_rows
from finscribe_assets.inference.text_spans import TextLine
from finscribe_assets.rendering.pages import Box

WIDTH = 900
HEAD = (("Kaufhaus GmbH",), ("Hafenweg 12",), ("20457 Hamburg",))


def lines_of(*rows):
    """Return rows of texts: the first at the left edge, the last at the right one, others between, 40 pixels apart."""
    lines = []
    for at, texts in enumerate(rows):
        for place, text in enumerate(texts):
            width = 11 * len(text)
            x = (WIDTH - width) * place / max(1, len(texts) - 1)
            lines.append(TextLine(0, Box(x, 40 * at, x + width, 40 * at + 30), text, 0.9, truncated=False))
    return lines


def read(*rows, locale="de_DE", height=3000):
    lines = lines_of(*rows)
    found = identify_fields(lines, [False] * len(lines), [(WIDTH, height)], locale).fields
    return {path: value.text for path, value in found.items()}


def test_rows_whose_amounts_make_the_total_are_items():
    values = read(
        *HEAD,
        ("Vollmilch", "1,29 A"),
        ("Schrauben", "2 x", "3,50", "7,00 B"),
        ("Rabatt", "-0,29 A"),
        ("Zu zahlen", "8,00"),
        ("Bar", "10,00"),
        ("Rückgeld", "2,00"),
    )
    names = [values[f"lines[{row}].item_name"] for row in range(3)]
    assert names == ["Vollmilch", "Schrauben", "Rabatt"]
    assert [values[f"lines[{row}].gross_amount"] for row in range(3)] == ["1,29", "7,00", "-0,29"]
    assert (values["lines[1].price_with_vat"], values["totals.amount_due"]) == ("3,50", "8,00")
    assert "lines[3].item_name" not in values


def test_names_and_quantities_may_stand_above_the_amount():
    values = read(
        *HEAD,
        ("ART 4002245701618",),
        ("2 Rolle x", "4,85", " "),
        ("Parkettzubehör", "9,70 1"),
        ("Lampe E27", "22237"),
        ("2,000 x", "3,99", "7,98"),
        ("Summe [2]", "EUR", "17,68"),
        ("Gegeben", "17,68"),
    )
    assert values["totals.total_with_vat"] == "17,68"
    assert (values["lines[0].item_name"], values["lines[0].price_with_vat"]) == ("Parkettzubehör", "4,85")
    assert (values["lines[1].item_name"], values["lines[1].gross_amount"]) == ("Lampe E27", "7,98")


def test_rows_that_do_not_make_the_total_and_those_of_invoices_are_no_items():
    rows = (("Vollmilch", "1,29"), ("Brot", "2,00"), ("Zu zahlen", "3,29"))
    assert "lines[0].item_name" in read(*HEAD, *rows)
    assert not any(path.startswith("lines") for path in read(*HEAD, *rows[:-1], ("Zu zahlen", "4,29")))
    assert not any(path.startswith("lines") for path in read(*HEAD, *rows, height=1270))
    assert not any(path.startswith("lines") for path in read(("Rechnung",), *HEAD, *rows))


def test_a_tax_table_is_read_by_its_amounts_and_gives_no_items():
    values = read(
        *HEAD,
        ("Vollmilch", "8,80 A"),
        ("Lampe", "10,97 B"),
        ("Zu zahlen", "19,77"),
        ("MWST%", "MWST", "Netto", "Brutto"),
        ("A 7 %", "0,58", "8,22", "8,80"),
        ("B 19 %", "1,75", "9,22", "10,97"),
        ("Summe", "2,33", "17,44", "19,77"),
        ("3182", "748433/01", "02.03.20", "15:59"),
    )
    assert {path: text for path, text in values.items() if path.startswith("vat")} == {
        "vat_breakdown[0].rate": "7 %",
        "vat_breakdown[0].taxable_amount": "8,22",
        "vat_breakdown[0].tax_amount": "0,58",
        "vat_breakdown[1].rate": "19 %",
        "vat_breakdown[1].taxable_amount": "9,22",
        "vat_breakdown[1].tax_amount": "1,75",
    }
    assert (values["totals.total_without_vat"], values["totals.total_vat"]) == ("17,44", "2,33")
    assert (values["lines[1].item_name"], values.get("lines[2].item_name")) == ("Lampe", None)
    assert values["issue_date"] == "02.03.20"


def test_order_and_language_of_a_tax_table_do_not_matter():
    for row in (("TVA 20%", "100,00", "20,00"), ("20,00", "100,00", "IVA 20%", "120,00")):
        lines = lines_of(row)
        found = {path.split(".")[1]: span.text(lines) for path, span in find_tax_rows(lines).cells.items()}
        assert found == {"rate": "20%", "taxable_amount": "100,00", "tax_amount": "20,00"}


def test_a_sentence_with_a_rate_is_one_entry():
    values = read(*HEAD, ("inkl. MwSt. 19 % auf 100,00", "19,00"))
    assert sorted(path for path in values if path.endswith("rate")) == ["vat_breakdown[0].rate"]


def test_other_rows_are_no_tax_table():
    for row in (
        ("Beratung Vertrieb", "19 %", "100,00", "19,00", "119,00"),  # an item
        ("A", "2", "19 %", "100,00", "19,00"),  # with a quantity
        ("19 %", "100,00", "20,00"),
        ("Rabatt 3%", "2,00"),
    ):
        assert not find_tax_rows(lines_of(row)).cells


def test_a_date_beside_a_word_or_beside_another_date_is_not_the_issue_date():
    assert read(*HEAD, ("Foo-Datum", "02.03.2020")).get("issue_date") is None
    assert read(*HEAD, ("02.03.2020",), ("03.03.2020",)).get("issue_date") is None
    assert read(*HEAD, ("4711", "09:48 02.03.2020"))["issue_date"] == "02.03.2020"


def test_a_rate_is_no_identifier_and_a_masked_card_no_account():
    values = read(("VAT 20%:", "20.00"), ("Account no.", "######4577"), locale="en_GB")
    assert values.get("totals.total_vat") == "20.00"
    assert not {"seller.vat_identifier", "payment_account"} & set(values)


def test_the_address_may_be_one_line_and_the_branch_has_a_number():
    one_line = read(("Möbelhaus GmbH & Co. KG",), ("Südring 7, 33647 Bielefeld",))
    assert one_line["seller.name"] == "Möbelhaus GmbH & Co. KG"
    assert (one_line["seller.address.street"], one_line["seller.address.city"]) == ("Südring 7", "Bielefeld")
    branch = read(("Baumarkt AG",), ("Filiale 547",), ("Hafenweg 2",), ("33104 Paderborn",))
    assert (branch["seller.name"], branch["seller.address.street"]) == ("Baumarkt AG", "Hafenweg 2")
