"""Font metrics: faces, text widths and missing glyphs, of the fonts that the layout engines find for a family name."""

from __future__ import annotations

import re
from functools import cache
from itertools import groupby

from fontTools.ttLib import TTFont
from PIL import ImageFont

from finscribe_assets.rendering.font_matching import match_font

UNITS_PER_EM = 1000  # size in pixels at which faces are opened
# Supplies the letters that a page's own font lacks, such as Latin letters for an Arabic font. Pages name it in their
# style, so that both engines take the same one.
FALLBACK_FONT = "Noto Sans"
# OpenType feature for digits as tall as capitals, whose 1 does not look like an I. Pages request it (`lining-nums` in
# base.css), and these digits are wider than the font's default ones.
LINING_DIGITS = "lnum"
SECOND_SCRIPT_FONT = "Noto Sans Devanagari"  # for titles in Hindi
# The blocks whose letters may join: Hebrew, Arabic, the scripts of India and beyond.
_JOINING_LETTER = re.compile("[\u0590-\u1cff]")


@cache
def face(family: str, bold: bool = False, style: str = "") -> ImageFont.FreeTypeFont:
    """Return the face that fontconfig finds for a family, at UNITS_PER_EM pixels.

    Args:
        family: name of the font family.
        bold: take the bold face.
        style: further parts of the fontconfig pattern, such as ``light:italic``.

    Raises:
        OSError: fontconfig is not installed, or finds no font at all.
    """
    file, index = match_font(":".join(part for part in (family, "bold" if bold else "", style) if part))
    return ImageFont.truetype(file, UNITS_PER_EM, index=index)


@cache
def _characters(family: str) -> frozenset[int]:
    """Return the code points for which a family has glyphs."""
    file, index = match_font(family)
    with TTFont(file, fontNumber=index, lazy=True) as font:
        # Any names of glyphs will do. To read the font's own takes a hundred times as long as the code points.
        font.setGlyphOrder([str(glyph) for glyph in range(font["maxp"].numGlyphs)])
        return frozenset(font.getBestCmap())


@cache
def line_extent(family: str) -> float:
    """Return the sum of a font's ascent and descent in em; lines set closer than this overlap."""
    return sum(face(family).getmetrics()) / UNITS_PER_EM


def missing_glyphs(text: str, family: str) -> str:
    """Return the characters of a text that neither the family nor the fallback font has, each once, sorted.

    The engines would silently take such a character from some other font, or print a box.
    """
    known = _characters(family) | _characters(FALLBACK_FONT)
    return "".join(sorted({character for character in text if not character.isspace() and ord(character) not in known}))


def text_width(text: str, family: str, *, bold: bool = False) -> float:
    """Return the width of a text in em; characters that the family lacks are measured in the fallback font.

    Joining scripts are shaped. For all others the characters' widths are added up, without kerning; the result is then
    at most slightly wider than what the engines set.
    """
    if _JOINING_LETTER.search(text):
        return shaped_width(text, family, bold=bold)
    return sum(_advance(character, family, bold) for character in text)


def shaped_width(text: str, family: str, *, bold: bool = False) -> float:
    """Return the width of a text in em as the engines shape it; lacking characters are in the fallback font."""
    known = _characters(family)
    runs = groupby(text, key=lambda character: ord(character) in known or character.isspace())
    return (
        sum(_pixels("".join(run), family if has_glyphs else FALLBACK_FONT, bold) for has_glyphs, run in runs)
        / UNITS_PER_EM
    )


def _pixels(run: str, family: str, bold: bool) -> float:
    return face(family, bold).getlength(run, features=[LINING_DIGITS])


@cache
def _advance(character: str, family: str, bold: bool) -> float:
    has_glyph = ord(character) in _characters(family) or character.isspace()
    return _pixels(character, family if has_glyph else FALLBACK_FONT, bold) / UNITS_PER_EM
