"""Reading what a person hands in: image files of unknown origin, and pages that were rendered here.

What belongs here: opening untrusted images within limits, and choosing how the model at hand can read them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from finscribe_assets.files import AnyPath, read_table
from finscribe_assets.inference.layout import Layout, RendererBoxes
from finscribe_assets.inference.predict import Mode, predict_document
from finscribe_assets.inference.reader import Reader, ReadRequest
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import OCR_PROMPT, Task
from finscribe_assets.instructions.wordings import wordings_of
from finscribe_assets.rendering.pages import Box, from_table

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
MAX_PIXELS = 50_000_000  # a page of A4 at 700 dpi, grey: 50 MB once decoded
HIGHEST_LINE = 160  # pixels; a higher image is no single printed line


class ImageError(ValueError):
    """An image cannot be read; the message names the file and why."""


class NoLayoutError(ValueError):
    """The embedded model is shown a page, and nothing says where its regions are."""


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
                    raise ImageError(f"{path}: {image.width} × {image.height} pixels are more than {max_pixels:,}; "
                                     "scale it down")  # fmt: skip
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
        ValueError: it is not four numbers, or has no area.
    """
    try:
        x0, y0, x1, y1 = (float(side) for side in text.split(","))
    except ValueError as error:
        raise ValueError(f"box: {text!r} is not x0,y0,x1,y1 in pixels, such as 120,80,460,112") from error
    if not (0 <= x0 < x1 < MAX_PIXELS and 0 <= y0 < y1 < MAX_PIXELS):
        raise ValueError(f"box: {text!r} has no area on a page; x0 < x1 and y0 < y1 are wanted, from the top left")
    return Box(x0, y0, x1, y1)


def extract_image(reader: Reader, path: AnyPath, box: Box | None = None, prompt: str | None = None) -> Extraction:
    """Read an image file: a box of it, a single line, or, with a real model, a whole page.

    ``prompt`` replaces the stock one: ``OCR:`` for lines and boxes, full extraction to JSON for whole pages.

    Raises:
        ImageError: the file is no readable image.
        NoLayoutError: the embedded model is shown more than one line without a box.
        ValueError: the box lies outside the image.
    """
    image = open_image(path)
    if box is not None:
        image = crop(image, box)
    elif reader.reads_lines and image.height > HIGHEST_LINE:
        raise NoLayoutError(
            f"{path}: {image.width} × {image.height} pixels look like a page. The embedded model reads single printed "
            "lines; finding them on a page is not part of it. Give a line's place as a box x0,y0,x1,y1 in pixels, or "
            "an image of one line, or take a real model that reads pages (PaddlePaddle/PaddleOCR-VL)"
        )
    whole_page = box is None and not reader.reads_lines
    asked = ReadRequest((image,), prompt or (wordings_of(Task.FULL_EXTRACTION)[0] if whole_page else OCR_PROMPT))
    reading = reader.read([asked])[0]
    return Extraction(reading.text, round(reading.confidence, 4), reading.truncated)


def extract_rendered(reader: Reader, shard: AnyPath, document_id: str | None = None,
                     layout: Layout | None = None) -> list[dict[str, Any]]:  # fmt: skip
    """Read documents of a shard of rendered pages, whose boxes are known; return their prediction records.

    Raises:
        ValueError: the file is no shard of rendered pages, or does not hold the document.
    """
    try:
        documents = from_table(read_table(shard))
    except (KeyError, OSError, ValueError) as error:  # as pyarrow raises on other files and other columns
        raise ValueError(f"{shard}: not a shard of rendered pages ({error}); `finscribe render` writes them") from error
    wanted = [document for document in documents if document_id in (None, document.id)]
    if not wanted:
        raise ValueError(f"{shard}: holds no document {document_id!r}, but {documents[0].id} to {documents[-1].id}"
                         if documents else f"{shard}: holds no document")  # fmt: skip
    mode = Mode.REGIONS if reader.reads_lines else Mode.PAGE
    return [predict_document(reader, document, mode, layout or RendererBoxes()) for document in wanted]
