"""The JSON that responses may be constrained to: any object, or objects with the keys of a schema.

What belongs here: grammars as JSON schemas. Constraining a model in this process is in `json_constraint`; a server is
sent the schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from finscribe_assets.documents.elements import LIST_FIELDS, TERMS
from finscribe_assets.schema_mapping.key_writing import structure
from finscribe_assets.schema_mapping.mapping import SchemaMapping

_PRINTED_VALUE = {"type": ["string", "null"]}  # text as printed; null if a requested field is not on the page


@dataclass(frozen=True)
class JsonGrammar:
    """The JSON that a response may be."""

    only_known_keys: bool = False  # only objects with the keys of `document_schema`, in its order; else any object
    mapping: SchemaMapping | None = None  # of a user's keys, which then are the known ones

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a response."""
        if not self.only_known_keys:
            return {"type": "object"}
        return user_schema(self.mapping) if self.mapping else document_schema()


def document_schema() -> dict[str, Any]:
    """Return the JSON schema of a full extraction: every field of the documents, optional, as printed text."""
    root: dict[str, Any] = {}
    for path in TERMS:
        *groups, leaf = path.split(".")
        node = root
        for group in groups:
            node = node.setdefault(group, {})
        node[leaf] = None
    properties = {name: _schema_of(child) for name, child in root.items()}
    for name in LIST_FIELDS:
        properties[name] = {"type": "array", "items": properties[name]}
    return _object_schema(properties)


def user_schema(mapping: SchemaMapping) -> dict[str, Any]:
    """Return the JSON schema of a user's JSON: every key of a mapping, optional, as text or number."""
    return _schema_of_example(structure(mapping, mapping.labelled_fields))


def _schema_of_example(node: Any) -> dict[str, Any]:
    if isinstance(node, dict):
        return _object_schema({name: _schema_of_example(child) for name, child in node.items()})
    if isinstance(node, list):
        return {"type": "array", "items": _schema_of_example(node[0])}
    return {"type": ["string", "number", "null"]}


def _schema_of(node: dict[str, Any] | None) -> dict[str, Any]:
    if node is None:
        return _PRINTED_VALUE
    return _object_schema({name: _schema_of(child) for name, child in node.items()})


def _object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}
