"""The template families: for which documents each is made, what distinguishes its structure, and what it needs.

The templates themselves are in `rendering/templates/`, under the same names.
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
        monospaced: whether it imitates a printer with a single monospaced font.
        seating: whether it prints table number, number of guests and server.
    """

    document_types: tuple[DocumentType, ...]
    structure: str
    held_out: bool = False
    trades: tuple[str, ...] = ()
    columns: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    page_rows: tuple[int, int] | None = None
    is_long: bool = False
    monospaced: bool = False
    seating: bool = False


LAYOUT_FACTS: dict[str, LayoutFacts] = {
    "invoice_classic": LayoutFacts(
        _BILLS, "Seller on the left, title and document data on the right, buyer below, totals and payment at the end."
    ),
    "invoice_sidebar": LayoutFacts(
        _BILLS, "Seller, document data and payment in a narrow column beside the page's main part."
    ),
    "invoice_boxed": LayoutFacts(
        _BILLS, "A form: every value, totals included, in a ruled box of its own under a small label."
    ),
    "invoice_open": LayoutFacts(
        _BILLS, "No rules: wide spaces, labels above their values, a large amount due, payment in columns."
    ),
    "invoice_ledger": LayoutFacts(
        _BILLS,
        "Small type, a table grid of many columns, document data in a strip of four columns.",
        columns=frozenset({"line_id", "sku", "unit", "vat_rate"}),
    ),
    "invoice_letter": LayoutFacts(
        _BILLS,
        "A business letter: address window under a one-line sender, information block, closing formula, and "
        "registrations, contact and bank in the columns of a footer.",
        labels={"greeting": "letter.greeting", "closing": "letter.closing"},
    ),
    "invoice_columns": LayoutFacts(
        _BILLS,
        "Seller, buyer, consignee and document data side by side in three or four columns, payment beside the totals.",
        held_out=True,
    ),
    "invoice_continued": LayoutFacts(
        _BILLS,
        "Landscape continuation sheets: each carries a subtotal forward, the totals are on the last.",
        page_rows=(8, 15),
        is_long=True,
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
        trades=("catering",),
        monospaced=True,
        seating=True,
        labels={"tip": "totals.tip_amount"},
    ),
    "order_form": LayoutFacts(
        (_ORDER,), "A framed form: buyer beside document data, supplier below, terms and signature beside the totals."
    ),
    "order_letter": LayoutFacts(
        (_ORDER,), "A letter: the buyer's letterhead, the supplier's address, document data, table, totals."
    ),
    "order_grid": LayoutFacts(
        (_ORDER,),
        "A strip of boxed document data, parties and terms boxed below it, signature boxes at the foot.",
        held_out=True,
        labels={"approved": "sign.approved", "signature": "sign.signature", "signed": "sign.date"},
    ),
    "statement_plain": LayoutFacts(
        (_STATEMENT,), "Bank, holder, account and period one below the other, balances at the end."
    ),
    "statement_boxed": LayoutFacts(
        (_STATEMENT,), "Bank and holder, account and balances in four boxes above the table."
    ),
    "statement_ledger": LayoutFacts(
        (_STATEMENT,),
        "Letterhead, a strip of balances, then a dense table whose sheets carry the balance forward.",
        held_out=True,
        page_rows=(18, 32),
    ),
}

LAYOUTS_BY_TYPE: dict[DocumentType, tuple[str, ...]] = {
    document_type: tuple(name for name, facts in LAYOUT_FACTS.items() if document_type in facts.document_types)
    for document_type in DocumentType
}
# Labels that every template needs for documents of several pages.
PAGE_LABELS = {"page": "decoy.page"}
