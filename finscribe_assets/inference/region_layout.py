"""Where the regions of a page come from. PaddleOCR-VL has a layout model for this; the embedded base has none.

What belongs here: boxes, and the field that each belongs to where that is known; never what is printed in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from finscribe_assets.instructions.crops import CROP_MARGIN
from finscribe_assets.ocr.line_protocols import LineFinder
from finscribe_assets.ocr.rapidocr_engine import RapidOcrFinder
from finscribe_assets.rendering.pages import Box, MarkType, RenderedDocument

TEXT, TABLE = "text", "table"  # kinds of regions; a layout may have others, which are not read


@dataclass(frozen=True)
class Region:
    """A place to read: of a field, a page and a box for each of its printed lines; of anything else, one of each."""

    path: str  # such as totals.amount_due; empty where the layout does not know the field
    lines: tuple[tuple[int, Box], ...]
    kind: str = TEXT


class Layout(Protocol):
    """Something that finds the regions of a document's pages."""

    @property
    def name(self) -> str:
        """Return what finds them, for reports."""
        ...

    @property
    def margin(self) -> int:
        """Return how many pixels around a box are read with it."""
        ...

    @property
    def of_lines(self) -> bool:
        """Tell whether each box but a table's holds one printed line; a base that reads lines has others cut."""
        ...

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return the document's regions, in reading order."""
        ...


@dataclass(frozen=True)
class RendererBoxes:
    """The boxes that the renderer knows: an oracle, which makes no layout errors and knows rendered pages alone."""

    name: str = "renderer boxes (oracle)"
    margin: int = CROP_MARGIN
    of_lines: bool = True

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return each field's boxes; what the renderer wrote in them stays unread."""
        return [
            Region(mark.name, tuple((part.page, part.box) for part in mark.fragments))
            for mark in document.of_type(MarkType.FIELD)
        ]


@dataclass(frozen=True)
class RendererTables:
    """The boxes that the renderer knows of tables, and of the fields outside them; where a table's cells are, is open.

    An oracle too, but what a table says has to be found out as on any page: from its printed lines and its head.
    """

    name: str = "renderer boxes of fields and tables (oracle)"
    margin: int = CROP_MARGIN
    of_lines: bool = True

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return fields' boxes, and each page's part of the table."""
        tables = [(part.page, part.box) for mark in document.of_type(MarkType.TABLE) for part in mark.fragments]
        fields = [
            region
            for region in RendererBoxes().regions(document)
            if not any(page == other and table.holds(box) for page, box in region.lines for other, table in tables)
        ]
        return [*fields, *(Region("", (place,), TABLE) for place in tables)]


@dataclass(frozen=True)
class DetectedLines:
    """The lines of text that a detector finds on any page; which field a line belongs to, it does not know."""

    finder: LineFinder = field(default_factory=RapidOcrFinder)
    name: str = "text lines (PP-OCRv6 detector of RapidOCR)"
    margin: int = 0  # its boxes are a little larger than the print already (measured)
    of_lines: bool = True

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return each line's box, row by row from the top, in a row from the left."""
        return [
            Region("", ((number, box),))
            for number, page in enumerate(document.pages)
            for row in in_rows(self.finder.find(np.asarray(page.open())))
            for box in row
        ]


def in_rows(boxes: Sequence[Box]) -> list[list[Box]]:
    """Return boxes in rows from the top, each from the left.

    A box belongs to the row above it where its middle lies within the height of that row's first box.
    """
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda one: (one.y0 + one.y1, one.x0)):
        if rows and (box.y0 + box.y1) / 2 < rows[-1][0].y1 - rows[-1][0].height / 4:
            rows[-1].append(box)
        else:
            rows.append([box])
    return [sorted(row) for row in rows]
