"""Reading what a person hands in: image files of unknown origin, and pages that were rendered here.

What belongs here: opening untrusted images within limits, and choosing how the model at hand can read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from PIL import Image

from finscribe_assets.documents.elements import field_of
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, read_table
from finscribe_assets.inference.image_input import open_image, page_from_image
from finscribe_assets.inference.json_constraint import JsonGrammar
from finscribe_assets.inference.label_assignment import TextLine, assign_fields
from finscribe_assets.inference.line_items import line_items
from finscribe_assets.inference.prediction import Mode, predict_document
from finscribe_assets.inference.reader import Reader, ReadRequest
from finscribe_assets.inference.region_layout import TABLE, Layout, Region, RendererBoxes
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT, Task
from finscribe_assets.instructions.prompt_wordings import training_wordings
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.model.decoding import DecodedText
from finscribe_assets.rendering.pages import Box, Page, RenderedDocument, pages_from_table

HIGHEST_LINE = 160  # pixels; a higher image is no single printed line


class NoLayoutError(UserError):
    """A model that reads lines is shown a page, and nothing says where its lines are."""


@dataclass(frozen=True)
class Extraction:
    """What was read from an image: a line's text, or a model's raw answer about a page."""

    text: str
    confidence: float
    truncated: bool


@dataclass(frozen=True)
class Extractor:
    """Reads what it is handed: lines, boxes of images, whole pages, or a document of several pages."""

    reader: Reader
    layout: Layout | None = None  # where a page's regions come from; without one, pages are read whole
    prompt: str | None = None  # instead of the stock one: `OCR:` for lines and boxes, full extraction for whole pages
    grammar: JsonGrammar | None = None  # what answers may be; without one, anything
    max_new_tokens: int | None = None  # of an answer; the reader's own limit unless given
    locale: str | None = None  # whose labels assign lines to fields; found by the labels themselves unless given

    def __post_init__(self) -> None:
        """Refuse what cannot go together.

        Raises:
            UserError: a base that reads lines is to write JSON.
        """
        if self.reader.reads_lines and self.grammar:
            raise UserError(
                f"json: {self.reader.base.name} reads single printed lines and writes no JSON; a base "
                "that reads pages does (PaddlePaddle/PaddleOCR-VL)"
            )

    def read_image(self, image: Image.Image, box: Box | None = None) -> Extraction:
        """Read one line, one box of an image, or a whole page with a base that reads pages.

        A base that reads lines takes boxes higher than a line as blocks, and any as a table where the prompt is that.

        Raises:
            UserError: the box lies outside the image.
        """
        return self._answered((image if box is None else crop(image, box),), of_pages=box is None)

    def _answered(self, images: tuple[Image.Image, ...], *, of_pages: bool) -> Extraction:
        whole = of_pages and not self.reader.reads_lines
        stock = training_wordings(Task.FULL_EXTRACTION)[0] if whole else OCR_PROMPT
        reading = self._read([ReadRequest(images, self.prompt or stock, images[0].height > HIGHEST_LINE)])[0]
        return Extraction(reading.text, round(reading.confidence, 4), reading.truncated)

    def _read(self, requests: list[ReadRequest]) -> list[DecodedText]:
        return self.reader.read(requests, max_new_tokens=self.max_new_tokens, grammar=self.grammar)

    def read_file(self, path: AnyPath, box: Box | None = None) -> dict[str, Any]:
        """Return the record of an image file: of a box of it, of a single line, or of a page.

        Raises:
            ImageError: the file is no readable image.
            NoLayoutError: the base reads lines, the image looks like a page, and there is no layout.
            UserError: the box lies outside the image.
        """
        image = open_image(path)
        is_line = self.reader.reads_lines and image.height <= HIGHEST_LINE
        if box is not None or is_line:
            return {"file": str(path), **asdict(self.read_image(image, box))}
        return self.read_pages(str(path), [page_from_image(image)])

    def read_pages(self, name: str, pages: Sequence[Page]) -> dict[str, Any]:
        """Return the record of a document of unknown origin.

        Without a layout: the model's raw answer about all pages. With one, each region's text, in reading order, as
        ``lines``; ``response``, the fields that labels and the heads of tables settle; ``sources``, the number of the
        region that each was read in; and ``not_assigned``, all other fields of the schema by the reason why they stay
        open.

        Raises:
            NoLayoutError: the base reads lines, and there is no layout.
        """
        if self.layout is None:
            if self.reader.reads_lines:
                raise NoLayoutError(
                    f"{name}: {pages[0].width} × {pages[0].height} pixels look like a page, and this model reads "
                    "single printed lines. Give a layout that finds lines, a line's place as a box x0,y0,x1,y1 in "
                    "pixels, an image of one line, or take a real model that reads pages (PaddlePaddle/PaddleOCR-VL)"
                )
            answered = self._answered(tuple(page.open() for page in pages), of_pages=True)
            return {"file": name, "pages": len(pages), **asdict(answered)}
        document = RenderedDocument(name, 0, tuple(pages), ())
        regions = self.layout.regions(document)
        read = self._read_regions(regions, document, self.layout)
        tables = [number for number, region in enumerate(regions) if region.kind == TABLE]
        # A block's printed lines stand in its text; a label and its value on one of them belong together.
        lines = [
            (number, replace(region, text=text))
            for number, region in enumerate(read)
            if number not in tables
            for text in region.text.split("\n")
        ]
        assignment = assign_fields([line for _, line in lines], self.locale)
        items = line_items([read[number].text for number in tables], self.locale)
        fields = {one.path: (one.text, lines[one.line][0]) for one in assignment.fields}
        fields |= {path: (cell.text, tables[cell.table]) for path, cell in items.items()}
        settled = {field_of(path) for path in items}
        open_fields = {
            reason: [path for path in paths if path not in settled] for reason, paths in assignment.not_assigned.items()
        }
        return {
            "file": name,
            "pages": len(pages),
            "layout": self.layout.name,
            "labels": assignment.locale,
            "response": unflatten({path: text for path, (text, _) in fields.items()}),
            "confidence": {path: read[number].confidence for path, (_, number) in fields.items()},
            "sources": {path: number + 1 for path, (_, number) in fields.items()},
            "not_assigned": [{"reason": reason, "fields": paths} for reason, paths in open_fields.items() if paths],
            "lines": [
                {
                    "line": number,
                    "page": line.page + 1,
                    "box": [round(side, 1) for side in line.box],
                    "text": line.text,
                    "confidence": line.confidence,
                    "truncated": line.truncated,
                }
                for number, line in enumerate(read, 1)
            ],
        }

    def _read_regions(self, regions: Sequence[Region], document: RenderedDocument, layout: Layout) -> list[TextLine]:
        images = [page.open() for page in document.pages]
        places = [(region.kind, page, box) for region in regions for page, box in region.lines]
        requests = [
            ReadRequest(
                (crop(images[page], box, layout.margin),),
                self.prompt or (TABLE_PROMPT if kind == TABLE else OCR_PROMPT),
                is_block=not layout.of_lines,
            )
            for kind, page, box in places
        ]
        return [
            TextLine(page, box, reading.text, round(reading.confidence, 4), reading.truncated)
            for (_, page, box), reading in zip(places, self._read(requests), strict=True)
        ]


def extract_rendered(
    reader: Reader, shard: AnyPath, document_id: str | None = None, layout: Layout | None = None
) -> list[dict[str, Any]]:
    """Read documents of a shard of rendered pages, whose boxes are known; return their prediction records.

    Raises:
        UserError: the file is no shard of rendered pages, or does not hold the document.
    """
    try:
        documents = pages_from_table(read_table(shard))
    except (KeyError, OSError, ValueError) as error:  # as pyarrow raises on other files and other columns
        raise UserError(f"{shard}: not a shard of rendered pages ({error}); `finscribe render` writes them") from error
    wanted = [document for document in documents if document_id in (None, document.id)]
    if not wanted:
        raise UserError(
            f"{shard}: holds no document {document_id!r}, but {documents[0].id} to {documents[-1].id}"
            if documents
            else f"{shard}: holds no document"
        )
    mode = Mode.REGIONS if reader.reads_lines else Mode.PAGE
    return [predict_document(reader, document, mode, layout or RendererBoxes()) for document in wanted]
