"""Perceptual hashes of pages: 576 bits that stay as they are when a page is scanned anew.

A page is levelled, which light skew needs, and its 24 × 24 lowest cosine coefficients are compared with their median
(Zauner 2010, at the size that business documents need, as all of them are white with lines of text).

Measured at MOST_DIFFERENT on 1,100 documents of two recipes (500 of the usual one, 600 of the embedded base's; 386 of
their pages rendered anew with each damage):

- light mix at 0.1 and 0.3, JPEG at quality 41 and 7, blur, few dots: all of 3,474 pages found, at most 62 bits apart;
- skew of up to 1°: 98.7 % of 386 found, up to 3°: 95.6 %; missed are above all till rolls, whose ends turn out of the
  picture; noise at full strength: 98.4 %. Of all lightly damaged pages together 99.9 % are found;
- pages of different documents and vendors: none of 607,597 pairs found, of which 89,340 share a layout; the nearest
  are 114 bits apart. So it is with the pages as their recipes damage them.

256 bits cannot do this: of those the nearest two different pages were 24 apart, a damaged one 44.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pyarrow as pa

from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, read_table, sha256_of
from finscribe_assets.shards import (
    ShardPool,
    read_fingerprint,
    read_shards,
    row_count,
    shard_files,
    write_missing_shards,
    write_shard,
)

HASH_VERSION = 1  # raise it with every change to the bits
HASH_SIDE = 24
HASH_WORDS = HASH_SIDE * HASH_SIDE // 64
MAX_HASH_DISTANCE = 90  # bits in which pages that look alike may differ

_LEVEL_WIDTH, _SQUARE = 384, 96  # pixels
# A line of print has no width in which it could be told from a turned one without some blur.
_BLUR = 1.0
_COARSE, _FINE = np.arange(-3.5, 3.51, 0.5), np.arange(-0.5, 0.51, 0.1)  # degrees

PAGE_HASH_SCHEMA = pa.schema([("document_id", pa.string()), ("page", pa.int64()), ("hash", pa.binary(HASH_WORDS * 8))])


@dataclass(frozen=True)
class PageHash:
    """A page and its hash."""

    document_id: str
    page: int  # from 0
    bits: bytes

    @property
    def words(self) -> np.ndarray:
        """Return the hash as WORDS numbers, uint64."""
        return np.frombuffer(self.bits, "<u8")


def page_hash(page: np.ndarray) -> bytes:
    """Return the hash, of SIDE × SIDE bits, of a grey page (height × width, uint8)."""
    square = cv2.resize(_levelled(page), (_SQUARE, _SQUARE), interpolation=cv2.INTER_AREA)
    lowest = cv2.dct(square)[:HASH_SIDE, :HASH_SIDE].ravel()
    bits = lowest > np.median(lowest[1:])
    bits[0] = False  # how much ink there is says little
    return np.packbits(bits, bitorder="little").tobytes()


def _levelled(page: np.ndarray) -> np.ndarray:
    """Return a small picture of a page's ink, turned so that its lines are level."""
    scale = _LEVEL_WIDTH / page.shape[1]
    ink = 255 - cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32)
    soft = cv2.GaussianBlur(ink, (0, 0), _BLUR)
    softer = cv2.resize(soft, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    coarse = max(_COARSE, key=lambda angle: _levelness(softer, angle))
    return _turned(ink, max(coarse + _FINE, key=lambda angle: _levelness(soft, angle)))


def _turned(picture: np.ndarray, angle: float) -> np.ndarray:
    height, width = picture.shape
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), float(angle), 1)
    return cv2.warpAffine(picture, turn, (width, height))


def _levelness(ink: np.ndarray, angle: float) -> float:
    """Return how sharply the rows of a picture, turned, differ in ink: most where lines of print are level."""
    return float((np.diff(_turned(ink, angle).sum(1)) ** 2).sum())


@dataclass(frozen=True)
class _HashJob:
    images: AnyPath
    path: AnyPath

    @property
    def rows(self) -> int:
        return row_count(self.images)

    @property
    def fingerprint(self) -> str:
        return sha256_of(f"{HASH_VERSION}:{read_fingerprint(self.images)}")


def _write(job: _HashJob) -> int:
    rows = [
        {"document_id": row["document_id"], "page": row["page"], "hash": page_hash(_pixels(row["image"]["bytes"]))}
        for row in read_table(job.images, ["document_id", "page", "image"]).to_pylist()
    ]
    write_shard(job.path, pa.Table.from_pylist(rows, schema=PAGE_HASH_SCHEMA), job.fingerprint)
    return len(rows)


def _pixels(image: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise UserError(f"an image of {len(image)} bytes cannot be decoded; render its shard again")
    return pixels


def hash_pages(images: AnyPath, folder: AnyPath, pool: ShardPool) -> int:
    """Write the hashes of a batch's pages, a shard for each shard of images; return how many were there already."""
    jobs = [_HashJob(file, folder / file.name) for file in shard_files(images)]
    return write_missing_shards(jobs, _write, pool, folder)


def read_hashes(folder: AnyPath) -> list[PageHash]:
    """Read the hashes of a batch's pages, in order."""
    return [
        PageHash(row["document_id"], row["page"], row["hash"])
        for table in read_shards(folder)
        for row in table.to_pylist()
    ]
