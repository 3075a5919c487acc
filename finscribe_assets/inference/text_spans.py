"""Parts of printed lines: which line, which characters, and where on the page they are.

A line finder gives one box for a line such as ``Total: 12.30``. Where the line's ink is known (`line_ink`), words
have its edges. Without it, and inside words, the box of a part of a line is estimated from the widths of its
characters. That supposes an ordinary proportional typeface and even spacing; letters of other widths shift the
estimate by a few per cent of the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from PIL import ImageFont

from finscribe_assets.inference.line_ink import LineInk
from finscribe_assets.rendering.pages import Box

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class TextLine:
    """A line of text that was read on a page."""

    page: int  # from 0
    box: Box  # in pixels
    text: str
    confidence: float | None  # None if the reader does not know it
    truncated: bool
    ink: LineInk | None = None  # None if it is unknown


class LineSpan(NamedTuple):
    """Some characters of a line."""

    line: int  # index of the line, from 0
    start: int
    end: int

    def text(self, lines: Sequence[TextLine]) -> str:
        """Return the characters."""
        return lines[self.line].text[self.start : self.end]

    def box(self, lines: Sequence[TextLine]) -> Box:
        """Return the characters' box in pixels, by the line's ink or by their share of the line's width."""
        line = lines[self.line]
        if line.ink is not None:
            left, right = (_position(line.text, line.ink, index, at_end) for index, at_end in self._edges())
            return Box(left, line.ink.top, max(left, right), line.ink.bottom)
        widths = _widths(line.text)
        total = widths[-1] or 1.0
        left, right = (widths[index] / total * line.box.width for index in (self.start, self.end))
        return Box(line.box.x0 + left, line.box.y0, line.box.x0 + right, line.box.y1)

    def _edges(self) -> tuple[tuple[int, bool], tuple[int, bool]]:
        return (self.start, False), (self.end, True)


def spaces_between_words(text: str) -> list[float]:
    """Return how much of a text's width is to the left of the middle of each space between words, from 0 to 1."""
    words = list(_WORD.finditer(text))
    if not words:
        return []
    widths = _widths(text)
    first, total = widths[words[0].start()], widths[words[-1].end()] - widths[words[0].start()]
    middles = ((widths[word.end()] + widths[after.start()]) / 2 for word, after in pairwise(words))
    return [(middle - first) / (total or 1.0) for middle in middles]


def _position(text: str, ink: LineInk, index: int, at_end: bool) -> float:
    """Return where the character before (at_end) or after an index ends or begins, in pixels across the page."""
    words = list(_WORD.finditer(text))
    number = max((at for at, word in enumerate(words) if word.start() < index + (not at_end)), default=0)
    word, (left, right) = words[number], ink.words[number]
    widths = _widths(word[0])
    inside = widths[min(max(index - word.start(), 0), len(word[0]))]
    return left + (right - left) * inside / (widths[-1] or 1.0)


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
