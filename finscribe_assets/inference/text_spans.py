"""Parts of printed lines: which line, which characters, and where on the page they are.

A line finder gives one box for a line such as ``Total: 12.30``. The box of a part of it is estimated from the widths of
its characters. That supposes an ordinary proportional typeface and even spacing; letters of other widths shift the
estimate by a few per cent of the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from PIL import ImageFont

from finscribe_assets.rendering.pages import Box

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class TextLine:
    """A line of text that was read on a page."""

    page: int  # from 0
    box: Box  # in pixels
    text: str
    confidence: float
    truncated: bool


class LineSpan(NamedTuple):
    """Some characters of a line."""

    line: int  # index of the line, from 0
    start: int
    end: int

    def text(self, lines: Sequence[TextLine]) -> str:
        """Return the characters."""
        return lines[self.line].text[self.start : self.end]

    def box(self, lines: Sequence[TextLine]) -> Box:
        """Estimate the characters' box in pixels, by their share of the line's width."""
        line = lines[self.line]
        widths = _widths(line.text)
        total = widths[-1] or 1.0
        left, right = (widths[index] / total * line.box.width for index in (self.start, self.end))
        return Box(line.box.x0 + left, line.box.y0, line.box.x0 + right, line.box.y1)


def whole(lines: Sequence[TextLine], index: int) -> LineSpan:
    """Return the span of a line's text without the space around it."""
    return trimmed(lines, LineSpan(index, 0, len(lines[index].text)))


def trimmed(lines: Sequence[TextLine], span: LineSpan) -> LineSpan:
    """Return a span without the space at its ends."""
    text = span.text(lines)
    start = span.start + len(text) - len(text.lstrip())
    return LineSpan(span.line, start, max(start, span.end - len(text) + len(text.rstrip())))


def words_of(lines: Sequence[TextLine], span: LineSpan) -> list[LineSpan]:
    """Return the words of a span."""
    return [
        LineSpan(span.line, span.start + word.start(), span.start + word.end())
        for word in _WORD.finditer(span.text(lines))
    ]


def joined_text(lines: Sequence[TextLine], spans: Iterable[LineSpan]) -> str:
    """Return the texts of spans, joined by spaces."""
    return " ".join(span.text(lines) for span in spans)


@cache
def _widths(text: str) -> tuple[float, ...]:
    """Return the advance width of each beginning of a text, from 0 to all of its characters."""
    font = _font()
    return tuple(float(font.getlength(text[:index])) for index in range(len(text) + 1))


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(32)  # a proportional sans serif that Pillow brings
