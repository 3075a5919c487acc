"""Library values as Dagster metadata: pictures, tables, column schemas.

https://docs.dagster.io/guides/build/assets/metadata-and-tags
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    import pyarrow as pa

TABLE_WIDTH = 580  # pixels that a table has in a window of 1,400
NAME_PIXELS, CELL_PIXELS, CELL_PADDING = 7.2, 8.4, 15  # of a character in a column's name and in a cell; of a cell
SHORT_NAMES = {
    "documents": "docs",
    "documents so far": "docs so far",
    "error type": "error",
    "exact match": "exact",
    "field accuracy": "accuracy",
    "field f1": "F1",
    "gain in points": "gain",
    "gain on the exam": "gain",
    "harmful factors": "harmful",
    "harmful factors left": "harmful",
    "lower bound": "at least",
    "numeric consistency": "sums hold",
    "of documents": "share",
    "other field f1": "other F1",
    "significantly worse": "worse",
    "usual documents": "usual",
    "validation": "valid",
}


def picture(png: bytes, text: str) -> dg.MarkdownMetadataValue:
    """Return a PNG as Markdown.

    Args:
        png: The file, at most about 100 KB: it is stored in the event log.
        text: Alternative text.
    """
    return dg.MetadataValue.md(f"![{text}](data:image/png;base64,{base64.b64encode(png).decode()})")


def table(rows: Iterable[Mapping[str, Any]]) -> dg.TableMetadataValue | dg.TextMetadataValue:
    """Return rows as a table that the UI renders in place; other values than numbers and booleans become text.

    In a window of 1,400 pixels a table has about 600, and the UI cuts off the rest without a scroll bar. So bounds
    stand beside their value, columns without any value are left out, and a table that is still too wide has short
    names of columns.
    """
    compact = _without_empty_columns([_with_bounds_beside_values(row) for row in rows])
    plain = [{name.replace("_", " "): _plain(value) for name, value in row.items()} for row in compact]
    if plain and least_width(plain) > TABLE_WIDTH:
        plain = [{SHORT_NAMES.get(name, name): value for name, value in row.items()} for row in plain]
    records = [dg.TableRecord(row) for row in plain]
    if not records:
        return dg.MetadataValue.text("no rows")
    columns = [dg.TableColumn(name, _type_name(records, name)) for name in records[0].data]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def least_width(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return how narrow a table can be in the UI, in pixels: cells wrap at spaces and hyphens, names of columns do not.

    Args:
        rows: All with the same columns.
    """
    columns = {name: [len(word) for row in rows for word in re.split(r"[ -]", str(row[name]))] for name in rows[0]}
    return sum(
        max(NAME_PIXELS * len(name), CELL_PIXELS * max(lengths)) + CELL_PADDING for name, lengths in columns.items()
    )


def _with_bounds_beside_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose columns ``low`` and ``high`` are part of the one before, ``x_low`` and ``x_high`` of ``x``."""
    merged: dict[str, Any] = {}
    before = ""
    for name, value in row.items():
        owner = before if name in ("low", "high") else name.removesuffix("_low").removesuffix("_high")
        if owner == name or owner not in merged:
            merged[name], before = value, name
        elif name.endswith("low"):
            low, high = value, row.get(f"{name.removesuffix('low')}high")
            if low is not None and high is not None:
                merged[owner] = f"{_rounded(merged[owner])} [{_rounded(low)}, {_rounded(high)}]"
    return merged


def _rounded(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _without_empty_columns(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    filled = {name for row in rows for name, value in row.items() if value not in (None, "", [], ())}
    return [{name: value for name, value in row.items() if name in filled} for row in rows]


def _plain(value: Any) -> str | int | float | bool:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    # An enumeration's member is a string too, but the event log stores plain ones only.
    return value if type(value) in (str, int, float, bool) else "" if value is None else str(value)


def _type_name(records: list[dg.TableRecord], name: str) -> str:
    types = {type(record.data[name]) for record in records}
    if types <= {bool}:
        return "bool"
    if types <= {int}:
        return "int"
    return "float" if types <= {int, float} else "string"


def column_schema(schema: pa.Schema, descriptions: Mapping[str, str] | None = None) -> dg.TableSchema:
    """Return an Arrow schema as Dagster shows columns."""
    texts = descriptions or {}
    return dg.TableSchema([dg.TableColumn(field.name, str(field.type), texts.get(field.name)) for field in schema])
