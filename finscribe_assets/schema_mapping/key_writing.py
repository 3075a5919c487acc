"""Write the values of a document as a user's JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from finscribe_assets.documents.elements import LIST_FIELDS, field_of
from finscribe_assets.schema_mapping.key_reading import country_of, join_values, positioned, scored_values
from finscribe_assets.schema_mapping.mapping import Absent, MappedKey, SchemaMapping, Written


class WrittenValue(NamedTuple):
    """A value of a user's JSON, and the path under which it is compared; empty for a null that stands for nothing."""

    value: Any
    path: str


@dataclass(frozen=True)
class DocumentValues:
    """What is known of a document's values.

    Attributes:
        canonical: in canonical form, by path: ISO dates, plain decimals.
        printed: as the page prints them, by path; a value that is not here is written in canonical form.
        context: values that are not written, but say how others are: the country of an address.
        incomplete: paths of joined values of which some parts cannot be given; they are left out.
    """

    canonical: Mapping[str, Any]
    printed: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    incomplete: Collection[str] = ()


def write_document(mapping: SchemaMapping, values: DocumentValues, *, complete: bool = False) -> dict[str, Any]:
    """Return a user's JSON, whose leaves are `WrittenValue`; `plain_json` removes the paths.

    Args:
        mapping: the keys.
        values: the values; those that no key covers are left out. A value of None is written as null.
        complete: whether keys without a value are null, where the mapping says so. Keys that are nothing of the schema
            are left out all the same: what their values are, no document of the schema says.
    """
    document: dict[str, Any] = {}
    rows = _rows(mapping, values.canonical)
    fills = complete and mapping.absent is Absent.NULL
    for key in mapping.keys:
        if not key.paths and not _has_custom(mapping, key, values.canonical):
            continue
        found = _values_of(mapping, key, values)
        if key.user_path.list_prefix is None:
            if found or (fills and mapping.field_of_key[key.key] not in values.incomplete):
                key.user_path.place(document, 0, found.get(None, WrittenValue(None, key.paths[0] if key.paths else "")))
            continue
        positions = {row: position for position, row in enumerate(rows.get(_list_of(mapping, key), ()))}
        for row, position in positions.items():
            # The items of parallel lists of values belong together by their positions.
            if row in found or fills or key.user_path.names_items:
                empty = WrittenValue(None, "")
                key.user_path.place(document, position, found.get(row, empty))
    return document


def write_value(key: MappedKey, values: DocumentValues, path: str) -> Any:
    """Return one value as a key has it written: as printed, or in canonical form as text or number."""
    canonical = values.canonical.get(path)
    if canonical is None:
        return None
    if key.write is Written.AS_PRINTED:
        return values.printed.get(path, canonical)
    return _number(canonical) if key.write is Written.NUMBER else canonical


def key_with_position(key: MappedKey, path: str) -> str:
    """Return the key of one value: that of a row has the row's position, such as ``menu[2].nm``."""
    return key.key.replace("[*]", f"[{_row_of(path)}]") if "[" in path else key.key


def plain_json(document: Any) -> Any:
    """Return a document that `write_document` wrote as values of JSON."""
    if isinstance(document, WrittenValue):
        return document.value
    if isinstance(document, dict):
        return {key: plain_json(value) for key, value in document.items()}
    return [plain_json(item) for item in document] if isinstance(document, list) else document


def structure(mapping: SchemaMapping, fields: Collection[str] | None = None) -> dict[str, Any]:
    """Return the shape of a user's JSON with empty texts, one item in each list, as prompts show it.

    Args:
        mapping: the keys.
        fields: the fields whose keys it has; None for all that the schema has a field for.
    """
    document: dict[str, Any] = {}
    for scored, key in mapping.scored_fields.items():
        if scored in fields if fields is not None else key.paths:
            key.user_path.place(document, 0, "")
    return document


def _values_of(mapping: SchemaMapping, key: MappedKey, values: DocumentValues) -> dict[int | None, WrittenValue]:
    """Return the values of a key by row; None for a key outside of lists."""
    scored = mapping.field_of_key[key.key]
    found: dict[int | None, WrittenValue] = {
        _row_of(path) if key.user_path.list_prefix is not None else None: WrittenValue(
            write_value(key, values, path), path
        )
        for path in values.canonical
        if path == scored or ("[" not in scored and field_of(path) == scored)
    }
    if found or key.path is not None or not key.paths:
        return found
    printed = {path: values.printed.get(path, value) for path, value in values.canonical.items() if value is not None}
    parts_by_row: dict[int | None, dict[str, Any]] = {}
    for path, value in printed.items():
        if any(field_of(path) == group or field_of(path).startswith(f"{group}.") for group in key.paths):
            row = _row_of(path) if key.user_path.list_prefix is not None else None
            parts_by_row.setdefault(row, {})[path] = value
    countries = {path: value for path, value in values.context.items() if path.endswith(".country_code")}
    country = country_of(str(values.context.get("locale") or mapping.locale or ""))
    joined = {
        row: WrittenValue(join_values(key, parts | countries, country), positioned(scored, key, row or 0))
        for row, parts in parts_by_row.items()
    }
    return {row: text for row, text in joined.items() if text.value and text.path not in values.incomplete}


def _rows(mapping: SchemaMapping, canonical: Mapping[str, Any]) -> dict[str, list[int]]:
    """Return the rows of every list that have a value of the mapping, in order."""
    rows: dict[str, set[int]] = {}
    for path in scored_values(mapping, canonical):
        name = path.partition("[")[0]
        if "[" in path:
            rows.setdefault(name, set()).add(_row_of(path))
    return {name: sorted(found) for name, found in rows.items()}


def _list_of(mapping: SchemaMapping, key: MappedKey) -> str:
    scored = mapping.field_of_key[key.key]
    name = scored.partition(".")[0]
    return name if name in LIST_FIELDS else scored


def _has_custom(mapping: SchemaMapping, key: MappedKey, canonical: Mapping[str, Any]) -> bool:
    scored = mapping.field_of_key[key.key]
    return any(field_of(path) == scored for path in canonical)


def _row_of(path: str) -> int:
    start = path.find("[")
    return int(path[start + 1 : path.index("]", start)]) if start >= 0 else 0


def _number(value: Any) -> Any:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return value
    return int(number) if number == number.to_integral_value() else float(number)
