"""Rendered documents: page images, and a box for everything on them that a reader may be asked about.

What belongs here: the classes, and their form as rows of `rendered_images`, one row for each page. How marks get their
boxes is in `mark_boxes`; how pages are written as shards is in `page_batch`.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from PIL import Image

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.rendering.page_colours import GREY_MODES, to_grey, without_empty_colour
from finscribe_assets.rendering.png_encoding import to_png


class MarkType(StrEnum):
    """What a mark's boxes surround."""

    FIELD = "field"  # a value; the mark's name is the field's path, such as totals.amount_due
    CELL = "cell"  # a table cell; name is row:column, or row:column:span in a merged head; row 0 is the head
    ROW = "row"  # a printed row of a table; name is its index, 0 is the head
    TABLE = "table"  # a whole table; name is line_items, or entries on a bank statement
    LINE = "line"  # a label and its value in a block, possibly wrapped; name is a number that rises in reading order
    REGION = "region"  # a block of the page; name is header, totals, payment or a party's role


class Box(NamedTuple):
    """A rectangle in pixels of the page image: x to the right, y down, x1 and y1 exclusive."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Return the width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Return the height in pixels."""
        return self.y1 - self.y0

    def padded(self, margin: float) -> Box:
        """Return the box grown by ``margin`` pixels on each side, or shrunk if it is negative."""
        return Box(self.x0 - margin, self.y0 - margin, self.x1 + margin, self.y1 + margin)

    def moved(self, x: float, y: float) -> Box:
        """Return the box moved by some pixels to the right and down."""
        return Box(self.x0 + x, self.y0 + y, self.x1 + x, self.y1 + y)

    def holds(self, other: Box, slack: float = 2.0) -> bool:
        """Return whether another box lies inside this one, give or take ``slack`` pixels on each side."""
        return (
            other.x0 >= self.x0 - slack
            and other.y0 >= self.y0 - slack
            and other.x1 <= self.x1 + slack
            and other.y1 <= self.y1 + slack
        )

    def around(self, other: Box) -> Box:
        """Return the smallest box that holds both."""
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))


@dataclass(frozen=True, slots=True)
class Fragment:
    """The part of a mark on one printed line or one page: values wrap, and tables cross pages."""

    page: int  # index, from 0
    box: Box
    text: str  # text printed in the box, its lines joined by a space; empty for rows, tables and regions
    visible: bool = True  # False where damage has made the text unreadable


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on the page that has a name and boxes."""

    type: MarkType
    name: str
    fragments: tuple[Fragment, ...]

    @property
    def text(self) -> str:
        """Return the printed text of all fragments, joined by a space."""
        return " ".join(fragment.text for fragment in self.fragments if fragment.text)

    @property
    def visible(self) -> bool:
        """Return whether all fragments can be read."""
        return all(fragment.visible for fragment in self.fragments)


@dataclass(frozen=True)
class Page:
    """One page's image file (JPEG or PNG, in colour or grey) and its size in pixels."""

    image: bytes
    width: int
    height: int

    @classmethod
    def of_pixels(cls, pixels: np.ndarray) -> Page:
        """Encode pixels (height × width, or × 3 in colour; uint8) as PNG, with nothing else of their file.

        Pixels that are all grey become a grey page: most scanners store grey pages in colour files.
        """
        height, width = pixels.shape[:2]
        return cls(to_png(np.ascontiguousarray(without_empty_colour(pixels))), width, height)

    def open(self) -> Image.Image:
        """Return the decoded image, in mode RGB, or L (8-bit grey) if the page is grey."""
        image = Image.open(io.BytesIO(self.image))
        return image.convert("L" if image.mode in GREY_MODES else "RGB")

    def grey(self) -> np.ndarray:
        """Return the decoded pixels in grey (height × width, uint8), for code that needs no colours."""
        return to_grey(np.asarray(self.open()))


@dataclass(frozen=True)
class RenderedDocument:
    """The pages of one document and the marks on them."""

    id: str
    dpi: int
    pages: tuple[Page, ...]
    marks: tuple[Mark, ...]

    def of_type(self, mark_type: MarkType) -> list[Mark]:
        """Return the marks of one type, in the reading order of the template."""
        return [mark for mark in self.marks if mark.type is mark_type]


IMAGE_FEATURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])  # the image feature of Hugging Face datasets

PAGE_TABLE_SCHEMA = pa.schema(
    [
        ("document_id", pa.string()),
        ("page", pa.int64()),
        ("pages", pa.int64()),
        ("image", IMAGE_FEATURE),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("dpi", pa.int64()),
        ("group", pa.string()),
        ("layout", pa.string()),
        ("locale", pa.string()),
        ("marks", pa.string()),
    ]
)

NO_MARKS = "[]"  # the column ``marks`` of a page on which no box is known, as of imported documents

_VISIBILITY_SUFFIX = {True: (), False: (False,)}


def _mark_to_json(mark: Mark, page: int) -> dict[str, Any]:
    fragments = [
        [*(round(side, 2) for side in fragment.box), fragment.text, *_VISIBILITY_SUFFIX[fragment.visible]]
        for fragment in mark.fragments
        if fragment.page == page
    ]
    return {"kind": str(mark.type), "name": mark.name, "fragments": fragments}


def pages_to_table(rendered: list[tuple[DrawnDocument, RenderedDocument]]) -> pa.Table:
    """Return documents as a table of PAGE_TABLE_SCHEMA, one row for each page.

    The column ``marks`` is JSON text: a list of ``{"kind", "name", "fragments"}`` with the fragments on that page.
    A fragment is ``[x0, y0, x1, y1, text]`` in pixels, followed by ``false`` if it cannot be read.
    """
    rows = []
    for drawn, document in rendered:
        for number, page in enumerate(document.pages):
            marks = [
                _mark_to_json(mark, number)
                for mark in document.marks
                if any(fragment.page == number for fragment in mark.fragments)
            ]
            suffix = "png" if page.image.startswith(b"\x89PNG") else "jpg"
            rows.append(
                {
                    "document_id": document.id,
                    "page": number,
                    "pages": len(document.pages),
                    "image": {"bytes": page.image, "path": f"{document.id}-{number}.{suffix}"},
                    "width": page.width,
                    "height": page.height,
                    "dpi": document.dpi,
                    "group": drawn.group,
                    "layout": drawn.presentation.layout,
                    "locale": drawn.document.locale,
                    "marks": json.dumps(marks, ensure_ascii=False, separators=(",", ":")),
                }
            )
    return pa.Table.from_pylist(rows, schema=PAGE_TABLE_SCHEMA)


def destroyed_in(marks_json: str) -> list[str]:
    """Return the paths of the fields that damage has made unreadable.

    Args:
        marks_json: the value of a page's column ``marks``.
    """
    return [
        mark["name"]
        for mark in json.loads(marks_json)
        if mark["kind"] == MarkType.FIELD and any(fragment[5:] == [False] for fragment in mark["fragments"])
    ]


def field_boxes_in(marks_json: str) -> dict[str, list[Box]]:
    """Return the boxes of the fields on a page, in pixels, by field path.

    Args:
        marks_json: the value of a page's column ``marks``.
    """
    return {
        mark["name"]: [Box(*fragment[:4]) for fragment in mark["fragments"]]
        for mark in json.loads(marks_json)
        if mark["kind"] == MarkType.FIELD
    }


def pages_from_table(table: pa.Table) -> list[RenderedDocument]:
    """Return the documents of a table made by `pages_to_table`, in the table's order."""
    documents: dict[str, tuple[int, list[Page], dict[tuple[str, str], list[Fragment]]]] = {}
    for row in table.to_pylist():
        _, pages, marks = documents.setdefault(row["document_id"], (row["dpi"], [], {}))
        pages.append(Page(row["image"]["bytes"], row["width"], row["height"]))
        for mark in json.loads(row["marks"]):
            fragments = marks.setdefault((mark["kind"], mark["name"]), [])
            fragments += [Fragment(row["page"], Box(*values[:4]), *values[4:]) for values in mark["fragments"]]
    return [
        RenderedDocument(
            document_id,
            dpi,
            tuple(pages),
            tuple(Mark(MarkType(mark_type), name, tuple(fragments)) for (mark_type, name), fragments in marks.items()),
        )
        for document_id, (dpi, pages, marks) in documents.items()
    ]
