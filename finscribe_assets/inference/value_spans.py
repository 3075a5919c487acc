"""Locate the values of a JSON text, so that the confidence of a field can be taken from its own tokens.

What belongs here: a parser that keeps positions and tolerates broken JSON, as models write any text. Deciding whether a
response is right belongs to `evaluation`.
"""

from __future__ import annotations

import json
import re

_WHITESPACE = re.compile(r"[ \t\n\r]*")
_OBJECT_START = re.compile(r'\{(?=\s*["}])')
_MAX_STARTS = 16  # positions tried as the start of an object
_MAX_DEPTH = 64  # levels; documents have fewer than half, and a model may write brackets without end

Spans = dict[str, tuple[int, int]]
"""Field path, such as ``lines[2].net_amount`` → start and end of its value in the text."""


class _BrokenJsonError(Exception):
    """The text is not JSON from this position on."""


def value_spans(text: str) -> Spans:
    """Locate each scalar of the longest JSON object in a text.

    If the object is cut off or malformed, the values before that point are returned.

    Args:
        text: A model's response; prose around the JSON is allowed.

    Returns:
        The start and end of each scalar, by path; of a repeated key, the last. Strings include their quotes.

    Example:
        >>> value_spans('{"a": 1, "b": ["x"]}')
        {"a": (6, 7), "b[0]": (15, 18)}
    """
    candidates = [(0, Spans())]
    position = 0
    for _ in range(_MAX_STARTS):
        start = _OBJECT_START.search(text, position)
        if not start:
            break
        spans = Spans()
        try:
            position = _parse_value(text, start.start(), "", 0, spans)
            is_broken = False
        except _BrokenJsonError:
            position = max((end for _, end in spans.values()), default=start.end())
            is_broken = True
        if spans or not is_broken:
            candidates.append((position - start.start(), spans))
        if spans and is_broken:
            break  # what follows may be a part of the broken object
    return max(candidates, key=lambda candidate: candidate[0])[1]


def _skip_whitespace(text: str, position: int) -> int:
    whitespace = _WHITESPACE.match(text, position)
    return whitespace.end() if whitespace else position


def _parse_value(text: str, position: int, path: str, depth: int, spans: Spans) -> int:
    """Add the spans of the value at a position, and return the position after it."""
    if depth > _MAX_DEPTH:
        raise _BrokenJsonError
    position = _skip_whitespace(text, position)
    if text.startswith("{", position):
        return _parse_members(text, position + 1, path, depth, spans)
    if text.startswith("[", position):
        return _parse_items(text, position + 1, path, depth, spans)
    end = _parse_scalar(text, position)[1]
    spans[path] = position, end
    return end


def _parse_scalar(text: str, position: int) -> tuple[object, int]:
    """Return the scalar at a position, and the position after it."""
    try:
        return json.JSONDecoder(strict=False).raw_decode(text, position)
    except (ValueError, RecursionError) as error:
        raise _BrokenJsonError from error


def _parse_members(text: str, position: int, path: str, depth: int, spans: Spans) -> int:
    position = _skip_whitespace(text, position)
    while not text.startswith("}", position):
        key, position = _parse_scalar(text, position)
        position = _skip_whitespace(text, position)
        if not isinstance(key, str) or not text.startswith(":", position):
            raise _BrokenJsonError
        position = _parse_value(text, position + 1, f"{path}.{key}" if path else key, depth + 1, spans)
        position = _parse_comma(text, position, "}")
    return position + 1


def _parse_items(text: str, position: int, path: str, depth: int, spans: Spans) -> int:
    position, index = _skip_whitespace(text, position), 0
    while not text.startswith("]", position):
        position = _parse_value(text, position, f"{path}[{index}]", depth + 1, spans)
        position, index = _parse_comma(text, position, "]"), index + 1
    return position + 1


def _parse_comma(text: str, position: int, closing: str) -> int:
    """Return the position of the next member, or of the closing bracket."""
    position = _skip_whitespace(text, position)
    if text.startswith(",", position):
        return _skip_whitespace(text, position + 1)
    if not text.startswith(closing, position):
        raise _BrokenJsonError
    return position
