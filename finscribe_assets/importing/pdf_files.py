"""PDFs of strangers → grey pages, their text layer, and the invoices embedded in them.

PDFium reads them without a form environment: no script, no form and no annotation is run or drawn.
"""

from __future__ import annotations

import pypdfium2
import pypdfium2.raw as pdfium

from finscribe_assets.importing.invoice_xml import is_invoice
from finscribe_assets.importing.page_content import PageContent, check_sizes, page_of
from finscribe_assets.importing.rejects import Limits, reject
from finscribe_assets.rendering.rasterising import POINTS_PER_INCH, pixel_size, rasterise

# What Factur-X, ZUGFeRD 1.0 and 2.x and the XRechnung profile call the invoice that they embed, newest first.
EMBEDDED_NAMES = ("factur-x.xml", "xrechnung.xml", "zugferd-invoice.xml")

_END, _TAIL = b"%%EOF", 4096  # the mark that a PDF ends with, and in how many last bytes it is looked for
_PASSWORD = pdfium.FPDF_ERR_PASSWORD
_NOT_ENCRYPTED = -1  # FPDF_GetSecurityHandlerRevision


def read_pdf(content: bytes, dpi: int, limits: Limits, *, wants_invoice: bool) -> PageContent:
    """Return a PDF's pages at ``dpi`` pixels an inch, its text and, where wanted, the invoice embedded in it.

    Raises:
        Rejected: it is broken, encrypted, larger than ``limits`` allows, or should embed an invoice and does not.
    """
    if _END not in content[-_TAIL:]:
        # PDFium mends a file that was cut off, and would show pages of which something is missing.
        raise reject("the PDF is broken: its end is missing")
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code == _PASSWORD:
            raise reject("the PDF is encrypted; store it without a password") from error
        raise reject("the PDF is broken: it cannot be opened") from error
    try:
        return _read(document, dpi, limits, wants_invoice=wants_invoice)
    except pypdfium2.PdfiumError as error:
        raise reject(f"the PDF is broken: {error}") from error
    finally:
        document.close()


def _read(document: pypdfium2.PdfDocument, dpi: int, limits: Limits, *, wants_invoice: bool) -> PageContent:
    if pdfium.FPDF_GetSecurityHandlerRevision(document) != _NOT_ENCRYPTED:
        raise reject("the PDF is encrypted; store it without a password")
    if len(document) > limits.pages:
        raise reject(f"{len(document):,} pages; at most {limits.pages} are read")
    scale = dpi / POINTS_PER_INCH
    sizes = [
        (pixel_size(width, scale), pixel_size(height, scale))
        for width, height in (document.get_page_size(number) for number in range(len(document)))
    ]
    check_sizes(sizes, limits)
    embedded = _invoices(document, limits) if wants_invoice else ()
    texts: list[str] = []
    for page in document:
        texts.append(page.get_textpage().get_text_range())
        if sum(map(len, texts)) > limits.text_characters:
            raise reject(f"its text layer has more than {limits.text_characters:,} characters")
    images = rasterise(document, scale, {})
    blank = tuple(bool((pixels == pixels.flat[0]).all()) for pixels in images)
    return PageContent(tuple(map(page_of, images)), dpi, tuple(texts), blank, embedded)


def _invoices(document: pypdfium2.PdfDocument, limits: Limits) -> tuple[tuple[str, bytes], ...]:
    """Return the embedded invoices: those with the standards' names first, then any other file that is one.

    Raises:
        Rejected: there is none.
    """
    count = document.count_attachments()
    known: list[tuple[int, str, bytes]] = []
    for number in range(min(count, limits.embedded_files)):
        attachment = document.get_attachment(number)
        name = attachment.get_name()
        if not name.lower().endswith(".xml"):
            continue
        content = bytes(attachment.get_data())
        if len(content) > limits.truth_bytes:
            raise reject(f"the embedded XML has {len(content):,} bytes; at most {limits.truth_bytes:,} are read")
        rank = EMBEDDED_NAMES.index(name.lower()) if name.lower() in EMBEDDED_NAMES else len(EMBEDDED_NAMES)
        if rank < len(EMBEDDED_NAMES) or is_invoice(content):
            known.append((rank, name, content))
    if not known:
        raise reject(f"no truth: neither a file beside it nor an invoice among its {count} embedded files")
    return tuple((name, content) for _, name, content in sorted(known, key=lambda one: one[0]))
