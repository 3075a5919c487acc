"""Compare a prediction with the ground truth as it is written, member by member, as benchmarks of JSON extraction do.

The other metrics compare what values mean and count each field; this one is there to compare with published results.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def verbatim_share(truth: Mapping[str, Any], prediction: Mapping[str, Any]) -> float | None:
    """Return the share of the truth's top-level members that the prediction has exactly as they are written.

    A member that is an object is right if all members of the true object are; further ones do not count. A list is
    right if it has the same items in any order, and an item that is an object the same members. Other values are
    compared as text.

    Returns:
        The share in [0, 1]; None if the truth has no members.
    """
    if not truth:
        return None
    return sum(_is_same(value, prediction.get(name)) for name, value in truth.items()) / len(truth)


def _is_same(true: Any, predicted: Any) -> bool:
    if isinstance(true, Mapping) and isinstance(predicted, Mapping):
        return verbatim_share(true, predicted) == 1
    if isinstance(true, list) and isinstance(predicted, list):
        return _sorted(true) == _sorted(predicted)
    return str(true) == str(predicted)


def _sorted(items: list[Any]) -> list[str]:
    """Return the items as texts in an order of their own; numbers and the texts of numbers differ."""
    return sorted(json.dumps(item, sort_keys=True, ensure_ascii=False) for item in items)
