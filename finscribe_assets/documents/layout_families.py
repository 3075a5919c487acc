"""The template families: what is peculiar about the structure of each, and what a document in it needs besides.

Here too stands what is held out to see whether a reader manages what it was never shown: families, fonts, a locale and
wordings. Documents are drawn from all of them. The splits keep the first three from the first batch's training; a
held-out wording is told, but as more than a quarter of all documents have one, it keeps none of them from training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from finscribe_assets.documents.schema import DocumentType

_BILLS = (DocumentType.INVOICE, DocumentType.CREDIT_NOTE)
_RECEIPT, _ORDER, _STATEMENT = DocumentType.RECEIPT, DocumentType.PURCHASE_ORDER, DocumentType.BANK_STATEMENT


@dataclass(frozen=True)
class LayoutFacts:
    """What is known of a template family besides its template."""

    document_types: tuple[DocumentType, ...]
    structure: str  # what is peculiar about it, in one line
    held_out: bool = False  # from training, to test readers on
    trades: tuple[str, ...] = ()  # whose sellers alone use it, where they have another choice; empty for all
    columns: frozenset[str] = frozenset()  # that its table has whatever the seller's habit is
    labels: Mapping[str, str] = field(default_factory=dict)  # of its own: name in the template → key of wordings
    page_rows: tuple[int, int] | None = None  # lines of its first and other sheets, where each carries its sum forward
    is_long: bool = False  # made for more lines than one sheet holds
    monospaced: bool = False  # such printers have one font
    seating: bool = False  # it tells who sat where


LAYOUT_FACTS: dict[str, LayoutFacts] = {
    "invoice_classic": LayoutFacts(
        _BILLS, "Seller on the left, title and document data on the right, buyer below, totals and payment at the end."
    ),
    "invoice_sidebar": LayoutFacts(
        _BILLS, "Seller, document data and payment in a narrow column beside the page's main part."
    ),
    "invoice_boxed": LayoutFacts(
        _BILLS, "A form: every value in a ruled box of its own, under its small label; so are the totals."
    ),
    "invoice_open": LayoutFacts(
        _BILLS, "No rule at all: wide spaces, labels above their values, a large amount due, payment in columns."
    ),
    "invoice_ledger": LayoutFacts(
        _BILLS,
        "Small type, a full grid of many columns, document data in a strip of four columns.",
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
        "Continuation sheets across the page: each carries its subtotal forward, totals stand on the last.",
        page_rows=(8, 15),
        is_long=True,
    ),
    "receipt_till": LayoutFacts(
        (_RECEIPT,),
        "A till roll: everything in one narrow column, an item's name often on a line of its own.",
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
    kind: tuple(name for name, facts in LAYOUT_FACTS.items() if kind in facts.document_types) for kind in DocumentType
}
# Print that stands on every page of several, whatever the layout.
PAGE_LABELS = {"page": "decoy.page"}
