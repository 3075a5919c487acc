"""The labels (captions) of a page: which fields have one, and under which key its wordings are stored.

The wordings themselves are in `languages/*.yaml`, read by `wordings.py`; `presentation_drawing.py` chooses among them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from finscribe_assets.documents.schema import Document, DocumentType

# Fields of the header and of the payment block, in printed order.
HEADER_FIELDS = (
    "document_number",
    "issue_date",
    "issue_time",
    "due_date",
    "delivery_date",
    "period_start",
    "period_end",
    "preceding_invoice_reference",
    "preceding_invoice_date",
    "purchase_order_reference",
    "contract_reference",
    "despatch_reference",
    "buyer_reference",
    "buyer.identifier",
    "place_of_supply",
    "statement.account_number",
)
PAYMENT_FIELDS = (
    "payment_terms",
    "payment_means",
    "card_number",
    "terminal_id",
    "authorisation_code",
    "payment_reference",
    "bank_name",
    "payment_account",
    "bank_identifier",
)
LABELLED_PARTY_FIELDS = (
    "vat_identifier",
    "tax_registration",
    "legal_registration",
    "contact_name",
    "contact_phone",
    "contact_email",
)
PARTY_ROLES = ("seller", "buyer", "ship_to", "payee")

# Labels whose wording depends on the document type.
_WORDED_BY_TYPE = ("title", "document_number", "issue_date")
_TYPES_WITH_OWN_AMOUNT_DUE = (DocumentType.CREDIT_NOTE, DocumentType.PURCHASE_ORDER)


def label_key(name: str, document_type: DocumentType) -> str:
    """Return the key in `languages/*.yaml` of a label's wordings.

    Args:
        name: what is labelled: a field without list positions, a party's role, or ``title``.
        document_type: the type of the document that the label is on.
    """
    if name in _WORDED_BY_TYPE:
        return f"{name}.{document_type}"
    if name == "delivery_date" and document_type is DocumentType.PURCHASE_ORDER:
        return "requested_delivery_date"
    if name == "totals.amount_due" and document_type in _TYPES_WITH_OWN_AMOUNT_DUE:
        return f"totals.amount_due.{document_type}"
    if name in ("seller", "buyer") and document_type is DocumentType.PURCHASE_ORDER:
        return f"{name}.{document_type}"
    if name == "buyer" and document_type is DocumentType.BANK_STATEMENT:
        return "account_holder"
    group, _, last = name.rpartition(".")
    if group in ("lines", "entries"):
        return f"columns.{last}"
    if group in PARTY_ROLES:
        return "party_identifier" if last == "identifier" else last
    return name


@cache
def _is_labelled(path: str) -> bool:
    group, _, last = path.rpartition(".")
    return (
        path in HEADER_FIELDS
        or path in PAYMENT_FIELDS
        or path == "exchange_rate"
        or group in ("totals", "statement")
        or (group in PARTY_ROLES and last in LABELLED_PARTY_FIELDS)
    )


def labels_needed(
    document: Document, printed: Iterable[str], columns: tuple[str, ...], *, merged_head: bool
) -> dict[str, str]:
    """Return the labels that a page needs.

    Args:
        document: the document on the page.
        printed: paths of the printed values.
        columns: columns of the table, as fields of `Line` or `Entry`.
        merged_head: whether a row above the table's header spans several columns.

    Returns:
        For each label, what it is used for (a field without list positions, or a purpose such as ``carried_forward``)
        and the key of its wordings.
    """
    document_type = document.document_type
    group = "entries" if document_type is DocumentType.BANK_STATEMENT else "lines"
    names = [
        "title",
        *(role for role in PARTY_ROLES if getattr(document, role)),
        *(f"{group}.{name}" for name in columns),
    ]
    names += [path for path in printed if _is_labelled(path)]
    keys = {name: label_key(name, document_type) for name in names}
    if merged_head:
        keys |= {"group_item": "columns.group_item", "group_price": "columns.group_price"}
    if document.cash_discount:
        keys |= {"cash_discount": "cash_discount", "until": "until"}
    if document.page_subtotals:
        keys |= {"carried_forward": "carried_forward", "brought_forward": "brought_forward"}
    for share in document.vat_breakdown:
        inclusive = document.lines[0].price_with_vat is not None
        name = f"vat_breakdown.{share.tax_name}" if share.tax_name else "vat_breakdown"
        keys |= {name: "vat_included" if inclusive else name, "on": "on"}
    return keys
