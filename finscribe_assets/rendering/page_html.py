"""A drawn document → the HTML of its pages. Templates obey its presentation and print its texts; they format nothing.

One family of templates serves both engines. What differs is how a mark is written, so templates write marks through
`mark` and `field` alone: WeasyPrint finds an attribute on its laid-out boxes, PlutoPrint tells where links are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from finscribe_assets.documents.addresses import address_lines
from finscribe_assets.documents.captions import LABELLED_PARTY_FIELDS, PARTY_ROLES
from finscribe_assets.documents.drawn_document import DrawnDocument, Engine
from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.rendering.column_widths import table_widths
from finscribe_assets.rendering.font_faces import FALLBACK_FONT, SECOND_SCRIPT_FONT, line_extent
from finscribe_assets.rendering.line_breaking import ON_ONE_LINE, pieces_of
from finscribe_assets.rendering.page_blocks import BlockRow, Blocks, Piece
from finscribe_assets.rendering.pages import MarkType
from finscribe_assets.rendering.printed_rows import (
    MONEY_COLUMNS,
    SPANNING,
    Cell,
    TableRow,
    merged_at,
    sheets_of,
    table_rows,
)
from finscribe_assets.rendering.sheet_size import fits_content, sheet_of
from finscribe_assets.rendering.text_fitting import DUE, Fitting

# Letters that join, or fill their square, are not spaced out.
UNSPACED = ("ar", "ja", "zh")


class MarkedElement(NamedTuple):
    """Something that the HTML marks: what it is, and the text that stands in it, where that is known."""

    type: MarkType | None  # None for the head of a column, and for all that a page holds
    name: str
    text: str = ""
    cells: tuple[MarkedCell, ...] = ()  # of a row
    repeats: bool = False  # whether pages may show it again, as they do the table's head


class MarkedCell(NamedTuple):
    """A cell of a marked row: the columns that it stands in, and its text."""

    first: int  # column, from 0
    columns: int
    text: str


@dataclass
class PageMarkup:
    """The HTML of a document and what it marks, by number."""

    engine: Engine
    font: str
    language: str
    marked: list[MarkedElement] = field(default_factory=list)
    html: str = ""
    table: str = ""  # name of the document's table
    columns: list[int] = field(default_factory=list)  # numbers of the marks of its columns' heads
    content: int | None = None  # number of the mark around all that is printed, where the page is cut to it

    def mark(self, name: str) -> Markup:
        """Return the attribute that marks an element as ``kind:name``."""
        kind, _, rest = name.partition(":")
        return self._attribute(MarkedElement(MarkType(kind), rest))

    def mark_content(self) -> Markup:
        """Return the attribute that marks the element around all that is printed."""
        self.content = len(self.marked)
        return self._attribute(MarkedElement(None, "content"))

    def mark_row(self, number: int, cells: Iterable[MarkedCell], *, head: bool) -> Markup:
        """Return the attribute that marks a row of the table, which tells its cells' heights."""
        return self._attribute(MarkedElement(MarkType.ROW, str(number), cells=tuple(cells), repeats=head))

    def mark_line(self, text: str) -> Markup:
        """Return the attribute that marks a printed line of a block with all its text."""
        return self._attribute(MarkedElement(MarkType.LINE, str(len(self.marked)), text))

    def mark_column(self) -> Markup:
        """Return the attribute that marks the head of the next column, which tells its cells' widths."""
        self.columns.append(len(self.marked))
        return self._attribute(MarkedElement(None, "column"))

    def _attribute(self, marked: MarkedElement) -> Markup:
        self.marked.append(marked)
        number = len(self.marked) - 1
        href = f'href="http://m/{number}"' if self.engine is Engine.PLUTOPRINT else f'data-mark="{number}"'
        return Markup(href)  # noqa: S704, a number

    def tag(self, other: str) -> str:
        """Return the element that carries a mark instead of another: of PlutoPrint's only anchors become links."""
        return "a" if self.engine is Engine.PLUTOPRINT else other

    def field(self, path: str, text: str) -> Markup:
        """Return a value with its mark."""
        tag, value_type = self.tag("span"), value_type_of(path)
        attribute = self._attribute(MarkedElement(MarkType.FIELD, path, text))
        pieces = pieces_of(text, self.language, path)
        # The groups of a telephone number would change places among Arabic words.
        style = "ltr" if self.language == "ar" and value_type is ValueType.IDENTIFIER else ""
        if len(pieces) == 1:
            style += " whole" if "-" in text or value_type in ON_ONE_LINE else ""
            inner = str(escape(text))
        else:
            between = "<wbr/>" if path.endswith("email") else ""
            inner = between.join(f"{space}{_unbroken(piece)}" for space, piece in pieces)
        style = f' class="{style}"' if style else ""
        return Markup(f"<{tag} {attribute}{style}>{inner}</{tag}>")  # noqa: S704, escaped


def _unbroken(piece: str) -> str:
    # A word cut at its hyphen would be read as two.
    return f'<span class="whole">{escape(piece)}</span>' if "-" in piece else escape(piece)


@cache
def _environment() -> Environment:
    # Autoescape keeps a value text: markup in a name is printed, not interpreted. StrictUndefined: no silent gaps.
    environment = Environment(
        loader=PackageLoader("finscribe_assets.rendering"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["css_text"] = _css_text
    environment.filters["qualified"] = lambda name, role: f"{role}.{name}"
    return environment


def _css_text(text: str) -> Markup:
    """Return a text as CSS's own, in which nothing ends the string or the style."""
    return Markup('"' + "".join(c if c.isalnum() or c == " " else f"\\{ord(c):x} " for c in text) + '"')  # noqa: S704


def _initials(name: str) -> str:
    """Return what a logo shows of a name: the first letters of two words, or one letter of other scripts."""
    letters = [word[0] for word in name.split() if word[0].isalpha()] or [name[0]]
    return "".join(letters[:2]).upper() if letters[0] < "\u0250" else letters[0]


def to_markup(drawn: DrawnDocument, engine: Engine | None = None) -> PageMarkup:
    """Return the HTML of a document for its engine, with a mark on everything that has a box."""
    look, document = drawn.presentation, drawn.document
    facts, language = LOCALE_FACTS[document.locale], LOCALE_FACTS[document.locale].language
    table_name = "entries" if document.entries else "line_items"
    page = PageMarkup(engine or look.engine, look.font, language, table=table_name)
    right_to_left = facts.right_to_left

    def print_field(path: str) -> Markup:
        return page.field(path, drawn.printed[path]) if path in drawn.printed else Markup("")

    def text_of(content: Cell) -> str:
        before, path, after = content
        return f"{before}{drawn.printed.get(path, '') if path else ''}{after}"

    def text_of_pieces(pieces: Sequence[Piece]) -> str:
        return "".join(text_of((before, path, "")) for before, path in pieces)

    def text_of_row(row: BlockRow) -> str:
        return f"{text_of_pieces(row.label)}{row.colon} {text_of_pieces(row.value)}".strip()

    def text_of_address_line(role: str, parts: Sequence[Cell]) -> str:
        return "".join(text_of((before, f"{role}.address.{name}", after)) for before, name, after in parts)

    def text_of_address(role: str, between: str) -> str:
        return between.join(text_of_address_line(role, parts) for parts in addresses[role])

    def mark_row(row: TableRow) -> Markup:
        texts = {column: text_of(content) for column, content in row.cells.items()}
        if row.style == SPANNING:
            cells = [MarkedCell(0, len(look.columns), text) for text in texts.values()]
        else:
            cells = [MarkedCell(at, 1, texts.get(column, "")) for at, column in enumerate(look.columns)]
        return page.mark_row(row.number, cells, head=row.kind == "th")

    def mark_merged() -> Markup:
        at, labels = merged_at(look.columns), look.labels
        after = len(look.columns) - at
        cells = MarkedCell(0, at, labels["group_item"]), MarkedCell(at, after, labels["group_price"])
        return page.mark_row(0, cells, head=True)

    addresses = _addresses(drawn)
    sheet, table, rows, blocks = sheet_of(drawn), table_widths(drawn), table_rows(drawn), Blocks(drawn)
    issuer = drawn.printed["buyer.name" if document.document_type is DocumentType.PURCHASE_ORDER else "seller.name"]
    page.html = (
        _environment()
        .get_template(f"{look.layout}.html")
        .render(
            printed=drawn.printed,
            look=look,
            labels=look.labels,
            addresses=addresses,
            particulars=LABELLED_PARTY_FIELDS,
            heads=[row for row in rows if row.kind == "th"],
            sheets=sheets_of(rows),
            merged_at=merged_at(look.columns),
            spanning=SPANNING,
            money_columns=MONEY_COLUMNS,
            table=table,
            language=language,
            initials=_initials(issuer),
            header=blocks.header(),
            payment=blocks.payment(),
            terms=blocks.terms(),
            bank=blocks.bank(),
            totals=blocks.balances() if document.entries else blocks.totals(),
            sheet=sheet,
            room=sheet.room,
            fits=fits_content(drawn),
            fit=Fitting(drawn, table.page_scale),
            due=DUE,
            direction="rtl" if right_to_left else "ltr",
            fallback=FALLBACK_FONT,
            second_script=SECOND_SCRIPT_FONT,
            line_height=max(look.style.line_height, line_extent(look.font)),
            start="right" if right_to_left else "left",
            end="left" if right_to_left else "right",
            spacing="normal" if language in UNSPACED else "0.08em",
            digits="arabic-indic" if look.numbers.digits == "arabic" else "decimal",
            tag=page.tag("span"),
            row_tag=page.tag("tr"),
            head_tag=page.tag("th"),
            mark=page.mark,
            field=print_field,
            line_tag=page.tag("div"),
            mark_line=page.mark_line,
            text_of=text_of_pieces,
            text_of_row=text_of_row,
            text_of_address=text_of_address,
            text_of_address_line=text_of_address_line,
            mark_content=page.mark_content,
            mark_row=mark_row,
            mark_column=page.mark_column,
            mark_merged=mark_merged,
        )
    )
    return page


def _addresses(drawn: DrawnDocument) -> dict[str, Any]:
    """Return the printed lines of each party's address, by the party's role; no line for one without an address."""
    parties = {role: getattr(drawn.document, role) for role in PARTY_ROLES}
    return {role: address_lines(party.address) if party.address else [] for role, party in parties.items() if party}
