"""The documents that people are to correct: their pages as images, and what a reader predicted, with keys for regions.

What belongs here: the classes, and ``review.json``, which keeps them in the folder of an export. It is what a labelling
tool's answer is compared with: which values a person changed, added or deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import read_json, sha256_of, write_json
from finscribe_assets.rendering.located_boxes import LocatedBox, boxes_from_json, boxes_to_json
from finscribe_assets.rendering.pages import Box

REVIEW_SET_FILE = "review.json"
_KEY_DIGITS = 12


class ReviewPage(NamedTuple):
    """The image of a page."""

    image: str  # file below the folder of the export
    width: int  # in pixels
    height: int


@dataclass(frozen=True)
class ReviewValue:
    """A predicted value.

    Attributes:
        path: of its field, such as ``lines[2].net_amount``.
        text: as predicted.
        confidence: in [0, 1]; None if the reader states none.
        boxes: where it is printed, one for each line of it; none if the reader does not know.
    """

    path: str
    text: str
    confidence: float | None = None
    boxes: tuple[LocatedBox, ...] = ()

    @property
    def region(self) -> LocatedBox | None:
        """Return the one box that people see: around its boxes on the first page that has one."""
        page = min((located.page for located in self.boxes), default=None)
        around: Box | None = None
        for located in self.boxes:
            if located.page == page:
                around = located.box if around is None else around.around(located.box)
        return None if page is None or around is None else LocatedBox(page, around)


@dataclass(frozen=True)
class ReviewDocument:
    """A document to correct."""

    id: str
    pages: tuple[ReviewPage, ...]
    values: tuple[ReviewValue, ...]
    locale: str | None = None
    file: str | None = None  # the file that it came in, as the reader was given it
    sha256: str | None = None  # of that file

    def key_of(self, value: ReviewValue) -> str:
        """Return the id of a value's region: letters and digits, different for each value."""
        return sha256_of(f"{self.id}\n{value.path}")[:_KEY_DIGITS]

    @cached_property
    def by_key(self) -> Mapping[str, ReviewValue]:
        """Return the values by the ids of their regions."""
        return {self.key_of(value): value for value in self.values}

    def size_of(self, page: int) -> tuple[int, int]:
        """Return the size of a page in pixels, by its number from 1."""
        return self.pages[page - 1].width, self.pages[page - 1].height


@dataclass(frozen=True)
class ReviewSet:
    """An export: the fields that people label, and the documents."""

    fields: tuple[str, ...]  # without list positions
    documents: tuple[ReviewDocument, ...]

    def by_id(self) -> dict[str, ReviewDocument]:
        """Return the documents by their ids."""
        return {document.id: document for document in self.documents}

    def write(self, folder: Path) -> None:
        """Write ``review.json`` into the folder of the export."""
        write_json(
            folder / REVIEW_SET_FILE,
            {"fields": list(self.fields), "documents": [_to_json(document) for document in self.documents]},
        )

    @classmethod
    def read(cls, folder: Path) -> ReviewSet:
        """Read ``review.json``.

        Raises:
            MissingInputError: the folder has none.
            UserError: it is not what `write` writes.
        """
        path = folder / REVIEW_SET_FILE
        if not path.is_file():
            raise MissingInputError(f"{path}: no such file; name the folder that `finscribe review-export` wrote")
        try:
            content = read_json(path)
            return cls(tuple(map(str, content["fields"])), tuple(map(_from_json, content["documents"])))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}: not an export for review ({error!r}); export again") from error


def _to_json(document: ReviewDocument) -> dict[str, Any]:
    return {
        "id": document.id,
        "file": document.file,
        "sha256": document.sha256,
        "locale": document.locale,
        "pages": [page._asdict() for page in document.pages],
        "values": list(_values_to_json(document)),
    }


def _values_to_json(document: ReviewDocument) -> Iterator[dict[str, Any]]:
    for value in document.values:
        boxes = boxes_to_json({value.path: value.boxes})[value.path]
        yield {"path": value.path, "text": value.text, "confidence": value.confidence, "boxes": boxes}


def _from_json(record: dict[str, Any]) -> ReviewDocument:
    pages = tuple(ReviewPage(**page) for page in record["pages"])
    values = tuple(
        ReviewValue(
            value["path"],
            value["text"],
            value["confidence"],
            boxes_from_json({"": value["boxes"]})[0].get("", ()),
        )
        for value in record["values"]
    )
    return ReviewDocument(record["id"], pages, values, record["locale"], record["file"], record["sha256"])
