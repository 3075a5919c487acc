"""Drawn documents as rows of Parquet files, which every later stage reads."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from finscribe_assets.documents.drawn_document import DrawnDocument

DOCUMENT_TABLE_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("batch", pa.string()),
        ("index", pa.int64()),
        ("component", pa.string()),
        ("vendor", pa.string()),
        ("group", pa.string()),
        ("document_type", pa.string()),
        ("locale", pa.string()),
        ("layout", pa.string()),
        ("font", pa.string()),
        ("lines", pa.int64()),
        ("amount_due", pa.string()),
        ("document", pa.string()),
        ("printed", pa.string()),
        ("knobs", pa.string()),
        ("presentation", pa.string()),
    ]
)


def _json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def documents_to_table(documents: list[DrawnDocument]) -> pa.Table:
    """Return documents as a table of `DOCUMENT_TABLE_SCHEMA`. Nested values are JSON text, which any tool can read."""
    return pa.Table.from_pylist(
        [
            {
                "id": drawn.id,
                "batch": drawn.batch,
                "index": drawn.index,
                "component": drawn.component,
                "vendor": drawn.vendor,
                "group": drawn.group,
                "document_type": str(drawn.document.document_type),
                "locale": drawn.document.locale,
                "layout": drawn.presentation.layout,
                "font": drawn.presentation.font,
                "lines": len(drawn.document.lines) or len(drawn.document.entries),
                "amount_due": drawn.amount_due,
                "document": _json_text(drawn.document.to_json()),
                "printed": _json_text(drawn.printed),
                "knobs": _json_text(drawn.knobs),
                "presentation": _json_text(drawn.presentation.model_dump(mode="json")),
            }
            for drawn in documents
        ],
        schema=DOCUMENT_TABLE_SCHEMA,
    )


def documents_from_table(table: pa.Table) -> list[DrawnDocument]:
    """Return the documents of a table made by `documents_to_table`."""
    return [
        DrawnDocument.model_validate(
            {
                "id": row["id"],
                "batch": row["batch"],
                "index": row["index"],
                "component": row["component"],
                "vendor": row["vendor"],
                "document": json.loads(row["document"]),
                "printed": json.loads(row["printed"]),
                "knobs": json.loads(row["knobs"]),
                "presentation": json.loads(row["presentation"]),
            }
        )
        for row in table.to_pylist()
    ]
