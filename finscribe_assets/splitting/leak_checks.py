"""What must never be: something in two splits, a test that changed, a targeted document in test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from finscribe_assets.splitting.near_duplicates import find_near_duplicates
from finscribe_assets.splitting.page_hashes import PageHash
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import SplitRow


def find_leaks(
    rows: Sequence[SplitRow],
    pages: Sequence[PageHash] = (),
    first_test: Sequence[str] | None = None,
) -> dict[str, list[str]]:
    """Return what leaks, by kind; an empty dictionary for a clean set.

    Kinds: ``document_id``, ``group`` and ``content`` for what stands in two splits; ``near_duplicate`` for pages that
    look alike in two splits, of those in ``pages``; ``repeated_id``; ``targeted_in_test``; ``held_out_in_train``;
    ``test_changed`` for what differs from ``first_test``, the first batch's test by document id, where it is given.
    """
    used = [row for row in rows if row.split is not Split.HELD_BACK]
    found: dict[str, list[str]] = {}
    for name in ("document_id", "group", "content"):
        splits: dict[str, set[Split]] = {}
        for row in used:
            splits.setdefault(getattr(row, name), set()).add(row.split)
        found[name] = sorted(value for value, where in splits.items() if len(where) > 1)
    found["near_duplicate"] = [
        f"{pair.first.document_id} page {pair.first.page} and {pair.second.document_id} page {pair.second.page}: "
        f"{pair.distance} bits"
        for pair in find_near_duplicates(rows, pages)
    ]
    counts = Counter(row.document_id for row in rows)
    found["repeated_id"] = sorted(name for name, count in counts.items() if count > 1)
    found["targeted_in_test"] = [row.document_id for row in used if row.targeted and row.split is Split.TEST]
    found["held_out_in_train"] = [row.document_id for row in used if row.held_out_by and row.split is Split.TRAIN]
    if first_test is not None:
        test = {row.document_id for row in rows if row.split is Split.TEST}
        found["test_changed"] = sorted(set(first_test) ^ test)
    return {kind: names for kind, names in found.items() if names}
