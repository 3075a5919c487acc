"""What a model wrote → a JSON object, whatever it wrote. Each mishap has a name and is counted; none is an error."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 60


class Fate(StrEnum):
    """What happened on the way from text to object."""

    CLEAN = "clean"
    FENCED = "fenced"  # inside a code fence
    PROSE = "prose_around"
    TRUNCATED = "truncated"  # what was whole is kept
    DUPLICATE_KEYS = "duplicate_keys"  # the last one counts
    NOT_A_NUMBER = "not_a_number"  # NaN or Infinity, read as null
    NOT_AN_OBJECT = "not_an_object"
    NO_JSON = "no_json"
    TOO_DEEP = "too_deep"
    TOO_LONG = "too_long"
    EMPTY = "empty"


@dataclass
class Response:
    """The object that was found, empty when there is none, and how it was found."""

    document: dict[str, Any]
    fates: list[Fate] = field(default_factory=list)


_FENCE = re.compile(r"```[A-Za-z]*\s*(.*?)(?:```|\Z)", re.DOTALL)


def read_response(value: Any) -> Response:
    """Read a prediction's response: a JSON object as it is, or text that may hold one.

    Numbers are kept as text, so that ``12.50`` stays what the model wrote. Time and memory are bounded by
    ``MAX_CHARACTERS`` and ``MAX_DEPTH``.
    """
    if isinstance(value, str):
        return _read_text(value)
    if isinstance(value, dict):
        return Response({}, [Fate.TOO_DEEP]) if _depth(value) > MAX_DEPTH else Response(value, [Fate.CLEAN])
    return Response({}, [Fate.EMPTY if value is None else Fate.NOT_AN_OBJECT])


def _depth(value: Any) -> int:
    """Return how deep a value is nested, without recursion, looking no deeper than needed."""
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [item for node in level for item in (node.values() if isinstance(node, dict) else node)
                 if isinstance(item, dict | list)]  # fmt: skip
    return depth


def _read_text(text: str) -> Response:
    fates: list[Fate] = []
    if len(text) > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS]
        fates.append(Fate.TOO_LONG)
    if not text.strip():
        return Response({}, [*fates, Fate.EMPTY])
    fenced = _FENCE.search(text)
    if fenced and "{" in fenced[1]:
        text = fenced[1]
        fates.append(Fate.FENCED)
    start = text.find("{")
    if start < 0:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return Response({}, [*fates, Fate.NO_JSON])
        return Response({}, [*fates, Fate.NOT_AN_OBJECT])
    if text[:start].strip():
        # A list around the object is not an object that says which document it is of.
        fates.append(Fate.PROSE if text[:start].strip() != "[" else Fate.NOT_AN_OBJECT)
    whole, cut, deep = _balanced(text, start)
    if deep:
        return Response({}, [*fates, Fate.TOO_DEEP])
    if whole is None:
        fates.append(Fate.TRUNCATED)
    elif text[start + len(whole) :].strip() and Fate.NOT_AN_OBJECT not in fates and Fate.PROSE not in fates:
        fates.append(Fate.PROSE)
    return _decode(whole if whole is not None else cut, fates)


def _decode(candidate: str, fates: list[Fate]) -> Response:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items) and Fate.DUPLICATE_KEYS not in fates:
            fates.append(Fate.DUPLICATE_KEYS)
        return found

    def constant(name: str) -> None:
        if Fate.NOT_A_NUMBER not in fates:
            fates.append(Fate.NOT_A_NUMBER)

    try:
        document = json.loads(candidate, object_pairs_hook=pairs, parse_float=str, parse_int=str,
                              parse_constant=constant, strict=False)  # fmt: skip
    except ValueError:
        return Response({}, [*fates, Fate.NO_JSON])
    return Response(document, fates or [Fate.CLEAN])


def _balanced(text: str, start: int) -> tuple[str | None, str, bool]:
    """Find the object that begins at ``start``.

    Returns it whole, or None; what can be kept of it, its open brackets closed after the last whole member; and whether
    it is nested too deep.
    """
    closers: list[str] = []
    in_string = escaped = False
    kept, kept_closers = start + 1, ["}"]
    for place in range(start, len(text)):
        character = text[place]
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "{[":
            closers.append("}" if character == "{" else "]")
            if len(closers) > MAX_DEPTH:
                return None, "", True
            kept, kept_closers = place + 1, list(closers)
        elif character in "}]":
            if not closers or closers.pop() != character:
                break
            if not closers:
                return text[start : place + 1], "", False
            kept, kept_closers = place + 1, list(closers)
        elif character == ",":
            kept, kept_closers = place, list(closers)
    return None, text[start:kept] + "".join(reversed(kept_closers)), False
