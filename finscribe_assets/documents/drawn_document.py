"""A drawn document: its true values, how its page looks, and the knob values that took effect.

`generator.py` draws documents, `document_table.py` has their form in Parquet files, and `rendering/` makes pages of
them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.channels import Channel
from finscribe_assets.documents.drawn_slip import PaymentSlip
from finscribe_assets.documents.formats import CurrencyDisplay, NumberStyle
from finscribe_assets.documents.headings import Heading
from finscribe_assets.documents.line_groups import GroupSubtotal
from finscribe_assets.documents.schema import Document
from finscribe_assets.documents.tax_forms import TaxForm
from finscribe_assets.documents.terms_pages import TermsPage


class Engine(StrEnum):
    """A layout engine, which turns HTML into pages."""

    WEASYPRINT = "weasyprint"
    PLUTOPRINT = "plutoprint"


class Colours(StrEnum):
    """What of a document's colours its page images show."""

    COLOUR = "colour"  # printed and captured in colour
    GREY_PRINT = "grey_print"  # printed in black and captured in colour: only what was added by hand is coloured
    GREY = "grey"  # captured in grey


class Decoy(BaseModel):
    """Printed text that is not the value of any field, such as an irrelevant date or a label without a value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    text: str = Field(description="text beside the label; may be empty")


LogoType = Literal["none", "symbol", "beside", "above", "wordmark"]
"""A logo's composition: a symbol alone, the company's short name beside it or below it, or the name alone."""


class Style(BaseModel):
    """The typography of a vendor's documents of one type, whichever template prints them.

    A template uses only the settings that its structure leaves open: one without rules ignores `rules`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    side_margin: float = Field(16.0, ge=8, le=30, description="left and right page margin in millimetres")
    top_margin: float = Field(17.0, ge=8, le=40, description="top page margin in millimetres")
    bottom_margin: float = Field(17.0, ge=12, le=40, description="bottom page margin in millimetres")
    line_height: float = Field(1.42, ge=1.2, le=1.8, description="line height in em")
    row_height: float = Field(1.0, ge=0.5, le=2, description="vertical cell padding, as a factor of the template's own")
    rules: Literal["none", "head", "rows", "grid", "columns", "bands"] = Field("rows", description="rules of the table")
    rule_weight: float = Field(0.8, ge=0.2, le=2, description="thickness of rules in points")
    rule_line: Literal["solid", "dashed", "dotted"] = Field("solid", description="line style of the thinner rules")
    rule_colour: str = Field("#333333", description="colour of rules, #rrggbb")
    tint: str = Field("#ececec", description="background of shaded headers, rows and boxes, #rrggbb")
    head: Literal["bold", "plain", "small", "tinted", "capitals"] = Field("bold", description="style of table headers")
    title: Literal["bold", "plain", "capitals", "spaced"] = Field("bold", description="style of the title")
    title_size: float = Field(1.0, ge=0.5, le=2, description="size of the title, as a factor of the template's own")
    second_title: str = Field("", description="title in a second script, below the first; may be empty")
    labels: Literal["beside", "colon", "above"] = Field("beside", description="position of labels relative to values")
    label_type: Literal["plain", "grey", "small", "bold"] = Field("grey", description="style of labels")
    totals: Literal["end", "start", "full"] = Field("end", description="horizontal position of the totals")
    totals_frame: Literal["none", "ruled", "boxed", "tinted", "heavy"] = Field(
        "ruled", description="frame of the totals"
    )
    heading: Heading = Field(Heading(), description="blocks above the table: their places, alignment and frames")
    name_size: float = Field(1.0, ge=0.8, le=2, description="size of the issuer's name in em of the surrounding text")
    logo: LogoType = Field("none", description="composition of the logo: symbol, name, or both")
    page_numbers: Literal["none", "slash", "word", "dashes"] = Field("none", description="format of page numbers")
    page_number_place: Literal["bottom-center", "bottom-end", "top-end"] = Field(
        "bottom-center", description="position of page numbers"
    )
    signed_discounts: bool = Field(False, description="whether discounts on the document have a minus")
    seal: bool = Field(False, description="whether the issuer's name has a seal below it, as in Japan and China")
    amount_in_words: bool = Field(False, description="whether bills state the amount due in words, as in India")
    running_title: bool = Field(False, description="whether each page after the first repeats the title")
    remarks_centred: bool = Field(False, description="whether closing remarks are centred")
    time_beside_date: bool = Field(False, description="whether the time of issue follows the date on its line")
    typewriter: bool = Field(False, description="whether layouts of fixed-pitch printers have a monospaced font")
    code_place: Literal["left", "center", "right"] = Field("left", description="position of QR and bar codes")
    code_size: float = Field(26.0, ge=15, le=50, description="sides of a QR code in millimetres")
    bar_code_above: bool = Field(False, description="whether a bar code stands above the head, not at the end")
    roll: Literal[58, 80] = Field(80, description="width of a receipt printer's paper in millimetres")
    stacked: bool = Field(False, description="whether till rolls print an item's name above its quantity and amounts")


class Presentation(BaseModel):
    """How a document's page looks. Rendering follows it; the only further random draws are those of damage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Engine = Field(Engine.WEASYPRINT, description="engine that lays out the pages")
    layout: str = Field(description="template family, a key of layout_families.LAYOUT_FACTS")
    font: str = Field(description="font family, one of fonts.FONTS")
    font_size: float = Field(description="size of body text in points")
    accent: str = Field(description="colour of rules and headings, #rrggbb")
    colours: Colours = Field(Colours.COLOUR, description="colours of the page images: colour, grey_print or grey")
    style: Style = Field(default=Style(), description="typography of the vendor")
    reversed_print: bool = Field(description="whether table header and amount due are light on dark")
    date_pattern: str = Field(
        description="babel pattern of every date on the page, or formats.ERA_PATTERN or SHORT_ERA_PATTERN"
    )
    time_pattern: str = Field(default="HH:mm", description="babel pattern of every time of day on the page")
    numbers: NumberStyle = Field(description="format of every number on the page")
    currency_display: CurrencyDisplay = Field(description="how amounts in the totals show their currency")
    labels: dict[str, str] = Field(description="wording of each label on the page, by field or purpose")
    columns: tuple[str, ...] = Field(description="columns of the table in printed order, as fields of Line or Entry")
    sub_rows: dict[int, tuple[str, ...]] = Field(default={}, description="indented rows below a line, by line index")
    group_subtotals: dict[int, GroupSubtotal] = Field(
        default={}, description="rows of subtotals, by the index of the line above each"
    )
    page_breaks: tuple[int, ...] = Field(default=(), description="indices of the lines that start a new page")
    decoys: tuple[Decoy, ...] = Field(default=(), description="decoys among the header fields")
    seating: tuple[Decoy, ...] = Field(default=(), description="table, guests and server on a restaurant's bill")
    amount_in_capitals: str = Field(default="", description="total in capital numerals, as Chinese invoices state it")
    amount_in_words: str = Field(default="", description="amount due in words, as Indian invoices state it")
    honorific: str = Field(default="", description="what follows the addressee's name, as in Japan")
    legal_notices: tuple[str, ...] = Field(default=(), description="sentences that the law puts on bills")
    slip: tuple[Decoy, ...] = Field(default=(), description="numbers of a card slip that are no fields")
    tax_codes: dict[str, str] = Field(default={}, description="letter beside the amounts, by tax rate as decimal text")
    quantity_rows: bool = Field(
        default=False, description="whether quantity and price are in a row below the item, if the quantity is not one"
    )
    notices: tuple[str, ...] = Field(default=(), description="small lines at the foot of a receipt")
    remarks: tuple[str, ...] = Field(default=(), description="sentences at the end of the document")
    payment_slip: PaymentSlip | None = Field(default=None, description="slip at the foot of an invoice")
    terms_page: TermsPage | None = Field(default=None, description="last sheet of terms and conditions")
    tax_form: TaxForm | None = Field(default=None, description="the state's form that the invoice is on")
    payment_code: str = Field(default="", description="text of the QR code for payment; empty for none")
    bar_code: str = Field(default="", description="text of the bar code; empty for none")
    item_bar_codes: bool = Field(default=False, description="whether article numbers also have bar codes")
    marked_lines: tuple[int, ...] = Field(default=(), description="indices of the lines marked as reduced-rate")
    rate_mark: str = Field(default="", description="the mark of reduced-rate lines")
    repeated_totals: tuple[str, ...] = Field(
        default=(), description="totals printed even if another amount on the page already states them"
    )
    labels_apart: bool = Field(default=False, description="whether values are far from their labels")
    unlabelled: bool = Field(default=False, description="whether header values have no labels")
    parties_side_by_side: bool = Field(default=False, description="whether all parties are in one row")
    borderless: bool = Field(default=False, description="whether the table has neither rules nor shading")
    merged_head: bool = Field(default=False, description="whether a row above the table header spans several columns")
    repeated_head: bool = Field(default=True, description="whether every page repeats the table header")
    channel: Channel = Field(Channel.SCANNED, description="how the document arrived: as a file, scanned, photographed")
    dpi: int | None = Field(None, description="resolution of the page images, if the recipe determines it")
    paper_level: int = Field(255, ge=0, le=255, description="brightness of the paper on scans and photographs")
    ink_level: int = Field(0, ge=0, le=255, description="brightness of black print on scans and photographs")
    paper_warmth: int = Field(0, description="red less blue of the paper on scans and photographs in colour, in levels")
    stretch: float = Field(1.0, description="factor by which the page is higher than it was laid out")
    degradation: float = Field(ge=0, le=1, description="strength of a light mix of pixel damage")
    damage: dict[str, float] = Field(default={}, description="strength of each further effect of knobs.DAMAGE_KNOBS")
    stamp: str = Field(default="", description="text of the rubber stamp")
    watermark: str = Field(default="", description="text of the watermark")
    approval: tuple[str, ...] = Field(default=(), description="amount and day that are written by hand, a line each")
    handwriting: str = Field(default="", description="text of the handwritten note")
    noise_seed: int = Field(description="seed of all damage")
    neighbour: Neighbour | None = Field(
        default=None, description="the receipt beside this one, of which the page image shows a part"
    )

    @property
    def closing_lines(self) -> tuple[str, ...]:
        """Return what ends the document: remarks, and the small lines below them."""
        return (*self.remarks, *self.legal_notices, *self.notices)


class Neighbour(BaseModel):
    """Another document in the same picture. It is how the page looks: nothing of it is ground truth."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: Document = Field(description="its values")
    printed: dict[str, str] = Field(description="the text printed for each of its field paths")
    presentation: Presentation = Field(description="how it looks")


class DrawnDocument(BaseModel):
    """A document of a batch with everything that was drawn for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(description="unique id over all batches: batch key and index, such as batch-000-000123")
    batch: str = Field(description="key of the batch")
    index: int = Field(description="position in the batch, from 0")
    component: str = Field(description="name of the plan component that it belongs to")
    vendor: str = Field(description="id of the seller, the same over all batches")
    document: Document = Field(description="the true values")
    printed: dict[str, str] = Field(description="the text printed for each field path, verbatim")
    knobs: dict[str, float] = Field(description="value that took effect for each knob: 0, 1 or a strength")
    presentation: Presentation = Field(description="how the page looks")

    @property
    def amount_due(self) -> str:
        """Return the amount due as decimal text; the closing balance of a bank statement."""
        document = self.document
        if document.totals is not None:
            return format(document.totals.amount_due, "f")
        return format(document.statement.closing_balance, "f") if document.statement else ""

    @property
    def group(self) -> str:
        """Return the group that must stay within one split: template family and vendor."""
        return f"{self.presentation.layout}/{self.vendor}"
