"""Finding lines on drawn regions whose lines are known: what is between and behind them must not matter."""

from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from finscribe_assets.model.line_finding import find_lines
from finscribe_assets.pretraining.line_corpus import _font_file

WIDTH, PITCH, TOP = 700, 30, 12
WORDS = ("Gasket", "ordinary", "12.50", "Öse", "1,204.00", "pcs", "filters", "-7", "19 %", "Ångström")


def region(lines: int, *, ground=255, ink=20, rules="", bands=False, head=False, wraps=False, seed=0) -> Image.Image:
    """Draw lines of three words in columns, ``PITCH`` apart; of wrapped rows every second has its first word alone."""
    random, font = Random(seed), ImageFont.truetype(_font_file("DejaVu Sans", False), 17)
    image = Image.new("L", (WIDTH, 2 * TOP + PITCH * lines), ground)
    draw = ImageDraw.Draw(image)
    for number in range(lines):
        top = TOP + PITCH * number
        if (bands and number % 2) or (head and number == 0):
            draw.rectangle([0, top - 4, WIDTH, top + PITCH - 6], fill=40 if head and number == 0 else ground - 25)
        if rules and (number == 0 or not wraps):
            step = {"solid": 1, "dotted": 4, "dashed": 9}[rules]
            for x in range(0, WIDTH, step):
                draw.line([x, top - 4, x + step // 2, top - 4], fill=90)
        fill = 245 if head and number == 0 else ink
        for column in range(1 if wraps and number % 2 else 3):
            draw.text((8 + 240 * column, top), random.choice(WORDS), fill=fill, font=font)
    if rules:
        for x in (1, 236, 470, WIDTH - 2):
            draw.line([x, TOP - 4, x, TOP - 4 + PITCH * lines], fill=90, width=2)
    return image


def skewed(image: Image.Image, degrees: float) -> Image.Image:
    return image.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=255)


def worn(image: Image.Image) -> Image.Image:
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(0.7)), dtype=float)
    noise = np.random.default_rng(1).normal(0, 5, blurred.shape)
    return Image.fromarray(np.clip(blurred + noise, 0, 255).astype(np.uint8))


def middles(image: Image.Image) -> list[float]:
    return [(top + bottom) / 2 for top, bottom in find_lines(image).strips]


@pytest.mark.parametrize(
    "drawn",
    [
        {},
        {"bands": True},
        {"head": True},
        {"rules": "solid"},
        {"rules": "dotted"},
        {"rules": "dashed"},
        {"wraps": True},
        {"ground": 40, "ink": 240},
        {"rules": "solid", "head": True, "wraps": True},
        {"bands": True, "head": True},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "damage", [lambda image: image, worn, lambda image: worn(skewed(image, 0.4))], ids=["clean", "worn", "skew"]
)
@pytest.mark.parametrize("lines", [1, 2, 9])
def test_each_printed_line_is_found_once(drawn, damage, lines):
    found = middles(damage(region(lines, **drawn)))
    assert len(found) == lines
    for number, middle in enumerate(found):
        assert abs(middle - (TOP + PITCH * number + 11)) < PITCH / 4


def test_strips_hold_their_lines_and_do_not_overlap():
    image = region(6)
    found = find_lines(image)
    ends = [end for strip in found.strips for end in strip]
    assert ends == sorted(ends)
    for strip, picture in zip(found.strips, found.images(), strict=True):
        assert picture.size == (WIDTH, strip[1] - strip[0])
        assert np.asarray(picture)[[0, -1]].min() > 200, "no stroke is cut"
        assert np.asarray(picture).min() < 60


@pytest.mark.parametrize("degrees", [-1.5, 0.6, 1.8])
def test_a_region_is_turned_upright_and_its_points_with_it(degrees):
    image = Image.new("L", (WIDTH, 300), 255)
    draw = ImageDraw.Draw(image)
    for row in range(5):
        draw.text(
            (20, 30 + 50 * row),
            "Wellington boots, green          120.00",
            fill=0,
            font=ImageFont.truetype(_font_file("DejaVu Sans Mono", False), 16),
        )
    left = skewed(image, degrees)
    found = find_lines(left)
    assert abs(found.angle + degrees) < 0.2
    # A point far from the middle comes back to where it stood: turned by Pillow, and back by the finding.
    turned = np.radians(-degrees)
    x, y = 600 - WIDTH / 2, 40 - 150
    there = x * np.cos(turned) - y * np.sin(turned) + WIDTH / 2, x * np.sin(turned) + y * np.cos(turned) + 150
    assert np.allclose(found.to_upright(*there), (600, 40), atol=2)


def test_what_shows_nothing_has_no_lines():
    assert find_lines(Image.new("L", (200, 40), 255)).strips == ()
    ruled = Image.new("L", (300, 60), 255)
    ImageDraw.Draw(ruled).line([0, 30, 300, 30], fill=0, width=2)
    assert find_lines(ruled).strips == ()
    assert find_lines(Image.new("L", (1, 1), 255)).images() == []
