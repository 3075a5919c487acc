"""Split corrected documents by vendor: a vendor's documents are all in one split, and stay there.

What belongs here: the splits that a review assigns, by the rule of synthetic batches (`splitting.split_assignment`),
and which documents of an import may be trained on. Test and validation vendors are held out: nothing may train on them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from finscribe_assets.evaluation.normalise import canonical_identifier, canonical_text
from finscribe_assets.splitting.split_assignment import SPLIT_SHARES, Split, assign_first_batch

UNKNOWN_VENDOR = ""


def vendor_keys(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what identifies the vendor of a document: its tax identifier, its name, or both."""
    identifier, name = values.get("seller.vat_identifier"), values.get("seller.name")
    keys = [f"vat:{canonical_identifier(str(identifier))}"] if identifier else []
    return (*keys, *([f"name:{canonical_text(str(name)).casefold()}"] if name else []))


def vendors_of(keys: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the vendor of each document. Documents that share a name or an identifier have the same one.

    Args:
        keys: by document, as `vendor_keys` returns them.

    Returns:
        The first of a vendor's keys in the order of the alphabet; ``UNKNOWN_VENDOR`` for documents without keys.
    """
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    for mine in keys.values():
        for key in mine[1:]:
            low, high = sorted((root(mine[0]), root(key)))
            parent[high] = low
    return {document: root(mine[0]) if mine else UNKNOWN_VENDOR for document, mine in keys.items()}


def split_by_vendor(vendors: Mapping[str, str], earlier: Mapping[str, Split] | None = None) -> dict[str, Split]:
    """Return the split of each document.

    Args:
        vendors: vendor by document, as `vendors_of` returns them.
        earlier: splits of documents that were split before. Their vendors keep them; new vendors are training.

    Returns:
        With fewer than three vendors, or an unknown vendor: test, as nothing that may be held out is trained on.
    """
    known: dict[str, Split] = {}
    for document, split in sorted((earlier or {}).items()):
        if (vendor := vendors.get(document)) and known.setdefault(vendor, split) is not split:
            known[vendor] = Split.TEST  # two vendors turned out to be one
    counts = Counter(vendor for vendor in vendors.values() if vendor != UNKNOWN_VENDOR)
    if not known and len(counts) > len(SPLIT_SHARES):
        known = assign_first_batch(counts)
    elif not known or set(known.values()) == {Split.TEST}:
        # The first import had too few vendors: none is training before all three splits can have one.
        new = {vendor: count for vendor, count in counts.items() if vendor not in known}
        known |= assign_first_batch(new) if len(new) > len(SPLIT_SHARES) else dict.fromkeys(new, Split.TEST)
    return {
        document: Split.TEST if vendor == UNKNOWN_VENDOR else known.get(vendor, Split.TRAIN)
        for document, vendor in vendors.items()
    }


def documents_to_train_on(
    keys: Mapping[str, tuple[str, ...]], stated: Mapping[str, Split]
) -> tuple[dict[str, str], dict[str, Split]]:
    """Return the vendors of imported documents, and the split of each: training, or `Split.REAL`.

    Args:
        keys: By document, as `vendor_keys` returns them.
        stated: Splits that a review has assigned, by document.

    Returns:
        Vendors and splits by document. A document is training if a review says so of its vendor and nothing else of
        another document of that vendor. Documents of a training vendor that no review has seen are held back: they
        are neither trained on nor scored.
    """
    vendors = vendors_of(keys)
    of_vendor: dict[str, set[Split]] = {}
    for document, split in stated.items():
        of_vendor.setdefault(vendors[document], set()).add(split)
    training = {vendor for vendor, splits in of_vendor.items() if splits == {Split.TRAIN} and vendor != UNKNOWN_VENDOR}
    splits = {
        document: (Split.TRAIN if document in stated else Split.HELD_BACK) if vendor in training else Split.REAL
        for document, vendor in vendors.items()
    }
    return vendors, splits
