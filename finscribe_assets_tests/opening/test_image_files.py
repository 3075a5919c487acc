"""Images of every mode, orientation and resolution become upright pages, in colour where they have colours."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from finscribe_assets.opening.image_files import read_images
from finscribe_assets.opening.input_limits import InputLimits, RejectedDocumentError


def encoded(image: Image.Image, image_format: str = "PNG", **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, image_format, **options)
    return stream.getvalue()


def pixels_of(content: bytes) -> np.ndarray:
    (page,) = read_images([content], 144, InputLimits()).pages
    return np.asarray(page.open())


def test_transparent_parts_are_white():
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    assert pixels_of(encoded(image)).tolist() == [[0, 255]]


def test_colours_are_kept_and_a_grey_page_is_stored_in_grey():
    image = Image.new("RGB", (2, 1), (200, 30, 30))
    assert pixels_of(encoded(image)).tolist() == [[[200, 30, 30]] * 2]
    assert pixels_of(encoded(image.convert("P"))).shape == (1, 2, 3)
    assert pixels_of(encoded(Image.new("RGB", (2, 1), (90, 90, 90)))).tolist() == [[90, 90]]


def test_sixteen_bits_are_scaled_to_eight():
    image = Image.fromarray(np.array([[0, 256, 65535]], dtype=np.uint16))
    assert pixels_of(encoded(image)).tolist() == [[0, 1, 255]]


def test_a_photograph_is_rotated_as_its_exif_data_asks():
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: the first row is the right-hand side
    assert pixels_of(encoded(Image.new("L", (30, 10)), "JPEG", exif=exif)).shape == (30, 10)


@pytest.mark.parametrize(("stated", "dpi"), [(300, 300), (50, 50), (1200, 1200), (49, 144), (1201, 144), (1, 144)])
def test_a_plausible_resolution_is_kept(stated, dpi):
    # A TIFF states whole numbers exactly; a PNG states pixels per metre.
    content = encoded(Image.new("L", (9, 9)), "TIFF", dpi=(stated, stated))
    assert read_images([content], 144, InputLimits()).dpi == dpi


def test_only_the_first_frame_of_an_animation_is_a_page():
    frames = [Image.new("L", (9, 9), level) for level in (10, 200)]
    animation = encoded(frames[0], save_all=True, append_images=frames[1:])
    assert [page.open().getpixel((0, 0)) for page in read_images([animation], 144, InputLimits()).pages] == [10]


def test_pages_and_pixels_are_limited_over_all_files():
    image = encoded(Image.new("L", (10, 10)))
    with pytest.raises(RejectedDocumentError, match="3 pages; at most 2 are read"):
        read_images([image] * 3, 144, InputLimits(pages=2))
    with pytest.raises(RejectedDocumentError, match="its pages have 300 pixels; at most 299 are read"):
        read_images([image] * 3, 144, InputLimits(document_pixels=299))
    assert len(read_images([image] * 3, 144, InputLimits(pages=3, page_pixels=100, document_pixels=300)).pages) == 3
