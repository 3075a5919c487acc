"""The rule that gives a group its split: template family × vendor, never divided.

A group's split follows from a hash of its name: thresholds at 80 % and 90 %. Of a first batch with few groups a hash
alone can leave validation or test empty, so there the groups are taken in hash order and filled up to their shares by
number of documents; a group keeps the split it got there in every later batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from finscribe_assets.files import sha256_of


class Split(StrEnum):
    """What a document may be used for. HELD_BACK: for nothing, as its group belongs to the frozen test.

    REAL: for measuring alone; a synthetic batch has none, and no rule here assigns it.
    """

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    HELD_BACK = "held_back"
    REAL = "real"


SHARES = {Split.TEST: 0.1, Split.VALIDATION: 0.1}


def _position(group: str) -> float:
    return int(sha256_of(group)[:12], 16) / 16**12


def first_assignment(documents_by_group: Mapping[str, int]) -> dict[str, Split]:
    """Assign a first batch's groups: in hash order, test and validation each take groups until they have their share.

    Raises:
        ValueError: there are fewer than three groups, so that some split would be empty.
    """
    if len(documents_by_group) < len(SHARES) + 1:
        raise ValueError(f"{len(documents_by_group)} groups of layout × vendor cannot fill train, validation and test; "
                         "make a batch of more documents")  # fmt: skip
    total = sum(documents_by_group.values())
    assigned: dict[str, Split] = {}
    waiting = sorted(documents_by_group, key=_position)
    for place, (split, share) in enumerate(SHARES.items()):
        filled = 0
        reserved = len(SHARES) - place  # a group each for the splits after this one
        for group in list(waiting):
            if filled >= share * total or len(waiting) <= reserved:
                break
            # A group larger than what is missing would overfill the split, unless the split is still empty.
            if not filled or filled + documents_by_group[group] <= 1.5 * share * total:
                assigned[group] = split
                filled += documents_by_group[group]
                waiting.remove(group)
    return {group: assigned.get(group, Split.TRAIN) for group in documents_by_group}


def later_split(group: str, known: Mapping[str, Split]) -> Split:
    """Return the split of a later batch's group: what it had, or its hash's; nothing is added to test."""
    position = _position(group)
    by_hash = Split.TEST if position < SHARES[Split.TEST] else Split.VALIDATION if position < 0.2 else Split.TRAIN
    split = known.get(group, by_hash)
    return Split.HELD_BACK if split in (Split.TEST, Split.HELD_BACK) else split
