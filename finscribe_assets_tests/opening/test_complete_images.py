"""Pictures whose last rows are missing are rejected, also where no decoder reports it."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageDraw

from finscribe_assets.opening.image_files import read_images
from finscribe_assets.opening.input_limits import InputLimits, RejectedDocumentError

SIDE = 400


def page(mode: str = "RGB", *, footer: int = 255) -> Image.Image:
    """A page with print down to its footer, a band of one grey."""
    image = Image.new("RGB", (SIDE, SIDE), "white")
    draw = ImageDraw.Draw(image)
    for y in range(5, SIDE - 30, 12):
        draw.text((10, y), f"Position {y} at 12.00 makes {y * 12}.00", fill="black")
    draw.rectangle((0, SIDE - 24, SIDE, SIDE), fill=(footer, footer, footer))
    return image.convert(mode)


def encoded(image: Image.Image, format_: str, **options) -> bytes:
    stream = BytesIO()
    image.save(stream, format_, **options)
    return stream.getvalue()


def accepts(content: bytes) -> bool:
    try:
        read_images([content], 144, InputLimits())
    except RejectedDocumentError as error:
        assert "damaged" in str(error)
        return False
    return True


def png_with_rows(image: Image.Image, share: float) -> bytes:
    """A PNG whose chunks are whole, and whose compressed data end regularly after a share of its rows."""
    content, at, head, data = encoded(image, "PNG"), 8, b"", b""
    while at < len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        if name == b"IDAT":
            data += content[at + 8 : at + 8 + length]
        elif name != b"IEND":
            head += content[at : at + 12 + length]
        at += 12 + length
    rows = zlib.decompress(data)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    body = zlib.compress(rows[: int(len(rows) * share)])
    return content[:8] + head + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("footer", [255, 0])
def test_a_png_with_fewer_rows_than_it_states_is_rejected(mode, footer):
    assert accepts(png_with_rows(page(mode, footer=footer), 1))
    assert not accepts(png_with_rows(page(mode, footer=footer), 0.7))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_was_closed_or_padded_before_its_end_is_rejected(mode, progressive):
    content = encoded(page(mode), "JPEG", progressive=progressive)
    assert accepts(content)
    for share in (0.4, 0.8):
        cut = content[: int(len(content) * share)]
        assert not accepts(cut + b"\xff\xd9")
        assert not accepts(cut + bytes(len(content) - len(cut)))


@pytest.mark.parametrize("footer", [127, 128])
def test_a_jpeg_with_a_grey_footer_is_complete(footer):
    content = encoded(page(footer=footer), "JPEG", quality=95)
    assert accepts(content)
    assert accepts(content + bytes(8192))  # as some mail gateways pad it


def test_an_image_of_an_animation_or_with_a_preview_is_read():
    assert accepts(encoded(page(), "MPO", save_all=True, append_images=[page(footer=128)]))


def test_what_begins_as_an_image_is_called_one():
    cut = encoded(page(), "TIFF", compression="tiff_lzw")[:-3_000]
    with pytest.raises(RejectedDocumentError, match="begins as an image"):
        read_images([cut], 144, InputLimits())
