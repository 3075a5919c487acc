"""The page to look at: self-contained, escaped, and with the boxes where the record has them."""

from __future__ import annotations

import re

import numpy as np
from lxml import html

from finscribe_assets.inference.extraction_page import Extraction, extractions_to_html
from finscribe_assets.rendering.pages import Page

HOSTILE = "<script>alert(1)</script>\"'&"
RECORD = {
    "id": "x",
    "file": f"{HOSTILE}.pdf",
    "reader": "embedded",
    "model": {"base": "embedded", "base_content": "b" * 64, "adapter": "a" * 64, "device": "cpu"},
    "layout": "text lines",
    "labels": "en_GB",
    "response": {"document_number": HOSTILE, "totals": {"amount_due": "7.00"}, "currency_code": "GBP"},
    "confidence": {"document_number": 0.5, "totals.amount_due": 1.0},
    "boxes": {
        "document_number": [{"page": 1, "box": [100, 200, 300, 250]}],
        "totals.amount_due": [{"page": 2, "box": [0, 0, 10, 10]}, {"page": 2, "box": [0, 20, 10, 30]}],
    },
    "sources": {"document_number": 1},
    "lines": [{"line": 1, "page": 1, "box": [20, 80, 80, 120], "text": HOSTILE, "confidence": 0.5, "truncated": False}],
    "not_assigned": [{"reason": "no label", "fields": ["issue_date", "seller.name"]}],
    "turned": [{"page": 1, "rotation": 90, "skew": 0.0}],
}


def page_of(*extractions: Extraction):
    text = extractions_to_html(extractions)
    return text, html.fromstring(text)


def blank(width: int, height: int) -> Page:
    return Page.of_pixels(np.full((height, width), 255, np.uint8))


def test_values_and_lines_have_their_boxes_in_thousandths_of_their_page():
    _, tree = page_of(Extraction(RECORD, [blank(200, 400), blank(100, 100)]))
    rows = {row.find("th").text_content(): row.get("data-id") for row in tree.iter("tr") if row.get("data-id")}
    boxes = {
        (rect.get("data-for"), rect.get("x"), rect.get("y"), rect.get("width"), rect.get("height"))
        for rect in tree.iter("rect")
    }
    assert (rows["document_number"], "100.0", "200.0", "200.0", "50.0") in boxes
    assert (rows["1"], "100.0", "200.0", "300.0", "100.0") in boxes  # the line's pixels, on a page of 200 × 400
    assert sum(name == rows["totals.amount_due"] for name, *_ in boxes) == 2
    assert len(tree.findall(".//figure")) == 2
    assert f"SHA-256 of base {'b' * 12}, adapter {'a' * 12}." in tree.text_content()
    assert "follows from others; no box" in tree.text_content()
    assert "no label: issue_date, seller.name" in tree.text_content()


def test_values_are_escaped_and_nothing_is_loaded():
    text, tree = page_of(Extraction(RECORD, [blank(20, 20)]))
    assert len(tree.findall(".//script")) == 1
    assert "<script>alert" not in text
    assert tree.text_content().count("alert(1)") >= 3
    sources = [element.get(name) for element in tree.iter() for name in ("src", "href", "data") if element.get(name)]
    assert sources
    assert all(source.startswith("data:image/webp;base64,") for source in sources)
    assert not re.search(r"url\(|@import|fetch\(", text)


def test_a_file_that_was_not_read_and_raw_text_have_their_sections():
    error = Extraction({"file": "a.pdf", "error": "the PDF is damaged"}, [])
    raw = Extraction({"file": "b.png", "response": '{"a": "<b>"}', "truncated": True}, [blank(9, 9)])
    line = Extraction({"file": "c.png", "text": "One line", "confidence": 0.9, "truncated": False}, [blank(9, 9)])
    _, tree = page_of(error, raw, line)
    sections = [section.text_content() for section in tree.iter("section")]
    assert "Not read: the PDF is damaged" in sections[0]
    assert '{"a": "<b>"}' in sections[1] and "stopped at the token limit" in sections[1]
    assert "One line" in sections[2]
