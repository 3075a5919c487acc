"""A drawn document: its truth, how its page is to look, and the knob values that were drawn.

This is the row that `documents.parquet` holds and that every later stage reads.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.formats import CurrencyDisplay, NumberStyle
from finscribe_assets.documents.schema import Document


class Engine(StrEnum):
    """What lays a page out and paints it."""

    WEASYPRINT = "weasyprint"
    PLUTOPRINT = "plutoprint"


class Decoy(BaseModel):
    """Something printed among the fields that nobody asks for: a date of no account, a label without its value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    text: str = Field(description="what stands beside the label; may be empty")


class Style(BaseModel):
    """A vendor's typography: how its documents of a kind are set, whichever template prints them.

    Templates take of it what their structure leaves open: one without rules draws none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    side_margin: float = Field(16.0, ge=8, le=30, description="left and right margin of the page in millimetres")
    top_margin: float = Field(17.0, ge=8, le=40, description="margin above in millimetres")
    bottom_margin: float = Field(17.0, ge=12, le=40, description="margin below in millimetres")
    line_height: float = Field(1.42, ge=1.2, le=1.8, description="distance of lines in em")
    row_height: float = Field(1.0, ge=0.5, le=2, description="space around the table's rows: times the layout's usual")
    rules: Literal["none", "head", "rows", "grid", "columns", "bands"] = Field("rows", description="rules of the table")
    rule_weight: float = Field(0.8, ge=0.2, le=2, description="weight of its rules in points")
    rule_line: Literal["solid", "dashed", "dotted"] = Field("solid", description="kind of its thinner rules")
    rule_colour: str = Field("#333333", description="colour of its rules, #rrggbb")
    tint: str = Field("#ececec", description="ground of shaded heads, rows and boxes, #rrggbb")
    head: Literal["bold", "plain", "small", "tinted", "capitals"] = Field("bold", description="the table's head")
    title: Literal["bold", "plain", "capitals", "spaced"] = Field("bold", description="type of the title")
    title_size: float = Field(1.0, ge=0.5, le=2, description="size of the title: times the layout's usual")
    second_title: str = Field("", description="the title in a second script, below the first")
    labels: Literal["beside", "colon", "above"] = Field("beside", description="where labels stand by their values")
    label_type: Literal["plain", "grey", "small", "bold"] = Field("grey", description="type of labels")
    totals: Literal["end", "start", "full"] = Field("end", description="place of the totals across the page")
    totals_frame: Literal["none", "ruled", "boxed", "tinted", "heavy"] = Field("ruled", description="their frame")
    name_size: float = Field(1.0, ge=0.8, le=2, description="size of the issuer's name in em of the text around it")
    logo: Literal["none", "disc", "ring", "square", "frame", "bars", "diamond", "underline"] = Field("none")
    page_numbers: Literal["none", "slash", "word", "dashes"] = Field("none", description="how pages are numbered")
    page_number_place: Literal["bottom-center", "bottom-end", "top-end"] = Field("bottom-center")
    running_title: bool = Field(False, description="the title stands above each page after the first")
    remarks_centred: bool = Field(False, description="closing sentences stand in the middle")
    typewriter: bool = Field(False, description="a monospaced font where the layout is such a printer's")
    roll: Literal[58, 80] = Field(80, description="width of the till's paper in millimetres")
    stacked: bool = Field(False, description="on till rolls an item's name stands above its figures")


class Presentation(BaseModel):
    """How a document's page is to look; rendering obeys it and draws nothing at random but damage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Engine = Field(Engine.WEASYPRINT, description="what lays the page out and paints it")
    layout: str = Field(description="template family, one of recipe.LAYOUTS")
    font: str = Field(description="font family, one of recipe.FONTS")
    font_size: float = Field(description="size of the body text in points")
    accent: str = Field(description="colour of rules and headings, #rrggbb")
    style: Style = Field(default=Style(), description="the vendor's typography")
    reversed_print: bool = Field(description="table head and amount due light on dark")
    date_pattern: str = Field(description="babel date pattern of every date on the page, or formats.ERA, SHORT_ERA")
    numbers: NumberStyle = Field(description="marks that every number of the page is written with")
    currency_display: CurrencyDisplay = Field(description="how amounts show their currency in the totals")
    labels: dict[str, str] = Field(description="wording of each label that the page needs, by field or purpose")
    columns: tuple[str, ...] = Field(description="columns of the table, as fields of Line or Entry, in printed order")
    sub_rows: dict[int, tuple[str, ...]] = Field(default={}, description="indented rows below a line, by its number")
    page_breaks: tuple[int, ...] = Field(default=(), description="numbers of lines before which a page ends")
    decoys: tuple[Decoy, ...] = Field(default=(), description="what stands among the header's fields")
    seating: tuple[Decoy, ...] = Field(default=(), description="table, guests and server of a restaurant's bill")
    remarks: tuple[str, ...] = Field(default=(), description="sentences at the foot of the document")
    marked_lines: tuple[int, ...] = Field(default=(), description="lines with the mark of the reduced rate")
    rate_mark: str = Field(default="", description="that mark")
    repeated_totals: tuple[str, ...] = Field(default=(), description="totals printed though another figure says them")
    labels_apart: bool = Field(default=False, description="values stand far from their labels")
    unlabelled: bool = Field(default=False, description="the header's values stand without labels")
    parties_side_by_side: bool = False
    borderless: bool = False
    merged_head: bool = Field(default=False, description="a row above the table's head spans several columns")
    repeated_head: bool = Field(default=True, description="every page repeats the table's head")
    degradation: float = Field(ge=0, le=1, description="strength of a light mix of damage to the page's pixels")
    damage: dict[str, float] = Field(default={}, description="strength of each other effect, one of knobs.DAMAGE")
    stamp: str = Field(default="", description="text of the rubber stamp")
    handwriting: str = Field(default="", description="text of the note written by hand")
    noise_seed: int = Field(description="seed of all damage")


class DrawnDocument(BaseModel):
    """One document of a batch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(description="unique over all batches: batch key and index, such as batch-000-000123")
    batch: str
    index: int
    component: str = Field(description="name of the plan's share that it belongs to")
    vendor: str = Field(description="identity of the seller over all batches; groups splits with the layout")
    document: Document
    printed: dict[str, str] = Field(description="the text printed for each field path, verbatim")
    knobs: dict[str, float] = Field(description="value drawn for each knob: 0, 1 or a strength; 0 where it cannot act")
    presentation: Presentation

    @property
    def amount_due(self) -> str:
        """Return the amount that the document comes to: a statement's closing balance."""
        document = self.document
        if document.totals is not None:
            return format(document.totals.amount_due, "f")
        return format(document.statement.closing_balance, "f") if document.statement else ""

    @property
    def group(self) -> str:
        """Return what must not be divided between splits: template family × vendor."""
        return f"{self.presentation.layout}/{self.vendor}"


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


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def documents_to_table(documents: list[DrawnDocument]) -> pa.Table:
    """Return documents as a table of SCHEMA; nested values are JSON text, so that any tool can read them."""
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
                "document": _text(drawn.document.to_json()),
                "printed": _text(drawn.printed),
                "knobs": _text(drawn.knobs),
                "presentation": _text(drawn.presentation.model_dump(mode="json")),
            }
            for drawn in documents
        ],
        schema=DOCUMENT_TABLE_SCHEMA,
    )


def documents_from_table(table: pa.Table) -> list[DrawnDocument]:
    """Return the documents of a table that `to_table` made."""
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
