"""Writers of images in forms that Pillow reads but cannot write."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def png_of_size(width: int, height: int, rows: bytes = b"\0") -> bytes:
    """Return a PNG whose header states a size, with ``rows`` as its data."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff_of(samples: np.ndarray, *, white_is_zero: bool = False) -> bytes:
    """Return an uncompressed TIFF of samples of any type, height × width (× 3); TIFF 6.0, sections 2 and 19."""
    height, width = samples.shape[:2]
    channels = samples.size // (height * width)
    data = samples.tobytes()
    sample_format = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    photometric = 2 if channels == 3 else int(not white_is_zero)
    entries = [(256, width), (257, height), (258, samples.dtype.itemsize * 8), (259, 1), (262, photometric)]
    entries += [(273, 8), (277, channels), (278, height), (279, len(data)), (339, sample_format)]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(entries)) + directory + bytes(4)
