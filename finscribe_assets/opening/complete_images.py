"""Find images whose data end before their last row although decoders report no error.

What belongs here: the files of interrupted transfers that decode without an error, since a program closed or padded
them. Decoders fill the rows that are missing: libjpeg with grey, Pillow's PNG decoder with zeros. A reader that is
given such a page loses the amounts at its end without a word. Not here: damage that decoders report themselves.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO

import numpy as np
from PIL import Image

_JPEG_END = b"\xff\xd9"
_JPEG_FILLS = (127, 128)  # samples of blocks without data; an inverted CMYK image has 127
_BLOCK_ROWS = 8
_NOISE = bytes(range(1, 255)) * 64  # no 0xFF, which begins a marker
_PNG_HEADER = struct.Struct(">IIBBBBB")  # PNG specification, 11.2.1 IHDR
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7's passes: first column, first row, and the steps between columns and rows (PNG specification, 8.2)
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def has_all_rows(image: Image.Image, content: bytes) -> bool:
    """Return whether a file holds the data of all rows of its image.

    Images in other formats than JPEG and PNG count as complete, since their decoders report missing data.

    Args:
        image: The decoded image, whose pixels are loaded.
        content: Content of its file.
    """
    if image.format in ("JPEG", "MPO"):
        return _is_complete_jpeg(image, content)
    if image.format == "PNG" and not np.asarray(image.crop((0, image.height - 1, *image.size))).any():
        return _png_bytes(content) >= _png_bytes_stated(content)
    return True


def _is_complete_jpeg(image: Image.Image, content: bytes) -> bool:
    """Decode a JPEG again with noise before its end mark, which only a decoder that lacks data takes for pixels."""
    end = content.rfind(_JPEG_END)
    if end < 0:
        return False
    rows = np.asarray(image.crop((0, max(0, image.height - _BLOCK_ROWS), *image.size)))
    if not (np.isin(rows, _JPEG_FILLS).all() or image.info.get("progressive")):
        return True
    if image.format == "MPO":  # the last end mark is that of another picture
        return True
    with Image.open(BytesIO(content[:end] + _NOISE + content[end:])) as noisy:
        return np.array_equal(np.asarray(noisy), np.asarray(image))


def _png_bytes_stated(content: bytes) -> int:
    """Return the number of bytes that a PNG's rows take, each with a byte for its filter, by its header."""
    width, height, depth, colour, _, _, interlaced = _PNG_HEADER.unpack_from(content, 16)
    bits = depth * _PNG_CHANNELS[colour]
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in passes]
    return sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in sizes if columns > 0 and rows > 0)


def _png_bytes(content: bytes) -> int:
    """Return the number of bytes in a PNG's compressed data."""
    decompressor = zlib.decompressobj()
    count = 0
    with suppress(zlib.error):  # a wrong checksum at the end harms no row
        for data in _png_data(content):
            rest = data
            while rest and not decompressor.eof:
                count += len(decompressor.decompress(rest, 1 << 20))
                rest = decompressor.unconsumed_tail
    return count


def _png_data(content: bytes) -> Iterator[bytes]:
    """Yield the content of each IDAT chunk of a PNG."""
    place = 8
    while place + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        if name == b"IDAT":
            yield content[place + 8 : place + 8 + length]
        place += 12 + length
