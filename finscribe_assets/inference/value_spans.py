"""Where in a JSON text each value stands, so that a field's confidence is that of its own tokens."""

from __future__ import annotations

import json
import re

_SPACE = re.compile(r"[ \t\n\r]*")
_START = re.compile(r'\{(?=\s*["}])')
_MOST_STARTS = 16  # places where an object may begin that are looked at
_DEEPEST = 64  # levels; no document is half as deep, and a model may write brackets without end


class _BrokenError(Exception):
    """The text is no JSON from here on."""


def value_spans(text: str) -> dict[str, tuple[int, int]]:
    """Return start and end of each scalar in a text's longest JSON object, by path such as ``lines[2].net_amount``.

    Where the text breaks off or goes wrong, the values before that are returned: a model may write anything.
    """
    longest: tuple[int, dict[str, tuple[int, int]]] = 0, {}
    place = 0
    for _ in range(_MOST_STARTS):
        found = _START.search(text, place)
        if not found:
            break
        spans: dict[str, tuple[int, int]] = {}
        try:
            place = _value(text, found.start(), "", 0, spans)
        except _BrokenError:
            # What comes after may be a part of this object, unless it was none at all.
            place = max((end for _, end in spans.values()), default=found.end())
            if spans:
                longest = max(longest, (place - found.start(), spans), key=lambda one: one[0])
                break
        else:
            longest = max(longest, (place - found.start(), spans), key=lambda one: one[0])
    return longest[1]


def _skipped(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _value(text: str, place: int, path: str, depth: int, spans: dict[str, tuple[int, int]]) -> int:
    if depth > _DEEPEST:
        raise _BrokenError
    place = _skipped(text, place)
    if text.startswith("{", place):
        return _members(text, place + 1, path, depth, spans)
    if text.startswith("[", place):
        return _items(text, place + 1, path, depth, spans)
    end = _scalar(text, place)[1]
    spans[path] = place, end
    return end


def _scalar(text: str, place: int) -> tuple[object, int]:
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text, place)
    except (ValueError, RecursionError) as error:
        raise _BrokenError from error
    return value, end


def _members(text: str, place: int, path: str, depth: int, spans: dict[str, tuple[int, int]]) -> int:
    place = _skipped(text, place)
    while not text.startswith("}", place):
        key, place = _scalar(text, place)
        place = _skipped(text, place)
        if not isinstance(key, str) or not text.startswith(":", place):
            raise _BrokenError
        place = _value(text, place + 1, f"{path}.{key}" if path else key, depth + 1, spans)
        place = _after_comma(text, place, "}")
    return place + 1


def _items(text: str, place: int, path: str, depth: int, spans: dict[str, tuple[int, int]]) -> int:
    place, number = _skipped(text, place), 0
    while not text.startswith("]", place):
        place = _value(text, place, f"{path}[{number}]", depth + 1, spans)
        place, number = _after_comma(text, place, "]"), number + 1
    return place + 1


def _after_comma(text: str, place: int, closing: str) -> int:
    place = _skipped(text, place)
    if text.startswith(",", place):
        return _skipped(text, place + 1)
    if not text.startswith(closing, place):
        raise _BrokenError
    return place
