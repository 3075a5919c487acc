"""The quick engine, PlutoPrint: one PDF gives both the boxes, which are link annotations, and the pixels.

A mark is a link whose address is its number. Links nest, which HTML's parser forbids and XML's allows, so the HTML is
read as XML. Rectangles of links are rounded to whole points: the canvas is drawn larger, so that this is fine enough.
"""

from __future__ import annotations

import ctypes
import io
import re
from typing import NoReturn

import plutoprint
import pypdfium2
import pypdfium2.raw as pdfium

from finscribe_assets.rendering.pages import Box
from finscribe_assets.rendering.placing import Painted, Placed, cut_below
from finscribe_assets.rendering.rasters import POINTS_PER_INCH, pixel_size, rasterise

ENLARGED = 16.0  # times: rectangles are then right to a sixteenth of a point
CSS_POINTS = 0.75  # points in a CSS pixel, in which the engine draws
_NUMBER = re.compile(rb"http://m/(\d+)")


class _Refusing(plutoprint.ResourceFetcher):
    """Refuses all, and remembers it, as the engine goes on without what it does not get."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def fetch_url(self, url: str) -> NoReturn:
        self.asked.append(url)
        raise PermissionError(f"rendering reads no file and no network; something asked for {url!r}")


def paint(html: str, dpi: int, content: int | None) -> Painted:
    """Lay HTML, well-formed as XML, out once; return its pages' pixels and where its marks are.

    ``content`` is the number of the mark that pages are cut below, None where they stay whole.

    Raises:
        PermissionError: the HTML asks for a file or an address.
    """
    scale = dpi / POINTS_PER_INCH / ENLARGED
    pdf = pypdfium2.PdfDocument(_pdf_of(html))
    try:
        placed = [one for number, page in enumerate(pdf) for one in _links(pdf, page, number, scale)]
        return Painted(rasterise(pdf, scale, cut_below(placed, content, dpi)), placed)
    finally:
        pdf.close()


def _pdf_of(html: str) -> bytes:
    book = plutoprint.Book(plutoprint.PAGE_SIZE_A4, plutoprint.PAGE_MARGINS_NONE)
    book.custom_resource_fetcher = fetcher = _Refusing()
    book.load_xml(html)
    size, stream = book.get_page_size_at(0), io.BytesIO()
    canvas = plutoprint.PDFCanvas.create_for_stream(
        stream, plutoprint.PageSize(size.width * ENLARGED, size.height * ENLARGED)
    )
    for number in range(book.get_page_count()):
        canvas.save_state()
        canvas.scale(ENLARGED * CSS_POINTS, ENLARGED * CSS_POINTS)
        book.render_page(canvas, number)
        canvas.restore_state()
        canvas.show_page()
    canvas.finish()
    if fetcher.asked:
        raise PermissionError(f"rendering reads no file and no network; something asked for {fetcher.asked[0]!r}")
    return stream.getvalue()


def _links(pdf: pypdfium2.PdfDocument, page: pypdfium2.PdfPage, number: int, scale: float) -> list[Placed]:
    width, height = page.get_size()
    across, down = pixel_size(width, scale) / width, pixel_size(height, scale) / height
    # Thousands of links: what each call is given is made once.
    link, rectangle, position = pdfium.FPDF_LINK(), pdfium.FS_RECTF(), ctypes.c_int(0)
    at, found, where = ctypes.byref(position), ctypes.byref(link), ctypes.byref(rectangle)
    address = ctypes.create_string_buffer(64)
    placed = []
    while pdfium.FPDFLink_Enumerate(page.raw, at, found):
        pdfium.FPDFAction_GetURIPath(pdf.raw, pdfium.FPDFLink_GetAction(link), address, 64)
        mark = _NUMBER.fullmatch(address.value)
        if mark and pdfium.FPDFLink_GetAnnotRect(link, where):
            box = Box(rectangle.left * across, (height - rectangle.top) * down,
                      rectangle.right * across, (height - rectangle.bottom) * down)  # fmt: skip
            placed.append(Placed(int(mark[1]), number, box))
    return placed
