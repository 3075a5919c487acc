"""A schema mapping: which key of a user's JSON is which field of a document, and how its values are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.elements import (
    CUSTOM_GROUP,
    FIELDS,
    LIST_FIELDS,
    Element,
    ValueType,
    custom_field,
    element_of,
    field_of,
    value_type_of,
)
from finscribe_assets.files import sha256_of
from finscribe_assets.schema_mapping.user_paths import UserPath

_ELEMENTS = {
    ValueType.AMOUNT: Element.AMOUNT,
    ValueType.DATE: Element.DATE,
    ValueType.TIME: Element.DATE,
    ValueType.IDENTIFIER: Element.IDENTIFIER,
    ValueType.TEXT: Element.TEXT,
}
_LINE_ELEMENTS = dict.fromkeys(ValueType, Element.LINE_ITEM) | {ValueType.AMOUNT: Element.LINE_AMOUNT}


class Written(StrEnum):
    """How the values of a key are written in the user's JSON."""

    AS_PRINTED = "as_printed"
    ISO = "iso"  # dates and times
    DECIMAL = "decimal"  # amounts, as text such as "1234.50"
    NUMBER = "number"  # amounts, as a number of JSON


class Labelled(StrEnum):
    """Which fields a record of ground truth labels, unless it says so itself."""

    MAPPED_KEYS = "mapped_keys"  # every key of the mapping: one that a record lacks is not on the page
    PRESENT_KEYS = "present_keys"  # the keys that the record has: nothing is known of the others


class Absent(StrEnum):
    """What a response has for a key whose value is not on the page."""

    LEAVE_OUT = "leave_out"
    NULL = "null"


class MappedKey(BaseModel):
    """A key of the user's JSON.

    Attributes:
        key: its path in the user's JSON, as `UserPath` writes it.
        paths: fields or groups of the schema whose values it has; several are joined. Empty for a value that the
            schema has no field for.
        type: how values are written and compared.
        element: the element that errors are counted with.
        write: how values are written.
        locale: of its values, where it differs from the mapping's.
        format: of its dates when they are read, such as ``dd/MM/yyyy``.
        join: what stands between joined values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    paths: tuple[str, ...] = ()
    type: ValueType
    element: Element
    write: Written = Written.AS_PRINTED
    locale: str | None = None
    format: str | None = None
    join: str = ", "

    @cached_property
    def user_path(self) -> UserPath:
        """Return the key's path in the user's JSON."""
        return UserPath.parse(self.key)

    @property
    def path(self) -> str | None:
        """Return the one field of the schema that the key is; None for joined and for custom values."""
        return self.paths[0] if len(self.paths) == 1 and value_type_of(self.paths[0]) is not None else None

    @property
    def list_name(self) -> str | None:
        """Return the list of the schema that the key's fields are in, such as ``lines``."""
        first = self.paths[0].partition(".")[0] if self.paths else ""
        return first if first in LIST_FIELDS else None


class SchemaMapping(BaseModel):
    """The keys of a user's JSON.

    Attributes:
        name: of the mapping, for reports.
        source: where the keys come from.
        locale: whose formats the values have, unless a key or a document says otherwise.
        currency: ISO 4217 code of amounts, for documents that do not state one.
        labelled: which fields a record of ground truth labels.
        absent: what a response has for values that are not on the page.
        keys: in the order in which responses have them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: str = ""
    locale: str | None = None
    currency: str | None = None
    labelled: Labelled = Labelled.MAPPED_KEYS
    absent: Absent = Absent.LEAVE_OUT
    keys: tuple[MappedKey, ...] = Field(min_length=1)

    @cached_property
    def content_hash(self) -> str:
        """Return a hash of all that the mapping says."""
        return sha256_of(self.model_dump_json())

    @cached_property
    def scored_fields(self) -> dict[str, MappedKey]:
        """Return the keys by the field under which their values are compared.

        A key that is one field of the schema is compared as that field. Joined values, and values that the schema has
        no field for, are custom fields (`custom_field`), inside the list of the schema that the user's list stands for.
        """
        return {self._scored_field(key): key for key in self.keys}

    @cached_property
    def field_of_key(self) -> dict[str, str]:
        """Return the field under which each key's values are compared, by key."""
        return {key.key: self._scored_field(key) for key in self.keys}

    @cached_property
    def labelled_fields(self) -> frozenset[str]:
        """Return the fields that ground truth in these keys can label at most."""
        return frozenset(map(field_of, self.scored_fields))

    @cached_property
    def by_path(self) -> dict[str, MappedKey]:
        """Return the keys that are one field of the schema, by its path."""
        return {key.path: key for key in self.keys if key.path is not None}

    @cached_property
    def list_of(self) -> dict[tuple[Any, ...], str]:
        """Return the list of the schema that each list of the user's JSON stands for, by the steps to it."""
        return {
            prefix: key.list_name
            for key in self.keys
            if key.list_name and (prefix := key.user_path.list_prefix) is not None
        }

    def key_at(self, path: str) -> MappedKey | None:
        """Return the key that a value of the schema has, by its path with or without list positions."""
        return self.by_path.get(path) or self.by_path.get(field_of(path))

    def covers(self, path: str) -> bool:
        """Tell whether a value of the schema is in the user's JSON, by itself or joined with others."""
        return self.key_at(path) is not None or any(_is_in(path, group) for group in self._joined_groups)

    @cached_property
    def _joined_groups(self) -> tuple[str, ...]:
        return tuple(path for key in self.keys if key.path is None for path in key.paths)

    def joins(self) -> Iterator[tuple[str, MappedKey]]:
        """Yield the keys whose values are joined from several fields, each with the field it is compared as."""
        for field, key in self.scored_fields.items():
            if key.paths and key.path is None:
                yield field, key

    def _scored_field(self, key: MappedKey) -> str:
        if key.path is not None:
            return key.path
        custom = custom_field(custom_name(key.key), key.element, key.type)
        prefix = key.user_path.list_prefix
        inside = self.list_of.get(prefix) if prefix is not None else None
        return f"{inside}.{custom}" if inside else custom


def custom_name(key: str) -> str:
    """Return a name for a custom field, of the letters, digits and underscores of a key."""
    return re.sub(r"\W+", "_", key.replace("[*]", "")).strip("_") or "value"


def usual_element(value_type: ValueType, *, in_lines: bool) -> Element:
    """Return the element that values of a type are counted with, unless a mapping says otherwise."""
    return (_LINE_ELEMENTS if in_lines else _ELEMENTS)[value_type]


def element_of_paths(paths: tuple[str, ...]) -> Element | None:
    """Return the element of the first known field among fields and groups of the schema."""
    for path in paths:
        if (element := element_of(path)) is not None:
            return element
        for field, (element, _) in FIELDS.items():
            if _is_in(field, path):
                return element
    return None


def is_custom(path: str) -> bool:
    """Tell whether a path is that of a custom field."""
    return path.startswith(f"{CUSTOM_GROUP}.") or f".{CUSTOM_GROUP}." in path


def _is_in(path: str, group: str) -> bool:
    return path == group or path.startswith((f"{group}.", f"{group}["))
