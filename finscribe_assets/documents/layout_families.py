"""The template families: for which documents each is made, what distinguishes its structure, and what it needs.

A family is the style of a table and the structure around it: what stands between head and table, beside and below it.
What stands in the head, and where, is a habit of each vendor (`headings.py`), but for receipts and the sidebar. The
templates are in `rendering/templates/`, the tables' styles in `rendering/column_widths.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from finscribe_assets.documents.schema import DocumentType

_BILLS = (DocumentType.INVOICE, DocumentType.CREDIT_NOTE)
_RECEIPT, _ORDER, _STATEMENT = DocumentType.RECEIPT, DocumentType.PURCHASE_ORDER, DocumentType.BANK_STATEMENT


@dataclass(frozen=True)
class LayoutFacts:
    """What the generator knows of a template family.

    Attributes:
        document_types: the document types that it is made for.
        structure: what distinguishes its structure, in one line.
        held_out: whether it is held out from training (see `held_out.py`).
        trades: the trades whose sellers use it; empty for all. Others use it only if a recipe leaves no choice.
        columns: columns that its table always has, whatever the seller's habits.
        labels: labels of its own: name in the template → key of the wordings.
        page_rows: number of table rows on the first page and on each further page, if every page carries a subtotal
            forward.
        is_long: whether it is made for more lines than fit on one page.
        landscape: whether its sheets are wider than high.
        monospaced: whether it imitates a printer with a single monospaced font.
        seating: whether it prints table number, number of guests and server.
        template: the template, if it is not that of the family's own name: families may share a template and differ in
            the style of the table.
    """

    document_types: tuple[DocumentType, ...]
    structure: str
    held_out: bool = False
    trades: tuple[str, ...] = ()
    columns: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    page_rows: tuple[int, int] | None = None
    is_long: bool = False
    landscape: bool = False
    monospaced: bool = False
    seating: bool = False
    template: str = ""


LAYOUT_FACTS: dict[str, LayoutFacts] = {
    "invoice_classic": LayoutFacts(_BILLS, "Totals below the table, payment and remarks below them."),
    "invoice_sidebar": LayoutFacts(
        _BILLS, "Seller, document data and payment in a narrow column beside the page's main part."
    ),
    "invoice_boxed": LayoutFacts(_BILLS, "A table grid close to the head, framed totals, payment in ruled boxes."),
    "invoice_open": LayoutFacts(_BILLS, "No rules: wide spaces, a large amount due, payment in columns."),
    "invoice_ledger": LayoutFacts(
        _BILLS,
        "Small type, a table grid of many columns, payment and remarks beside the totals.",
        columns=frozenset({"line_id", "sku", "unit", "vat_rate"}),
    ),
    "invoice_letter": LayoutFacts(
        _BILLS,
        "A business letter: salutation, table, closing formula, and registrations, contact and bank in the columns of "
        "a footer.",
        labels={"greeting": "letter.greeting", "closing": "letter.closing"},
    ),
    "invoice_columns": LayoutFacts(
        _BILLS,
        "Payment beside totals of full width, at the end of a table in smaller type.",
        held_out=True,
    ),
    "invoice_continued": LayoutFacts(
        _BILLS,
        "Landscape continuation sheets: each carries a subtotal forward, the totals are on the last.",
        page_rows=(7, 17),
        is_long=True,
        landscape=True,
    ),
    "invoice_summary": LayoutFacts(_BILLS, "A frame of payment and totals between the head and the table."),
    "invoice_terms": LayoutFacts(
        _BILLS, "Payment in a ruled strip between the head and the table.", template="terms_above"
    ),
    "invoice_dense": LayoutFacts(
        _BILLS, "Small type and low rows; totals and payment below the table.", template="invoice_classic"
    ),
    "receipt_till": LayoutFacts(
        (_RECEIPT,),
        "A till roll: everything in one narrow column, item names often on lines of their own.",
        monospaced=True,
    ),
    "receipt_slip": LayoutFacts(
        (_RECEIPT,), "A wider slip: framed document data and totals, a ruled table, the seller at the foot."
    ),
    "receipt_restaurant": LayoutFacts(
        (_RECEIPT,),
        "A restaurant's bill: table, guests and server at the head, a line for the tip, number and date at the foot.",
        held_out=True,
        trades=("restaurant", "cafe", "bar"),
        monospaced=True,
        seating=True,
        labels={"tip": "totals.tip_amount"},
    ),
    "order_form": LayoutFacts((_ORDER,), "A table grid, terms and signature beside framed totals."),
    "order_letter": LayoutFacts((_ORDER,), "A table of high rows, totals, and terms below them."),
    "order_grid": LayoutFacts(
        (_ORDER,),
        "Boxed terms between the head and a table grid, signature boxes at the foot.",
        held_out=True,
        labels={"approved": "sign.approved", "signature": "sign.signature", "signed": "sign.date"},
    ),
    "order_terms": LayoutFacts(
        (_ORDER,), "Terms in a ruled strip between the head and the table.", template="terms_above"
    ),
    "order_dense": LayoutFacts((_ORDER,), "Small type and low rows; totals and terms below.", template="order_letter"),
    "statement_plain": LayoutFacts((_STATEMENT,), "Balances at the end."),
    "statement_boxed": LayoutFacts((_STATEMENT,), "A frame of balances between the head and the table."),
    "statement_ledger": LayoutFacts(
        (_STATEMENT,),
        "A strip of balances, then a dense table whose sheets carry the balance forward.",
        held_out=True,
        page_rows=(18, 32),
    ),
    "statement_strip": LayoutFacts((_STATEMENT,), "A table of small type, a strip of balances below it."),
    "statement_dense": LayoutFacts(
        (_STATEMENT,), "Low rows in small type, balances at the end.", template="statement_plain"
    ),
}

LAYOUTS_BY_TYPE: dict[DocumentType, tuple[str, ...]] = {
    document_type: tuple(name for name, facts in LAYOUT_FACTS.items() if document_type in facts.document_types)
    for document_type in DocumentType
}


def fitting_trades(document_type: DocumentType, weights: Mapping[str, float]) -> frozenset[str]:
    """Return the trades whose sellers use one of the weighted layouts for a type of document; empty for all trades."""
    trades = [LAYOUT_FACTS[layout].trades for layout in LAYOUTS_BY_TYPE[document_type] if weights.get(layout)]
    return frozenset(name for names in trades for name in names) if all(trades) else frozenset()


# Labels that every template needs for documents of several pages.
PAGE_LABELS = {"page": "decoy.page"}
