"""A drawn document → HTML. Templates obey the presentation and print the document's texts; they format nothing."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from finscribe_assets.documents.addresses import address_lines
from finscribe_assets.documents.captions import HEADER, PARTICULARS, PARTIES, PAYMENT
from finscribe_assets.documents.drawn import DrawnDocument
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.rendering.columns import table_widths
from finscribe_assets.rendering.rows import MONEY_COLUMNS, merged_at, table_rows

TILL_ROLL, SLIP = "80mm", "105mm"
FIT = 4000  # mm: taller than any receipt; the page is then cut to its content
# Letters that join, or fill their square, are not spaced out.
UNSPACED = ("ar", "ja", "zh")


@cache
def _environment() -> Environment:
    # Autoescape keeps a value text: markup in a name is printed, not interpreted. StrictUndefined: no silent gaps.
    return Environment(loader=PackageLoader("finscribe_assets.rendering"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True)  # fmt: skip


def fits_content(drawn: DrawnDocument) -> bool:
    """Tell whether the page is as tall as what it prints, as a receipt is."""
    return drawn.document.document_type is DocumentType.RECEIPT


def to_html(drawn: DrawnDocument, page_height_mm: float = FIT) -> str:
    """Return the HTML of a document, with a mark on everything that has a box."""
    look, document = drawn.presentation, drawn.document
    facts = LOCALE_FACTS[document.locale]
    if fits_content(drawn):
        paper = f"{TILL_ROLL if look.layout == 'receipt_till' else SLIP} {page_height_mm:.2f}mm"
    else:
        paper = facts.paper
    right_to_left = facts.language == "ar"
    return _environment().get_template(f"{look.layout}.html").render(
        printed=drawn.printed, look=look, labels=look.labels, document=document, addresses=_addresses(drawn),
        header=HEADER, payment=PAYMENT, particulars=PARTICULARS, rows=table_rows(drawn),
        table_name="entries" if document.entries else "line_items", merged_at=merged_at(look.columns),
        money_columns=MONEY_COLUMNS, language=facts.language, paper=paper,
        margin="5mm 4mm" if fits_content(drawn) else "17mm 16mm", table=table_widths(drawn),
        has_payment=any(path in drawn.printed for path in (*PAYMENT, "cash_discount.percentage")),
        direction="rtl" if right_to_left else "ltr",
        start="right" if right_to_left else "left", end="left" if right_to_left else "right",
        spacing="normal" if facts.language in UNSPACED else "0.08em",
    )  # fmt: skip


def _addresses(drawn: DrawnDocument) -> dict[str, Any]:
    """Return the printed lines of each party's address, by the party's role; no line for one without an address."""
    parties = {role: getattr(drawn.document, role) for role in PARTIES}
    return {role: address_lines(party.address) if party.address else [] for role, party in parties.items() if party}
