"""Fonts as Pillow's faces, found by family as the layout engine finds them."""

from __future__ import annotations

import subprocess
from functools import cache
from itertools import groupby

from fontTools.ttLib import TTFont
from PIL import ImageFont

UNITS = 1000  # size in pixels at which faces are opened
# What a page takes letters from that its own font lacks, such as the Latin ones of an Arabic font: named in its style,
# so that both engines take the same.
FALLBACK_FONT = "Noto Sans"
# Pages ask for figures as tall as capitals (`lining-nums` in base.css), whose 1 is no I; they are wider than others.
LINING = "lnum"
SECOND_SCRIPT_FONT = "Noto Sans Devanagari"  # of titles in Hindi
JOINING = ("\u0590", "\u1cff")  # first and last character of the scripts from Hebrew to those of India and beyond


@cache
def face(family: str, bold: bool = False, style: str = "") -> ImageFont.FreeTypeFont:
    """Return the face of a font family, UNITS large; ``style`` is more of a fontconfig pattern, such as light:italic.

    Raises:
        subprocess.CalledProcessError: fontconfig cannot be asked.
    """
    file, index = _file_of(":".join(part for part in (family, "bold" if bold else "", style) if part))
    return ImageFont.truetype(file, UNITS, index=index)


def _file_of(pattern: str) -> tuple[str, int]:
    command = ["fc-match", "-f", "%{file}\n%{index}", pattern]
    file, index = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")  # noqa: S603
    # Above its low half, fontconfig's index names an instance of a variable font, which is chosen otherwise.
    return file, int(index) & 0xFFFF


@cache
def _characters(family: str) -> frozenset[int]:
    file, index = _file_of(family)
    with TTFont(file, fontNumber=index, lazy=True) as font:
        return frozenset(font.getBestCmap())


@cache
def line_extent(family: str) -> float:
    """Return how tall a font's letters may be in em, from the highest to the lowest: lines nearer than that overlap."""
    return sum(face(family).getmetrics()) / UNITS


def missing_glyphs(text: str, family: str) -> str:
    """Return the characters of a text that neither a font family nor the fallback has, each once, in order.

    Engines silently take such a character from any font, or print a box.
    """
    known = _characters(family) | _characters(FALLBACK_FONT)
    return "".join(sorted({character for character in text if not character.isspace() and ord(character) not in known}))


def text_width(text: str, family: str, *, bold: bool = False) -> float:
    """Return the width of a text in em, letters that the family lacks in the fallback's.

    Letters that join are shaped together; of others the widths are added up, which leaves kerning out: at most a little
    more than engines need.
    """
    if any(JOINING[0] <= character <= JOINING[1] for character in text):
        return shaped_width(text, family, bold=bold)
    return sum(_advance(character, family, bold) for character in text)


def shaped_width(text: str, family: str, *, bold: bool = False) -> float:
    """Return the width of a text in em as engines set it, letters that the family lacks in the fallback's."""
    known = _characters(family)
    runs = groupby(text, key=lambda character: ord(character) in known or character.isspace())
    return (
        sum(
            face(family if own else FALLBACK_FONT, bold).getlength("".join(run), features=[LINING]) for own, run in runs
        )
        / UNITS
    )


@cache
def _advance(character: str, family: str, bold: bool) -> float:
    own = ord(character) in _characters(family) or character.isspace()
    return face(family if own else FALLBACK_FONT, bold).getlength(character, features=[LINING]) / UNITS
