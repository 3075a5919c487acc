"""Read the business terms of an electronic invoice for `e_invoices.py`, independently of the importer.

It shares no code and no table with `finscribe_assets.importing`: the locations are those of CEN/TS 16931-3-2 (UBL) and
16931-3-3 (CII) and of the ZUGFeRD 1.0 specification, read with ElementTree. Values are grouped by business term.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from e_invoice_cii import cii_terms
from e_invoice_nodes import Terms, local_name
from e_invoice_ubl import ubl_terms


def business_terms(content: bytes) -> Terms:
    """Return the business terms of an invoice in UBL, CII or ZUGFeRD 1.0."""
    root = ET.fromstring(content)  # noqa: S314
    name = local_name(root)
    terms = ubl_terms(root, name) if name in ("Invoice", "CreditNote") else cii_terms(root)
    return {code: values for code, values in terms.items() if values}
