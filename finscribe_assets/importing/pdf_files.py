"""Read PDFs of unknown origin: their pages, text layer, and the invoices embedded in them.

PDFium reads them without a form environment, so no script runs; forms and annotations are not drawn.
"""

from __future__ import annotations

import pypdfium2
import pypdfium2.raw as pdfium

from finscribe_assets.importing.invoice_xml import is_invoice_xml
from finscribe_assets.importing.page_content import PageContent, check_page_sizes
from finscribe_assets.importing.rejects import NO_GROUND_TRUTH, InputLimits, rejection
from finscribe_assets.rendering.pages import Page
from finscribe_assets.rendering.rasterising import POINTS_PER_INCH, pixel_size, rasterise

EMBEDDED_INVOICE_NAMES = ("factur-x.xml", "xrechnung.xml", "zugferd-invoice.xml")
"""Names of embedded invoices: Factur-X and ZUGFeRD since 2.1, its profile XRechnung, and ZUGFeRD before 2.1."""

_END_MARK, _TAIL_BYTES = b"%%EOF", 4096  # ISO 32000-1, 7.5.5; writers may append a little after the mark
_NOT_ENCRYPTED = -1  # result of FPDF_GetSecurityHandlerRevision
_ENCRYPTED = "the PDF is encrypted; save it without a password"


def read_pdf(content: bytes, dpi: int, limits: InputLimits, *, wants_invoice: bool) -> PageContent:
    """Read a PDF's pages, its text layer and, if wanted, the invoice embedded in it.

    Args:
        content: Content of the file.
        dpi: Resolution of the page images, in pixels per inch.
        limits: Limits on pages, pixels, text and embedded files.
        wants_invoice: Whether the PDF must embed an invoice.

    Raises:
        RejectedDocumentError: The PDF is damaged, encrypted or exceeds the limits, or an invoice is wanted and missing.
    """
    if _END_MARK not in content[-_TAIL_BYTES:]:
        # PDFium repairs a truncated file and would return pages with parts missing.
        raise rejection("the PDF is damaged: its end is missing; copy or export it again")
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise rejection(_ENCRYPTED) from error
        raise rejection("the PDF is damaged: it cannot be opened; copy or export it again") from error
    try:
        return _read_document(document, dpi, limits, wants_invoice=wants_invoice)
    except pypdfium2.PdfiumError as error:
        raise rejection(f"the PDF is damaged: {error}") from error
    finally:
        document.close()


def _read_document(
    document: pypdfium2.PdfDocument, dpi: int, limits: InputLimits, *, wants_invoice: bool
) -> PageContent:
    if pdfium.FPDF_GetSecurityHandlerRevision(document) != _NOT_ENCRYPTED:
        raise rejection(_ENCRYPTED)
    if len(document) > limits.pages:
        raise rejection(f"{len(document):,} pages; at most {limits.pages} are read")
    scale = dpi / POINTS_PER_INCH
    sizes = [
        (pixel_size(width, scale), pixel_size(height, scale))
        for width, height in (document.get_page_size(index) for index in range(len(document)))
    ]
    check_page_sizes(sizes, limits)
    embedded = _embedded_invoices(document, limits) if wants_invoice else ()
    texts: list[str] = []
    for page in document:
        texts.append(page.get_textpage().get_text_range())
        if sum(map(len, texts)) > limits.text_characters:
            raise rejection(f"its text layer has more than {limits.text_characters:,} characters")
    images = rasterise(document, scale, {}, in_colour=True)
    blank = tuple(bool((pixels == pixels.flat[0]).all()) for pixels in images)
    return PageContent(tuple(map(Page.of_pixels, images)), dpi, tuple(texts), blank, embedded)


def _embedded_invoices(document: pypdfium2.PdfDocument, limits: InputLimits) -> tuple[tuple[str, bytes], ...]:
    """Return name and content of the embedded invoices: first by the standards' names, then any other invoice XML.

    Raises:
        RejectedDocumentError: There is none, or an XML file is too large.
    """
    count = document.count_attachments()
    invoices: list[tuple[int, str, bytes]] = []
    for index in range(min(count, limits.embedded_files)):
        attachment = document.get_attachment(index)
        name = attachment.get_name()
        if not name.lower().endswith(".xml"):
            continue
        content = bytes(attachment.get_data())
        if len(content) > limits.truth_bytes:
            raise rejection(f"the embedded XML has {len(content):,} bytes; at most {limits.truth_bytes:,} are read")
        is_standard = name.lower() in EMBEDDED_INVOICE_NAMES
        if is_standard or is_invoice_xml(content):
            rank = EMBEDDED_INVOICE_NAMES.index(name.lower()) if is_standard else len(EMBEDDED_INVOICE_NAMES)
            invoices.append((rank, name, content))
    if not invoices:
        raise rejection(
            f"{NO_GROUND_TRUTH}: no JSON or XML file has its name, and there is no invoice among its "
            f"{count} embedded files"
        )
    return tuple((name, content) for _, name, content in sorted(invoices, key=lambda invoice: invoice[0]))
