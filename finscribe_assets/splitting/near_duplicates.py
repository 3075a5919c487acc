"""Pages that look alike in two splits: found among all pages, and what gives way.

What belongs here: the search over hashes of `page_hashes`, and which document of a pair is held back.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from finscribe_assets.splitting.page_hashes import HASH_WORDS, MAX_HASH_DISTANCE, PageHash
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import SplitRow

_FIRST_WORDS = 4  # of a hash: pages that differ too much in these need not be compared in the others
_BLOCK = (64, 4096)  # hashes × hashes whose differences fit a processor's cache

# The later document gives way, so that earlier manifests stay as they are; of one batch, training does.
_GIVES_WAY = (Split.TEST, Split.VALIDATION, Split.TRAIN)


class SimilarHashes(NamedTuple):
    """Two pages, by their places in what was searched, and the bits in which they differ."""

    first: int
    second: int
    distance: int


@dataclass(frozen=True)
class NearDuplicate:
    """A page in one split that looks like a page in another."""

    first: PageHash
    second: PageHash
    distance: int


def find_similar_hashes(hashes: np.ndarray, sides: np.ndarray, most: int = MAX_HASH_DISTANCE) -> list[SimilarHashes]:
    """Return the pairs of hashes on different sides that differ in at most ``most`` bits, in order of places.

    ``hashes``: n × WORDS, uint64; ``sides``: n numbers. Every pair is looked at, in blocks: 50,000 pages take less than
    a minute on one core.
    """
    places = [np.flatnonzero(sides == side) for side in np.unique(sides)]
    found = [pair for one, other in itertools.combinations(places, 2) for pair in _between(hashes, one, other, most)]
    return sorted(found)


def _between(hashes: np.ndarray, one: np.ndarray, other: np.ndarray, most: int) -> Iterator[SimilarHashes]:
    rows, columns = _BLOCK
    for row in range(0, len(one), rows):
        left_places = one[row : row + rows]
        left = hashes[left_places]
        for column in range(0, len(other), columns):
            right_places = other[column : column + columns]
            right = hashes[right_places]
            # All 256 bits apart would count as none: such pages are compared in all words, and found to differ.
            first_bits = np.zeros((len(left), len(right)), np.uint8)
            for word in range(_FIRST_WORDS):
                first_bits += np.bitwise_count(left[:, word, None] ^ right[None, :, word])
            near, far = np.nonzero(first_bits <= most)
            bits = np.bitwise_count(left[near] ^ right[far]).sum(1, dtype=np.int64)
            for place in np.flatnonzero(bits <= most):
                first, second = sorted((int(left_places[near[place]]), int(right_places[far[place]])))
                yield SimilarHashes(first, second, int(bits[place]))


def find_near_duplicates(rows: Sequence[SplitRow], pages: Sequence[PageHash]) -> list[NearDuplicate]:
    """Return the pages of documents in use that look alike and stand in two splits; pages without a row are left out.

    The order is that of ``pages``.
    """
    splits = {row.document_id: row.split for row in rows if row.split is not Split.HELD_BACK}
    used = [page for page in pages if page.document_id in splits]
    hashes = np.array([page.words for page in used], np.uint64).reshape(-1, HASH_WORDS)
    sides = np.array([_GIVES_WAY.index(splits[page.document_id]) for page in used], np.int64)
    return [
        NearDuplicate(used[pair.first], used[pair.second], pair.distance) for pair in find_similar_hashes(hashes, sides)
    ]


def hold_back_duplicates(rows: Sequence[SplitRow], found: Sequence[NearDuplicate]) -> list[SplitRow]:
    """Return the rows with one document of each pair held back, and what it looks like named.

    The later batch's document gives way, of one batch that in training, then that in validation: a test never changes.
    """
    order = {
        row.document_id: (row.batch, _GIVES_WAY.index(row.split)) for row in rows if row.split is not Split.HELD_BACK
    }
    gone: dict[str, str] = {}
    for pair in found:
        stays, goes = sorted((pair.first.document_id, pair.second.document_id), key=order.__getitem__)
        if stays not in gone and goes not in gone:
            gone[goes] = stays
    return [
        replace(row, split=Split.HELD_BACK, looks_like=gone[row.document_id]) if row.document_id in gone else row
        for row in rows
    ]
