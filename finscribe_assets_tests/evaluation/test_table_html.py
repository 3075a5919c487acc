import random
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.evaluation.table_html import html_to_otsl, otsl_to_html
from finscribe_assets.evaluation.teds import teds

TEXTS = [
    "",
    "a",
    "b c",
    "<x>",
    "a & b",
    "1 < 2",
    "&lt;",
    "<fcel>",
    "x<nl>y",
    "&lt;nl>",
    "&amp;lt;ucel>",
    "&amp;amp;",
    "é\ny",
    '12" screen',
]


def a_table(draw):
    """Return the HTML of a rectangle that is cut into cells at random."""
    height, width = draw.randrange(1, 6), draw.randrange(1, 6)
    taken, rows = set(), []
    for row in range(height):
        rows.append("<tr>")
        for column in range(width):
            if (row, column) in taken:
                continue
            down = across = 1
            while column + across < width and (row, column + across) not in taken and draw.random() < 0.3:
                across += 1
            while row + down < height and draw.random() < 0.3:
                down += 1
            taken |= {(row + i, column + j) for i in range(down) for j in range(across)}
            spans = f' rowspan="{down}"' * (down > 1) + f' colspan="{across}"' * (across > 1)
            rows.append(f"<td{spans}>{escape(draw.choice(TEXTS), quote=False)}</td>".replace("\n", "<br>"))
        rows.append("</tr>")
    return f"<html><body><table>{''.join(rows)}</table></body></html>"


def test_any_rectangle_of_cells_comes_back_from_both_languages():
    draw = random.Random(0)
    for _ in range(500):
        html = a_table(draw)
        otsl = html_to_otsl(html)
        assert otsl.repairs == 0
        assert otsl_to_html(otsl.text) == (html, 0)


@pytest.mark.parametrize(
    ("otsl", "rows"),
    [
        # Read so by PaddleX's convert_otsl_to_html, and with these spans by docling-core's parse_otsl_table_content.
        (
            "<fcel>a<lcel><fcel>b<nl><fcel>c<fcel>d<fcel>e<nl>",
            '<tr><td colspan="2">a</td><td>b</td></tr><tr><td>c</td><td>d</td><td>e</td></tr>',
        ),
        (
            "<fcel>a<lcel><nl><ucel><xcel><nl><fcel>b<ecel><nl>",
            '<tr><td rowspan="2" colspan="2">a</td></tr><tr></tr><tr><td>b</td><td></td></tr>',
        ),
        ("<fcel>a<fcel>b<nl><ucel><fcel>c<nl>", '<tr><td rowspan="2">a</td><td>b</td></tr><tr><td>c</td></tr>'),
        ("<ecel><lcel><fcel>x & y<nl>", '<tr><td colspan="2"></td><td>x &amp; y</td></tr>'),
        ("<fcel> 1 < 2 <nl>", "<tr><td>1 &lt; 2</td></tr>"),
    ],
)
def test_known_tables(otsl, rows):
    html = f"<html><body><table>{rows}</table></body></html>"
    assert otsl_to_html(otsl) == (html, 0)
    assert html_to_otsl(html) == (otsl.replace("> 1", ">1").replace("2 <", "2<"), 0)


@pytest.mark.parametrize(
    ("otsl", "rows", "repairs"),
    [
        (
            "<fcel>a<nl><fcel>b<fcel>c<nl>",
            "<tr><td>a</td><td></td></tr><tr><td>b</td><td>c</td></tr>",
            1,
        ),  # a short row
        ("<fcel>a<fcel>b", "<tr><td>a</td><td>b</td></tr>", 0),  # the last row's end is left out
        ("so: <fcel>a<ecel>b<nl>", "<tr><td>a</td><td></td></tr>", 0),  # texts that belong to no cell
        (
            "<lcel><fcel>a<nl><fcel>b<ucel><nl>",
            '<tr><td></td><td rowspan="2">a</td></tr><tr><td>b</td></tr>',
            1,
        ),  # nothing on the left
        ("<ucel><nl><xcel><nl>", "<tr><td></td></tr><tr><td></td></tr>", 2),
        ("<fcel>a<xcel><nl>", '<tr><td colspan="2">a</td></tr>', 1),  # the wrong token
        (
            "<fcel>a<lcel><nl><ucel><fcel>b<nl>",
            '<tr><td colspan="2">a</td></tr><tr><td></td><td>b</td></tr>',
            1,
        ),  # no rectangle
        ("<fcel><nl>", "<tr><td></td></tr>", 0),
        ("", "", 0),
        ("no table", "", 0),
        ("<nl><nl>", "<tr></tr><tr></tr>", 0),
    ],
)
def test_malformed_otsl_is_repaired_and_that_is_counted(otsl, rows, repairs):
    assert otsl_to_html(otsl) == (f"<html><body><table>{rows}</table></body></html>", repairs)


@pytest.mark.parametrize(
    ("html", "otsl", "repairs"),
    [
        # OTSL has no headers, and no tags but line breaks.
        (
            "<thead><tr><th>a <b>b</b>\n c</th></tr></thead><tbody><tr><td>d<br>e</td></tr></tbody>",
            "<fcel>a b c<nl><fcel>d\ne<nl>",
            0,
        ),
        ("<tr><td><table><tr><td>x</td></tr></table></td><td>y", "<fcel>x<fcel>y<nl>", 0),
        ("<td>a<td>b", "<fcel>a<fcel>b<nl>", 0),
        ("<tr><td rowspan=0>a<td>b<tr><td>c<tr><td>d", "<fcel>a<fcel>b<nl><ucel><fcel>c<nl><ucel><fcel>d<nl>", 0),
        ("<tr><td rowspan=9>a<td>b<tr><td>c", "<fcel>a<fcel>b<nl><ucel><fcel>c<nl>", 1),
        ("<tr><td colspan=x>a<td rowspan=-3>b", "<fcel>a<fcel>b<nl>", 2),
        ("<tr><td>a<td rowspan=2>b<tr><td colspan=2>c", "<fcel>a<fcel>b<nl><fcel>c<ucel><nl>", 1),  # overlapping cells
        ("<tr><td>a<td rowspan=2>b<tr>", "<fcel>a<fcel>b<nl><ecel><ucel><nl>", 1),  # a hole
        ("<tr><td>a<tr><td>b<td>c", "<fcel>a<ecel><nl><fcel>b<fcel>c<nl>", 1),
        ("", "", 0),
    ],
)
def test_what_is_no_rectangle_of_plain_cells(html, otsl, repairs):
    assert html_to_otsl(f"<html><body><table>{html}</table></body></html>") == (otsl, repairs)


def test_no_table_is_nothing():
    assert html_to_otsl("<p>a</p>") == html_to_otsl("") == ("", 1)


TOKENS = ["<fcel>", "<ecel>", "<lcel>", "<ucel>", "<xcel>", "<nl>", "<fce", "a", "&lt;", "nl>", "\0", "<td>", "\ud800"]


@given(st.lists(st.sampled_from(TOKENS), max_size=40).map("".join) | st.text(max_size=100))
@settings(max_examples=150)
def test_whatever_is_read_is_a_table_that_comes_back(text):
    html = otsl_to_html(text).text
    back = html_to_otsl(html)
    assert back.repairs == 0
    assert teds(otsl_to_html(back.text).text, html, normalise=True) == 1.0


@pytest.mark.parametrize(
    "html",
    [
        "<table><tr>" + "<td colspan=99999 rowspan=99999>x" * 500,
        "<table>" + "<tr><td rowspan=999 colspan=999>x" * 500,
        "<table>" + "<tr>" * 5_000 + "<td>" * 5_000,
    ],
)
def test_huge_spans_stay_small(html):
    otsl = html_to_otsl(html)
    assert otsl.repairs
    assert len(otsl.text) < 5_000_000


def test_endless_otsl_is_read_as_far_as_it_goes():
    assert otsl_to_html("<fcel>" + "x" * 10_000_000).repairs == 1
