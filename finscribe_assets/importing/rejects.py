"""Name the field of a ground truth in the reasons for which an import rejects a document; see `input_limits`."""

from __future__ import annotations

from finscribe_assets.documents.elements import TERMS, field_of

NO_GROUND_TRUTH = "no ground truth"  # how the reason of a document begins that has none


def field_with_code(path: str) -> str:
    """Return a field's path with its EN 16931 code, as in ``seller.name (BT-27)``."""
    term = TERMS.get(field_of(path))
    return f"{path} ({term.code})" if term and term.code else path
