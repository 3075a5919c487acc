"""Pages: an image, and boxes for everything a reader may be asked for. This is the row of `rendered_images`."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import pyarrow as pa
from PIL import Image

from finscribe_assets.documents.drawn_document import DrawnDocument


class MarkType(StrEnum):
    """What a box surrounds."""

    FIELD = "field"  # one value; name is the field's path, such as totals.amount_due
    CELL = "cell"  # one cell of a table; name is row:column, of a merged head row:column:columns; row 0 is the head
    ROW = "row"  # one printed row of a table; name is its number, 0 is the head
    TABLE = "table"  # a whole table; name is line_items, of a statement entries
    LINE = "line"  # one line of a block with its label, which may wrap; name is a number, in reading order
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
        """Return the box grown by ``margin`` pixels on each side."""
        return Box(self.x0 - margin, self.y0 - margin, self.x1 + margin, self.y1 + margin)

    def holds(self, other: Box, slack: float = 2.0) -> bool:
        """Tell whether another box lies within this one, or reaches out of it by no more than so many pixels."""
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
    """One line's, or one page's, part of a mark: a value may wrap and a table may cross pages."""

    page: int  # from 0
    box: Box
    text: str  # what is printed in the box, lines joined by a space; empty for what holds other marks
    visible: bool = True  # False where damage has destroyed it beyond reading


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on the page with a name, and where it stands."""

    type: MarkType
    name: str
    fragments: tuple[Fragment, ...]

    @property
    def text(self) -> str:
        """Return the printed text of all fragments, joined by a space."""
        return " ".join(fragment.text for fragment in self.fragments if fragment.text)

    @property
    def visible(self) -> bool:
        """Tell whether all of it can be read."""
        return all(fragment.visible for fragment in self.fragments)


@dataclass(frozen=True)
class Page:
    """One page's encoded image (grey JPEG or PNG) and its size in pixels."""

    image: bytes
    width: int
    height: int

    def open(self) -> Image.Image:
        """Return the decoded image, in mode L."""
        return Image.open(io.BytesIO(self.image)).convert("L")


@dataclass(frozen=True)
class RenderedDocument:
    """The pages of one document and the marks on them."""

    id: str
    dpi: int
    pages: tuple[Page, ...]
    marks: tuple[Mark, ...]

    def of_type(self, mark_type: MarkType) -> list[Mark]:
        """Return the marks of one type, in reading order of the template."""
        return [mark for mark in self.marks if mark.type is mark_type]


IMAGE_FEATURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])  # the Hugging Face image feature

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


_UNREADABLE = {True: (), False: (False,)}


def _mark_to_json(mark: Mark, page: int) -> dict[str, Any]:
    fragments = [
        [*(round(side, 2) for side in part.box), part.text, *_UNREADABLE[part.visible]]
        for part in mark.fragments
        if part.page == page
    ]
    return {"kind": str(mark.type), "name": mark.name, "fragments": fragments}


def pages_to_table(rendered: list[tuple[DrawnDocument, RenderedDocument]]) -> pa.Table:
    """Return documents as one row a page; a page's marks are JSON text, fragments as [x0, y0, x1, y1, text].

    A fragment that cannot be read ends with false.
    """
    rows = []
    for drawn, document in rendered:
        for number, page in enumerate(document.pages):
            marks = [
                _mark_to_json(mark, number)
                for mark in document.marks
                if any(part.page == number for part in mark.fragments)
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


def destroyed_in(marks: str) -> list[str]:
    """Return the fields of a page's marks, as JSON text, that cannot be read."""
    return [
        mark["name"]
        for mark in json.loads(marks)
        if mark["kind"] == MarkType.FIELD and any(part[5:] == [False] for part in mark["fragments"])
    ]


def pages_from_table(table: pa.Table) -> list[RenderedDocument]:
    """Return the documents of a table that `pages_to_table` made, in its order."""
    documents: dict[str, tuple[int, list[Page], dict[tuple[str, str], list[Fragment]]]] = {}
    for row in table.to_pylist():
        _, pages, marks = documents.setdefault(row["document_id"], (row["dpi"], [], {}))
        pages.append(Page(row["image"]["bytes"], row["width"], row["height"]))
        for mark in json.loads(row["marks"]):
            parts = marks.setdefault((mark["kind"], mark["name"]), [])
            parts += [Fragment(row["page"], Box(*part[:4]), *part[4:]) for part in mark["fragments"]]
    return [
        RenderedDocument(
            name,
            dpi,
            tuple(pages),
            tuple(Mark(MarkType(kind), of, tuple(parts)) for (kind, of), parts in marks.items()),
        )
        for name, (dpi, pages, marks) in documents.items()
    ]
