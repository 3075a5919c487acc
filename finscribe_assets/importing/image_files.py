"""Decode page images of unknown origin (PNG, JPEG, TIFF) to pages; headers are checked against limits first."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from finscribe_assets.importing.page_content import PageContent, check_page_sizes
from finscribe_assets.importing.rejects import InputLimits, RejectedDocumentError, rejection
from finscribe_assets.rendering.page_colours import upright_image
from finscribe_assets.rendering.pages import Page

_PAGE_FORMATS = ("PNG", "JPEG", "TIFF")
_PLAUSIBLE_DPI = (50, 1200)  # of a scan; other values in a header are defaults that nobody set
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    Image.DecompressionBombError,
)  # what Pillow's decoders raise on damaged files


def read_images(contents: Sequence[bytes], dpi: int, limits: InputLimits) -> PageContent:
    """Decode images to pages at their own resolution; each page of a TIFF is a page.

    Args:
        contents: Content of each file, in page order.
        dpi: Resolution to record if the first image states no plausible one.
        limits: Limits on pages and pixels.

    Raises:
        RejectedDocumentError: An image is damaged, has another format, or exceeds the limits.
    """
    pages: list[np.ndarray] = []
    sizes: list[tuple[int, int]] = []
    resolution = dpi
    for number, content in enumerate(contents, 1):
        try:
            with Image.open(BytesIO(content), formats=_PAGE_FORMATS) as image:
                if not pages:
                    resolution = _stated_dpi(image) or dpi
                for frame in range(_frame_count(image, limits)):
                    image.seek(frame)
                    sizes.append(image.size)
                    check_page_sizes(sizes, limits)
                    pages.append(np.asarray(upright_image(image)))
        except RejectedDocumentError:
            raise
        except UnidentifiedImageError as error:
            raise rejection(f"image {number} is not a readable PNG, JPEG or TIFF; convert it first") from error
        except Image.DecompressionBombError as error:
            raise rejection(f"image {number} has too many pixels; at most {limits.page_pixels:,} are read") from error
        except _DECODER_ERRORS as error:
            raise rejection(f"image {number} is damaged: {error}") from error
    return PageContent(tuple(map(Page.of_pixels, pages)), resolution)


def _frame_count(image: Image.Image, limits: InputLimits) -> int:
    """Return the number of pages in an image file: all frames of a TIFF, but only the first of an animated PNG."""
    if image.format != "TIFF":
        return 1
    count = int(getattr(image, "n_frames", 1))
    if count > limits.pages:
        raise rejection(f"{count:,} pages; at most {limits.pages} are read")
    return count


def _stated_dpi(image: Image.Image) -> int | None:
    """Return the resolution in the file's header, if it is a plausible one."""
    horizontal = image.info.get("dpi", (0, 0))[0]
    lowest, highest = _PLAUSIBLE_DPI
    return round(float(horizontal)) if lowest <= horizontal <= highest else None
