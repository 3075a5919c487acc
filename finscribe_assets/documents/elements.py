"""The fields of a document: for each path of the schema its business term, element and value type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from finscribe_assets.documents.schema import Document
from finscribe_assets.documents.value_types import Element, ValueType

__all__ = [
    "FIELDS",
    "IMPLIED_FIELDS",
    "LIST_FIELDS",
    "TERMS",
    "BusinessTerm",
    "Element",
    "ValueType",
    "element_of",
    "field_of",
    "value_type_of",
]

PATHS_HELD = 20_000  # whose value types are cached: callers look up the same paths repeatedly
_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class BusinessTerm:
    """One leaf of the schema."""

    path: str  # without list positions
    code: str  # of EN 16931; empty for an extension
    element: Element
    value_type: ValueType
    implied: bool  # true of the page as a whole rather than printed as a value of its own
    description: str


def _leaves(root: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[BusinessTerm]:
    for name, field in node["properties"].items():
        where = f"{path}.{name}" if path else name
        inner = _reference(field)
        if inner and "properties" in root["$defs"][inner]:
            yield from _leaves(root, root["$defs"][inner], where)
        else:
            by_role = field["en16931"]
            code = by_role if isinstance(by_role, str) else by_role.get(path.split(".", maxsplit=1)[0], "")
            yield BusinessTerm(
                where,
                code,
                Element(field["element"]),
                ValueType(field["kind"]),
                field["implied"],
                field["description"],
            )


def _reference(field: dict[str, Any]) -> str | None:
    for option in (field, field.get("items", {}), *field.get("anyOf", ())):
        if "$ref" in option:
            return str(option["$ref"]).removeprefix("#/$defs/")
    return None


def _terms() -> dict[str, BusinessTerm]:
    schema = Document.model_json_schema()
    return {leaf.path: leaf for leaf in _leaves(schema, schema, "")}


TERMS: dict[str, BusinessTerm] = _terms()

# Field path without list positions → (element, value type).
FIELDS: dict[str, tuple[Element, ValueType]] = {path: (term.element, term.value_type) for path, term in TERMS.items()}

# Groups that a document holds several of, as in lines[0].net_amount.
LIST_FIELDS: tuple[str, ...] = tuple(
    name for name, field in Document.model_json_schema()["properties"].items() if field.get("type") == "array"
)

# True of a document, but implied by the page as a whole rather than printed as a value of its own.
IMPLIED_FIELDS = frozenset(path for path, term in TERMS.items() if term.implied)


def field_of(path: str) -> str:
    """Return a path without list positions: ``lines[2].net_amount`` → ``lines.net_amount``."""
    return _INDEX.sub("", path)


def element_of(path: str) -> Element | None:
    """Return the element of a field, or None where the schema has no such field."""
    known = FIELDS.get(field_of(path))
    return known[0] if known else None


@lru_cache(maxsize=PATHS_HELD)
def value_type_of(path: str) -> ValueType | None:
    """Return the type of a field's values, or None if the schema has no such field."""
    known = FIELDS.get(field_of(path))
    return known[1] if known else None
