"""How much room labels and values need outside the table, and how small type must be where they lack it.

Engines divide the width of a table by its content, each in its own way, and cut words that are too long. Here widths
are computed from the font's own, so that both engines show the same and no word is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finscribe_assets.documents.addresses import address_lines
from finscribe_assets.documents.captions import LABELLED_PARTY_FIELDS
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.rendering.column_widths import POINTS_PER_MM, SLACK
from finscribe_assets.rendering.font_faces import text_width
from finscribe_assets.rendering.line_breaking import unbroken
from finscribe_assets.rendering.page_blocks import BlockRow, Piece

GAP = 1.2  # em between a label and its value
DUE = 1.1  # size of the amount due, in em
SMALL = 0.88  # size of small labels and particulars, in em
FEWEST = 0.9  # in how small type cells may be set before there are fewer in a row


@dataclass(frozen=True)
class Beside:
    """Two columns of labels and values: widths in millimetres, type as a share of the text around them."""

    label: float
    width: float  # of both
    scale: float


@dataclass(frozen=True)
class Cells:
    """How many cells stand in a row, and the size of their type."""

    count: int
    scale: float


class Fitting:
    """What the texts of one document need, in its font and size."""

    def __init__(self, drawn: DrawnDocument, page_scale: float) -> None:
        """Measure texts of a document whose page is set in a share of its type size."""
        self._drawn, self._look = drawn, drawn.presentation
        self._language = LOCALE_FACTS[drawn.document.locale].language
        self._em = self._look.font_size * page_scale / POINTS_PER_MM  # in millimetres
        self._bold_labels = self._look.style.label_type == "bold"

    def beside(self, rows: Sequence[BlockRow], room: float, *, whole: bool = False, padding: float = 0.0) -> Beside:
        """Return widths for labels beside their values in so many millimetres.

        A ``whole`` value, such as an amount, stands on one line; ``padding`` in em stands on both sides.
        """
        pairs = [row for row in rows if row.value]
        labels = [(self._text((*row.label, (row.colon, None))), row.style == "due") for row in pairs]
        values = [(self._text(row.value), row.style == "due") for row in pairs]
        gap, edge = GAP * self._em, padding * self._em
        label = max((self._length(text, due) for text, due in labels), default=0.0)
        value = max((self._length(text, due, value=True) for text, due in values), default=0.0)
        if label + gap + value + 2 * edge <= room:
            return Beside(round(edge + label + gap, 2), round(label + gap + value + 2 * edge, 2), 1.0)
        # Labels wrap first, then values that may, and last the type is made smaller.
        least_label = max((self._longest(text, due) for text, due in labels), default=0.0)
        longest = max((self._longest(text, due, value=True) for text, due in values), default=0.0)
        least_value, inner = value if whole else longest, room - 2 * edge
        scale = min(1.0, inner / (least_label + gap + least_value))
        left = inner - (gap + value) * scale
        label = min(max(left, least_label * scale), label * scale, inner - (gap + least_value) * scale)
        return Beside(round(edge + label + gap * scale, 2), round(room, 2), round(scale, 3))

    def cells(self, rows: Sequence[BlockRow], most: int, room: float, padding: float = 2.0) -> Cells:
        """Return how many cells of label above value stand side by side in so many millimetres, ``most`` at most."""
        texts = [
            (self._text(part), row.style == "due", is_value)
            for row in rows
            for part, is_value in ((row.label, False), (row.value, True))
            if part
        ]
        needed = max((self._longest(text, due, value=is_value) for text, due, is_value in texts), default=0.0)
        for count in range(min(most, len(rows)), 0, -1):
            scale = min(1.0, (room / count - 2 * padding) / max(needed, 1.0))
            if scale >= FEWEST or count == 1:
                return Cells(count, round(scale, 3))
        return Cells(1, 1.0)

    def party(self, role: str, room: float, name_size: float = 1.0) -> float:
        """Return the size of type, at most 1, in which no word of a party is wider than so many millimetres."""
        party, printed, look = getattr(self._drawn.document, role), self._drawn.printed, self._look
        name = max(text_width(word, look.font, bold=True) for word in self._words(f"{role}.name")) * name_size
        lines = address_lines(party.address) if party.address else []
        address = [
            f"{before}{word}{after}"
            for line in lines
            for before, part, after in line
            for word in self._words(f"{role}.address.{part}")
        ]
        particulars = [
            word
            for part in LABELLED_PARTY_FIELDS
            if f"{role}.{part}" in printed
            for word in (*unbroken(look.labels[f"{role}.{part}"], self._language), *self._words(f"{role}.{part}"))
        ]
        needed = max([name, *(text_width(word, look.font) for word in (*address, *particulars))])
        return round(min(1.0, room / (needed * SLACK * self._em)), 3)

    def _words(self, path: str) -> list[str]:
        return unbroken(self._drawn.printed[path], self._language, path)

    def _text(self, pieces: Sequence[Piece]) -> list[tuple[str, str]]:
        """Return texts, each with the path of its field or an empty one."""
        printed = self._drawn.printed
        parts = [part for text, path in pieces for part in ((text, ""), (printed[path] if path else "", path or ""))]
        return [(text, path) for text, path in parts if text]

    def _size(self, due: bool, value: bool) -> tuple[bool, float]:
        """Return whether such a text is bold, and millimetres an em."""
        return due or (self._bold_labels and not value), self._em * SLACK * (DUE if due else 1.0)

    def _length(self, parts: Sequence[tuple[str, str]], due: bool, *, value: bool = False) -> float:
        bold, em = self._size(due, value)
        return text_width("".join(text for text, _ in parts), self._look.font, bold=bold) * em

    def _longest(self, parts: Sequence[tuple[str, str]], due: bool, *, value: bool = False) -> float:
        bold, em = self._size(due, value)
        words = [word for text, path in parts for word in unbroken(text, self._language, path)]
        return max((text_width(word, self._look.font, bold=bold) for word in words), default=0.0) * em
