import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from finscribe_assets.inference.line_ink import find_ink
from finscribe_assets.inference.text_spans import LineSpan, TextLine, spaces_between_words
from finscribe_assets.rendering.pages import Box

FONT = ImageFont.load_default(20)


def printed(text, at=(12, 8), size=(300, 40), ink=0, paper=255):
    image = Image.new("L", size, paper)
    ImageDraw.Draw(image).text(at, text, fill=ink, font=FONT)
    return image


def found(image, text, left=100, top=50):
    return find_ink(np.asarray(image), text, spaces_between_words(text), left, top)


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 40), (120, 200)])
def test_words_have_the_edges_of_their_ink(ink, paper):
    text = "Total due 12.30"
    image = printed(text, ink=ink, paper=paper)
    words = found(image, text).words
    for number, (left, right) in enumerate(words):
        before, word = " ".join([*text.split()[:number], ""]).lstrip(), text.split()[number]
        begin = 112 + FONT.getlength(before)
        assert left == pytest.approx(begin, abs=3) and right == pytest.approx(begin + FONT.getlength(word), abs=3)


def test_wide_gaps_are_found_and_rules_are_no_ink():
    image = printed("20")
    ImageDraw.Draw(image).text((120, 8), "Stk.", fill=0, font=FONT)
    ImageDraw.Draw(image).line((5, 0, 5, 40), fill=0, width=2)
    ImageDraw.Draw(image).line((0, 36, 300, 36), fill=0, width=2)
    (left, right), (begin, _) = found(image, "20 Stk.").words
    assert 110 <= left <= 115 and right < 140 and 218 <= begin <= 224


def test_the_line_box_does_not_depend_on_which_characters_a_text_has():
    boxes = [
        (ink.top, ink.bottom)
        for text in ("12.30", "gap", "sum", "Total", "Type")
        for ink in [found(printed(text), text)]
    ]
    tops, bottoms = zip(*boxes, strict=True)
    assert max(tops) - min(tops) <= 5 and max(bottoms) - min(bottoms) <= 5
    assert min(bottoms) - max(tops) >= 18 and max(bottoms) - min(tops) <= 34


def test_what_does_not_fit_says_nothing():
    assert found(Image.new("L", (100, 30), 255), "12") is None
    assert found(printed("1230"), "1 2 3 0 and more words than there is ink") is None


def test_spans_use_the_ink_of_their_words():
    text = "Total: 12.30"
    image = printed(text)
    line = TextLine(0, Box(100, 50, 400, 90), text, 0.9, truncated=False, ink=found(image, text))
    lines = [line]
    amount = LineSpan(0, 7, 12).box(lines)
    assert amount.x0 == pytest.approx(112 + FONT.getlength("Total: "), abs=3)
    assert amount.x1 == pytest.approx(112 + FONT.getlength(text), abs=3)
    assert 50 < amount.y0 < amount.y1 < 90
    cents = LineSpan(0, 10, 12).box(lines)
    assert amount.x0 < cents.x0 < cents.x1 == amount.x1
    assert LineSpan(0, 0, 5).box(lines).x1 < LineSpan(0, 0, 6).box(lines).x1 <= amount.x0
    assert LineSpan(0, 7, 7).box(lines).width >= 0
