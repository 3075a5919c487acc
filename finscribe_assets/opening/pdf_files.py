"""Read PDFs of unknown origin: their pages as a viewer shows them, their text layer and the XML files they hold.

Form fields and annotations are drawn into the pages, so that picture and text layer have their values. No script runs:
PDFium gets no platform for scripts, and no event is sent.
"""

from __future__ import annotations

import re

import pypdfium2
import pypdfium2.raw as pdfium

from finscribe_assets.opening.input_limits import InputLimits, rejection
from finscribe_assets.opening.page_content import PageContent, check_page_count, check_page_sizes
from finscribe_assets.opening.pdf_attachments import xml_attachments
from finscribe_assets.opening.pdf_text_direction import text_angle
from finscribe_assets.opening.visible_text import read_visible_text
from finscribe_assets.rendering.pages import Page
from finscribe_assets.rendering.rasterising import POINTS_PER_INCH, pixel_size, rasterise_page

_START_MARK, _END_MARK = b"%PDF-", b"%%EOF"  # ISO 32000-1, 7.5.2 and 7.5.5
_OBJECT = re.compile(rb"\d\s+\d+\s+obj\b")
_MAY_EXTRACT = 1 << 4  # ISO 32000-1, table 22, bit 5: copy or otherwise extract text and graphics
_TINY_SCALE = 0.02  # pixels per point
_OPEN_ERRORS = {
    pdfium.FPDF_ERR_PASSWORD: "the PDF is encrypted and needs a password to open; save it without one",
    pdfium.FPDF_ERR_SECURITY: "the PDF is encrypted in a way that is not supported; save it without encryption",
}
_EXTRACTION_NOTE = "the PDF's owner does not permit extracting its text: its text layer is not used"
_XFA_NOTE = "the PDF is an XFA form, whose fields are not drawn; print it to a new PDF"


def read_pdf(content: bytes, dpi: int, limits: InputLimits, *, wants_xml: bool = False) -> PageContent:
    """Read a PDF's pages, its text layer and, if wanted, the XML files that it holds.

    Args:
        content: Content of the file.
        dpi: Resolution of the page images, in pixels per inch.
        limits: Limits on pages, pixels, text and embedded files.
        wants_xml: Whether XML files are returned.

    Raises:
        RejectedDocumentError: The PDF is damaged, needs a password or exceeds the limits.
    """
    content = _without_surroundings(content)
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        reason = _OPEN_ERRORS.get(error.err_code, "the PDF is damaged: it cannot be opened; copy or export it again")
        raise rejection(reason) from error
    try:
        # Before the pages are counted or loaded: a page knows the form it was loaded with.
        document.init_forms(pdfium.FPDF_FORMFILLINFO(version=1))
        return _read_document(document, content, dpi, limits, wants_xml=wants_xml)
    except pypdfium2.PdfiumError as error:
        raise rejection(f"the PDF is damaged: {error}; copy or export it again") from error
    finally:
        document.close()


def _without_surroundings(content: bytes) -> bytes:
    """Return a PDF without what gateways and downloads put before its header and after its end.

    Raises:
        RejectedDocumentError: Its end is missing; PDFium would repair it, and return pages with parts missing.
    """
    start, end = content.find(_START_MARK), content.rfind(_END_MARK)
    # An update or a linearised PDF has several ends; objects behind the last one belong to an end that is missing.
    if end < 0 or _OBJECT.search(content, end):
        raise rejection("the PDF is damaged: its end is missing; copy or export it again")
    return content[max(0, start) : end + len(_END_MARK)] + b"\n"


def _read_document(
    document: pypdfium2.PdfDocument, content: bytes, dpi: int, limits: InputLimits, *, wants_xml: bool
) -> PageContent:
    check_page_count(len(document), limits)
    scale = dpi / POINTS_PER_INCH
    sizes = [
        (pixel_size(width, scale), pixel_size(height, scale))
        for width, height in (document.get_page_size(index) for index in range(len(document)))
    ]
    check_page_sizes(sizes, limits)
    notes = []
    may_extract = bool(pdfium.FPDF_GetDocPermissions(document) & _MAY_EXTRACT)
    if not may_extract:
        notes.append(_EXTRACTION_NOTE)
    if document.get_formtype() == pdfium.FORMTYPE_XFA_FULL:
        notes.append(_XFA_NOTE)
    embedded = xml_attachments(document, content, limits) if wants_xml else ()
    pages: list[Page] = []
    texts: list[str] = []
    characters = 0
    blank: list[bool] = []
    angles: list[float | None] = []
    for index in range(len(document)):
        page, is_flat = _flattened(document, index)
        if not is_flat:
            notes.append(f"form fields and annotations of page {index + 1} could not be drawn")
        characters += page.get_textpage().count_chars()
        if characters > limits.text_characters:
            raise rejection(f"its text layer has more than {limits.text_characters:,} characters")
        angles.append(text_angle(page) if may_extract else None)
        pixels = rasterise_page(page, scale, in_colour=True)
        blank.append(bool((pixels == pixels.flat[0]).all()))
        if may_extract:
            text = read_visible_text(page, pixels, scale)
            texts.append(text.text)
            notes += [f"page {index + 1}: {note}" for note in text.notes]
        pages.append(Page.of_pixels(pixels))
        page.close()
    return PageContent(
        tuple(pages),
        dpi,
        tuple(texts) if may_extract else None,
        tuple(blank),
        embedded,
        tuple(angles),
        notes=tuple(notes),
    )


def _flattened(document: pypdfium2.PdfDocument, index: int) -> tuple[pypdfium2.PdfPage, bool]:
    """Return a page whose form fields and annotations are part of its content, and whether that succeeded."""
    page = document[index]
    if pdfium.FPDFPage_GetAnnotCount(page) < 1:
        return page, True
    # PDFium makes the appearances of fields and annotations that have none when it first draws them.
    page.render(scale=_TINY_SCALE, may_draw_forms=True, draw_annots=True)
    is_flat = pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY) != pdfium.FLATTEN_FAIL
    page.close()  # a loaded page does not change
    return document[index], is_flat
