"""JSON as models write it: cut off, with Python's literals, trailing commas, comments, or broken in the middle.

What is whole is kept, and what is not is counted. Reading takes time and memory in proportion to the text.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 60

# All that repeats is possessive: nothing is looked at twice. A comment without an end goes on to the text's.
_SKIPPED = re.compile(r"(?:\s++|//[^\n]*+|/\*.*?(?:\*/|\Z)|#[^\n]*+)*+", re.DOTALL)
_COMMENT = re.compile(r"//|/\*|#")
# A quote ends a string where something follows that may stand after one; others were to be escaped.
_ENDS = {
    quote: re.compile(rf"(?:[^{quote}\\]++|\\.|{quote}(?!\s*+(?:[,:}}\]]|\Z|//|/\*|#)))*+{quote}", re.DOTALL)
    for quote in "\"'"
}
_KEY_ENDS = {quote: re.compile(rf"(?:[^{quote}\\]++|\\.)*+{quote}", re.DOTALL) for quote in "\"'"}
_MEMBER_ENDS = re.compile(r"[,}\]]")
_WORD = re.compile(r"[^,:{}\[\]\"'\n]+")
_BARE = re.compile(r"[^,{}\[\]\"'\n]+")  # a value may have colons, as times do
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_LITERALS = {"true": True, "false": False, "null": None}
_PYTHON_LITERALS = {"True": True, "False": False, "None": None, "undefined": None}
NOT_NUMBERS = frozenset({"NaN", "Infinity", "-Infinity", "nan", "inf", "-inf"})
_CUT = object()  # a value that is not whole


class TooDeep(ValueError):
    """Brackets within brackets beyond ``MAX_DEPTH``."""


class LooseReader:
    """Reads one object, and remembers what was wrong with it."""

    def __init__(self, text: str, place: int) -> None:
        self.text, self.place = text, place
        self.truncated = False  # the text ended first
        self.malformed = False  # something in the middle makes no sense
        self.loose = False  # no JSON, though what is meant is plain
        self.not_a_number = self.duplicate_keys = False
        self.dropped = 0  # members that were begun and are not whole

    def read(self) -> dict[str, Any]:
        """Return the object at the place, which is left behind it.

        Raises:
            TooDeep: it is nested too deep.
        """
        return self._object(1)

    def _next(self) -> str:
        """Return the next character that means something, empty at the end."""
        found = _SKIPPED.match(self.text, self.place)
        if found and found.end() > self.place:
            self.loose = self.loose or _COMMENT.search(found[0]) is not None
            self.place = found.end()
        return self.text[self.place : self.place + 1]

    def _object(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        self.place += 1
        while self._goes_on("}", "]"):
            key = self._key()
            if key is None or self._next() != ":":
                self._drop()
                continue
            self.place += 1
            value = self._value(depth)
            if value is not _CUT:
                self.duplicate_keys = self.duplicate_keys or key in members
                members[key] = value
        return members

    def _list(self, depth: int) -> list[Any]:
        members = []
        self.place += 1
        while self._goes_on("]", "}"):
            start, value = self.place, self._value(depth)
            if isinstance(value, str) and self._next() == ":":  # a key: this list was never closed
                self.place, self.malformed = start, True
                break
            if value is not _CUT:
                members.append(value)
        return members

    def _goes_on(self, closing: str, other: str) -> bool:
        """Tell whether another member follows; go past commas and the closing bracket, but not past another's."""
        while not self.truncated:
            character = self._next()
            if character == "":
                self.truncated = True
            elif character == closing:
                self.place += 1
                return False
            elif character == other:
                self.malformed = True
                return False
            elif character == ",":
                self.place += 1
                self.loose = self.loose or self._next() in ("]", "}", ",")
            else:
                return True
        return False

    def _drop(self) -> None:
        """Give up a member that makes no sense, up to the next one."""
        self.dropped += 1
        found = _MEMBER_ENDS.search(self.text, self.place)
        self.place = found.start() if found else len(self.text)
        if found:
            self.malformed = True
        else:
            self.truncated = True

    def _key(self) -> str | None:
        if self.text[self.place] in "\"'":
            return self._string(_KEY_ENDS)
        self.loose = True
        found = _WORD.match(self.text, self.place)
        if not found:
            return None
        self.place = found.end()
        return found[0].strip()

    def _value(self, depth: int) -> Any:
        """Return the value at the place, ``_CUT`` where it is not whole."""
        character = self._next()
        if character in ("{", "[") and depth >= MAX_DEPTH:
            raise TooDeep
        if character == "{":
            return self._object(depth + 1)
        if character == "[":
            return self._list(depth + 1)
        if character and character in "\"'":
            text = self._string(_ENDS)
            self.dropped += text is None
            return _CUT if text is None else text
        return self._bare()

    def _string(self, ends: dict[str, re.Pattern[str]]) -> str | None:
        """Return a string, None where the text ends in it."""
        quote, start = self.text[self.place], self.place + 1
        found = ends[quote].match(self.text, start)
        if not found:
            self.place = len(self.text)
            self.truncated = True
            return None
        self.place, body = found.end(), self.text[start : found.end() - 1]
        if quote == "'":
            self.loose, body = True, body.replace("\\'", "'")
        unescaped = re.sub(r'\\.|"', lambda one: '\\"' if one[0] == '"' else one[0], body, flags=re.DOTALL)
        try:
            value = str(json.loads(f'"{unescaped}"', strict=False))
        except ValueError:  # such as \x41, which JSON does not know
            self.loose, value = True, body
        self.loose = self.loose or unescaped != body
        return value

    def _bare(self) -> Any:
        """Return a number as its text, a literal, or words that lack their quotes.

        What the text ends with may go on, as 12 does in 1234; it is not whole.
        """
        found = _BARE.match(self.text, self.place)
        word = found[0].split("//")[0].split("/*")[0].split("#")[0].strip() if found else ""
        if not found or not word:
            self._drop()
            return _CUT
        self.place += len(found[0]) if len(found[0].rstrip()) == len(word) else found[0].index(word) + len(word)
        if self.place >= len(self.text):
            self.truncated = True
            self.dropped += 1
            return _CUT
        if word in _LITERALS:
            return _LITERALS[word]
        if word in NOT_NUMBERS:
            self.not_a_number = True
            return None
        if not _NUMBER.fullmatch(word):
            self.loose = True
        return _PYTHON_LITERALS.get(word, word)
