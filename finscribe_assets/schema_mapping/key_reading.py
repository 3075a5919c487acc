"""Read a user's JSON: its values by field of the schema, as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from finscribe_assets.documents.addresses import address_texts
from finscribe_assets.documents.elements import FIELDS, IMPLIED_FIELDS, LIST_FIELDS, field_of
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import flatten
from finscribe_assets.errors import UserError
from finscribe_assets.schema_mapping.date_patterns import parse_by_pattern
from finscribe_assets.schema_mapping.mapping import MappedKey, SchemaMapping, is_custom
from finscribe_assets.schema_mapping.user_paths import UserPath

MAX_READ_ITEMS = 100_000  # of a list that are read: a model may repeat a row for ever
MAX_UNMAPPED = 100  # paths without a key that are remembered
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_ROW = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class ReadDocument:
    """The values of a user's JSON.

    Attributes:
        values: as written, by the path under which they are compared (`SchemaMapping.scored_fields`).
        keys: the key that each value came from.
        unmapped: paths in the user's JSON that no key of the mapping names.
    """

    values: dict[str, Any]
    keys: dict[str, MappedKey]
    unmapped: tuple[str, ...]

    @property
    def document(self) -> dict[str, Any]:
        """Return the values as a nested document; rows keep their positions."""
        return nest(self.values)

    @property
    def fields(self) -> frozenset[str]:
        """Return the fields that have a value or are null."""
        return frozenset(map(field_of, self.values))


def read_document(mapping: SchemaMapping, document: Any) -> ReadDocument:
    """Read a user's JSON; nothing in it makes this raise.

    Args:
        mapping: the keys.
        document: an object, or a list with one object.
    """
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    values: dict[str, Any] = {}
    keys: dict[str, MappedKey] = {}
    for field, key in mapping.scored_fields.items():
        for position, value in key.user_path.find(document):
            if position < MAX_READ_ITEMS:
                path = positioned(field, key, position)
                values[path], keys[path] = _as_written(value, key), key
    named = [key.user_path.steps for key in mapping.keys]
    unmapped = (str(UserPath(steps)) for steps in _leaves(document, ()) if not _is_named(steps, named))
    return ReadDocument(values, keys, tuple(islice(unmapped, MAX_UNMAPPED)))


def scored_path(mapping: SchemaMapping, user_path: str) -> str | None:
    """Return the path under which a value of a user's JSON is compared; None if no key of the mapping names it.

    Args:
        mapping: the keys.
        user_path: with positions, such as ``menu[2].nm``.
    """
    try:
        given = UserPath.parse(user_path)
    except UserError:
        return None
    for field, key in mapping.scored_fields.items():
        if (position := key.user_path.match(given)) is not None:
            return positioned(field, key, position)
    return None


def scored_values(mapping: SchemaMapping, values: Mapping[str, Any], country_code: str | None = None) -> dict[str, Any]:
    """Return the values of a document of the schema under the paths at which a user's JSON is compared.

    Values that the mapping does not cover are left out; custom values stay. Joined values are made of those present.

    Args:
        mapping: the keys.
        values: by path of the schema.
        country_code: of addresses that do not state their country, which determines the order of their parts.
    """
    scored = {
        path: value
        for path, value in values.items()
        if mapping.key_at(path) is not None or (is_custom(path) and field_of(path) in mapping.labelled_fields)
    }
    for field, key in mapping.joins():
        for row, parts in sorted(_rows_of(key, values).items()):
            if text := join_values(key, parts, country_code):
                scored[field if row is None else field.replace(".", f"[{row}].", 1)] = text
    return scored


def joined_parts(mapping: SchemaMapping, values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the paths of the values that each joined value is made of, by the path at which it is compared."""
    found = {}
    for field, key in mapping.joins():
        for row, parts in _rows_of(key, values).items():
            found[field if row is None else field.replace(".", f"[{row}].", 1)] = tuple(parts)
    return found


def join_values(key: MappedKey, parts: Mapping[str, Any], country_code: str | None = None) -> str:
    """Join the values of several fields as pages print them: addresses in the order of their country.

    Args:
        key: a key of several fields or of a group.
        parts: the values by path of the schema.
        country_code: of addresses that do not state their country.
    """
    texts: list[str] = []
    for group in key.paths:
        inside = {path: str(value) for path, value in parts.items() if _is_part(path, group)}
        addresses: dict[str, dict[str, str]] = {}
        for path, value in inside.items():
            owner, is_address, name = path.rpartition(".address.") if ".address." in path else ("", "", path)
            if is_address:
                addresses.setdefault(owner, {})[name] = value
            elif field_of(path) not in IMPLIED_FIELDS:
                texts.append(value)
        for owner, address in addresses.items():
            country = str(parts.get(f"{owner}.address.country_code") or country_code or "")
            texts += address_texts({k: v for k, v in address.items() if k != "country_code"}, country)
    return key.join.join(texts)


def is_in_user_keys(mapping: SchemaMapping, document: Any) -> bool:
    """Tell whether a document has the keys of the mapping rather than those of the schema: more of its values do."""
    return count_named(mapping, document) >= count_known(document)


def count_named(mapping: SchemaMapping, document: Any) -> int:
    """Return the number of a document's values that the mapping names."""
    return len(read_document(mapping, document).values)


def count_known(document: Any) -> int:
    """Return the number of a document's values that the schema has a field for."""
    return sum(field_of(path) in FIELDS or is_custom(path) for path in flatten(document))


def country_of(locale: str | None) -> str | None:
    """Return the country whose addresses the documents of a locale usually have."""
    facts = LOCALE_FACTS.get(locale or "")
    return facts.country_code if facts else (locale or "").rpartition("_")[2] or None


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a nested document of values by path, in which rows keep their positions; missing rows are empty."""
    root: dict[str, Any] = {}
    for path, value in values.items():
        steps: list[str | int] = [int(index) if index else name for name, index in _STEP.findall(path)]
        node: Any = root
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            if isinstance(step, int):
                node.extend({} for _ in range(step + 1 - len(node)))
            if following is None:
                node[step] = value
            elif isinstance(step, int):
                node = node[step]
            else:
                node = node.setdefault(step, [] if isinstance(following, int) else {})
    return root


def _rows_of(key: MappedKey, values: Mapping[str, Any]) -> dict[int | None, dict[str, Any]]:
    """Return the values that a joined key is made of, by row of its list; None for a key outside of lists."""
    rows: dict[int | None, dict[str, Any]] = {}
    for path, value in values.items():
        if value is not None and any(_is_part(path, group) for group in key.paths):
            row = _ROW.search(path) if path.startswith(tuple(f"{name}[" for name in LIST_FIELDS)) else None
            rows.setdefault(int(row[1]) if row and key.list_name else None, {})[path] = value
    return {row: parts for row, parts in rows.items() if any(field_of(path) not in IMPLIED_FIELDS for path in parts)}


def _is_part(path: str, group: str) -> bool:
    field = field_of(path)
    return field == group or field.startswith(f"{group}.")


def positioned(field: str, key: MappedKey, position: int) -> str:
    """Return the path of a value under its field.

    Args:
        field: of `SchemaMapping.scored_fields`.
        key: the key of that field.
        position: of the row; it is put at the end where the user's list has no counterpart in the schema.
    """
    if key.user_path.list_prefix is None:
        return field
    name, dot, rest = field.partition(".")
    return f"{name}[{position}]{dot}{rest}" if name in LIST_FIELDS else f"{field}[{position}]"


def _as_written(value: Any, key: MappedKey) -> Any:
    """Return a value; a date in the key's format in ISO 8601, and a list of texts, as some labels have, as one text."""
    if isinstance(value, list) and value and all(isinstance(item, str | int | float) for item in value):
        value = " ".join(map(str, value))
    if key.format and isinstance(value, str) and (day := parse_by_pattern(value, key.format)) is not None:
        return day.isoformat()
    return value


def _leaves(node: Any, steps: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Yield the steps to each value that is not null."""
    if isinstance(node, dict | list):
        for step, member in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _leaves(member, (*steps, step))
    elif node is not None and steps:
        yield steps


def _is_named(steps: tuple[str | int, ...], named: list[tuple[Any, ...]]) -> bool:
    """Tell whether a key names a value of a user's JSON, or a list or an object that the value is in."""
    return any(_starts_with(steps, key) for key in named)


def _starts_with(steps: tuple[Any, ...], key: tuple[Any, ...]) -> bool:
    """Tell whether steps begin with a key's; an object in the place of a list counts as its only item."""
    at = 0
    for own in key:
        if own is None:
            at += at < len(steps) and isinstance(steps[at], int)
        elif at < len(steps) and steps[at] == own:
            at += 1
        else:
            return False
    return True
