"""What a model wrote → a JSON object, whatever it wrote. Each mishap has a name and is counted; none is an error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from finscribe_assets.documents.elements import FIELDS, LIST_FIELDS, ValueType, field_of, value_type_of
from finscribe_assets.documents.schema import flatten
from finscribe_assets.evaluation.lenient_json import MAX_DEPTH, LooseReader, TooDeep

MAX_CHARACTERS = 1_000_000
MAX_STARTS = 16  # places where an object may begin that are looked at


class Fate(StrEnum):
    """What happened on the way from text to object."""

    CLEAN = "clean"
    FENCED = "fenced"  # inside a code fence
    PROSE = "prose_around"
    QUOTED = "quoted"  # a JSON string that holds the JSON
    IN_A_LIST = "in_a_list"  # the object is a list's member
    SEVERAL_OBJECTS = "several_objects"  # the longest counts
    TRUNCATED = "truncated"  # what was whole is kept
    MALFORMED = "malformed"  # what makes no sense in the middle is dropped
    LOOSE_SYNTAX = "loose_syntax"  # single quotes, Python's literals, trailing commas, comments, bare words
    DUPLICATE_KEYS = "duplicate_keys"  # the last one counts
    NOT_A_NUMBER = "not_a_number"  # NaN or Infinity, read as null
    BAD_CHARACTERS = "bad_characters"  # halves of a surrogate pair, replaced
    WRONG_TYPE = "wrong_type"  # a list, an object or a truth value for a field, or a value for a group
    NOT_AN_OBJECT = "not_an_object"
    NO_JSON = "no_json"
    TOO_DEEP = "too_deep"
    TOO_LONG = "too_long"
    EMPTY = "empty"


@dataclass
class Response:
    """The object that was found, empty when there is none, and how it was found."""

    document: dict[str, Any]
    fates: list[Fate] = field(default_factory=list)  # each once
    dropped: int = 0  # members that were begun and are not whole


class _Found(NamedTuple):
    """An object in a text."""

    start: int
    end: int
    document: dict[str, Any]
    fates: tuple[Fate, ...]
    dropped: int


def read_response(value: Any) -> Response:
    """Read a prediction's response: a JSON object as it is, or text that may hold one.

    Numbers in text are kept as text, so that ``12.50`` stays what the model wrote. Time and memory are in proportion
    to the text, of which ``MAX_CHARACTERS`` are read, and objects are at most ``MAX_DEPTH`` deep.
    """
    if isinstance(value, str):
        response = _read_text(value)
    elif isinstance(value, dict):
        response = Response(value)
    elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        response = Response(value[0], [Fate.IN_A_LIST])
    else:
        response = Response({}, [Fate.EMPTY if value is None else Fate.NOT_AN_OBJECT])
    if _depth(response.document) > MAX_DEPTH:
        return Response({}, [*response.fates, Fate.TOO_DEEP])
    document, mended = _mended(response.document)
    fates = [
        *response.fates,
        *([Fate.BAD_CHARACTERS] if mended else []),
        *([Fate.WRONG_TYPE] if _is_mistyped(document) else []),
    ]
    return Response(document, list(dict.fromkeys(fates)) or [Fate.CLEAN], response.dropped)


def _depth(value: Any) -> int:
    """Return how deep a value is nested, without recursion, looking no deeper than needed."""
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            item
            for node in level
            for item in (node.values() if isinstance(node, dict) else node)
            if isinstance(item, dict | list)
        ]
    return depth


_SURROGATE = re.compile("[\ud800-\udfff]")


def _mended(value: Any) -> tuple[Any, bool]:
    """Return a value without halves of surrogate pairs, which no file can hold, and whether there were any."""
    if isinstance(value, str):
        mended = _SURROGATE.sub("\ufffd", value)
        return mended, mended != value
    if isinstance(value, dict):
        pairs = [(_mended(key), _mended(item)) for key, item in value.items()]
        return {key: item for (key, _), (item, _) in pairs}, any(bad or worse for (_, bad), (_, worse) in pairs)
    if isinstance(value, list):
        items = [_mended(item) for item in value]
        return [item for item, _ in items], any(bad for _, bad in items)
    return value, False


_GROUPS = frozenset(path[:place] for path in FIELDS for place, character in enumerate(path) if character == ".")
_MEMBER = re.compile(rf"(?:{'|'.join(LIST_FIELDS)})\[[0-9]+\](?:\.[a-z_.]+)?")


def _is_mistyped(document: dict[str, Any]) -> bool:
    """Tell whether something that the schema knows is of another type than there."""
    return any(_is_wrong_type(path, value) for path, value in flatten(document).items())


def _is_wrong_type(path: str, value: Any) -> bool:
    name = field_of(path)
    if name in FIELDS:
        listed = name.partition(".")[0] in LIST_FIELDS
        return (_MEMBER.fullmatch(path) is None if listed else path != name) or (
            isinstance(value, bool) and value_type_of(path) is not ValueType.TEXT
        )
    if name in _GROUPS:
        return True
    return any(name[:place] in FIELDS for place, character in enumerate(name) if character == ".")


def _read_text(text: str) -> Response:
    fates: list[Fate] = []
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS]
        fates.append(Fate.TOO_LONG)
    if not text.strip():
        return Response({}, [*fates, Fate.EMPTY])
    if text.lstrip().startswith('"') and isinstance(inner := _whole(text), str) and "{" in inner:
        text = inner
        fates.append(Fate.QUOTED)
    try:
        objects = list(_objects(text))
    except TooDeep:
        return Response({}, [*fates, Fate.TOO_DEEP])
    if not objects:
        return Response({}, [*fates, Fate.NO_JSON if _whole(text) is None else Fate.NOT_AN_OBJECT])
    found = max(objects, key=lambda one: (bool(one.document), one.end - one.start))
    if len(objects) > 1:
        fates.append(Fate.SEVERAL_OBJECTS)
    return Response(found.document, [*fates, *_around(text, found, len(objects) == 1), *found.fates], found.dropped)


def _whole(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


_START = re.compile(r"\{(?=\s*(?:[\"'}/#]|[A-Za-z_]\w*\s*:|\Z))")


def _objects(text: str) -> Iterator[_Found]:
    """Yield the objects in a text, one after the other.

    Raises:
        TooDeep: one is nested too deep.
    """
    place = 0
    for _ in range(MAX_STARTS):
        start = _START.search(text, place)
        if not start:
            return
        strict = _strict(text, start.start())
        found = strict or _loose(text, start.start())
        # Braces around nothing that could be read are a part of the prose.
        if strict or found.document or Fate.TRUNCATED in found.fates:
            yield found
            place = found.end
        else:
            place = start.end()


def _strict(text: str, start: int) -> _Found | None:
    fates: dict[Fate, None] = {}

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            fates[Fate.DUPLICATE_KEYS] = None
        return found

    def constant(name: str) -> None:
        fates[Fate.NOT_A_NUMBER] = None

    decoder = json.JSONDecoder(
        object_pairs_hook=pairs, parse_float=str, parse_int=str, parse_constant=constant, strict=False
    )
    try:
        document, end = decoder.raw_decode(text, start)
    except ValueError:
        return None
    except RecursionError as error:
        raise TooDeep from error
    return _Found(start, end, document, tuple(fates), 0)


def _loose(text: str, start: int) -> _Found:
    reader = LooseReader(text, start)
    document = reader.read()
    named = (
        (reader.truncated, Fate.TRUNCATED),
        (reader.malformed, Fate.MALFORMED),
        (reader.loose, Fate.LOOSE_SYNTAX),
        (reader.duplicate_keys, Fate.DUPLICATE_KEYS),
        (reader.not_a_number, Fate.NOT_A_NUMBER),
    )
    fates = [fate for is_so, fate in named if is_so]
    # Whatever else kept it from being JSON, such as a comma that is not there, did no harm.
    return _Found(start, reader.place, document, tuple(fates or [Fate.LOOSE_SYNTAX]), reader.dropped)


_FENCE = re.compile(r"```[ \t]*[A-Za-z0-9]*")


def _around(text: str, found: _Found, alone: bool) -> Iterator[Fate]:
    """Yield what the text around an object shows."""
    before, after = text[: found.start], text[found.end :]
    if "```" in before:
        yield Fate.FENCED
    before, after = (_FENCE.sub("", part).strip() for part in (before, after))
    if before == "[":
        yield Fate.IN_A_LIST
        before, after = "", after.removeprefix("]") if alone else ""
    if before or after:
        yield Fate.PROSE
