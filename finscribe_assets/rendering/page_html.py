"""Write the HTML of a drawn document, with a mark on everything that is to have a box.

Templates follow the document's presentation and print its texts; they format no values. One family of templates serves
both engines. The engines differ in how an element is marked: WeasyPrint finds the attribute `data-mark` on its laid-out
boxes, PlutoPrint reports the positions of links. Templates therefore mark elements only through functions that they are
given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from finscribe_assets.documents.addresses import address_lines
from finscribe_assets.documents.captions import LABELLED_PARTY_FIELDS, PARTY_ROLES
from finscribe_assets.documents.drawn_document import DrawnDocument, Engine, Presentation
from finscribe_assets.documents.drawn_slip import SlipForm
from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.terms_pages import Clause
from finscribe_assets.rendering.code_images import bar_code, ean_code, qr_code
from finscribe_assets.rendering.column_widths import table_widths
from finscribe_assets.rendering.font_faces import FALLBACK_FONT, SECOND_SCRIPT_FONT, line_extent
from finscribe_assets.rendering.heading_rows import printed_heading
from finscribe_assets.rendering.line_breaking import UNBREAKABLE_TYPES, pieces_of
from finscribe_assets.rendering.logos import Logo, draw_logo
from finscribe_assets.rendering.page_blocks import BlockRow, Blocks, TextAndField
from finscribe_assets.rendering.pages import MarkType
from finscribe_assets.rendering.printed_rows import (
    MONEY_COLUMNS,
    SPANNING_STYLE,
    CellContent,
    TableRow,
    item_group_span,
    rows_by_sheet,
    table_rows,
)
from finscribe_assets.rendering.sheet_size import fits_content, sheet_of
from finscribe_assets.rendering.slip_placing import OWN_SHEET_MARGIN, SLIP_HEIGHT, SLIP_MARGIN, SlipPlace
from finscribe_assets.rendering.text_fitting import DUE_SIZE, TITLE_SPACING, USUAL_TITLE_SIZE, Fitting

# Letters that join, or that fill a square, look wrong when they are spaced out.
BAR_CODE_LENGTH, BAR_CODE_HEIGHT = 42.0, 9.0  # millimetres
ITEM_CODE_LENGTH, ITEM_CODE_HEIGHT = 6.4, 1.8  # em
FORM_CODE_SIZE = 22.0  # millimetres
SLIP_CODE_SIZES = {SlipForm.SWISS: 46.0, SlipForm.TRANSFER: 26.0}  # millimetres
LANGUAGES_WITHOUT_LETTER_SPACING = ("ar", "ja", "zh")


class MarkedElement(NamedTuple):
    """An element of the HTML that is marked, and its text where that is known."""

    type: MarkType | None  # None for the head of a column and for the element around all content
    name: str
    text: str = ""
    cells: tuple[MarkedCell, ...] = ()  # of a row
    repeats: bool = False  # pages may repeat the element, as they do the table's head


class MarkedCell(NamedTuple):
    """A cell of a marked row."""

    first: int  # index of its first column
    columns: int  # number of columns that it spans
    text: str


@dataclass
class PageMarkup:
    """The HTML of a document and the elements marked in it; a mark's number is the index of its element."""

    engine: Engine
    font: str
    language: str
    elements: list[MarkedElement] = field(default_factory=list)
    html: str = ""
    table: str = ""  # name of the document's table
    column_marks: list[int] = field(default_factory=list)  # numbers of the marks of the columns' heads
    content_mark: int | None = None  # number of the mark around all content, where the page is cut to it

    def mark(self, name: str) -> Markup:
        """Return the attribute that marks an element as ``type:name``, such as ``region:totals``."""
        mark_type, _, name = name.partition(":")
        return self._attribute(MarkedElement(MarkType(mark_type), name))

    def mark_content(self) -> Markup:
        """Return the attribute that marks the element around all content."""
        self.content_mark = len(self.elements)
        return self._attribute(MarkedElement(None, "content"))

    def mark_row(self, number: int, cells: Iterable[MarkedCell], *, head: bool) -> Markup:
        """Return the attribute that marks a row of the table; its box gives its cells their tops and bottoms."""
        return self._attribute(MarkedElement(MarkType.ROW, str(number), cells=tuple(cells), repeats=head))

    def mark_line(self, text: str) -> Markup:
        """Return the attribute that marks a printed line of a block, with the line's whole text."""
        return self._attribute(MarkedElement(MarkType.LINE, str(len(self.elements)), text))

    def mark_column(self) -> Markup:
        """Return the attribute that marks the head of the next column; its box gives the cells their sides."""
        self.column_marks.append(len(self.elements))
        return self._attribute(MarkedElement(None, "column"))

    def _attribute(self, element: MarkedElement) -> Markup:
        self.elements.append(element)
        number = len(self.elements) - 1
        attribute = f'href="http://m/{number}"' if self.engine is Engine.PLUTOPRINT else f'data-mark="{number}"'
        return Markup(attribute)  # noqa: S704, a number

    def tag(self, name: str) -> str:
        """Return the tag of a marked element: PlutoPrint makes links of anchors only, so it gets ``a`` for any name."""
        return "a" if self.engine is Engine.PLUTOPRINT else name

    def field(self, path: str, text: str) -> Markup:
        """Return the marked element that prints a field's value."""
        tag, value_type = self.tag("span"), value_type_of(path)
        attribute = self._attribute(MarkedElement(MarkType.FIELD, path, text))
        pieces = pieces_of(text, self.language, path)
        # Among Arabic words, the groups of a telephone number would change places.
        style = "ltr" if self.language == "ar" and value_type is ValueType.IDENTIFIER else ""
        if len(pieces) == 1:
            style += " whole" if "-" in text or value_type in UNBREAKABLE_TYPES else ""
            inner = str(escape(text))
        else:
            between = "<wbr/>" if path.endswith("email") else ""
            inner = between.join(f"{space}{_unbroken(piece)}" for space, piece in pieces)
        style = f' class="{style}"' if style else ""
        return Markup(f"<{tag} {attribute}{style}>{inner}</{tag}>")  # noqa: S704, escaped


def _unbroken(piece: str) -> str:
    # A word broken at its hyphen would be read as two.
    return f'<span class="whole">{escape(piece)}</span>' if "-" in piece else escape(piece)


@cache
def _environment() -> Environment:
    # Autoescape prints markup in a value as text. StrictUndefined makes a missing variable an error.
    environment = Environment(
        loader=PackageLoader("finscribe_assets.rendering"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # templates do not change while a process runs
    )
    environment.filters["css_text"] = _css_text
    environment.filters["qualified"] = lambda name, role: f"{role}.{name}"
    return environment


def _css_text(text: str) -> Markup:
    """Return a text as a CSS string, escaped so that it can end neither the string nor the style sheet."""
    return Markup('"' + "".join(c if c.isalnum() or c == " " else f"\\{ord(c):x} " for c in text) + '"')  # noqa: S704


def _template_of(look: Presentation) -> str:
    """Return the template of a page: that of the state's form, or that of its layout."""
    if look.tax_form:
        return "tax_form.html"
    return f"{LAYOUT_FACTS[look.layout].template or look.layout}.html"


def _emblem(look: Presentation, issuer: str) -> Logo | None:
    return None if look.style.logo == "none" else draw_logo(look.style.logo, issuer, look.accent, look.font)


def _terms_columns(look: Presentation) -> list[list[tuple[int, Clause]]]:
    """Return the clauses of the terms, numbered from 1, in columns of about the same length."""
    terms = look.terms_page
    if terms is None:
        return []
    lengths = [len(clause.heading) + len(clause.text) for clause in terms.clauses]
    columns: list[list[tuple[int, Clause]]] = [[] for _ in range(terms.columns)]
    before = 0
    for number, (clause, length) in enumerate(zip(terms.clauses, lengths, strict=True), 1):
        columns[int((before + length / 2) * terms.columns / sum(lengths))].append((number, clause))
        before += length
    return columns


def _item_code(number: str) -> Markup:
    return ean_code(number, ITEM_CODE_LENGTH, ITEM_CODE_HEIGHT)


def _slip_code(look: Presentation) -> Markup:
    """Return the code of the payment slip, in the size of its form; empty if it has none."""
    slip = look.payment_slip
    if slip is None or not slip.code:
        return Markup("")
    return qr_code(slip.code, SLIP_CODE_SIZES[slip.form])


def _seal_lines(name: str, language: str, document_type: DocumentType) -> list[str]:
    """Return the lines of a company's seal: in China its purpose, in Japan the company's name without its form."""
    if language == "zh":
        return ["合同专用章" if document_type is DocumentType.PURCHASE_ORDER else "发票专用章"]
    letters = re.sub("株式会社|有限会社|合同会社", "", name) + "之印"
    side = max(2, ceil(len(letters) ** 0.5))
    return [letters[start : start + side] for start in range(0, len(letters), side)]


AddressLines = list[list[tuple[str, str, str]]]  # printed lines; each part: text before, its name, text after


@dataclass(frozen=True)
class _PrintedTexts:
    """The texts of table cells, block rows and addresses as they are printed, without markup."""

    printed: dict[str, str]
    addresses: dict[str, AddressLines]  # by role

    def of_cell(self, content: CellContent) -> str:
        before, path, after = content
        return f"{before}{self.printed.get(path, '') if path else ''}{after}"

    def of_pieces(self, pieces: Sequence[TextAndField]) -> str:
        return "".join(self.of_cell((before, path, "")) for before, path in pieces)

    def of_row(self, row: BlockRow) -> str:
        return f"{self.of_pieces(row.label)}{row.colon} {self.of_pieces(row.value)}".strip()

    def of_address_line(self, role: str, parts: Sequence[tuple[str, str, str]]) -> str:
        return "".join(self.of_cell((before, f"{role}.address.{name}", after)) for before, name, after in parts)

    def of_address(self, role: str, between: str) -> str:
        return between.join(self.of_address_line(role, parts) for parts in self.addresses[role])


def to_markup(drawn: DrawnDocument, engine: Engine | None = None, slip_place: SlipPlace | None = None) -> PageMarkup:
    """Return the HTML of a document, with a mark on everything that is to have a box.

    Args:
        drawn: the document.
        engine: engine for which the HTML is written; the document's own by default.
        slip_place: where its payment slip is, if it has one; right below its content by default.
    """
    look, document = drawn.presentation, drawn.document
    facts, language = LOCALE_FACTS[document.locale], LOCALE_FACTS[document.locale].language
    table_name = "entries" if document.entries else "line_items"
    markup = PageMarkup(engine or look.engine, look.font, language, table=table_name)
    texts = _PrintedTexts(drawn.printed, _addresses(drawn))

    def print_field(path: str) -> Markup:
        return markup.field(path, drawn.printed[path]) if path in drawn.printed else Markup("")

    def mark_row(row: TableRow) -> Markup:
        return markup.mark_row(row.number, _cells_of(row, look, texts), head=row.cell_tag == "th")

    def mark_merged() -> Markup:
        return markup.mark_row(0, _merged_cells(look), head=True)

    sheet, table, rows, blocks = sheet_of(drawn), table_widths(drawn), table_rows(drawn), Blocks(drawn)
    issuer, recipient = "seller", "buyer"
    if document.document_type is DocumentType.PURCHASE_ORDER:
        issuer, recipient = recipient, issuer
    heading, heading_rows = printed_heading(drawn)
    markup.html = (
        _environment()
        .get_template(_template_of(look))
        .render(
            printed=drawn.printed,
            look=look,
            labels=look.labels,
            addresses=texts.addresses,
            particulars=LABELLED_PARTY_FIELDS,
            heads=[row for row in rows if row.cell_tag == "th"],
            sheets=rows_by_sheet(rows),
            item_group_span=item_group_span(look.columns),
            spanning_style=SPANNING_STYLE,
            money_columns=MONEY_COLUMNS,
            table=table,
            language=language,
            emblem=_emblem(look, drawn.printed[f"{issuer}.name"]),
            seal=_seal_lines(drawn.printed[f"{issuer}.name"], language, document.document_type),
            issuer_role=issuer,
            recipient_role=recipient,
            terms_columns=_terms_columns(look),
            slip=look.payment_slip,
            slip_code=_slip_code(look),
            slip_gap=slip_place.gap if slip_place else None,
            slip_alone=slip_place.on_own_sheet if slip_place else False,
            slip_height=SLIP_HEIGHT - SLIP_MARGIN,
            slip_margin=OWN_SHEET_MARGIN if slip_place and slip_place.on_own_sheet else SLIP_MARGIN,
            payment_code=qr_code(look.payment_code, look.style.code_size) if look.payment_code else "",
            item_codes=_item_code if look.item_bar_codes else None,
            form_code=qr_code(look.tax_form.code, FORM_CODE_SIZE) if look.tax_form else "",
            bar_code=bar_code(look.bar_code, BAR_CODE_LENGTH, BAR_CODE_HEIGHT) if look.bar_code else "",
            heading=heading,
            heading_rows=heading_rows,
            heading_facts=blocks.header() + (blocks.payment() if document.entries else ()),
            header=blocks.header(),
            payment=blocks.payment(),
            terms=blocks.terms(),
            bank=blocks.bank(),
            totals=blocks.balances() if document.entries else blocks.totals(),
            sheet=sheet,
            room=sheet.content_width,
            fits=fits_content(drawn),
            fit=Fitting(drawn, table.page_scale),
            due_size=DUE_SIZE,
            direction="rtl" if facts.right_to_left else "ltr",
            fallback=FALLBACK_FONT,
            second_script=SECOND_SCRIPT_FONT,
            line_height=max(look.style.line_height, line_extent(look.font)),
            start="right" if facts.right_to_left else "left",
            end="left" if facts.right_to_left else "right",
            usual_title_size=USUAL_TITLE_SIZE,
            spacing="normal" if language in LANGUAGES_WITHOUT_LETTER_SPACING else f"{TITLE_SPACING}em",
            digits="arabic-indic" if look.numbers.digits == "arabic" else "decimal",
            tag=markup.tag("span"),
            row_tag=markup.tag("tr"),
            head_tag=markup.tag("th"),
            line_tag=markup.tag("div"),
            field=print_field,
            mark=markup.mark,
            mark_line=markup.mark_line,
            mark_content=markup.mark_content,
            mark_row=mark_row,
            mark_merged=mark_merged,
            mark_column=markup.mark_column,
            text_of=texts.of_pieces,
            text_of_row=texts.of_row,
            text_of_address=texts.of_address,
            text_of_address_line=texts.of_address_line,
        )
    )
    return markup


def _cells_of(row: TableRow, look: Presentation, texts: _PrintedTexts) -> list[MarkedCell]:
    if row.pieces:
        return [MarkedCell(0, len(look.columns), texts.of_pieces(row.pieces))]
    by_column = {column: texts.of_cell(content) for column, content in row.cells.items()}
    if row.style == SPANNING_STYLE:
        return [MarkedCell(0, len(look.columns), text) for text in by_column.values()]
    return [MarkedCell(index, 1, by_column.get(column, "")) for index, column in enumerate(look.columns)]


def _merged_cells(look: Presentation) -> list[MarkedCell]:
    """Return the two cells of a merged head: one over the item's columns, one over those of its price."""
    span, labels = item_group_span(look.columns), look.labels
    return [
        MarkedCell(0, span, labels["group_item"]),
        MarkedCell(span, len(look.columns) - span, labels["group_price"]),
    ]


def _addresses(drawn: DrawnDocument) -> dict[str, AddressLines]:
    """Return the printed lines of each party's address, by the party's role; none for a party without an address."""
    parties = {role: getattr(drawn.document, role) for role in PARTY_ROLES}
    return {
        role: address_lines(party.address, drawn.document.locale) if party.address else []
        for role, party in parties.items()
        if party
    }
