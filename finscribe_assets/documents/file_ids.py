"""Ids of documents that come as files: the same for `extract`, `import` and the inbox, so that their records match.

An id depends on the pages alone, not on the ground truth: a document keeps its id when a person corrects its values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from finscribe_assets.files import AnyPath, sha256_of, sha256_of_file

_MAX_STEM_LENGTH = 40  # characters of a file name in an id


def document_id(stem: str, page_hashes: Sequence[str]) -> str:
    """Return the id of a document: a safe file name everywhere, different for different pages.

    Args:
        stem: File name of the document without its folder and suffix; any text.
        page_hashes: SHA-256 of the files of its pages, in page order.

    Example:
        >>> document_id("Rechnung Nr. 17", ["2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"])
        'real-Rechnung-Nr-17-505221025f97'
    """
    ascii_stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    words = re.sub(r"[^A-Za-z0-9]+", "-", ascii_stem).strip("-")[:_MAX_STEM_LENGTH].strip("-") or "document"
    return f"real-{words}-{sha256_of(chr(10).join(page_hashes))[:12]}"


def file_document_id(path: AnyPath) -> str:
    """Return the id of the document that a single file is."""
    return document_id(path.stem, [sha256_of_file(path)])
