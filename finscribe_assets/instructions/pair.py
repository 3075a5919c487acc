"""The canonical pair: what every exporter writes and every trainer here reads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import pyarrow as pa

from finscribe_assets.files import sha256_of
from finscribe_assets.rendering.pages import Box


class Task(StrEnum):
    """What a pair asks for."""

    FULL_EXTRACTION = "full_extraction"  # whole document → JSON
    SCHEMA_EXTRACTION = "schema_extraction"  # whole document, keys → JSON with these keys in their order
    REGION_EXTRACTION = "region_extraction"  # a block of the page → JSON
    LINE_ITEMS = "line_items"  # the table on one page → JSON of its lines or entries
    PAGE_EXTRACTION = "page_extraction"  # one page of several → JSON of what stands on it
    MULTI_PAGE_LINES = "multi_page_lines"  # all pages → JSON of the lines or entries of the table over them
    FIELD_QUESTION = "field_question"  # whole document, a question → JSON with one key
    ABSENT_FIELD = "absent_field"  # the same, for what the page does not show → null
    DOCUMENT_TYPE = "document_type"  # the first page → one of the schema's types
    ARITHMETIC = "arithmetic"  # one page, a claim about its amounts → true or false
    FIELD_TO_BOX = "field_to_box"  # one page, a field → its box
    BOX_TO_FIELD = "box_to_field"  # one page, a box → the field in it and its value
    TABLE = "table"  # the table on one page → OTSL
    OCR_LINE = "ocr_line"  # one printed line of a field → its text, verbatim
    OCR_REGION = "ocr_region"  # a block of the page → its lines in reading order, verbatim


SINGLE_FIELD_TASKS = (Task.FIELD_QUESTION, Task.FIELD_TO_BOX, Task.BOX_TO_FIELD, Task.OCR_LINE)  # which is their target
OCR_PROMPT = "OCR:"  # PaddleOCR-VL's own prompts
TABLE_PROMPT = "Table Recognition:"
ILLEGIBLE = "[illegible]"  # what is answered for a value that damage has destroyed


class SpanType(StrEnum):
    """What a part of a response is, for weighted loss and for the confidence of fields."""

    FINANCIAL = "financial"  # an amount
    VALUE = "value"  # any other value of a field
    CELL = "cell"  # the text of a table's cell
    STRUCTURE = "structure"  # keys and punctuation of JSON, tokens of OTSL


class Span(NamedTuple):
    """Characters ``start`` to ``end`` (exclusive) of a response."""

    start: int
    end: int
    type: SpanType
    path: str = ""  # of the field whose value it is


class Patch(NamedTuple):
    """A change to a page: what is printed in one box is shown in another too, over what stood there."""

    page: int  # from 0
    source: Box
    target: Box


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
    prompt_held_out: str = ""  # the same asked in words that no training prompt uses; empty for a model's own prompts
    spans: tuple[Span, ...] = ()
    patches: tuple[Patch, ...] = ()

    def patches_on(self, page: int) -> tuple[Patch, ...]:
        """Return the patches of one page."""
        return tuple(patch for patch in self.patches if patch.page == page)

    def prompt_for(self, *, test: bool) -> str:
        """Return the prompt that a split asks with: every second pair of a test in words that training never has."""
        unseen = test and self.prompt_held_out and int(sha256_of(self.id)[:8], 16) % 2
        return self.prompt_held_out if unseen else self.prompt


_BOX = pa.struct([(side, pa.float64()) for side in Box._fields])
PAIR_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("document_id", pa.string()),
        ("pages", pa.list_(pa.int64())),
        ("task", pa.string()),
        ("target", pa.string()),
        ("box", _BOX),
        ("prompt", pa.string()),
        ("response", pa.string()),
        ("element", pa.string()),
        ("prompt_held_out", pa.string()),
        ("spans", pa.string()),
        ("patches", pa.string()),
    ]
)


def pairs_to_table(pairs: Iterable[Pair]) -> pa.Table:
    """Return pairs as a table of SCHEMA; spans and patches are JSON lists of their fields."""
    return pa.Table.from_pylist(
        [
            {
                **vars(pair),
                "task": str(pair.task),
                "box": pair.box._asdict() if pair.box else None,
                "spans": json.dumps(pair.spans, separators=(",", ":")),
                "patches": json.dumps(pair.patches, separators=(",", ":")),
            }
            for pair in pairs
        ],
        schema=PAIR_SCHEMA,
    )


def pairs_from_table(table: pa.Table) -> list[Pair]:
    """Return the pairs of a table that `to_table` made."""
    return [
        Pair(
            **row
            | {
                "task": Task(row["task"]),
                "pages": tuple(row["pages"]),
                "box": Box(**row["box"]) if row["box"] else None,
                "spans": tuple(
                    Span(start, end, SpanType(type_), path) for start, end, type_, path in json.loads(row["spans"])
                ),
                "patches": tuple(
                    Patch(page, Box(*source), Box(*target)) for page, source, target in json.loads(row["patches"])
                ),
            }
        )
        for row in table.to_pylist()
    ]
