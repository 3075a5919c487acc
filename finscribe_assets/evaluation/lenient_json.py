"""Read JSON as models write it: cut off, with Python's literals, trailing commas or comments, or broken in the middle.

Complete members are kept, incomplete ones are dropped and counted. Time and memory are linear in the text's length.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 60

# Every repetition is possessive, so that no character is matched twice. An unclosed comment runs to the text's end.
_SKIPPED = re.compile(r"(?:\s++|//[^\n]*+|/\*.*?(?:\*/|\Z)|#[^\n]*+)*+", re.DOTALL)
_COMMENT = re.compile(r"//|/\*|#")
# A quote ends a string only if what follows may follow a string; other quotes are ones that should have been escaped.
_ENDS = {
    quote: re.compile(rf"(?:[^{quote}\\]++|\\.|{quote}(?!\s*+(?:[,:}}\]]|\Z|//|/\*|#)))*+{quote}", re.DOTALL)
    for quote in "\"'"
}
_KEY_ENDS = {quote: re.compile(rf"(?:[^{quote}\\]++|\\.)*+{quote}", re.DOTALL) for quote in "\"'"}
_MEMBER_ENDS = re.compile(r"[,}\]]")
_WORD = re.compile(r"[^,:{}\[\]\"'\n]+")
_UNQUOTED = re.compile(r"[^,{}\[\]\"'\n]+")  # a value may contain colons, as times do
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_LITERALS = {"true": True, "false": False, "null": None}
_PYTHON_LITERALS = {"True": True, "False": False, "None": None, "undefined": None}
_NOT_NUMBERS = frozenset({"NaN", "Infinity", "-Infinity", "nan", "inf", "-inf"})
_INCOMPLETE = object()  # stands for a value that is dropped


class NestingTooDeepError(ValueError):
    """Objects and lists are nested deeper than ``MAX_DEPTH``."""


class LenientJsonReader:
    """Read one object of a text, and record what is wrong with it.

    Attributes:
        position: index in the text; after reading, the end of the object.
        truncated: the text ended before the object did.
        malformed: a member in the middle could not be read.
        loose: the text is not JSON, though its meaning is clear.
        not_a_number: a value was NaN or infinite, and is read as null.
        duplicate_keys: a key occurred more than once in an object.
        dropped: number of members that were begun and are incomplete.
    """

    def __init__(self, text: str, position: int) -> None:
        self.text, self.position = text, position
        self.truncated = self.malformed = self.loose = self.not_a_number = self.duplicate_keys = False
        self.dropped = 0

    def read(self) -> dict[str, Any]:
        """Return the object that begins at ``position``, and move behind it.

        Raises:
            NestingTooDeepError: it is nested too deep.
        """
        return self._object(1)

    def _next(self) -> str:
        """Skip space and comments; return the next character, empty at the end."""
        skipped = _SKIPPED.match(self.text, self.position)
        if skipped and skipped.end() > self.position:
            self.loose = self.loose or _COMMENT.search(skipped[0]) is not None
            self.position = skipped.end()
        return self.text[self.position : self.position + 1]

    def _object(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        self.position += 1
        while self._has_member("}", "]"):
            key = self._key()
            if key is None or self._next() != ":":
                self._drop()
                continue
            self.position += 1
            value = self._value(depth)
            if value is not _INCOMPLETE:
                self.duplicate_keys = self.duplicate_keys or key in members
                members[key] = value
        return members

    def _list(self, depth: int) -> list[Any]:
        items = []
        self.position += 1
        while self._has_member("]", "}"):
            start, value = self.position, self._value(depth)
            if isinstance(value, str) and self._next() == ":":  # a key: this list was never closed
                self.position, self.malformed = start, True
                break
            if value is not _INCOMPLETE:
                items.append(value)
        return items

    def _has_member(self, closing: str, other_closing: str) -> bool:
        """Tell whether another member follows; move past commas and the closing bracket, but not past another's."""
        while not self.truncated:
            character = self._next()
            if character == "":
                self.truncated = True
            elif character == closing:
                self.position += 1
                return False
            elif character == other_closing:
                self.malformed = True
                return False
            elif character == ",":
                self.position += 1
                self.loose = self.loose or self._next() in ("]", "}", ",")
            else:
                return True
        return False

    def _drop(self) -> None:
        """Drop a member that cannot be read, up to the next one."""
        self.dropped += 1
        end = _MEMBER_ENDS.search(self.text, self.position)
        self.position = end.start() if end else len(self.text)
        if end:
            self.malformed = True
        else:
            self.truncated = True

    def _key(self) -> str | None:
        if self.text[self.position] in "\"'":
            return self._string(_KEY_ENDS)
        self.loose = True
        word = _WORD.match(self.text, self.position)
        if not word:
            return None
        self.position = word.end()
        return word[0].strip()

    def _value(self, depth: int) -> Any:
        """Return the value at the position, ``_INCOMPLETE`` if it does not end."""
        character = self._next()
        if character in ("{", "[") and depth >= MAX_DEPTH:
            raise NestingTooDeepError
        if character == "{":
            return self._object(depth + 1)
        if character == "[":
            return self._list(depth + 1)
        if character and character in "\"'":
            text = self._string(_ENDS)
            self.dropped += text is None
            return _INCOMPLETE if text is None else text
        return self._unquoted()

    def _string(self, ends: dict[str, re.Pattern[str]]) -> str | None:
        """Return a string, None if the text ends within it."""
        quote, start = self.text[self.position], self.position + 1
        end = ends[quote].match(self.text, start)
        if not end:
            self.position = len(self.text)
            self.truncated = True
            return None
        self.position, body = end.end(), self.text[start : end.end() - 1]
        if quote == "'":
            self.loose, body = True, body.replace("\\'", "'")
        escaped = re.sub(r'\\.|"', lambda found: '\\"' if found[0] == '"' else found[0], body, flags=re.DOTALL)
        try:
            value = str(json.loads(f'"{escaped}"', strict=False))
        except ValueError:  # such as \x41, which JSON does not know
            self.loose, value = True, body
        self.loose = self.loose or escaped != body
        return value

    def _unquoted(self) -> Any:
        """Return a number as its text, a literal, or words that lack their quotes.

        A word at the very end of the text may be cut off, as 12 of 1234 is, and counts as incomplete.
        """
        found = _UNQUOTED.match(self.text, self.position)
        word = found[0].split("//")[0].split("/*")[0].split("#")[0].strip() if found else ""
        if not found or not word:
            self._drop()
            return _INCOMPLETE
        self.position += len(found[0]) if len(found[0].rstrip()) == len(word) else found[0].index(word) + len(word)
        if self.position >= len(self.text):
            self.truncated = True
            self.dropped += 1
            return _INCOMPLETE
        if word in _LITERALS:
            return _LITERALS[word]
        if word in _NOT_NUMBERS:
            self.not_a_number = True
            return None
        if not _NUMBER.fullmatch(word):
            self.loose = True
        return _PYTHON_LITERALS.get(word, word)
