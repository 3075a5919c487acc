"""How long it takes to find pages that look alike in two splits, among many pages, and to hash one.

Hashes are random, but for a share that is copied with a few bits changed, as scans of the same page are; all of these
must be found. Sides are as splits are: most in train, the rest in validation and test.

    python benchmarks/splits.py
    python benchmarks/splits.py --pages 100000
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from finscribe_assets.splitting.near_duplicates import find_similar_hashes
from finscribe_assets.splitting.page_hashes import HASH_WORDS, page_hash

CHANGED = 40  # bits of a copy
SHARES = (0.2, 0.2, 0.6)  # test, validation and train


def search(pages: int, copies: int) -> dict[str, float]:
    """Return how long the search took, in seconds, and how many of the copies it found."""
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**64, (pages, HASH_WORDS), np.uint64)
    sides = random.choice(len(SHARES), pages, p=SHARES)
    sources, targets = np.flatnonzero(sides == 2)[:copies], np.flatnonzero(sides == 0)[:copies]
    for source, target in zip(sources, targets, strict=True):
        places = random.choice(HASH_WORDS * 64, CHANGED, replace=False)
        hashes[target] = hashes[source]
        np.bitwise_xor.at(hashes[target], places // 64, np.uint64(1) << (places % 64).astype(np.uint64))
    started = time.process_time()
    found = find_similar_hashes(hashes, sides)
    seconds = time.process_time() - started
    return {"pages": pages, "cpu_seconds": round(seconds, 2), "copies": len(sources), "found": len(found)}


def hashing(pages: int) -> float:
    """Return the CPU milliseconds that the hash of a page of usual size takes."""
    random = np.random.default_rng(0)
    page = random.integers(0, 256, (1684, 1190), np.uint8)
    started = time.process_time()
    for _ in range(pages):
        page_hash(page)
    return round((time.process_time() - started) / pages * 1000, 1)


def main() -> None:
    """Print both as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--pages", type=int, default=50_000)
    parser.add_argument("--copies", type=int, default=100)
    arguments = parser.parse_args()
    print(json.dumps({"search": search(arguments.pages, arguments.copies), "hash_ms_a_page": hashing(20)}, indent=2))


if __name__ == "__main__":
    main()
