"""Draw the logo of a company as vectors: a symbol composed at random from geometric families, its name, or both.

A logo is a function of the company's name and colour, so a company has one logo on all its documents. It is inline
SVG, which both engines draw; blended tones take the place of transparency, which is slow to rasterise. No real
company's mark is imitated: symbols are combinations of plain shapes, as `logo_symbols` draws them.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from xml.sax.saxutils import escape, quoteattr

from finscribe_assets.documents.drawn_document import LogoType
from finscribe_assets.rendering.font_faces import text_width
from finscribe_assets.rendering.logo_shapes import UNIT, Pen, circle, fill, rectangle, stroke
from finscribe_assets.rendering.logo_symbols import SYMBOLS

MAX_WIDTH_MM = 38.0  # narrow columns and till rolls are hardly wider
SYMBOL_MM = (8.0, 15.0)  # smallest and largest height of a symbol
WORD_LENGTHS = range(4, 13)  # letters of the word of a name that a logo shows
_FIRST_NOT_LATIN = "\u0250"
NAME_SHARE = (0.34, 0.62)  # size of the name's letters beside a symbol, as a share of the symbol's height


@dataclass(frozen=True)
class Logo:
    """A logo and its size on the page in millimetres."""

    svg: str
    width: float
    height: float


@lru_cache(maxsize=4_096)
def draw_logo(logo: LogoType, company: str, accent: str, font: str) -> Logo:
    """Draw a company's logo.

    Args:
        logo: its composition; not ``none``.
        company: the company's name, from which everything is drawn.
        accent: the company's accent colour, #rrggbb, which most logos have.
        font: font family of the letters.

    Returns:
        The logo, at most MAX_WIDTH_MM wide.
    """
    random = Random(f"logo:{company}")
    pen, word = Pen(random, _tones(random, accent), _initials(company), font), _short_name(company)
    symbol = random.choices(list(SYMBOLS), list(SYMBOLS.values()))[0](pen)
    height = random.uniform(*SYMBOL_MM)
    if not word or logo == "symbol":
        return _logo(symbol, UNIT, UNIT, height)
    size = UNIT * random.uniform(*NAME_SHARE)
    word = word.upper() if random.random() < 0.4 else word
    bold = random.random() < 0.6
    colour = random.choice((pen.tone(0), pen.tone(0), "#222222", pen.tone(1)))
    long = text_width(word, font, bold=bold) * size * 1.04
    if logo == "wordmark":
        return _wordmark(pen, word, size, long, colour, bold=bold)
    if logo == "above":
        width = max(UNIT, long)
        content = f'<g transform="translate({(width - UNIT) / 2:.2f} 0)">{symbol}</g>'
        content += _word(word, (width - long) / 2, UNIT + size, size, colour, font, bold=bold)
        return _logo(content, width, UNIT + size * 1.3, height * 1.25)
    content = symbol + _word(word, UNIT + 16, 50 + size * 0.36, size, colour, font, bold=bold)
    return _logo(content, UNIT + 16 + long, UNIT, height)


def _wordmark(pen: Pen, word: str, size: float, long: float, colour: str, *, bold: bool) -> Logo:
    """Return the name alone: on a plate, over a line, behind a bar or before a dot."""
    style = pen.random.choice(("plate", "line", "bar", "dot", "frame"))
    room = long + 0.8 * size
    text, font, height = pen.random.uniform(6, 10), pen.font, size * 1.7
    if style == "plate":
        plate = rectangle(0, 0, room, height, fill(pen.tone(0)), pen.random.choice((0, 8, height / 2)))
        content = plate + _word(word, 0.4 * size, height / 2 + 0.36 * size, size, "#fff", font, bold=bold)
    elif style == "frame":
        frame = rectangle(3, 3, room - 6, height - 6, stroke(pen.tone(1), 4), pen.random.choice((0, 8)))
        content = frame + _word(word, 0.4 * size, height / 2 + 0.36 * size, size, colour, font, bold=bold)
    elif style == "line":
        line = rectangle(0, height - size * 0.24, long, size * 0.13, fill(pen.tone(1)))
        content, room = line + _word(word, 0, size * 1.05, size, colour, font, bold=bold), long
    elif style == "bar":
        bar = rectangle(0, 0, size * 0.22, height, fill(pen.tone(1)))
        content = bar + _word(word, 0.55 * size, height / 2 + 0.36 * size, size, colour, font, bold=bold)
    else:
        dot = circle(long + size * 0.3, height / 2 + 0.2 * size, size * 0.18, fill(pen.tone(1)))
        content = dot + _word(word, 0, height / 2 + 0.36 * size, size, colour, font, bold=bold)
    return _logo(content, room, height, text)


def _word(word: str, x: float, y: float, size: float, colour: str, font: str, *, bold: bool) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-family={quoteattr(font)}{weight} font-size="{size:.2f}"'
        f' fill="{colour}">{escape(word)}</text>'
    )


def _logo(content: str, width: float, height: float, height_mm: float) -> Logo:
    """Return an SVG of a size in its own units, scaled to a height in millimetres unless it would be too wide."""
    width_mm = width / height * height_mm
    scale = min(1.0, MAX_WIDTH_MM / width_mm)
    width_mm, height_mm = round(width_mm * scale, 2), round(height_mm * scale, 2)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_mm}mm" height="{height_mm}mm"'
        f' viewBox="0 0 {width:.2f} {height:.2f}">{content}</svg>'
    )
    return Logo(svg, width_mm, height_mm)


def _tones(random: Random, accent: str) -> tuple[str, ...]:
    """Draw a logo's colours: the main one, a second one, and a lighter and a darker tone of the main one."""
    red, green, blue = (int(accent[start : start + 2], 16) / 255 for start in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    if (saturation < 0.08 and random.random() < 0.5) or random.random() < 0.25:
        hue, lightness, saturation = random.random(), random.uniform(0.28, 0.5), random.uniform(0.45, 0.95)
    relation = random.choice(("same", "same", "opposite", "near", "third", "grey"))
    shift = {"same": 0.0, "opposite": 0.5, "near": random.choice((-0.08, 0.08)), "third": 1 / 3, "grey": 0.0}[relation]
    second = (
        _hex(hue, 0.55, 0.04)
        if relation == "grey"
        else _hex(hue + shift, min(0.72, lightness + (0.26 if relation == "same" else 0.14)), saturation)
    )
    return (
        _hex(hue, lightness, saturation),
        second,
        _hex(hue, min(0.8, lightness + 0.32), saturation * 0.9),
        _hex(hue, lightness * 0.6, saturation),
    )


def _hex(hue: float, lightness: float, saturation: float) -> str:
    channels = colorsys.hls_to_rgb(hue % 1, lightness, saturation)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in channels)


def _initials(company: str) -> str:
    """Return the initials of a Latin name's first two words, or one letter of other scripts."""
    letters = [word[0] for word in company.split() if word[0].isalpha()] or [company[0]]
    return "".join(letters[:2]).upper() if letters[0] < _FIRST_NOT_LATIN else letters[0]


def _short_name(company: str) -> str:
    """Return the first word of a Latin name that is neither short, as articles are, nor long; empty if none is."""
    words = (word.strip(",.") for word in company.split())
    return next(
        (word for word in words if word.isalpha() and len(word) in WORD_LENGTHS and max(word) < _FIRST_NOT_LATIN), ""
    )
