"""What the parsers of amounts and dates share: one form of characters, and the errors that they raise."""

from __future__ import annotations

import unicodedata

MAX_VALUE_LENGTH = 400  # characters of a value that are read
# Marks of direction, and characters without width.
_INVISIBLE = dict.fromkeys(
    map(ord, "\u200b\u200c\u200d\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")
)


class UnreadableValueError(ValueError):
    """A text is not a value of the expected type."""


class AmbiguousValueError(UnreadableValueError):
    """A text means different values in different locales, and the locale is unknown."""


def plain_form(text: str) -> str:
    """Return text in Unicode's form NFKC, with the digits of all scripts as 0 to 9, without invisible characters."""
    if text.isascii():
        return text[:MAX_VALUE_LENGTH].strip()
    body = unicodedata.normalize("NFKC", text[:MAX_VALUE_LENGTH]).translate(_INVISIBLE).strip()
    return "".join(str(unicodedata.decimal(character, character)) for character in body)
