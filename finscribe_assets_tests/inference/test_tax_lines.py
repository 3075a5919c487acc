from finscribe_assets.inference.tax_lines import find_tax_lines
from finscribe_assets.inference.text_spans import TextLine
from finscribe_assets.rendering.pages import Box


def line(text, y, x=0):
    return TextLine(0, Box(x, y, x + 8 * len(text), y + 20), text, 0.9, truncated=False)


def found(*rows, used=()):
    lines = [line(text, 40 * row, 500 * column) for row, texts in enumerate(rows) for column, text in enumerate(texts)]
    return {path: span.text(lines) for path, span in find_tax_lines(lines, used).items()}


def test_rate_taxed_amount_and_tax_are_found_in_any_language():
    assert found(("GST 10% on 78.96", "$7.90"), ("w tym VAT 23% od 11 951 608,16", "2 748 869,88")) == {
        "vat_breakdown[0].rate": "10%",
        "vat_breakdown[0].taxable_amount": "78.96",
        "vat_breakdown[0].tax_amount": "$7.90",
        "vat_breakdown[1].rate": "23%",
        "vat_breakdown[1].taxable_amount": "11 951 608,16",
        "vat_breakdown[1].tax_amount": "2 748 869,88",
    }
    assert found(("MWST / VAT 2.5 % auf / on 60.24", "CHF 1.51"))["vat_breakdown[0].rate"] == "2.5 %"


def test_other_lines_are_left_alone():
    assert found(("GST 10% on 78.96",), ("Total 10% on 5", "to be paid"), ("Discount 3%", "2.00")) == {}
    assert found(("GST 10% on 78.96", "$7.90"), used={0}) == {}
    assert found() == {}
