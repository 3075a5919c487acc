"""The fields of a document: for each path of the schema its business term, element and value type.

Everything here is derived from the metadata in `schema.py`. A path such as ``lines[2].net_amount`` names a value of one
document; without list positions, ``lines.net_amount``, it names a field of the schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from finscribe_assets.documents.schema import Document
from finscribe_assets.documents.value_types import Element, ValueType

__all__ = [
    "CUSTOM_GROUP",
    "FIELDS",
    "IMPLIED_FIELDS",
    "LIST_FIELDS",
    "TERMS",
    "BusinessTerm",
    "Element",
    "ValueType",
    "custom_field",
    "element_of",
    "field_of",
    "value_type_of",
]

CUSTOM_GROUP = "custom"
"""The group of values that a user's own schema has and this one lacks; see `custom_field`."""

PATHS_HELD = 20_000  # paths whose value types are cached: callers look up the same ones repeatedly
_INDEX = re.compile(r"\[\d+\]")
_CUSTOM_FIELD = re.compile(rf"(?:[a-z_]+\.)?{CUSTOM_GROUP}\.([a-z_]+)\.([a-z]+)\..+", re.DOTALL)


@dataclass(frozen=True)
class BusinessTerm:
    """A leaf of the schema.

    Attributes:
        path: the field's path without list positions.
        code: its code in EN 16931; empty for an extension.
        element: the element that its errors are counted with.
        value_type: how its values are written and compared.
        implied: whether it is true of the page as a whole instead of being printed as a value of its own.
        description: the phrase of the data dictionary.
    """

    path: str
    code: str
    element: Element
    value_type: ValueType
    implied: bool
    description: str


def _leaves(root: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[BusinessTerm]:
    for name, field in node["properties"].items():
        field_path = f"{path}.{name}" if path else name
        group = _referenced_group(field)
        if group and "properties" in root["$defs"][group]:
            yield from _leaves(root, root["$defs"][group], field_path)
            continue
        code = field["en16931"]
        if not isinstance(code, str):
            code = code.get(path.split(".", maxsplit=1)[0], "")
        element, value_type = Element(field["element"]), ValueType(field["kind"])
        yield BusinessTerm(field_path, code, element, value_type, field["implied"], field["description"])


def _referenced_group(field: dict[str, Any]) -> str | None:
    """Return the name of the definition that a field, or each item of it, refers to."""
    for option in (field, field.get("items", {}), *field.get("anyOf", ())):
        if "$ref" in option:
            return str(option["$ref"]).removeprefix("#/$defs/")
    return None


_SCHEMA = Document.model_json_schema()

TERMS: dict[str, BusinessTerm] = {leaf.path: leaf for leaf in _leaves(_SCHEMA, _SCHEMA, "")}
"""Every field of a document by its path without list positions."""

FIELDS: dict[str, tuple[Element, ValueType]] = {path: (term.element, term.value_type) for path, term in TERMS.items()}
"""Element and value type of every field."""

LIST_FIELDS: tuple[str, ...] = tuple(
    name for name, field in _SCHEMA["properties"].items() if field.get("type") == "array"
)
"""The groups that a document can hold several of, such as ``lines``."""

IMPLIED_FIELDS = frozenset(path for path, term in TERMS.items() if term.implied)
"""The fields that are true of a page as a whole, such as ``currency_code``, and are not printed as values."""


def field_of(path: str) -> str:
    """Remove the list positions from a path: ``lines[2].net_amount`` → ``lines.net_amount``."""
    return _INDEX.sub("", path)


def custom_field(name: str, element: Element, value_type: ValueType) -> str:
    """Return the path of a value that the schema has no field for, such as ``custom.date.date.check_in``.

    The path states how the value is counted and compared, so that nothing else needs to know of it.

    Args:
        name: of the value, of letters, digits and underscores.
        element: the element that its errors are counted with.
        value_type: how its values are written and compared.
    """
    return f"{CUSTOM_GROUP}.{element}.{value_type}.{name}"


def _classify(path: str) -> tuple[Element, ValueType] | None:
    field = field_of(path)
    if field in FIELDS:
        return FIELDS[field]
    custom = _CUSTOM_FIELD.fullmatch(field)
    if custom is None or custom[1] not in set(Element) or custom[2] not in set(ValueType):
        return None
    return Element(custom[1]), ValueType(custom[2])


def element_of(path: str) -> Element | None:
    """Return the element of a field, or None if the schema has no such field and it is not a custom one."""
    known = _classify(path)
    return known[0] if known else None


@lru_cache(maxsize=PATHS_HELD)
def value_type_of(path: str) -> ValueType | None:
    """Return the type of a field's values, or None if the schema has no such field and it is not a custom one."""
    known = _classify(path)
    return known[1] if known else None
