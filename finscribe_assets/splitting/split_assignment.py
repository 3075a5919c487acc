"""Assign groups of documents to splits. A group is a template family and a vendor; it is never divided.

In the first batch, groups are taken in the order of a hash of their names: test and validation are filled to 10 % of
the documents each, the rest is training. (With few groups, thresholds on the hash itself could leave a split empty.) A
group keeps its split in every later batch. New groups of later batches are training: a plan is made to be learnt, and
what it taught is measured on the exam (`promotion`).

Groups of the first batch with a held-out layout, locale or font are never in training: by hash, half of them are
validation, so that mining can find that the model is weak on them, and half are test. They come on top of the 10 %. In
later batches their new groups are training, too: that is how an adapter learns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum

from finscribe_assets.errors import UserError
from finscribe_assets.files import sha256_of


class Split(StrEnum):
    """What a document is used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    # Not used: the group is in the frozen test split, or a page looks like a page of another split.
    HELD_BACK = "held_back"
    # Imported documents, used for evaluation only; synthetic documents are never in this split.
    REAL = "real"


SPLIT_SHARES = {Split.TEST: 0.1, Split.VALIDATION: 0.1}  # of the documents; training gets the rest


def _hash_fraction(group: str) -> float:
    """Return a number from 0 to 1 (exclusive) that follows from the group's name."""
    return int(sha256_of(group)[:12], 16) / 16**12


def assign_first_batch(documents_by_group: Mapping[str, int], held_out: Set[str] = frozenset()) -> dict[str, Split]:
    """Return the split of each group of a first batch.

    Args:
        documents_by_group: the number of documents in each group.
        held_out: groups that must not be in training. They are divided between validation and test, and do not count
            towards the shares of these splits.

    Raises:
        UserError: fewer than three groups are not held out, so that a split would be empty.
    """
    shared = {group: count for group, count in documents_by_group.items() if group not in held_out}
    if len(shared) < len(SPLIT_SHARES) + 1:
        besides = f" (besides {len(documents_by_group) - len(shared)} that are held out)" if held_out else ""
        raise UserError(
            f"the batch has {len(shared)} groups of layout and vendor{besides}; train, validation and test need one "
            "each: make a batch of more documents, or hold nothing out"
        )
    total = sum(shared.values())
    assigned: dict[str, Split] = {}
    unassigned = sorted(shared, key=_hash_fraction)
    for number, (split, share) in enumerate(SPLIT_SHARES.items()):
        size = 0
        reserved = len(SPLIT_SHARES) - number  # one group for each of the splits that follow
        for group in list(unassigned):
            if size >= share * total or len(unassigned) <= reserved:
                break
            # A large group is skipped if it would overfill the split by half, unless the split is still empty.
            if not size or size + shared[group] <= 1.5 * share * total:
                assigned[group] = split
                size += shared[group]
                unassigned.remove(group)
    for group in held_out & documents_by_group.keys():
        assigned[group] = Split.TEST if _hash_fraction(group) < 0.5 else Split.VALIDATION
    return {group: assigned.get(group, Split.TRAIN) for group in documents_by_group}


def assign_later_group(group: str, known: Mapping[str, Split]) -> Split:
    """Return the split of a group of a later batch.

    A group keeps its split, except that the test split is frozen: documents of its groups are held back. New groups are
    training.

    Args:
        group: the group's name.
        known: the splits of all groups of earlier batches.
    """
    split = known.get(group, Split.TRAIN)
    return Split.HELD_BACK if split is Split.TEST else split
