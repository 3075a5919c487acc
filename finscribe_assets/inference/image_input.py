"""Open image files of unknown origin within limits, and parse the boxes that people type.

What belongs here: checks on what a user hands in, before a model sees it. PDFs are `importing.pdf_files`'s.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath
from finscribe_assets.rendering.page_colours import upright_image
from finscribe_assets.rendering.pages import Box, Page

INPUT_IMAGE_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
MAX_INPUT_PIXELS = 50_000_000  # an A4 page at 700 dpi: 150 MB once decoded


class ImageError(UserError):
    """An image file cannot be used. The message names the file, the reason and what to do."""


def open_image(path: AnyPath, max_pixels: int = MAX_INPUT_PIXELS) -> Image.Image:
    """Decode the first frame of an image file, upright.

    The size in the file's header is checked before any pixel is decoded.

    Args:
        path: A file in one of ``INPUT_IMAGE_FORMATS``.
        max_pixels: Largest accepted width × height.

    Returns:
        The image in mode RGB, or L if it is grey, rotated as its EXIF orientation asks.

    Raises:
        ImageError: The file is missing, is not an image in a supported format, is too large, or is damaged.
    """
    try:
        with path.open("rb") as stream, warnings.catch_warnings(), _truncated_files_refused():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is stricter than Pillow's
            with Image.open(stream, formats=INPUT_IMAGE_FORMATS) as image:
                if image.width * image.height > max_pixels:
                    raise ImageError(
                        f"{path}: {image.width} × {image.height} pixels are more than {max_pixels:,}; scale it down"
                    )
                return upright_image(image)
    except UnidentifiedImageError as error:
        formats = ", ".join(INPUT_IMAGE_FORMATS)
        raise ImageError(f"{path}: not an image in a supported format; convert it to one of {formats}") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"{path}: more than {max_pixels:,} pixels; scale it down") from error
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow's decoders raise on damaged files
        if isinstance(error, ImageError):
            raise
        raise ImageError(
            f"{path}: cannot be read as an image ({error}); check that the file exists and is complete"
        ) from error


@contextmanager
def _truncated_files_refused() -> Iterator[None]:
    """Have Pillow refuse truncated files: importing WeasyPrint makes it fill the missing part with grey instead."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def page_from_image(image: Image.Image) -> Page:
    """Encode an image in mode RGB or L as a page."""
    return Page.of_pixels(np.asarray(image))


def parse_box(text: str) -> Box:
    """Parse a box such as ``120,80,460,112``: x0,y0,x1,y1 in pixels from the top left corner.

    Raises:
        UserError: The text is not four numbers, or the box has no area.
    """
    try:
        x0, y0, x1, y1 = (float(side) for side in text.split(","))
    except ValueError as error:
        raise UserError(f"box: {text!r} is not x0,y0,x1,y1 in pixels, such as 120,80,460,112") from error
    if not (0 <= x0 < x1 < MAX_INPUT_PIXELS and 0 <= y0 < y1 < MAX_INPUT_PIXELS):
        raise UserError(
            f"box: {text!r} has no area on a page; give x0 < x1 and y0 < y1, in pixels from the top left corner"
        )
    return Box(x0, y0, x1, y1)
