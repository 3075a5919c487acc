"""A drawn document → the HTML of its pages. Templates obey its presentation and print its texts; they format nothing.

One family of templates serves both engines. What differs is how a mark is written, so templates write marks through
`mark` and `field` alone: WeasyPrint finds an attribute on its laid-out boxes, PlutoPrint tells where links are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from finscribe_assets.documents.addresses import address_lines
from finscribe_assets.documents.captions import PARTICULARS, PARTIES
from finscribe_assets.documents.drawn import DrawnDocument, Engine
from finscribe_assets.documents.elements import ValueKind, kind_of
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.rendering.blocks import Blocks
from finscribe_assets.rendering.columns import MAIL_PARTS, WORDS, table_widths
from finscribe_assets.rendering.faces import FALLBACK, SECOND_SCRIPT, line_extent
from finscribe_assets.rendering.fitting import DUE, Fitting
from finscribe_assets.rendering.pages import MarkKind
from finscribe_assets.rendering.rows import MONEY_COLUMNS, SPANNING, Cell, merged_at, sheets_of, table_rows
from finscribe_assets.rendering.sheets import fits_content, sheet_of

# Letters that join, or fill their square, are not spaced out.
UNSPACED = ("ar", "ja", "zh")
_ON_ONE_LINE = (ValueKind.AMOUNT, ValueKind.DATE)


@dataclass(frozen=True)
class Marked:
    """Something that the HTML marks: what it is, and the text that stands in it, where that is known."""

    kind: MarkKind | None  # None for a piece of a field, and for all that a page holds
    name: str
    text: str = ""
    piece_of: int | None = None  # number of the field that this is a part of; lines may end between pieces


@dataclass
class PageMarkup:
    """The HTML of a document and what it marks, by number."""

    engine: Engine
    marked: list[Marked] = field(default_factory=list)
    html: str = ""
    table: str = ""  # name of the document's table
    content: int | None = None  # number of the mark around all that is printed, where the page is cut to it

    def mark(self, name: str, text: str = "") -> Markup:
        """Return the attribute that marks an element as ``kind:name``."""
        kind, _, rest = name.partition(":")
        return self._attribute(Marked(MarkKind(kind), rest, text))

    def mark_content(self) -> Markup:
        """Return the attribute that marks the element around all that is printed."""
        self.content = len(self.marked)
        return self._attribute(Marked(None, "content"))

    def _attribute(self, marked: Marked) -> Markup:
        self.marked.append(marked)
        number = len(self.marked) - 1
        href = f'href="http://m/{number}"' if self.engine is Engine.PLUTOPRINT else f'data-mark="{number}"'
        return Markup(href)  # noqa: S704, a number

    @property
    def tag(self) -> str:
        """Return the element that carries marks: only anchors become links, and HTML's own parser nests none."""
        return "a" if self.engine is Engine.PLUTOPRINT else "span"

    def field(self, path: str, text: str, language: str) -> Markup:
        """Return a value with its mark.

        PlutoPrint does not tell what stands on each of several lines: every piece that a line may end after is marked
        too. WeasyPrint does tell, and would order marked pieces wrongly where left-to-right text stands in Arabic.
        """
        tag, attribute = self.tag, self._attribute(Marked(MarkKind.FIELD, path, text))
        number, kind = len(self.marked) - 1, kind_of(path)
        # No line ends within an amount or a date.
        pieces = [("", text)] if kind in _ON_ONE_LINE else _pieces(text, path, language)
        # The groups of a telephone number would change places among Arabic words.
        style = "ltr" if language == "ar" and kind is ValueKind.IDENTIFIER else ""
        # A word cut at its hyphen would be read as two.
        if len(pieces) == 1:
            style += " whole" if "-" in text or kind in _ON_ONE_LINE else ""
            return Markup(f'<{tag} {attribute} class="{style}">{escape(text)}</{tag}>')  # noqa: S704, escaped
        inner = []
        for space, piece in pieces:
            whole = ' class="whole"' if "-" in piece else ""
            if self.engine is Engine.PLUTOPRINT:
                whole += f" {self._attribute(Marked(None, path, space + piece, piece_of=number))}"
            inner.append(f"{space}<{tag}{whole}>{escape(piece)}</{tag}>" if whole else f"{space}{escape(piece)}")
        between = "<wbr/>" if path.endswith("email") else ""
        return Markup(f'<{tag} {attribute} class="{style}">{between.join(inner)}</{tag}>')  # noqa: S704, escaped


def _pieces(text: str, path: str, language: str) -> list[tuple[str, str]]:
    """Return the pieces of a text that lines may end between, each with the space before it."""
    if path.endswith("email"):
        return [("", piece) for piece in MAIL_PARTS.findall(text)]
    if language not in ("ja", "zh"):
        return [(" " if place else "", word) for place, word in enumerate(text.split(" "))]
    found, end = [], 0
    for piece in WORDS.finditer(text):
        found.append((text[end : piece.start()], piece[0]))
        end = piece.end()
    return found


@cache
def _environment() -> Environment:
    # Autoescape keeps a value text: markup in a name is printed, not interpreted. StrictUndefined: no silent gaps.
    environment = Environment(loader=PackageLoader("finscribe_assets.rendering"), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    environment.filters["css_text"] = _css_text
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
    page = PageMarkup(engine or look.engine, table="entries" if document.entries else "line_items")
    right_to_left = facts.right_to_left

    def print_field(path: str) -> Markup:
        return page.field(path, drawn.printed[path], language) if path in drawn.printed else Markup("")

    def text_of(content: Cell) -> str:
        before, path, after = content
        return f"{before}{drawn.printed.get(path, '') if path else ''}{after}"

    sheet, table, rows, blocks = sheet_of(drawn), table_widths(drawn), table_rows(drawn), Blocks(drawn)
    issuer = drawn.printed["buyer.name" if document.document_type is DocumentType.PURCHASE_ORDER else "seller.name"]
    page.html = _environment().get_template(f"{look.layout}.html").render(
        printed=drawn.printed, look=look, labels=look.labels, addresses=_addresses(drawn), particulars=PARTICULARS,
        heads=[row for row in rows if row.kind == "th"], sheets=sheets_of(rows), merged_at=merged_at(look.columns),
        text_of=text_of, spanning=SPANNING,
        money_columns=MONEY_COLUMNS, table=table, language=language, initials=_initials(issuer),
        header=blocks.header(), payment=blocks.payment(), terms=blocks.terms(), bank=blocks.bank(),
        totals=blocks.balances() if document.entries else blocks.totals(),
        sheet=sheet, room=sheet.room, fits=fits_content(drawn), fit=Fitting(drawn, table.page_scale), due=DUE,
        direction="rtl" if right_to_left else "ltr",
        fallback=FALLBACK, second_script=SECOND_SCRIPT,
        line_height=max(look.style.line_height, line_extent(look.font)),
        start="right" if right_to_left else "left", end="left" if right_to_left else "right",
        spacing="normal" if language in UNSPACED else "0.08em",
        digits="arabic-indic" if look.numbers.digits == "arabic" else "decimal",
        tag=page.tag, mark=page.mark, mark_content=page.mark_content, field=print_field,
        pluto=page.engine is Engine.PLUTOPRINT,
    )  # fmt: skip
    return page


def _addresses(drawn: DrawnDocument) -> dict[str, Any]:
    """Return the printed lines of each party's address, by the party's role; no line for one without an address."""
    parties = {role: getattr(drawn.document, role) for role in PARTIES}
    return {role: address_lines(party.address) if party.address else [] for role, party in parties.items() if party}
