"""Write responses in the keys of the schema or of a user's mapping, and name these keys for prompts.

What belongs here: which values of a document a response may have, and under which keys. Without a mapping, they are all
values, under the paths of the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from finscribe_assets.documents.captions import PARTY_ROLES
from finscribe_assets.instructions.pair import ILLEGIBLE
from finscribe_assets.instructions.responses import AnnotatedResponse, compact_json, json_response, unflatten
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.schema_mapping.key_reading import joined_parts
from finscribe_assets.schema_mapping.key_writing import (
    DocumentValues,
    WrittenValue,
    key_with_position,
    structure,
    write_document,
    write_value,
)
from finscribe_assets.schema_mapping.mapping import SchemaMapping


def written_document(
    document: VisibleDocument, values: Mapping[str, Any], *, complete: bool = False
) -> dict[str, Any] | None:
    """Return values as a user's JSON, of `WrittenValue`; None if it has none of them, or there is no mapping.

    Args:
        document: whose values they are.
        values: canonical values by path; None for one that the page has and nothing determines.
        complete: whether they are all values of the document, so that other keys may be null.
    """
    if document.mapping is None or not any(document.mapping.covers(path) for path in values):
        return None
    written = write_document(document.mapping, _document_values(document, values), complete=complete)
    return written if complete or _has_value(written) else None


def _has_value(node: Any) -> bool:
    if isinstance(node, WrittenValue):
        return True
    return any(map(_has_value, node.values() if isinstance(node, dict) else node))


def extraction_response(
    document: VisibleDocument, values: Mapping[str, Any], *, complete: bool = False
) -> AnnotatedResponse | None:
    """Return values as nested JSON; None if a user's JSON has none of them.

    Args:
        document: whose values they are.
        values: canonical values by path.
        complete: whether they are all values of the document, so that other keys of the user may be null.
    """
    if document.mapping is None:
        return json_response(unflatten(values))
    written = written_document(document, values, complete=complete)
    return None if written is None else json_response(written)


def has_key(document: VisibleDocument, path: str) -> bool:
    """Tell whether a value can be asked for by itself."""
    return document.mapping is None or document.mapping.key_at(path) is not None


def key_of(document: VisibleDocument, path: str) -> str:
    """Return the key of a value that has one: its path, or the key in the user's JSON with the position of its row."""
    key = document.mapping.key_at(path) if document.mapping else None
    return path if key is None else key_with_position(key, path)


def expected_member(document: VisibleDocument, path: str) -> Any:
    """Return the value that a response should have for a key: `ILLEGIBLE` if damaged, None if absent."""
    key = document.mapping.key_at(path) if document.mapping else None
    if key is None:
        return document.expected_value(path)
    if path in document.illegible:
        return WrittenValue(ILLEGIBLE, path)
    return WrittenValue(write_value(key, _document_values(document, document.values), path), path)


def party_keys(document: VisibleDocument, values: Iterable[str]) -> list[str]:
    """Return the keys under which the parties of values go: their roles, or the keys of the user's JSON."""
    roles = list(dict.fromkeys(role for path in values if (role := path.partition(".")[0]) in PARTY_ROLES))
    if document.mapping is None:
        return roles
    return [key.key for role in roles for key in document.mapping.keys if any(p.startswith(role) for p in key.paths)]


def structure_of(mapping: SchemaMapping | None) -> str:
    """Return the JSON that prompts show of a user's keys, with empty values; empty without a mapping."""
    return "" if mapping is None else compact_json(structure(mapping))


def _document_values(document: VisibleDocument, values: Mapping[str, Any]) -> DocumentValues:
    """Return what a response may be written from; part of an address is no address."""
    printed = document.drawn.printed
    parts = joined_parts(document.mapping, printed) if document.mapping else {}
    incomplete = [path for path, made_of in parts.items() if any(values.get(part) is None for part in made_of)]
    return DocumentValues(values, printed, document.canonical_values, incomplete)
