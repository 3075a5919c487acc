"""What reading an amount and reading a date share: text in one form of characters, and how reading can fail."""

from __future__ import annotations

import unicodedata

MAX_LENGTH = 400  # of a single value; longer ones are compared by their beginning
_BIDI_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))


class Unreadable(ValueError):
    """Text that is no value of the kind asked for."""


class Ambiguous(Unreadable):
    """Text that is a different value in different places, where nothing tells which."""


def plain_form(text: str) -> str:
    """Return text in NFKC, every script's digits as 0 to 9, without marks of direction."""
    if text.isascii():
        return text[:MAX_LENGTH].strip()
    body = unicodedata.normalize("NFKC", text[:MAX_LENGTH]).translate(_BIDI_MARKS).strip()
    return "".join(str(unicodedata.decimal(character, character)) for character in body)
