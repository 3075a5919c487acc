"""Derive file names from ids: valid on every file system, and different for different ids."""

from __future__ import annotations

import re

from finscribe_assets.files import sha256_of

MAX_NAME_LENGTH = 100  # characters, suffix included: the name field of a USTAR tar header
_SUFFIX_LENGTH = 10  # characters left for a suffix such as ``.json``
_HASH_DIGITS = 16  # hexadecimal digits: 64 bits
_SAFE = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
_UNSAFE_CHARACTERS = re.compile(r"[^a-z0-9_]+")
_ENDS_WITH_HASH = re.compile(rf"-[0-9a-f]{{{_HASH_DIGITS}}}$")


def file_name_for(id_: str) -> str:
    """Return a file name without a suffix for an id: lower-case letters, digits, ``_`` and ``-``, no dots.

    An id that is a safe name is returned unchanged. Any other name ends with a hash of the id, so it depends on this id
    alone, not on the other ids of an export. Capital letters are unsafe because some file systems ignore case.
    """
    longest = MAX_NAME_LENGTH - _SUFFIX_LENGTH
    if _SAFE.fullmatch(id_) and len(id_) <= longest and not _ENDS_WITH_HASH.search(id_):
        return id_
    readable = _UNSAFE_CHARACTERS.sub("-", id_.lower())[: longest - _HASH_DIGITS - 1].strip("-_")
    return f"{readable or 'id'}-{sha256_of(id_.encode('utf-8', 'surrogatepass'))[:_HASH_DIGITS]}"
