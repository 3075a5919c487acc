"""Page images of strangers → grey pages: PNG, JPEG and TIFF, whose headers are believed only after they are bounded."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from finscribe_assets.importing.page_content import PageContent, check_sizes, page_of
from finscribe_assets.importing.rejects import Limits, reject

_FORMATS = ("PNG", "JPEG", "TIFF")
_LIKELY_DPI = (50, 1200)  # of a scan; what lies outside is no resolution that somebody set
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, Image.DecompressionBombError)


def read_images(contents: Sequence[bytes], dpi: int, limits: Limits) -> PageContent:
    """Return images as pages, a TIFF's own pages one after the other, with the pixels that they have.

    ``dpi`` is told of images that do not tell their resolution.

    Raises:
        Rejected: one is broken, of another format, or larger than ``limits`` allows.
    """
    pages: list[np.ndarray] = []
    sizes: list[tuple[int, int]] = []
    told = dpi
    for number, content in enumerate(contents, 1):
        try:
            with Image.open(BytesIO(content), formats=_FORMATS) as image:
                if not pages:
                    told = _resolution(image, dpi)
                for frame in range(_frames(image, limits)):
                    image.seek(frame)
                    sizes.append(image.size)
                    check_sizes(sizes, limits)
                    pages.append(_grey(image))
        except UnidentifiedImageError as error:
            raise reject(f"image {number} is no PNG, JPEG or TIFF that can be read") from error
        except Image.DecompressionBombError as error:
            raise reject(f"image {number} has too many pixels; at most {limits.page_pixels:,} are read") from error
        except _BROKEN as error:
            if hasattr(error, "problems"):
                raise
            raise reject(f"image {number} is broken: {error}") from error
    return PageContent(tuple(map(page_of, pages)), told)


def _frames(image: Image.Image, limits: Limits) -> int:
    """Return how many pages an image file has: a TIFF may have several, of an animated PNG the first counts."""
    if image.format != "TIFF":
        return 1
    count = int(getattr(image, "n_frames", 1))
    if count > limits.pages:
        raise reject(f"{count:,} pages; at most {limits.pages} are read")
    return count


def _resolution(image: Image.Image, otherwise: int) -> int:
    across = image.info.get("dpi", (0, 0))[0]
    low, high = _LIKELY_DPI
    return round(float(across)) if low <= across <= high else otherwise


def _grey(image: Image.Image) -> np.ndarray:
    """Return an image the right way up as grey pixels (height × width, uint8), what is transparent as white."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):  # 16 bits a pixel
        return (np.asarray(upright, dtype=np.uint32) >> 8).clip(0, 255).astype(np.uint8)
    if upright.has_transparency_data:
        colours = upright.convert("RGBA")
        ground = Image.new("RGBA", colours.size, "white")
        ground.alpha_composite(colours)
        upright = ground
    return np.asarray(upright.convert("L"))
