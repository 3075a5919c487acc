"""Find the regions of a page that a model reads one by one.

What belongs here: the `Layout` protocol, and layouts that take boxes from the renderer or from a text detector. A
layout knows where regions are and, at best, which field each belongs to; never what is printed in them. PaddleX's
layout model is in `doclayout`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from finscribe_assets.instructions.crops import CROP_MARGIN
from finscribe_assets.ocr.line_protocols import LineFinder
from finscribe_assets.ocr.rapidocr_engine import RapidOcrFinder
from finscribe_assets.rendering.pages import Box, MarkType, RenderedDocument


class RegionType(StrEnum):
    """What a region holds; it determines the prompt."""

    TEXT = "text"
    TABLE = "table"


@dataclass(frozen=True)
class Region:
    """A region to read.

    A field's region has one box for each of its printed lines. Any other region has a single box.
    """

    path: str  # of the field, such as totals.amount_due; empty where the layout does not know it
    lines: tuple[tuple[int, Box], ...]  # page from 0, and box in pixels
    type: RegionType = RegionType.TEXT


class Layout(Protocol):
    """Finds the regions of a document's pages."""

    @property
    def name(self) -> str:
        """Return the name that reports use."""
        ...

    @property
    def margin(self) -> int:
        """Return the number of pixels to add around a box before it is cropped."""
        ...

    @property
    def boxes_are_lines(self) -> bool:
        """Tell whether each text box holds a single printed line.

        If not, a base that reads single lines must split the box into lines first. Tables are always split.
        """
        ...

    @property
    def names_fields(self) -> bool:
        """Tell whether regions come with the paths of their fields: an oracle, which leaves nothing to be found."""
        ...

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return the document's regions, in reading order."""
        ...


@dataclass(frozen=True)
class RendererBoxes:
    """The renderer's boxes of fields: an oracle, for rendered pages only, that makes no layout errors."""

    name: str = "renderer boxes (oracle)"
    margin: int = CROP_MARGIN
    boxes_are_lines: bool = True
    names_fields: bool = True

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return the boxes of each field, without the text that the renderer printed in them."""
        return [
            Region(mark.name, tuple((part.page, part.box) for part in mark.fragments))
            for mark in document.of_type(MarkType.FIELD)
        ]


@dataclass(frozen=True)
class RendererTables:
    """The renderer's boxes of tables, and of the fields outside tables: an oracle that does not know table cells.

    The content of a table must be found as on any page: from its printed lines and its header.
    """

    name: str = "renderer boxes of fields and tables (oracle)"
    margin: int = CROP_MARGIN
    boxes_are_lines: bool = True
    names_fields: bool = True

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return the boxes of fields outside tables, then one region for each page of each table."""
        tables = [(part.page, part.box) for mark in document.of_type(MarkType.TABLE) for part in mark.fragments]
        fields = [
            region
            for region in RendererBoxes().regions(document)
            if not any(page == other and table.holds(box) for page, box in region.lines for other, table in tables)
        ]
        return [*fields, *(Region("", (table,), RegionType.TABLE) for table in tables)]


@dataclass(frozen=True)
class DetectedLines:
    """The text lines that a detector finds on any page, without the fields that they belong to."""

    finder: LineFinder = field(default_factory=RapidOcrFinder)
    name: str = "text lines (PP-OCRv6 detector of RapidOCR)"
    margin: int = 0  # the detector's boxes already exceed the print a little (measured)
    boxes_are_lines: bool = True
    names_fields: bool = False

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return the box of each line, row by row from the top and from left to right within a row."""
        return [
            Region("", ((index, box),))
            for index, page in enumerate(document.pages)
            for row in group_into_rows(self.finder.find(page.grey()))
            for box in row
        ]


def group_into_rows(boxes: Sequence[Box]) -> list[list[Box]]:
    """Sort boxes into reading order: rows from the top, boxes of a row from left to right.

    A box belongs to the current row if its middle lies above the lowest quarter of the row's first box.
    """
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda box: (box.y0 + box.y1, box.x0)):
        if rows and (box.y0 + box.y1) / 2 < rows[-1][0].y1 - rows[-1][0].height / 4:
            rows[-1].append(box)
        else:
            rows.append([box])
    return [sorted(row) for row in rows]
