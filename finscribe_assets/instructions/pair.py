"""Define the instruction pair: the record that exporters write, trainers read and `instruction_pairs` stores."""

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
    """What a pair asks for: the image and other input → the response."""

    FULL_EXTRACTION = "full_extraction"  # whole document → JSON of every value
    SCHEMA_EXTRACTION = "schema_extraction"  # whole document, keys → JSON with these keys in their order
    REGION_EXTRACTION = "region_extraction"  # a block of a page → JSON of its values
    LINE_ITEMS = "line_items"  # the table on one page → JSON of its rows
    PAGE_EXTRACTION = "page_extraction"  # one page of several → JSON of its values
    GROUNDED_EXTRACTION = "grounded_extraction"  # one page → JSON of its values, each with its boxes
    MULTI_PAGE_LINES = "multi_page_lines"  # all pages → JSON of the rows of the table across them
    FIELD_QUESTION = "field_question"  # whole document, a field → JSON with one key
    ABSENT_FIELD = "absent_field"  # whole document, a field that it does not have → JSON with null
    DOCUMENT_TYPE = "document_type"  # the first page → one of the schema's document types
    ARITHMETIC = "arithmetic"  # one page, a claim about its amounts → true or false
    FIELD_TO_BOX = "field_to_box"  # one page, a field → its box
    BOX_TO_FIELD = "box_to_field"  # one page, a box → the field in it and its value
    TABLE = "table"  # the table on one page → OTSL
    OCR_LINE = "ocr_line"  # one printed line of a field → its text, verbatim
    OCR_ROW = "ocr_row"  # a printed row of a table → its texts from first to last column, verbatim
    OCR_REGION = "ocr_region"  # a block of a page → its lines in reading order, verbatim


# The tasks that ask for one field, which is the pair's target.
SINGLE_FIELD_TASKS = (Task.FIELD_QUESTION, Task.FIELD_TO_BOX, Task.BOX_TO_FIELD, Task.OCR_LINE)
OCR_PROMPT = "OCR:"  # PaddleOCR-VL's own prompts
TABLE_PROMPT = "Table Recognition:"
ILLEGIBLE = "[illegible]"  # the expected response for a value that damage made illegible


class SpanType(StrEnum):
    """What a part of a response is: it selects the loss weight of its tokens."""

    FINANCIAL = "financial"  # an amount
    VALUE = "value"  # any other value of a field
    CELL = "cell"  # the text of a table cell
    STRUCTURE = "structure"  # keys and punctuation of JSON, tokens of OTSL


class Span(NamedTuple):
    """Characters ``start`` to ``end`` (exclusive) of a response."""

    start: int
    end: int
    type: SpanType
    path: str = ""  # the field whose value it is; empty for structure and table cells


class Patch(NamedTuple):
    """A change to a page image: the print in the source box is copied over the target box."""

    page: int  # from 0
    source: Box
    target: Box


@dataclass(frozen=True)
class Pair:
    """An instruction pair: an image, a prompt and the expected response.

    The image is all of ``pages`` in order, or the part of the one page inside ``box``.
    """

    id: str
    document_id: str
    pages: tuple[int, ...]  # from 0
    task: Task
    target: str  # the field path, region, table or row that is asked for; empty for the whole document
    box: Box | None  # in pixels of the page image; None for whole pages
    prompt: str
    response: str
    element: str  # a value of documents.value_types.Element if the target is a field, else empty
    prompt_held_out: str = ""  # a wording that no training prompt uses; empty for fixed prompts of the model
    spans: tuple[Span, ...] = ()
    patches: tuple[Patch, ...] = ()
    x_height: float | None = None  # smallest that the response needs, in pixels after the model's resize
    left_out: int = 0  # values of a full extraction that are printed too small for the model, and are not in it

    def patches_on(self, page: int) -> tuple[Patch, ...]:
        """Return the patches of one page."""
        return tuple(patch for patch in self.patches if patch.page == page)

    def prompt_for(self, *, test: bool) -> str:
        """Return the prompt for training and validation, or with ``test`` for the test split.

        Half of the test pairs, chosen by their ids, use the held-out wording.
        """
        use_held_out = test and self.prompt_held_out and int(sha256_of(self.id)[:8], 16) % 2
        return self.prompt_held_out if use_held_out else self.prompt


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
        ("x_height", pa.float64()),
        ("left_out", pa.int64()),
    ]
)


def pairs_to_table(pairs: Iterable[Pair]) -> pa.Table:
    """Return pairs as a table with `PAIR_SCHEMA`; spans and patches become JSON lists of their fields."""
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
    """Return the pairs of a table that `pairs_to_table` made."""
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
