"""The canonical pair: what every exporter writes and every trainer here reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

import pyarrow as pa

from finscribe_assets.rendering.pages import Box


class Task(StrEnum):
    """What a pair asks for."""

    FULL_EXTRACTION = "full_extraction"  # whole document → JSON
    REGION_EXTRACTION = "region_extraction"  # a block of the page → JSON
    FIELD_QUESTION = "field_question"  # whole document, a question → JSON with one key
    ABSENT_FIELD = "absent_field"  # the same, for what the page does not show → null
    TABLE = "table"  # a whole table → OTSL
    OCR_LINE = "ocr_line"  # one printed line of a field → its text, verbatim


OCR_PROMPT = "OCR:"  # PaddleOCR-VL's own prompts
TABLE_PROMPT = "Table Recognition:"


@dataclass(frozen=True)
class Pair:
    """One instruction pair. The image is its pages in order, or the one page's box where there is one."""

    id: str
    document_id: str
    pages: tuple[int, ...]  # from 0
    task: Task
    target: str  # field path, region, table or row that is asked for; empty for the whole document
    box: Box | None  # pixels of the page image; None for whole pages
    prompt: str
    response: str
    element: str  # documents.elements.Element where the target is a field, else empty


_BOX = pa.struct([(side, pa.float64()) for side in ("x0", "y0", "x1", "y1")])
SCHEMA = pa.schema([
    ("id", pa.string()), ("document_id", pa.string()), ("pages", pa.list_(pa.int64())), ("task", pa.string()),
    ("target", pa.string()), ("box", _BOX), ("prompt", pa.string()), ("response", pa.string()),
    ("element", pa.string()),
])  # fmt: skip


def to_table(pairs: list[Pair]) -> pa.Table:
    """Return pairs as a table of SCHEMA."""
    return pa.Table.from_pylist([asdict(pair) | {"task": str(pair.task)} for pair in pairs], schema=SCHEMA)


def from_table(table: pa.Table) -> list[Pair]:
    """Return the pairs of a table that `to_table` made."""
    return [Pair(**row | {"task": Task(row["task"]), "pages": tuple(row["pages"]),
                          "box": Box(**row["box"]) if row["box"] else None})
            for row in table.to_pylist()]
