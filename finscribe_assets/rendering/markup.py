"""A drawn document → HTML. Templates obey the presentation and print the document's texts; they format nothing."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from finscribe_assets.documents.drawn import DrawnDocument
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.rendering.columns import table_widths

TILL_ROLL, SLIP = "80mm", "105mm"
FIT = 4000  # mm: taller than any receipt; the page is then cut to its content


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
    return _environment().get_template(f"{look.layout}.html").render(
        printed=drawn.printed, labels=look.labels, columns=look.columns, kind=str(document.document_type),
        lines=len(document.lines), rates=len(document.vat_breakdown), font=look.font, size=look.font_size,
        accent=look.accent, reversed_print=look.reversed_print, language=facts.language, paper=paper,
        margin="5mm 4mm" if fits_content(drawn) else "17mm 16mm",
        table=table_widths(drawn),
        has_payment=bool({"payment_terms", "payment_account"} & drawn.printed.keys()),
    )  # fmt: skip
