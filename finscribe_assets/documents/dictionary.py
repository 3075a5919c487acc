"""The data dictionary: every field of a document and every knob of a recipe, written from the models themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finscribe_assets.documents.elements import FIELDS, UNPRINTED
from finscribe_assets.documents.recipe import Knobs
from finscribe_assets.documents.schema import Document

_HEAD = """# Data dictionary

Written by `finscribe schema --markdown`; do not edit by hand.

Field names are EN 16931's business terms in snake case. Amounts are decimal text, dates ISO 8601. In paths, `lines` and
`vat_breakdown` stand for each of their members, as in `lines[0].net_amount`. A field marked *implied* is true of the
document but not printed as a value of its own, so no reader is asked for it.

## Document

| field | EN 16931 | element | value | meaning |
|---|---|---|---|---|
"""

_KNOBS = """
## Knobs of a recipe

A knob is a number from 0 to 1. The value drawn for each document is stored with it, and mining compares failures by it.

| knob | default | makes harder | what it does |
|---|---|---|---|
"""


def data_dictionary() -> str:
    """Return the dictionary as Markdown."""
    rows = []
    for path, code, description in _leaves(Document.model_json_schema()):
        element, kind = FIELDS[path]
        implied = " *(implied)*" if path in UNPRINTED else ""
        rows.append(f"| `{path}` | {code or '–'} | {element} | {kind} | {description}{implied} |\n")
    knobs = []
    for name, field in Knobs.model_fields.items():
        extra = field.json_schema_extra
        elements = extra["elements"] if isinstance(extra, dict) else []
        named = [str(element) for element in elements] if isinstance(elements, list) else []
        harder = "everything" if len(named) > 6 else ", ".join(named)
        knobs.append(f"| `{name}` | {field.default} | {harder} | {field.description} |\n")
    return _HEAD + "".join(rows) + _KNOBS + "".join(knobs)


def _leaves(root: dict[str, Any], node: dict[str, Any] | None = None, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield path, code and description of every leaf of a JSON Schema."""
    for name, field in ((node or root).get("properties") or {}).items():
        where = f"{path}.{name}" if path else name
        inner = _reference(field)
        if inner and "properties" in root["$defs"][inner]:
            yield from _leaves(root, root["$defs"][inner], where)
        else:
            yield where, field.get("en16931", ""), field.get("description", "")


def _reference(field: dict[str, Any]) -> str | None:
    for option in (field, field.get("items", {}), *field.get("anyOf", ())):
        if "$ref" in option:
            return str(option["$ref"]).removeprefix("#/$defs/")
    return None
