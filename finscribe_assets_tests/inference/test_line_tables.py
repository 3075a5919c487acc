import pytest

from finscribe_assets.inference.field_identification import identify_fields
from finscribe_assets.inference.line_tables import find_tables
from finscribe_assets.inference.text_spans import LineSpan, TextLine, joined_text, trimmed, whole, words_of
from finscribe_assets.rendering.pages import Box

WIDTH = 8  # pixels of a character


def line(x, y, text, page=0):
    return TextLine(page, Box(x, y, x + WIDTH * len(text), y + 20), text, 0.9, truncated=False)


def cells(lines, locale="en_GB"):
    found = find_tables(lines, locale)
    return {path: joined_text(lines, spans) for path, spans in found.cells.items()}


HEADER = [line(100, 0, "Description"), line(400, 0, "Qty"), line(500, 0, "Unit Price"), line(620, 0, "Amount")]
FIRST = {"item_name": "Pen, blue", "quantity": "3", "net_price": "2.00", "net_amount": "6.00"}


def rows(*texts, top=40, pitch=40):
    """Return the lines of rows of name, quantity, price and amount, with the numbers flush right."""
    lines = []
    for number, row in enumerate(texts):
        for x, text, left in zip((100, 424, 580, 668), row, (True, False, False, False), strict=True):
            if text:
                lines.append(line(x if left else x - WIDTH * len(text), top + number * pitch, text))
    return lines


def test_a_part_of_a_line_has_its_share_of_the_box():
    text = "Total: 12.30"
    lines = [TextLine(0, Box(100, 10, 340, 30), text, 1.0, truncated=False)]
    span = LineSpan(0, text.index("1"), len(text))
    box = span.box(lines)
    assert (box.y0, box.x1, box.y1) == (10, pytest.approx(340), 30)
    assert 200 < box.x0 < 240 and span.text(lines) == "12.30"
    assert [word.text(lines) for word in words_of(lines, whole(lines, 0))] == ["Total:", "12.30"]
    assert trimmed(lines, LineSpan(0, 6, 8)) == LineSpan(0, 7, 8)
    wide, narrow = (LineSpan(0, 0, 3).box([line(0, 0, text)]).width for text in ("WWW...", "...WWW"))
    assert wide > 2 * narrow
    assert whole([line(0, 0, "")], 0).box([line(0, 0, "")]).width == 0


def test_headers_determine_the_columns_and_positions_the_cells():
    lines = HEADER + rows(("Pen, blue", "3", "2.00", "6.00"), ("Ink", "1", "", "4.50"))
    second = {"item_name": "Ink", "quantity": "1", "net_amount": "4.50"}
    expected = {f"lines[{at}].{name}": text for at, row in enumerate((FIRST, second)) for name, text in row.items()}
    assert cells(lines) == expected
    assert cells(lines[::-1]) == expected
    beside = [line(0, y, text) for y, text in ((-10, "From"), (10, "Qty"), (50, "Pens Ltd"), (70, "12"))]
    assert cells(lines + beside) == expected


def test_lines_of_several_cells_and_labels_are_divided():
    labels = TextLine(0, Box(400, 0, 580, 20), "Qty Unit Price", 0.9, truncated=False)
    header = [line(100, 0, "Description"), labels, line(620, 0, "Amount")]
    together = TextLine(0, Box(416, 40, 580, 60), "3 2.00", 0.9, truncated=False)
    lines = [*header, line(100, 40, "Pen, blue"), together, line(636, 40, "6.00")]
    assert cells(lines) == {f"lines[0].{name}": text for name, text in FIRST.items()}


def test_wrapped_and_stacked_names_belong_to_their_items():
    wrapped = HEADER + rows(("Pen, blue", "3", "2.00", "6.00")) + [line(100, 62, "with cap")]
    assert cells(wrapped)["lines[0].item_name"] == "Pen, blue with cap"
    stacked = HEADER + rows(
        ("Pen, blue", "", "", ""), ("", "3", "2.00", "6.00"), ("Ink", "", "", ""), ("", "1", "", "4.50")
    )
    assert cells(stacked)["lines[0].item_name"] == "Pen, blue"
    assert cells(stacked)["lines[1].item_name"] == "Ink"
    assert len({path.partition(".")[0] for path in cells(stacked)}) == 2


def test_the_table_ends_at_totals_and_gaps_and_carried_sums_are_no_items():
    carried = rows(("Pen, blue", "3", "2.00", "6.00"), ("Carried forward", "", "", "6.00"), ("Ink", "1", "", "4.50"))
    total = [line(500, 160, "Total"), line(630, 160, "10.50"), *rows(("Late", "9", "9.00", "9.00"), top=200)]
    found = cells(HEADER + carried + total)
    assert [found[f"lines[{at}].item_name"] for at in (0, 1)] == ["Pen, blue", "Ink"]
    assert "lines[2].item_name" not in found
    far = HEADER + rows(("Pen, blue", "3", "2.00", "6.00")) + rows(("Far", "9", "9.00", "9.00"), top=400)
    assert len(cells(far)) == 4


def test_a_table_goes_on_on_the_next_page_and_pages_without_a_header_have_none():
    first = HEADER + rows(("Pen, blue", "3", "2.00", "6.00"))
    second = [TextLine(1, *other) for other in ((part.box, part.text, 0.9, False) for part in first)]
    found = cells(first + second)
    assert found["lines[1].item_name"] == "Pen, blue"
    assert cells([line(0, 0, "Dear customer"), line(0, 40, "12.00")]) == {}
    assert cells([]) == {}


def test_fields_have_boxes_where_lines_do():
    lines = [*HEADER, *rows(("Pen, blue", "3", "2.00", "6.00")), line(500, 90, "Amount Due 6.00")]
    found = identify_fields(lines, [False] * len(lines), [(1000, 500)], "en_GB")
    assert {path: field.text for path, field in found.fields.items()} == {
        "totals.amount_due": "6.00",
        **{f"lines[0].{name}": text for name, text in FIRST.items()},
    }
    due = found.fields["totals.amount_due"]
    (located,) = due.boxes
    assert located.page == 1 and 570 < located.box.x0 < 600 and located.box.x1 == 620 and located.box.y0 == 180
    assert due.source == len(lines) - 1
    in_blocks = identify_fields(lines, [False] * len(lines), [(1000, 500)], "en_GB", boxes_are_lines=False)
    assert in_blocks.fields["totals.amount_due"].boxes == () and "lines[0].item_name" not in in_blocks.fields


def test_names_in_rows_of_their_own_are_those_of_the_items_below():
    header = [line(230, 40, "Price per Unit"), line(380, 40, "Quantity"), line(500, 40, "Total")]
    names = ("CHOCOLATE BAR WITH NUTS 1 KG AND MORE", "ICED TEA LEMON, NOT SWEETENED, 0.7 L")
    body = []
    for number, (name, price) in enumerate(zip(names, ("3.29", "2.89"), strict=True)):
        y = 70 + 60 * number
        body += [line(100, y, name), line(260, y + 30, price), line(400, y + 30, "1"), line(510, y + 30, price)]
    expected = {
        f"lines[{at}].{field}": value
        for at, (name, price) in enumerate(zip(names, ("3.29", "2.89"), strict=True))
        for field, value in (("item_name", name), ("net_price", price), ("quantity", "1"), ("net_amount", price))
    }
    for heading in ([line(100, 10, "Description")], []):
        assert cells(heading + header + body) == expected


def test_a_table_ends_where_a_row_ends_with_a_total_and_has_no_rows_without_numbers():
    body = rows(("Pen, blue", "3", "2.00", "6.00"))
    total = [line(100, 80, "Prices include VAT"), line(480, 80, "Grand total EUR"), line(668, 80, "6.00")]
    footer = [line(100, 80, "1 Long Street"), line(400, 80, "Bank"), line(620, 80, "IBAN DE30")]
    expected = {f"lines[0].{name}": text for name, text in FIRST.items()}
    assert cells(HEADER + body + total) == expected
    assert cells(HEADER + body + footer) == expected


def test_a_value_outside_a_table_counts_although_a_column_has_the_same_label_and_value():
    header = [line(100, 0, "Omschrijving"), line(400, 0, "Aantal"), line(500, 0, "Prijs"), line(620, 0, "Bedrag")]
    total = [line(400, 100, "Factuur totaal EUR"), line(668, 100, "6,00")]
    lines = [*header, *rows(("Pen", "1", "6,00", "6,00"), top=24), *total]
    found = identify_fields(lines, [False] * len(lines), [(1000, 500)], "nl_NL")
    assert found.fields["totals.total_with_vat"].text == "6,00"
    assert found.fields["lines[0].net_amount"].text == "6,00"


def test_a_footer_that_other_pages_have_at_the_same_height_ends_a_table():
    def page(number, name):
        body = [*HEADER, *rows((name, "3", "2.00", "6.00"))]
        footer = [line(100, 90, "Acme Ltd, Leeds"), line(400, 90, "44 10 20"), line(620, 90, "12 34")]
        return [TextLine(number, one.box, one.text, 0.9, truncated=False) for one in [*body, *footer]]

    found = cells([*page(0, "Pen, blue"), *page(1, "Cup")])
    assert {path: text for path, text in found.items() if path.endswith("item_name")} == {
        "lines[0].item_name": "Pen, blue",
        "lines[1].item_name": "Cup",
    }
    assert "lines[1].item_name" in cells(page(0, "Pen, blue"))  # on a single page nothing says that it is a footer


def test_a_sentence_with_words_of_labels_is_no_header():
    sentence = line(80, 300, "Please note: amount payable is inclusive of all goods & services tax at applicable rates")
    below = [line(110, 340, "New Delhi - 110001"), line(600, 340, "HDFC0000003")]
    assert cells([sentence, *below]) == {}
    table = [*HEADER, *rows(("Pen, blue", "3", "2.00", "6.00"))]
    found = cells([*table, sentence, *below])
    assert {path: text for path, text in found.items() if path.startswith("lines[0]")} == {
        f"lines[0].{name}": text for name, text in FIRST.items()
    }
