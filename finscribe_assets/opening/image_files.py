"""Decode page images of unknown origin to pages; headers are checked against limits before any pixel is decoded."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps, TiffImagePlugin, UnidentifiedImageError

from finscribe_assets.opening.complete_images import has_all_rows
from finscribe_assets.opening.file_types import IMAGE_FORMATS, is_pdf, why_not_an_image
from finscribe_assets.opening.input_limits import InputLimits, RejectedDocumentError, rejection
from finscribe_assets.opening.page_content import PageContent, check_page_count, check_page_sizes
from finscribe_assets.opening.sample_depth import to_eight_bits
from finscribe_assets.rendering.page_colours import GREY_MODES
from finscribe_assets.rendering.pages import Page

_PLAUSIBLE_DPI = (50, 1200)  # of a scan; other values in a header are defaults that nobody set
_DECODER_ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError),
    *(OverflowError, ZeroDivisionError, AttributeError, struct.error, cv2.error),
)  # what decoders raise on damaged files
_SUBFILE_TYPE, _REDUCED, _MASK = 254, 1, 4  # TIFF 6.0, NewSubfileType: bits of thumbnails and of transparency masks
_WIDTH, _HEIGHT, _SAMPLE_FORMAT = 256, 257, 339  # TIFF 6.0
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0  # TIFF 6.0, PhotometricInterpretation
_TIFF_MARKS = (b"II*\0", b"MM\0*")
_DARK_COLOUR = 63  # highest 8-bit sample of a 16-bit image that holds at most 14 bits


def read_images(contents: Sequence[bytes], dpi: int, limits: InputLimits) -> PageContent:
    """Decode images to pages at their own resolution; each page of a TIFF is a page.

    Args:
        contents: Content of each file, in page order.
        dpi: Resolution to record if the first image states no plausible one.
        limits: Limits on pages and pixels.

    Raises:
        RejectedDocumentError: An image is damaged, has another format, or exceeds the limits.
    """
    pages: list[Page] = []
    sizes: list[tuple[int, int]] = []
    notes: list[str] = []
    resolution = dpi
    for number, content in enumerate(contents, 1):
        file = f"image {number}" if len(contents) > 1 else "the image"
        if len(contents) > 1 and is_pdf(content):
            raise rejection(f"{file} of {len(contents)} is a PDF; name it as a document of its own")
        try:
            with _strict_decoding(), Image.open(BytesIO(content), formats=IMAGE_FORMATS) as image:
                if not pages:
                    resolution = _stated_dpi(image) or dpi
                frames, left_out = _page_frames(image, limits)
                notes += [f"{file}: {note}" for note in left_out]
                for frame in frames:
                    image.seek(frame)
                    sizes.append(image.size)
                    check_page_sizes(sizes, limits)
                    page = Page.of_pixels(_eight_bit_pixels(image, content, frame))
                    if not has_all_rows(image, content):
                        raise rejection(f"{file} is damaged: its data end before its last row; scan or save it again")
                    pages.append(page)
        except UnidentifiedImageError as error:
            decoded = _decode_unusual_tiff(content, limits) if content.startswith(_TIFF_MARKS) else []
            if not decoded:
                raise rejection(f"{file} is not readable: {why_not_an_image(content)}") from error
            pages += decoded
        except RejectedDocumentError:
            raise
        except _DECODER_ERRORS as error:
            raise rejection(f"{file} is damaged: {error}; scan or save it again") from error
    return PageContent(tuple(pages), resolution, notes=tuple(notes))


@contextmanager
def _strict_decoding() -> Iterator[None]:
    """Have Pillow refuse truncated files, and leave the limit on pixels to `check_page_sizes`.

    Importing WeasyPrint makes Pillow fill the missing part of a truncated file with grey.
    """
    before = ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = False, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on damaged metadata, which pages do not need
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = before


def _page_frames(image: Image.Image, limits: InputLimits) -> tuple[list[int], list[str]]:
    """Return the frames of an image file that are pages, and notes on those that are not."""
    count = int(getattr(image, "n_frames", 1))
    if image.format != "TIFF":
        # The further pictures in a camera's JPEG (MPO) are previews and gain maps of the first.
        moves = count > 1 and image.format != "MPO"
        return [0], [f"an animation of {count} frames, of which the first is read"] if moves else []
    check_page_count(count, limits)
    frames = []
    for frame in range(count):
        image.seek(frame)
        if not int(image.tag_v2.get(_SUBFILE_TYPE, 0)) & (_REDUCED | _MASK):  # type: ignore[attr-defined]
            frames.append(frame)
    if not frames:
        return [0], []
    left_out = count - len(frames)
    return frames, [f"{left_out} thumbnails or masks among its {count} images are no pages"] if left_out else []


def _eight_bit_pixels(image: Image.Image, content: bytes, frame: int) -> np.ndarray:
    """Return a frame's pixels, height × width (× 3), upright as its EXIF data asks, with transparent parts in white."""
    tags = getattr(image, "tag_v2", {})
    white_is_zero = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    is_unsigned = tags.get(_SAMPLE_FORMAT, (1,)) == (1,)
    has_deep_samples = any(";16" in str(tile.args) for tile in getattr(image, "tile", ()))
    is_turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):
        samples = np.asarray(upright)
        # Pillow has no unsigned samples of 32 bits, and gives their bits as signed ones.
        pixels = to_eight_bits(samples.view(np.uint32) if upright.mode == "I" and is_unsigned else samples)
        return 255 - pixels if white_is_zero else pixels  # Pillow inverts images of at most 8 bits alone
    if has_deep_samples and not is_turned and _highest_colour(upright) <= _DARK_COLOUR:
        # Pillow keeps the upper eight bits of 16-bit colours, which leaves colours of less than 14 bits almost black.
        upright = _decode_deep_colours(content, frame) or upright
    if upright.has_transparency_data:
        colours = upright.convert("RGBA")
        background = Image.new("RGBA", colours.size, "white")
        background.alpha_composite(colours)
        upright = background
    return np.asarray(upright.convert("L" if upright.mode in GREY_MODES else "RGB"))


def _highest_colour(image: Image.Image) -> int:
    return max(int(high) for _, high in image.convert("RGB").getextrema())  # type: ignore[misc]


def _decode_deep_colours(content: bytes, frame: int) -> Image.Image | None:
    """Decode 16-bit colours to 8 bits, scaled by the data; the image in mode RGB or RGBA, or None."""
    done, images = cv2.imdecodemulti(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if not done or frame >= len(images) or images[frame].ndim != 3:
        return None
    pixels = images[frame]
    colours = cv2.cvtColor(to_eight_bits(pixels[..., :3]), cv2.COLOR_BGR2RGB)
    return Image.fromarray(np.dstack([colours, *map(to_eight_bits, np.moveaxis(pixels[..., 3:], -1, 0))]))


def _decode_unusual_tiff(content: bytes, limits: InputLimits) -> list[Page]:
    """Decode a TIFF with samples that Pillow does not know, such as floating-point colours; empty if it is damaged."""
    try:
        check_page_sizes(_tiff_sizes(content, limits), limits)
        done, images = cv2.imdecodemulti(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except RejectedDocumentError:
        raise
    except _DECODER_ERRORS:
        return []
    pixels = [to_eight_bits(image) for image in images] if done else []
    return [
        Page.of_pixels(cv2.cvtColor(page[..., :3], cv2.COLOR_BGR2RGB) if page.ndim == 3 else page) for page in pixels
    ]


def _tiff_sizes(content: bytes, limits: InputLimits) -> list[tuple[int, int]]:
    """Return width and height of each image of a TIFF, from its directories alone."""
    sizes: list[tuple[int, int]] = []
    directory = TiffImagePlugin.ImageFileDirectory_v2(content[:8])
    while directory.next and len(sizes) <= limits.pages:
        stream = BytesIO(content)
        stream.seek(directory.next)
        directory.load(stream)
        sizes.append((int(directory[_WIDTH]), int(directory[_HEIGHT])))
    return sizes


def _stated_dpi(image: Image.Image) -> int | None:
    """Return the resolution in the file's header, if it is a plausible one."""
    horizontal = image.info.get("dpi", (0, 0))[0]
    lowest, highest = _PLAUSIBLE_DPI
    return round(float(horizontal)) if lowest <= horizontal <= highest else None
