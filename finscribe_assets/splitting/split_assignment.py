"""The rule that gives a group its split: template family × vendor, never divided.

A group's split follows from a hash of its name: thresholds at 80 % and 90 %. Of a first batch with few groups a hash
alone can leave validation or test empty, so there the groups are taken in hash order and filled up to their shares by
number of documents; a group keeps the split it got there in every later batch.

Groups of the first batch that use what is held out are never in train: half of them, by hash, are validation, so that
mining can find them weak, and half are test. They come on top of the shares, which are of the other groups. In later
batches they are divided as all are: that is how an adapter learns what it had not seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum

from finscribe_assets.errors import UserError
from finscribe_assets.files import sha256_of


class Split(StrEnum):
    """What a document may be used for.

    HELD_BACK: for nothing, as its group belongs to the frozen test, or as a page of it looks like one of another split.
    REAL: for measuring alone; a synthetic batch has none, and no rule here assigns it.
    """

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    HELD_BACK = "held_back"
    REAL = "real"


SPLIT_SHARES = {Split.TEST: 0.1, Split.VALIDATION: 0.1}


def _position(group: str) -> float:
    return int(sha256_of(group)[:12], 16) / 16**12


def assign_first_batch(documents_by_group: Mapping[str, int], held_out: Set[str] = frozenset()) -> dict[str, Split]:
    """Assign a first batch's groups: in hash order, test and validation each take groups until they have their share.

    Groups in ``held_out`` are divided between validation and test alone, and count for no share.

    Raises:
        UserError: fewer than three groups are not held out, so that some split would be empty.
    """
    shared = {group: count for group, count in documents_by_group.items() if group not in held_out}
    if len(shared) < len(SPLIT_SHARES) + 1:
        besides = f" besides {len(documents_by_group) - len(shared)} that are held out" if held_out else ""
        raise UserError(
            f"{len(shared)} groups of layout × vendor{besides} cannot fill train, validation and test; "
            "make a batch of more documents, or hold nothing out"
        )
    total = sum(shared.values())
    assigned: dict[str, Split] = {}
    waiting = sorted(shared, key=_position)
    for place, (split, share) in enumerate(SPLIT_SHARES.items()):
        filled = 0
        reserved = len(SPLIT_SHARES) - place  # a group each for the splits after this one
        for group in list(waiting):
            if filled >= share * total or len(waiting) <= reserved:
                break
            # A group larger than what is missing would overfill the split, unless the split is still empty.
            if not filled or filled + shared[group] <= 1.5 * share * total:
                assigned[group] = split
                filled += shared[group]
                waiting.remove(group)
    for group in held_out & documents_by_group.keys():
        assigned[group] = Split.TEST if _position(group) < 0.5 else Split.VALIDATION
    return {group: assigned.get(group, Split.TRAIN) for group in documents_by_group}


def assign_later_group(group: str, known: Mapping[str, Split]) -> Split:
    """Return the split of a later batch's group: what it had, or its hash's; nothing is added to test."""
    position = _position(group)
    by_hash = Split.TEST if position < SPLIT_SHARES[Split.TEST] else Split.VALIDATION if position < 0.2 else Split.TRAIN
    split = known.get(group, by_hash)
    return Split.HELD_BACK if split in (Split.TEST, Split.HELD_BACK) else split
