"""Check the splits for leaks: anything in two splits, a test split that changed, a targeted document in test."""

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
    frozen_test: Sequence[str] | None = None,
) -> dict[str, list[str]]:
    """Return the leaks between splits, by name of the check; an empty dictionary if there are none.

    Args:
        rows: all documents with their splits.
        pages: hashes of their pages.
        frozen_test: the ids of the first batch's test documents, which the test split must equal; None skips the check.

    Returns:
        The failed checks, each with the values or ids that fail it:

        - ``document_id``, ``group``, ``content``: values that occur in two splits
        - ``near_duplicate``: pages that look alike and are in two splits
        - ``repeated_id``: document ids that occur twice
        - ``targeted_in_test``: ids of targeted documents in the test split
        - ``held_out_in_train``: ids of training documents whose group was held out
        - ``test_changed``: ids that are in only one of ``frozen_test`` and the test split
    """
    used = [row for row in rows if row.split is not Split.HELD_BACK]
    leaks: dict[str, list[str]] = {}
    for name in ("document_id", "group", "content"):
        splits: dict[str, set[Split]] = {}
        for row in used:
            splits.setdefault(getattr(row, name), set()).add(row.split)
        leaks[name] = sorted(value for value, value_splits in splits.items() if len(value_splits) > 1)
    leaks["near_duplicate"] = [
        f"{pair.first.document_id} page {pair.first.page} and {pair.second.document_id} page {pair.second.page}: "
        f"{pair.distance} bits"
        for pair in find_near_duplicates(rows, pages)
    ]
    counts = Counter(row.document_id for row in rows)
    leaks["repeated_id"] = sorted(name for name, count in counts.items() if count > 1)
    leaks["targeted_in_test"] = [row.document_id for row in used if row.targeted and row.split is Split.TEST]
    leaks["held_out_in_train"] = [row.document_id for row in used if row.held_out_by and row.split is Split.TRAIN]
    if frozen_test is not None:
        test = {row.document_id for row in rows if row.split is Split.TEST}
        leaks["test_changed"] = sorted(set(frozen_test) ^ test)
    return {check: failures for check, failures in leaks.items() if failures}
