"""Fit labels and values outside the table: the widths that they need, and the type size where they lack width.

The engines divide a table's width by its content, each in its own way, and break words that are too long. Here widths
are computed from font metrics, so that both engines set the same page and no word is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finscribe_assets.documents.addresses import address_lines
from finscribe_assets.documents.captions import LABELLED_PARTY_FIELDS
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.rendering.column_widths import POINTS_PER_MM, WIDTH_SLACK
from finscribe_assets.rendering.font_faces import text_width
from finscribe_assets.rendering.line_breaking import unbroken
from finscribe_assets.rendering.page_blocks import BlockRow, TextAndField

LABEL_GAP = 1.2  # em between a label and its value
DUE_SIZE = 1.1  # type size of the amount due, in em
USUAL_TITLE_SIZE = 1.6  # em, of a title whose family has no size of its own
TITLE_SPACING = 0.08  # em between the letters of a spaced title
TITLE_PADDING = 0.8  # em on the left and the right of a title in a frame
MIN_CELL_SCALE = 0.9  # type gets no smaller than this share before a row is given fewer cells


@dataclass(frozen=True)
class LabelColumns:
    """Labels in one column and values in the next."""

    label: float  # width of the column of labels, in millimetres
    width: float  # width of both columns, in millimetres
    scale: float  # type size as a share of the surrounding text's, at most 1


@dataclass(frozen=True)
class CellGrid:
    """Cells that hold a label above its value."""

    count: int  # cells in a row
    scale: float  # type size as a share of the surrounding text's, at most 1


class Fitting:
    """Measures the texts of one document in its font and type size."""

    def __init__(self, drawn: DrawnDocument, page_scale: float) -> None:
        """Prepare to measure a document.

        Args:
            drawn: the document.
            page_scale: type size of its page as a share of its font size.
        """
        self._drawn, self._look = drawn, drawn.presentation
        self._language = LOCALE_FACTS[drawn.document.locale].language
        self._em = self._look.font_size * page_scale / POINTS_PER_MM  # in millimetres
        self._bold_labels = self._look.style.label_type == "bold"

    def beside(
        self, rows: Sequence[BlockRow], room: float, *, whole: bool = False, padding: float = 0.0
    ) -> LabelColumns:
        """Fit labels beside their values: labels wrap first, then values, and last the type gets smaller.

        Args:
            rows: labels and values.
            room: available width in millimetres.
            whole: keep each value on one line, as amounts are.
            padding: em on the outer sides of both columns.
        """
        pairs = [row for row in rows if row.value]
        labels = [(self._texts((*row.label, (row.colon, None))), row.style == "due") for row in pairs]
        values = [(self._texts(row.value), row.style == "due") for row in pairs]
        gap, edge = LABEL_GAP * self._em, padding * self._em
        label = max((self._length(text, due) for text, due in labels), default=0.0)
        value = max((self._length(text, due, value=True) for text, due in values), default=0.0)
        if label + gap + value + 2 * edge <= room:
            return LabelColumns(round(edge + label + gap, 2), round(label + gap + value + 2 * edge, 2), 1.0)
        min_label = max((self._longest_piece(text, due) for text, due in labels), default=0.0)
        longest = max((self._longest_piece(text, due, value=True) for text, due in values), default=0.0)
        min_value, inner = value if whole else longest, room - 2 * edge
        scale = min(1.0, inner / (min_label + gap + min_value))
        left = inner - (gap + value) * scale
        label = min(max(left, min_label * scale), label * scale, inner - (gap + min_value) * scale)
        return LabelColumns(round(edge + label + gap * scale, 2), round(room, 2), round(scale, 3))

    def cells(self, rows: Sequence[BlockRow], most: int, room: float, padding: float = 2.0) -> CellGrid:
        """Fit cells of a label above its value side by side: as many as possible without type that is too small.

        Args:
            rows: labels and values.
            most: maximum number of cells in a row.
            room: available width in millimetres.
            padding: millimetres on the left and on the right of a cell.
        """
        texts = [
            (self._texts(pieces), row.style == "due", is_value)
            for row in rows
            for pieces, is_value in ((row.label, False), (row.value, True))
            if pieces
        ]
        needed = max((self._longest_piece(text, due, value=is_value) for text, due, is_value in texts), default=0.0)
        for count in range(min(most, len(rows)), 0, -1):
            scale = min(1.0, (room / count - 2 * padding) / max(needed, 1.0))
            if scale >= MIN_CELL_SCALE or count == 1:
                return CellGrid(count, round(scale, 3))
        return CellGrid(1, 1.0)

    def title(self, room: float, size: float) -> float:
        """Return the type size, as a share of its usual one, at which no word of the title is wider than the room.

        Args:
            room: available width in millimetres.
            size: the title's usual type size in em.
        """
        look, type_ = self._look, self._look.style.title
        words = unbroken(look.labels["title"], self._language)
        if type_ in ("capitals", "spaced"):
            words = [word.upper() for word in words]
        spacing = TITLE_SPACING if type_ == "spaced" else 0.0
        needed = max(
            text_width(word, look.font, bold=type_ not in ("plain", "spaced")) + spacing * len(word) for word in words
        )
        return round(min(1.0, room / ((needed + TITLE_PADDING) * WIDTH_SLACK * size * self._em)), 3)

    def party(self, role: str, room: float, name_size: float = 1.0) -> float:
        """Return the type size, at most 1 em, at which no word of a party is wider than the available width.

        Args:
            role: the party's role, such as seller.
            room: available width in millimetres.
            name_size: type size of its name in em.
        """
        party, printed, look = getattr(self._drawn.document, role), self._drawn.printed, self._look
        name = max(text_width(word, look.font, bold=True) for word in self._words(f"{role}.name")) * name_size
        lines = address_lines(party.address, self._drawn.document.locale) if party.address else []
        address = [
            f"{before}{word}{after}"
            for line in lines
            for before, part, after in line
            for word in (self._words(f"{role}.address.{part}") if f"{role}.address.{part}" in printed else ("",))
        ]
        particulars = [
            word
            for part in LABELLED_PARTY_FIELDS
            if f"{role}.{part}" in printed
            for word in (*unbroken(look.labels[f"{role}.{part}"], self._language), *self._words(f"{role}.{part}"))
        ]
        needed = max([name, *(text_width(word, look.font) for word in (*address, *particulars))])
        return round(min(1.0, room / (needed * WIDTH_SLACK * self._em)), 3)

    def _words(self, path: str) -> list[str]:
        return unbroken(self._drawn.printed[path], self._language, path)

    def _texts(self, pieces: Sequence[TextAndField]) -> list[tuple[str, str]]:
        """Return the printed texts, each with the path of its field, which is empty for other texts."""
        printed = self._drawn.printed
        texts = [part for text, path in pieces for part in ((text, ""), (printed[path] if path else "", path or ""))]
        return [(text, path) for text, path in texts if text]

    def _type(self, due: bool, value: bool) -> tuple[bool, float]:
        """Return whether a label or value is bold, and its em in millimetres, slack included."""
        return due or (self._bold_labels and not value), self._em * WIDTH_SLACK * (DUE_SIZE if due else 1.0)

    def _length(self, texts: Sequence[tuple[str, str]], due: bool, *, value: bool = False) -> float:
        """Return the width in millimetres of texts on one line."""
        bold, em = self._type(due, value)
        return text_width("".join(text for text, _ in texts), self._look.font, bold=bold) * em

    def _longest_piece(self, texts: Sequence[tuple[str, str]], due: bool, *, value: bool = False) -> float:
        """Return the width in millimetres of the longest piece that cannot be broken."""
        bold, em = self._type(due, value)
        pieces = [piece for text, path in texts for piece in unbroken(text, self._language, path)]
        return max((text_width(piece, self._look.font, bold=bold) for piece in pieces), default=0.0) * em
