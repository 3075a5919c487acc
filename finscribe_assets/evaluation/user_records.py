"""Write what was read on a page as a user's JSON: the records of `extract` in the user's keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from finscribe_assets.documents.schema import flatten
from finscribe_assets.documents.value_types import ValueType
from finscribe_assets.evaluation.normalise import ValueContext, canonical_value
from finscribe_assets.schema_mapping.key_reading import joined_parts
from finscribe_assets.schema_mapping.key_writing import DocumentValues, WrittenValue, plain_json, write_document
from finscribe_assets.schema_mapping.mapping import SchemaMapping, Written
from finscribe_assets.schema_mapping.user_paths import UserPath


def record_in_user_keys(record: Mapping[str, Any], mapping: SchemaMapping) -> dict[str, Any]:
    """Return a record of `Extractor.read_pages` in a user's keys.

    A value whose key is to be an ISO date or a plain number, and that cannot be read as one, stays as printed; the
    record's ``as_printed`` lists the keys of such values.

    Args:
        record: with a ``response`` of fields as printed. A model's own text is returned as it is: where it was asked in
            the user's keys, it is the user's JSON already.
        mapping: the user's keys.
    """
    response = record.get("response")
    if not isinstance(response, dict):
        return dict(record)
    printed = {path: str(value) for path, value in flatten(response).items()}
    locale = record.get("labels") or mapping.locale
    context = ValueContext(
        locale=locale, currency=printed.get("currency_code") or mapping.currency
    ).with_decimal_mark_of(printed)
    canonical, unread = dict[str, Any](), set[str]()
    for path, text in printed.items():
        key = mapping.key_at(path)
        canonical[path] = text
        if key is not None and key.write is not Written.AS_PRINTED:
            form = canonical_value(path, text, context)
            if form is None or form.note is not None:
                unread.add(path)
            else:
                canonical[path] = _with_decimals(form.text, context.max_decimals(path), key.type)
    written = write_document(mapping, DocumentValues(canonical, printed, {"locale": locale}), complete=True)
    parts = joined_parts(mapping, printed)
    keys = {path: str(UserPath(steps)) for steps, path in _leaves(written, ()) if path}
    made_of = {user_path: parts.get(path, (path,)) for path, user_path in keys.items()}
    result = dict(record) | {"response": plain_json(written), "schema": mapping.name}
    for name, join in (("confidence", min), ("reading_confidence", min), ("sources", min), ("boxes", _all_boxes)):
        given = record.get(name)
        if isinstance(given, Mapping):
            found = {key: [given[part] for part in paths if part in given] for key, paths in made_of.items()}
            result[name] = {key: join(values) for key, values in found.items() if values}
    if "not_assigned" in record:
        result["not_assigned"] = _missing_keys(record["not_assigned"], mapping)
    if unread:
        result["as_printed"] = sorted(keys[path] for path in unread if path in keys)
    return result


def _with_decimals(text: str, decimals: int | None, value_type: ValueType) -> str:
    """Return an amount with the decimals of its currency, as pairs have it; they are lost when values are compared."""
    places = len(text.partition(".")[2])
    if value_type is not ValueType.AMOUNT or decimals is None or places > decimals:
        return text
    return format(Decimal(text), f".{decimals}f")


def _all_boxes(boxes: list[list[Any]]) -> list[Any]:
    return [box for found in boxes for box in found]


def _missing_keys(reasons: list[dict[str, Any]], mapping: SchemaMapping) -> list[dict[str, Any]]:
    """Return the keys of fields that were not found, by reason."""
    found = [
        {"reason": item["reason"], "fields": [key.key for path in item["fields"] if (key := mapping.key_at(path))]}
        for item in reasons
    ]
    return [item for item in found if item["fields"]]


def _leaves(node: Any, steps: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the steps to each value of a written document, and the path of its field."""
    if isinstance(node, WrittenValue):
        yield steps, node.path
    elif isinstance(node, dict | list):
        for step, member in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _leaves(member, (*steps, step))
