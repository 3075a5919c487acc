"""Every file gives pages or a reason, never nothing; files are recognised by their content."""

from __future__ import annotations

import io
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from finscribe_assets.opening.image_files import read_images
from finscribe_assets.opening.input_limits import DEFAULT_DPI, InputLimits, RejectedDocumentError
from finscribe_assets.opening.page_reader import PageReader, read_file, read_pages
from finscribe_assets_tests.importing.writers import blank, encrypted, pdf
from finscribe_assets_tests.opening.image_writers import png_of_size, tiff_of

LIMITS = InputLimits(pages=5)
GREY = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (20, 4))
COLOURS = np.dstack([GREY, GREY[::-1], 255 - GREY])


def encoded(image: Image.Image, image_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, image_format, **options)
    return stream.getvalue()


def opencv(suffix: str, pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(suffix, pixels)[1])


def jpeg(size: int = 400) -> bytes:
    return encoded(Image.effect_noise((size, size), 50), "JPEG", quality=90)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded(Image.fromarray(GREY), "PNG"), GREY),
        (encoded(Image.fromarray(COLOURS), "BMP"), COLOURS),
        (encoded(Image.fromarray(COLOURS), "WEBP", lossless=True), COLOURS),
        (encoded(Image.fromarray(COLOURS), "TIFF", compression="tiff_lzw"), COLOURS),
        (encoded(Image.fromarray(GREY), "JPEG2000"), GREY),
        (opencv(".png", GREY.astype(np.uint16) * 257), GREY),
        (opencv(".tif", COLOURS[..., ::-1].astype(np.uint16) * 257), COLOURS),
        (opencv(".png", COLOURS[..., ::-1].astype(np.uint16) * 16), COLOURS),  # 12 bits in 16
        (opencv(".tif", COLOURS[..., ::-1].astype(np.uint16) * 16), COLOURS),
        (tiff_of(GREY.astype(np.uint16) * 257), GREY),
        (tiff_of((255 - GREY).astype(np.uint16) * 257, white_is_zero=True), GREY),
        (tiff_of(GREY.astype(np.float32) / 255), GREY),
        (tiff_of(GREY.astype(np.float64) / 255), GREY),
        (tiff_of(COLOURS.astype(np.float32) / 255), COLOURS),
        (tiff_of(GREY.astype(np.uint32) * 16843009), GREY),
        (encoded(Image.fromarray(np.dstack([GREY, np.full_like(GREY, 255)]), "LA"), "PNG"), GREY),
        (encoded(Image.fromarray(GREY), "TIFF", compression="jpeg", quality=100), GREY),
    ],
)
def test_an_image_of_any_format_and_depth_gives_the_same_page(content, expected):
    (page,) = read_pages([content], DEFAULT_DPI, LIMITS).pages
    pixels = np.asarray(page.open())
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(int) - expected).max() <= 2


def test_fax_pages_and_palettes_and_print_colours_are_read():
    black = Image.new("1", (40, 20), 1)
    black.paste(0, (0, 0, 20, 20))
    for content in (encoded(black, "TIFF", compression="group4"), encoded(black.convert("P"), "GIF")):
        (page,) = read_pages([content], DEFAULT_DPI, LIMITS).pages
        assert page.grey()[5].tolist() == [0] * 20 + [255] * 20
    print_colours = encoded(Image.new("CMYK", (9, 9), (0, 255, 255, 0)), "JPEG")
    red, green, blue = read_pages([print_colours], DEFAULT_DPI, LIMITS).pages[0].open().getpixel((4, 4))
    assert red > 200 > 80 > max(green, blue)


def test_every_page_of_a_tiff_is_read_and_a_thumbnail_is_none():
    frames = [Image.new(mode, size, "white") for mode, size in (("L", (30, 40)), ("RGB", (50, 20)), ("1", (9, 9)))]
    content = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    read = read_pages([content], DEFAULT_DPI, LIMITS)
    assert [(page.width, page.height) for page in read.pages] == [(30, 40), (50, 20), (9, 9)]
    assert read.notes == ()
    stream = io.BytesIO()
    frames[1].encoderinfo = {"tiffinfo": {254: 1}}
    frames[0].save(stream, "TIFF", save_all=True, append_images=[frames[1]])
    with_thumbnail = read_pages([stream.getvalue()], DEFAULT_DPI, LIMITS)
    if len(with_thumbnail.pages) == 1:
        assert "1 thumbnails" in with_thumbnail.notes[0]


def test_an_animation_gives_its_first_frame_and_a_note():
    frames = [Image.new("L", (9, 9), level) for level in (10, 200)]
    content = read_pages([encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])], DEFAULT_DPI, LIMITS)
    assert len(content.pages) == 1
    assert content.notes == ("the image: an animation of 2 frames, of which the first is read",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png_of_size(60_000, 60_000), "60,000 × 60,000 pixels; at most 40,000,000 pixels are read; scale it down"),
        (png_of_size(400, 400, Random(1).randbytes(401 * 400))[:9_000], "damaged"),
        (jpeg()[:-2_000], "truncated"),
        (b"Rechnung 17", "neither a PDF nor an image"),
        (b"", "the file is empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "neither a PDF nor an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "neither a PDF nor an image"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC is not decoded; convert it to JPEG"),
        (encrypted(pdf("page"), "secret"), "needs a password to open; save it without one"),
        (pdf("page")[:-300], "its end is missing"),
        (blank(9), "9 pages; at most 5 are read; split it"),
        (blank(1, 14_000, 14_000), "28,000 × 28,000 pixels"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_its_reason(content, reason):
    with pytest.raises(RejectedDocumentError, match=reason):
        read_pages([content], DEFAULT_DPI, LIMITS)


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"BM", b"GIF89a", b"%PDF-1.7\n"]),
)
def test_any_bytes_give_pages_or_a_reason(body, magic):
    try:
        content = read_pages([magic + body], DEFAULT_DPI, LIMITS)
    except RejectedDocumentError:
        return
    assert all(page.open().mode in ("L", "RGB") for page in content.pages)


@given(st.integers(0, 10**6), st.integers(0, 255), st.sampled_from([jpeg(60), tiff_of(GREY), pdf("page")]))
def test_a_changed_byte_gives_pages_or_a_reason(position, value, content):
    changed = bytearray(content)
    changed[position % len(content)] = value
    try:
        read_pages([bytes(changed)], DEFAULT_DPI, LIMITS)
    except RejectedDocumentError:
        return


def test_a_page_file_among_several_must_be_an_image():
    with pytest.raises(RejectedDocumentError, match="image 2 of 2 is a PDF"):
        read_images([encoded(Image.new("L", (9, 9)), "PNG"), pdf("page")], DEFAULT_DPI, LIMITS)


def test_files_that_cannot_be_opened_are_rejected_with_the_reason(tmp_path):
    (tmp_path / "x.pdf").mkdir()
    (tmp_path / "large.png").write_bytes(bytes(11))
    for name, reason in (("x.pdf", "a folder"), ("none.png", "no such file"), ("large.png", "larger than 10 bytes")):
        with pytest.raises(RejectedDocumentError, match=reason):
            read_file(tmp_path / name, InputLimits(page_file_bytes=10))


def test_a_process_of_its_own_gives_the_same_pages(tmp_path):
    path = tmp_path / "scan.jpg"  # whose content is a PNG
    path.write_bytes(encoded(Image.fromarray(COLOURS), "PNG"))
    with PageReader(DEFAULT_DPI, LIMITS) as reader:
        assert reader.open(path) == read_pages([path.read_bytes()], DEFAULT_DPI, LIMITS)
