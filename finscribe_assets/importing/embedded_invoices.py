"""Choose the invoice among the XML files that a PDF holds."""

from __future__ import annotations

from collections.abc import Sequence

from finscribe_assets.importing.invoice_xml import is_invoice_xml
from finscribe_assets.importing.rejects import NO_GROUND_TRUTH
from finscribe_assets.opening.input_limits import rejection

EMBEDDED_INVOICE_NAMES = ("factur-x.xml", "xrechnung.xml", "zugferd-invoice.xml")
"""Names of embedded invoices: Factur-X and ZUGFeRD since 2.1, its profile XRechnung, and ZUGFeRD before 2.1."""


def embedded_invoice(files: Sequence[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Return name and content of the invoice: first by the standards' names, then any other invoice XML.

    Args:
        files: Name and content of the PDF's XML files.

    Raises:
        RejectedDocumentError: None of them is an invoice.
    """
    for standard_name in EMBEDDED_INVOICE_NAMES:
        for name, content in files:
            if name.lower() == standard_name:
                return name, content
    for name, content in files:
        if is_invoice_xml(content):
            return name, content
    raise rejection(
        f"{NO_GROUND_TRUTH}: no JSON or XML file has its name, and there is no invoice among its "
        f"{len(files)} embedded XML files"
    )
