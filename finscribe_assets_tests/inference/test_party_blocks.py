import pytest

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.inference.party_blocks import find_parties
from finscribe_assets.inference.text_spans import TextLine
from finscribe_assets.rendering.pages import Box


def block(x, y, *texts, right=False):
    """Return lines below each other, flush left, or flush right at x."""
    return [
        TextLine(
            0,
            Box(x - 8 * len(text) if right else x, y + 24 * at, x + (0 if right else 8 * len(text)), y + 24 * at + 20),
            text,
            0.9,
            truncated=False,
        )
        for at, text in enumerate(texts)
    ]


def found(lines, locale="en_GB", document_type=DocumentType.INVOICE, used=()):
    return {path: span.text(lines) for path, span in find_parties(lines, locale, document_type, used).spans.items()}


SELLER = ("Pens Ltd", "1 Old Harbour", "Leeds", "LS1 4AP")
BUYER = ("Ink & Sons", "22 Market Street", "York", "YO1 7HH")


def party(role, name, street, city, post_code):
    return {
        f"{role}.name": name,
        f"{role}.address.street": street,
        f"{role}.address.city": city,
        f"{role}.address.post_code": post_code,
    }


def test_blocks_without_a_caption_are_the_issuers_and_then_the_recipients():
    lines = block(100, 0, *SELLER) + block(100, 300, *BUYER)
    assert found(lines) == party("seller", *SELLER) | party("buyer", *BUYER)
    flush_right = block(900, 0, *SELLER, right=True) + block(100, 300, *BUYER)
    assert found(flush_right) == party("seller", *SELLER) | party("buyer", *BUYER)
    assert found(lines, document_type=DocumentType.PURCHASE_ORDER) == party("buyer", *SELLER) | party("seller", *BUYER)


def test_captions_determine_the_party():
    lines = block(100, 0, "Bill to", *BUYER) + block(500, 0, "Ship to", "Depot", "3 Dock Road", "Hull", "HU1 2AB")
    lines += block(100, 300, *SELLER)
    expected = party("buyer", *BUYER) | party("ship_to", "Depot", "3 Dock Road", "Hull", "HU1 2AB")
    assert found(lines) == expected | party("seller", *SELLER)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("7304 RP Apeldoorn", {"post_code": "7304 RP", "city": "Apeldoorn"}),
        ("8005 Zürich", {"post_code": "8005", "city": "Zürich"}),
        ("53113 Bonn", {"post_code": "53113", "city": "Bonn"}),
        ("753 87 Uppsala", {"post_code": "753 87", "city": "Uppsala"}),
        ("00-950 Warszawa", {"post_code": "00-950", "city": "Warszawa"}),
        ("20121 Milano (MI)", {"post_code": "20121", "city": "Milano", "subdivision": "MI"}),
        ("Los Angeles, CA 90088", {"post_code": "90088", "city": "Los Angeles", "subdivision": "CA"}),
        ("Bendigo VIC 3556", {"post_code": "3556", "city": "Bendigo", "subdivision": "VIC"}),
        ("Jaipur 302004", {"post_code": "302004", "city": "Jaipur"}),
    ],
)
def test_places_are_divided_as_their_country_prints_them(line, parts):
    read = found(block(100, 0, "A Company", "5 A Street", line))
    assert {path.rpartition(".")[2]: text for path, text in read.items()} == parts | {
        "name": "A Company",
        "street": "5 A Street",
    }


def test_what_is_no_block_is_left_alone():
    assert found(block(100, 0, "Dear customer", "12345 items")) == {}
    assert found(block(100, 0, "8005 Zürich")) == {}
    assert found([*block(100, 0, "A Company"), *block(100, 200, "5 A Street", "8005 Zürich")]) == {}
    lines = block(100, 0, *SELLER)
    assert found(lines, used={1}) == {}
    assert found([]) == {}


def test_a_second_line_of_the_street_is_told_from_the_name():
    read = found(block(100, 0, "A Company", "5 A Street", "Unit 3", "8005 Zürich"))
    assert read["seller.name"] == "A Company" and read["seller.address.additional_line"] == "Unit 3"


def test_a_block_with_the_address_that_goods_are_sent_to_is_the_buyers():
    lines = block(100, 0, "Delivery address", *BUYER) + block(700, 0, "Jo Ink", *BUYER[1:]) + block(100, 300, *SELLER)
    expected = party("ship_to", *BUYER) | party("buyer", "Jo Ink", *BUYER[1:])
    assert found(lines) == expected | party("seller", *SELLER)
    assert "seller.name" not in found(lines[:-4])
