"""Which fields people are asked to label, and which of them have no place on the page.

What belongs here: the choice of fields for an export. A label for every field of the schema would be a list of 160; by
default people see the usual fields and those that a reader predicted.
"""

from __future__ import annotations

from collections.abc import Iterable

from finscribe_assets.documents.elements import FIELDS, IMPLIED_FIELDS, field_of
from finscribe_assets.documents.labelled_fields import is_labelled, labelled_fields
from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS
from finscribe_assets.documents.schema import DocumentType

ALL_FIELDS = "all"
FIELDS_WITH_LABELS = (
    "document_number",
    "issue_date",
    "due_date",
    "delivery_date",
    "purchase_order_reference",
    "seller.name",
    "seller.vat_identifier",
    "buyer.name",
    "payment_account",
    "lines.sku",
    "lines.item_name",
    "lines.quantity",
    "lines.net_price",
    "lines.vat_rate",
    "lines.net_amount",
    "vat_breakdown.rate",
    "vat_breakdown.taxable_amount",
    "vat_breakdown.tax_amount",
    "totals.total_without_vat",
    "totals.total_vat",
    "totals.total_with_vat",
    "totals.amount_due",
)
"""Fields that most business documents have."""

FIELD_CHOICES: dict[str, tuple[str, ...]] = {
    "document_type": tuple(map(str, DocumentType)),
    "currency_code": tuple(sorted(MINOR_UNITS)),
    "locale": tuple(sorted(LOCALE_FACTS)),
}
"""Fields of the document as a whole, which people choose from a list."""


def fields_to_label(predicted: Iterable[str], names: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the fields that have a label, in the order of the schema.

    Args:
        predicted: paths of predicted values.
        names: fields and groups to label, or ``all``; the usual and the predicted ones if there are none.

    Raises:
        UserError: a name is not in the schema.
    """
    asked = [part.strip() for name in names for part in name.split(",") if part.strip()]
    printable = [path for path in FIELDS if path not in IMPLIED_FIELDS]
    if ALL_FIELDS in asked:
        return tuple(printable)
    if asked:
        labelled = labelled_fields(asked)
        return tuple(path for path in printable if is_labelled(path, labelled))
    usual = {*FIELDS_WITH_LABELS, *map(field_of, predicted)}
    return tuple(path for path in printable if path in usual)
