"""How the library's values are shown in the UI: pictures, tables, column schemas."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg
import pyarrow as pa


def picture(png: bytes, text: str) -> dg.MarkdownMetadataValue:
    """Return a PNG as Markdown with a text for those who cannot see it; keep it below about 100 KB."""
    return dg.MetadataValue.md(f"![{text}](data:image/png;base64,{base64.b64encode(png).decode()})")


def table(rows: Iterable[Mapping[str, Any]]) -> dg.TableMetadataValue | dg.TextMetadataValue:
    """Return rows as a table that renders in place; values other than numbers and truth values become text."""
    records = [dg.TableRecord({name: _plain(value) for name, value in row.items()}) for row in rows]
    if not records:
        return dg.MetadataValue.text("no rows")
    columns = [dg.TableColumn(name, _type_name(records, name)) for name in records[0].data]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def _plain(value: Any) -> str | int | float | bool:
    # An enumeration's member is a string too, but the event log stores plain ones only.
    return value if type(value) in (str, int, float, bool) else "" if value is None else str(value)


def _type_name(records: list[dg.TableRecord], name: str) -> str:
    kinds = {type(record.data[name]) for record in records}
    if kinds <= {bool}:
        return "bool"
    if kinds <= {int}:
        return "int"
    return "float" if kinds <= {int, float} else "string"


def column_schema(schema: pa.Schema, descriptions: Mapping[str, str] | None = None) -> dg.TableSchema:
    """Return an Arrow schema as Dagster shows columns."""
    said = descriptions or {}
    return dg.TableSchema([dg.TableColumn(field.name, str(field.type), said.get(field.name)) for field in schema])
