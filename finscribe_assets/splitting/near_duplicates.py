"""Find pages that look alike in two splits, and hold back one document of each pair.

What belongs here: the search over the hashes of `page_hashes`, and the choice of the document that is held back.
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

_FIRST_WORDS = 4  # words of a hash that are compared first; most pages already differ too much in these
_BLOCK = (64, 4096)  # hashes × hashes that are compared at a time, so that the differences fit a processor's cache

# In this order documents of one batch are kept: the test split never changes.
_KEEP_ORDER = (Split.TEST, Split.VALIDATION, Split.TRAIN)


class SimilarHashes(NamedTuple):
    """The indices of two hashes, and the number of bits in which they differ."""

    first: int
    second: int
    distance: int


@dataclass(frozen=True)
class NearDuplicate:
    """A page in one split that looks like a page in another."""

    first: PageHash
    second: PageHash
    distance: int  # bits in which their hashes differ


def find_similar_hashes(
    hashes: np.ndarray, parts: np.ndarray, max_distance: int = MAX_HASH_DISTANCE
) -> list[SimilarHashes]:
    """Return the pairs of hashes in different parts that differ in at most ``max_distance`` bits, sorted by index.

    All pairs are compared, block by block: 50,000 pages take less than a minute on one core.

    Args:
        hashes: shape (n, HASH_WORDS), uint64.
        parts: shape (n,), the number of the part, such as a split, that each hash belongs to.
        max_distance: the largest number of differing bits.
    """
    indices_by_part = [np.flatnonzero(parts == part) for part in np.unique(parts)]
    return sorted(
        pair
        for left, right in itertools.combinations(indices_by_part, 2)
        for pair in _similar_between(hashes, left, right, max_distance)
    )


def _similar_between(
    hashes: np.ndarray, left: np.ndarray, right: np.ndarray, max_distance: int
) -> Iterator[SimilarHashes]:
    """Yield the similar pairs of a hash with an index in ``left`` and a hash with an index in ``right``."""
    row_count, column_count = _BLOCK
    for row in range(0, len(left), row_count):
        row_indices = left[row : row + row_count]
        row_hashes = hashes[row_indices]
        for column in range(0, len(right), column_count):
            column_indices = right[column : column + column_count]
            column_hashes = hashes[column_indices]
            # A distance of 256 in these words overflows to 0. Such a pair is only compared in all words as well.
            first_distances = np.zeros((len(row_hashes), len(column_hashes)), np.uint8)
            for word in range(_FIRST_WORDS):
                first_distances += np.bitwise_count(row_hashes[:, word, None] ^ column_hashes[None, :, word])
            rows, columns = np.nonzero(first_distances <= max_distance)
            distances = np.bitwise_count(row_hashes[rows] ^ column_hashes[columns]).sum(1, dtype=np.int64)
            for match in np.flatnonzero(distances <= max_distance):
                first, second = sorted((int(row_indices[rows[match]]), int(column_indices[columns[match]])))
                yield SimilarHashes(first, second, int(distances[match]))


def find_near_duplicates(rows: Sequence[SplitRow], pages: Sequence[PageHash]) -> list[NearDuplicate]:
    """Return the pairs of pages that look alike and are in two splits, in the order of ``pages``.

    Args:
        rows: documents with their splits; documents that are held back are ignored.
        pages: page hashes; pages of documents without a row are ignored.
    """
    splits = {row.document_id: row.split for row in rows if row.split is not Split.HELD_BACK}
    used = [page for page in pages if page.document_id in splits]
    hashes = np.array([page.words for page in used], np.uint64).reshape(-1, HASH_WORDS)
    parts = np.array([_KEEP_ORDER.index(splits[page.document_id]) for page in used], np.int64)
    return [
        NearDuplicate(used[pair.first], used[pair.second], pair.distance) for pair in find_similar_hashes(hashes, parts)
    ]


def hold_back_duplicates(rows: Sequence[SplitRow], duplicates: Sequence[NearDuplicate]) -> list[SplitRow]:
    """Return the rows with one document of each pair held back; its ``looks_like`` names the document that is kept.

    Of two batches, the later document is held back, so that earlier manifests stay valid. Of one batch, the training
    document is, else the validation document: the test split never changes.
    """
    keep_order = {
        row.document_id: (row.batch, _KEEP_ORDER.index(row.split)) for row in rows if row.split is not Split.HELD_BACK
    }
    held_back: dict[str, str] = {}  # document id → the document that it looks like
    for pair in duplicates:
        kept, duplicate = sorted((pair.first.document_id, pair.second.document_id), key=keep_order.__getitem__)
        if kept not in held_back and duplicate not in held_back:
            held_back[duplicate] = kept
    return [
        replace(row, split=Split.HELD_BACK, looks_like=held_back[row.document_id])
        if row.document_id in held_back
        else row
        for row in rows
    ]
