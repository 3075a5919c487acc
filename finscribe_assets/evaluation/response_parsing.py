"""Parse a model's raw response into a JSON object.

A response is untrusted text: whatever it is, parsing does not raise, and everything unusual about it has a name in
`ParseStatus` and is counted in the report. What belongs here: finding the object in the text, and comparing its shape
with the schema. Reading JSON that is broken or cut off is `lenient_json.py`'s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from finscribe_assets.documents.elements import FIELDS, LIST_FIELDS, ValueType, field_of, value_type_of
from finscribe_assets.documents.schema import flatten
from finscribe_assets.evaluation.lenient_json import MAX_DEPTH, LenientJsonReader, NestingTooDeepError
from finscribe_assets.instructions.location_tokens import read_locations
from finscribe_assets.rendering.located_boxes import LocatedBox
from finscribe_assets.schema_mapping.key_reading import read_document, scored_path
from finscribe_assets.schema_mapping.mapping import SchemaMapping

MAX_RESPONSE_CHARACTERS = 1_000_000
MAX_OBJECT_STARTS = 16  # positions in the text at which an object may begin that are tried


class ParseStatus(StrEnum):
    """What was found on the way from the text of a response to its object."""

    CLEAN = "clean"
    FENCED = "fenced"  # inside a code fence
    PROSE = "prose_around"
    QUOTED = "quoted"  # a JSON string that holds the JSON
    IN_A_LIST = "in_a_list"  # the object is the element of a list
    SEVERAL_OBJECTS = "several_objects"  # the longest is used
    TRUNCATED = "truncated"  # complete members are kept
    MALFORMED = "malformed"  # unreadable members in the middle are dropped
    LOOSE_SYNTAX = "loose_syntax"  # single quotes, Python's literals, trailing commas, comments, unquoted words
    DUPLICATE_KEYS = "duplicate_keys"  # the last one is used
    NOT_A_NUMBER = "not_a_number"  # NaN or Infinity, read as null
    BAD_CHARACTERS = "bad_characters"  # lone surrogates, replaced
    BROKEN_BOX = "broken_box"  # location tokens that are not a box on the page; they are dropped
    UNMAPPED_KEYS = "unmapped_keys"  # keys that the user's schema mapping does not name; they are not judged
    WRONG_TYPE = "wrong_type"  # a list, an object or a truth value for a field, or a value for a group
    NOT_AN_OBJECT = "not_an_object"
    NO_JSON = "no_json"
    TOO_DEEP = "too_deep"
    TOO_LONG = "too_long"
    EMPTY = "empty"


@dataclass
class ParsedResponse:
    """The object of a response, and how it was found.

    Attributes:
        document: the object; empty if there is none.
        statuses: everything that was unusual, each once; ``CLEAN`` alone if nothing was.
        dropped: number of members that were begun and are incomplete, so that they are left out.
        boxes: of values that location tokens follow, by field path. Their page is the first: the notation has none.
    """

    document: dict[str, Any]
    statuses: list[ParseStatus] = field(default_factory=list)
    dropped: int = 0
    boxes: dict[str, tuple[LocatedBox, ...]] = field(default_factory=dict)


class _FoundObject(NamedTuple):
    """An object within a text, from ``start`` to ``end``."""

    start: int
    end: int
    document: dict[str, Any]
    statuses: tuple[ParseStatus, ...]
    dropped: int


def parse_response(response: Any, mapping: SchemaMapping | None = None) -> ParsedResponse:
    """Find the JSON object of a response.

    Time and memory are linear in the length of the text, of which ``MAX_RESPONSE_CHARACTERS`` are read.

    Args:
        response: the model's raw text, or JSON that was parsed already. Numbers in text stay text, so that ``12.50`` is
            compared as the model wrote it.
        mapping: of a user's keys, in which the response is; None if it is in the schema of documents.

    Returns:
        The object, at most ``MAX_DEPTH`` deep, with the names of everything unusual about the response.
    """
    if isinstance(response, str):
        parsed = _parse_text(response)
    elif isinstance(response, dict):
        parsed = ParsedResponse(response)
    elif isinstance(response, list) and len(response) == 1 and isinstance(response[0], dict):
        parsed = ParsedResponse(response[0], [ParseStatus.IN_A_LIST])
    else:
        parsed = ParsedResponse({}, [ParseStatus.EMPTY if response is None else ParseStatus.NOT_AN_OBJECT])
    if _depth(parsed.document) > MAX_DEPTH:
        return ParsedResponse({}, [*parsed.statuses, ParseStatus.TOO_DEEP])
    document, replaced = _without_surrogates(parsed.document)
    boxes: dict[str, tuple[LocatedBox, ...]] = {}
    document, are_boxes = _without_locations(document, "", boxes)
    unmapped: tuple[str, ...] = ()
    if mapping is not None:
        read = read_document(mapping, document)
        document, unmapped = read.document, read.unmapped
        boxes = {scored: box for path, box in boxes.items() if (scored := scored_path(mapping, path)) is not None}
    statuses = [
        *parsed.statuses,
        *([] if are_boxes else [ParseStatus.BROKEN_BOX]),
        *([ParseStatus.UNMAPPED_KEYS] if unmapped else []),
        *([ParseStatus.BAD_CHARACTERS] if replaced else []),
        *([ParseStatus.WRONG_TYPE] if _has_wrong_type(document) else []),
    ]
    return ParsedResponse(document, list(dict.fromkeys(statuses)) or [ParseStatus.CLEAN], parsed.dropped, boxes)


def _depth(value: Any) -> int:
    """Return the nesting depth of a value, without recursion, and no further than ``MAX_DEPTH`` needs."""
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


def _without_surrogates(value: Any) -> tuple[Any, bool]:
    """Replace lone surrogates, which no file can hold; return the value and whether it had any."""
    if isinstance(value, str):
        text = _SURROGATE.sub("\ufffd", value)
        return text, text != value
    if isinstance(value, dict):
        pairs = [(_without_surrogates(key), _without_surrogates(item)) for key, item in value.items()]
        changed = any(key_changed or item_changed for (_, key_changed), (_, item_changed) in pairs)
        return {key: item for (key, _), (item, _) in pairs}, changed
    if isinstance(value, list):
        items = [_without_surrogates(item) for item in value]
        return [item for item, _ in items], any(changed for _, changed in items)
    return value, False


def _without_locations(value: Any, path: str, boxes: dict[str, tuple[LocatedBox, ...]]) -> tuple[Any, bool]:
    """Move the location tokens of texts to ``boxes``; return the value, and whether all of them are boxes."""
    if isinstance(value, str):
        text, found, complete = read_locations(value)
        if found:
            boxes[path] = tuple(LocatedBox(1, box) for box in found)
        return text, complete
    if isinstance(value, dict):
        members = {
            key: _without_locations(item, f"{path}.{key}" if path else str(key), boxes) for key, item in value.items()
        }
        return {key: item for key, (item, _) in members.items()}, all(complete for _, complete in members.values())
    if isinstance(value, list):
        items = [_without_locations(item, f"{path}[{index}]", boxes) for index, item in enumerate(value)]
        return [item for item, _ in items], all(complete for _, complete in items)
    return value, True


_GROUPS = frozenset(path[:index] for path in FIELDS for index, character in enumerate(path) if character == ".")
_LIST_ITEM = re.compile(rf"(?:{'|'.join(LIST_FIELDS)})\[[0-9]+\](?:\.[a-z_.]+)?")


def _has_wrong_type(document: dict[str, Any]) -> bool:
    """Tell whether a field or group of the schema has a value of another type."""
    return any(_is_wrong_type(path, value) for path, value in flatten(document).items())


def _is_wrong_type(path: str, value: Any) -> bool:
    name = field_of(path)
    if name in FIELDS:
        in_list = name.partition(".")[0] in LIST_FIELDS
        misplaced = _LIST_ITEM.fullmatch(path) is None if in_list else path != name
        return misplaced or (isinstance(value, bool) and value_type_of(path) is not ValueType.TEXT)
    if name in _GROUPS:
        return True
    return any(name[:index] in FIELDS for index, character in enumerate(name) if character == ".")


def _parse_text(text: str) -> ParsedResponse:
    statuses: list[ParseStatus] = []
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_RESPONSE_CHARACTERS:
        text = text[:MAX_RESPONSE_CHARACTERS]
        statuses.append(ParseStatus.TOO_LONG)
    if not text.strip():
        return ParsedResponse({}, [*statuses, ParseStatus.EMPTY])
    if text.lstrip().startswith('"') and isinstance(inner := _strict_value(text), str) and "{" in inner:
        text = inner
        statuses.append(ParseStatus.QUOTED)
    try:
        objects = list(_objects(text))
    except NestingTooDeepError:
        return ParsedResponse({}, [*statuses, ParseStatus.TOO_DEEP])
    if not objects:
        nothing = ParseStatus.NO_JSON if _strict_value(text) is None else ParseStatus.NOT_AN_OBJECT
        return ParsedResponse({}, [*statuses, nothing])
    longest = max(objects, key=lambda found: (bool(found.document), found.end - found.start))
    if len(objects) > 1:
        statuses.append(ParseStatus.SEVERAL_OBJECTS)
    statuses += [*_surroundings(text, longest, len(objects) == 1), *longest.statuses]
    return ParsedResponse(longest.document, statuses, longest.dropped)


def _strict_value(text: str) -> Any:
    """Return the value of a text that is JSON as a whole; None otherwise."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


_OBJECT_START = re.compile(r"\{(?=\s*(?:[\"'}/#]|[A-Za-z_]\w*\s*:|\Z))")


def _objects(text: str) -> Iterator[_FoundObject]:
    """Yield the objects in a text, in order.

    Raises:
        NestingTooDeepError: an object is nested too deep.
    """
    position = 0
    for _ in range(MAX_OBJECT_STARTS):
        start = _OBJECT_START.search(text, position)
        if not start:
            return
        strict = _read_strictly(text, start.start())
        found = strict or _read_leniently(text, start.start())
        # Braces around nothing that could be read belong to the prose.
        if strict or found.document or ParseStatus.TRUNCATED in found.statuses:
            yield found
            position = found.end
        else:
            position = start.end()


def _read_strictly(text: str, start: int) -> _FoundObject | None:
    """Read an object that is correct JSON; None if it is not."""
    statuses: dict[ParseStatus, None] = {}

    def as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            statuses[ParseStatus.DUPLICATE_KEYS] = None
        return members

    def as_constant(name: str) -> None:
        statuses[ParseStatus.NOT_A_NUMBER] = None

    decoder = json.JSONDecoder(
        object_pairs_hook=as_object, parse_float=str, parse_int=str, parse_constant=as_constant, strict=False
    )
    try:
        document, end = decoder.raw_decode(text, start)
    except ValueError:
        return None
    except RecursionError as error:
        raise NestingTooDeepError from error
    return _FoundObject(start, end, document, tuple(statuses), 0)


def _read_leniently(text: str, start: int) -> _FoundObject:
    reader = LenientJsonReader(text, start)
    document = reader.read()
    flags = (
        (reader.truncated, ParseStatus.TRUNCATED),
        (reader.malformed, ParseStatus.MALFORMED),
        (reader.loose, ParseStatus.LOOSE_SYNTAX),
        (reader.duplicate_keys, ParseStatus.DUPLICATE_KEYS),
        (reader.not_a_number, ParseStatus.NOT_A_NUMBER),
    )
    statuses = [status for is_set, status in flags if is_set]
    # Anything else that kept it from being JSON, such as a comma that is missing, lost nothing.
    return _FoundObject(start, reader.position, document, tuple(statuses or [ParseStatus.LOOSE_SYNTAX]), reader.dropped)


_FENCE = re.compile(r"```[ \t]*[A-Za-z0-9]*")


def _surroundings(text: str, found: _FoundObject, alone: bool) -> Iterator[ParseStatus]:
    """Yield what the text before and after an object is; ``alone`` if it is the only object."""
    before, after = text[: found.start], text[found.end :]
    if "```" in before:
        yield ParseStatus.FENCED
    before, after = (_FENCE.sub("", part).strip() for part in (before, after))
    if before == "[":
        yield ParseStatus.IN_A_LIST
        before, after = "", after.removeprefix("]") if alone else ""
    if before or after:
        yield ParseStatus.PROSE
