"""Names of files for ids: safe on every file system, and no two ids' names are the same."""

from __future__ import annotations

import re

from finscribe_assets.files import sha256_of

MAX_NAME_LENGTH = 100  # characters; old tar headers hold no more, and a suffix has to fit beside it
_DIGITS = 16  # hexadecimal, of the hash: 64 bits
_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
_UNSAFE = re.compile(r"[^a-z0-9_]+")
_HASHED = re.compile(rf"-[0-9a-f]{{{_DIGITS}}}$")


def file_name_for(id_: str) -> str:
    """Return a file name without dots for an id, of at most LONGEST − 10 characters: letters, digits, ``_`` and ``-``.

    An id that is such a name already keeps it. Any other is told by a hash of it at the name's end, so that the name
    follows from the id alone, whatever other ids there are and in whatever order they come. Capital letters count as
    unsafe, as some file systems do not tell them from small ones.
    """
    longest = MAX_NAME_LENGTH - 10
    if _PLAIN.fullmatch(id_) and len(id_) <= longest and not _HASHED.search(id_):
        return id_
    readable = _UNSAFE.sub("-", id_.lower())[: longest - _DIGITS - 1].strip("-_")
    return f"{readable or 'id'}-{sha256_of(id_.encode('utf-8', 'surrogatepass'))[:_DIGITS]}"
