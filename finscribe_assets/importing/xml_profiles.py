"""Find which fields the XML of an invoice can state: those of its profile, as other ones are unknown.

A profile of Factur-X or ZUGFeRD is a part of CII. MINIMUM and BASIC WL, for example, have no lines: the pages of such
an invoice have some, but its XML does not state them.
"""

from __future__ import annotations

from typing import NamedTuple

from finscribe_assets.documents.elements import TERMS
from finscribe_assets.documents.labelled_fields import LabelledFields
from finscribe_assets.documents.ubl import XmlElement
from finscribe_assets.importing.invoice_xml import Syntax
from finscribe_assets.importing.xml_terms import DOCUMENT_TERMS, LIST_TERMS

_GUIDELINE = {
    Syntax.UBL: "CustomizationID",
    Syntax.CII: "ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID",
}


class StatedFields(NamedTuple):
    """The fields that XML of a profile can state."""

    names: LabelledFields
    must_be_complete: bool  # whether those of them that the schema of documents requires must be stated


def _fields(syntax: Syntax) -> LabelledFields:
    """Return the fields with a business term that a syntax has a location for."""
    single = {term.field for term in DOCUMENT_TERMS if term.paths(syntax)}
    listed = {f"{group.name}.{term.field}" for group in LIST_TERMS for term in group.locations if term.paths(syntax)}
    return frozenset(field for field in single | listed if TERMS[field].code)


# From the XML Schemas of Factur-X 1.09 and ZUGFeRD 1.0.
_MINIMUM = frozenset(
    {
        "document_type",
        "document_number",
        "issue_date",
        "currency_code",
        "buyer_reference",
        "purchase_order_reference",
        "seller.name",
        "seller.address.country_code",
        "seller.legal_registration",
        "seller.vat_identifier",
        "seller.tax_registration",
        "buyer.name",
        "buyer.legal_registration",
        "totals.total_without_vat",
        "totals.total_vat",
        "totals.total_with_vat",
        "totals.amount_due",
    }
)
_NOT_IN_BASIC = frozenset(
    {
        "payment_means",
        "bank_identifier",
        "seller.contact_name",
        "seller.contact_phone",
        "seller.contact_email",
        "buyer.contact_name",
        "buyer.contact_phone",
        "buyer.contact_email",
        "totals.rounding_amount",
        "lines.purchase_order_line",
        "lines.sku",
        "lines.classification",
    }
)
_NOT_IN_ZUGFERD_1 = frozenset(
    {
        "vat_accounting_currency_code",
        "totals.total_vat_accounting",
        "totals.rounding_amount",
        "preceding_invoice_reference",
        "preceding_invoice_date",
        "seller.legal_registration",
        "buyer.legal_registration",
        "payee.legal_registration",
        "seller.address.subdivision",
        "buyer.address.subdivision",
        "ship_to.address.subdivision",
    }
)
_CII = _fields(Syntax.CII)
_BASIC = _CII - _NOT_IN_BASIC
_BASIC_WL = frozenset(field for field in _BASIC if not field.startswith("lines."))


def stated_fields(syntax: Syntax, root: XmlElement) -> StatedFields:
    """Return what an invoice can state by its guideline (BT-24); without a known profile, all of its syntax.

    Args:
        syntax: The invoice's syntax.
        root: The root element, as `invoice_xml.parse_invoice_xml` gives it.
    """
    guideline = (root.findtext(_GUIDELINE[syntax]) or "").strip().lower()
    if guideline.startswith("urn:ferd:"):
        return StatedFields(_CII - _NOT_IN_ZUGFERD_1, must_be_complete=False)
    if syntax is Syntax.UBL:
        return StatedFields(_fields(syntax), must_be_complete=True)
    name = guideline.rpartition(":")[2].replace("-", "").replace("_", "").replace(" ", "")
    return StatedFields(
        {"minimum": _MINIMUM, "basicwl": _BASIC_WL, "basic": _BASIC}.get(name, _CII), must_be_complete=True
    )
