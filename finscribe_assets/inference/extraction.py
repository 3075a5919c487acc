"""Reading what a person hands in: image files of unknown origin, and pages that were rendered here.

What belongs here: opening untrusted images within limits, and choosing how the model at hand can read them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from finscribe_assets.documents.elements import field_of
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, read_table
from finscribe_assets.inference.json_constraint import JsonGrammar
from finscribe_assets.inference.label_assignment import TextLine, assign
from finscribe_assets.inference.line_items import line_items
from finscribe_assets.inference.prediction import Mode, predict_document
from finscribe_assets.inference.reader import Reader, ReadRequest
from finscribe_assets.inference.region_layout import TABLE, Layout, Region, RendererBoxes
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT, Task
from finscribe_assets.instructions.prompt_wordings import wordings_of
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.model.decoding import DecodedText
from finscribe_assets.rendering.pages import Box, Page, RenderedDocument, pages_from_table
from finscribe_assets.rendering.png_encoding import to_png

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
MAX_PIXELS = 50_000_000  # a page of A4 at 700 dpi, grey: 50 MB once decoded
HIGHEST_LINE = 160  # pixels; a higher image is no single printed line


class ImageError(UserError):
    """An image cannot be read; the message names the file and why."""


class NoLayoutError(UserError):
    """A model that reads lines is shown a page, and nothing says where its lines are."""


@dataclass(frozen=True)
class Extraction:
    """What was read from an image: a line's text, or a model's raw answer about a page."""

    text: str
    confidence: float
    truncated: bool


def open_image(path: AnyPath, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return an image file's first frame, upright, in mode L; it is measured before a pixel of it is decoded.

    Raises:
        ImageError: no file, no image, another format, too large, or broken.
    """
    try:
        with path.open("rb") as stream, warnings.catch_warnings(), _whole_images_only():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is below Pillow's
            with Image.open(stream, formats=FORMATS) as image:
                if image.width * image.height > max_pixels:
                    raise ImageError(
                        f"{path}: {image.width} × {image.height} pixels are more than {max_pixels:,}; scale it down"
                    )
                return ImageOps.exif_transpose(image).convert("L")
    except UnidentifiedImageError as error:
        raise ImageError(f"{path}: not an image of the kinds that are read ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"{path}: more than {max_pixels:,} pixels; scale it down") from error
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow's decoders raise on broken files
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"{path}: cannot be read as an image ({error})") from error


@contextmanager
def _whole_images_only() -> Iterator[None]:
    """Have a file that breaks off refused inside the block; WeasyPrint, once imported, has Pillow fill it with grey."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def parse_box(text: str) -> Box:
    """Return the box of a text such as ``120,80,460,112``: x0,y0,x1,y1 in pixels from the top left.

    Raises:
        UserError: it is not four numbers, or has no area.
    """
    try:
        x0, y0, x1, y1 = (float(side) for side in text.split(","))
    except ValueError as error:
        raise UserError(f"box: {text!r} is not x0,y0,x1,y1 in pixels, such as 120,80,460,112") from error
    if not (0 <= x0 < x1 < MAX_PIXELS and 0 <= y0 < y1 < MAX_PIXELS):
        raise UserError(f"box: {text!r} has no area on a page; x0 < x1 and y0 < y1 are wanted, from the top left")
    return Box(x0, y0, x1, y1)


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
        stock = wordings_of(Task.FULL_EXTRACTION)[0] if whole else OCR_PROMPT
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
        return self.read_pages(str(path), [page_of(image)])

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
        assignment = assign([line for _, line in lines], self.locale)
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


def page_of(image: Image.Image) -> Page:
    """Return an opened image as a page."""
    return Page(to_png(np.asarray(image)), image.width, image.height)


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
