"""The quick engine, PlutoPrint: one PDF gives both the boxes, which are link annotations, and the pixels.

A mark is a link whose address is its number. Links nest, which HTML's parser forbids and XML's allows, so the HTML is
read as XML. The canvas is drawn larger, so that places of letters, which a PDF rounds, are fine enough.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from typing import NoReturn

import plutoprint
import pypdfium2

from finscribe_assets.rendering.engine_output import EngineOutput, MarkBox, cut_below
from finscribe_assets.rendering.pages import Box
from finscribe_assets.rendering.rasterising import POINTS_PER_INCH, pixel_size, rasterise

ENLARGED = 16.0  # times
CSS_POINTS = 0.75  # points in a CSS pixel, in which the engine draws
# As cairo writes them. Corners of a link go from the upper left one over the right ones to the lower left one.
_PACKED = re.compile(rb"/Type /ObjStm\s+/Length \d+ 0 R\s+/N \d+\s+/First (\d+)\s+/Filter /FlateDecode\s+>>\s+stream\n")
_PAGE = re.compile(rb"/Type /Page\s.*?/MediaBox \[ 0 0 (\S+) (\S+) \](.*?)\n>>", re.DOTALL)
_LINKS_OF_PAGE = re.compile(rb"/Annots \[ ([^]]*)\]")
_LINK = re.compile(
    rb"<< /Type /Annot\s+/Subtype /Link\s[^\[]*/QuadPoints \[ (\S+) (\S+) (\S+) \S+ \S+ (\S+) \S+ \S+ \]"
    rb"\s+/Rect [^(]*\(http://m/(\d+)\)"
)


class _RefusingPlutoFetcher(plutoprint.ResourceFetcher):
    """Refuses all, and remembers it, as the engine goes on without what it does not get."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def fetch_url(self, url: str) -> NoReturn:
        self.asked.append(url)
        raise PermissionError(f"rendering reads no file and no network; something asked for {url!r}")


def paint(html: str, dpi: int, content: int | None) -> EngineOutput:
    """Lay HTML, well-formed as XML, out once; return its pages' pixels and where its marks are.

    ``content`` is the number of the mark that pages are cut below, None where they stay whole.

    Raises:
        PermissionError: the HTML asks for a file or an address.
    """
    scale = dpi / POINTS_PER_INCH / ENLARGED
    file = _pdf_of(html)
    placed = list(_links(file, scale))
    pdf = pypdfium2.PdfDocument(file)
    try:
        return EngineOutput(rasterise(pdf, scale, cut_below(placed, content, dpi)), placed)
    finally:
        pdf.close()


def _pdf_of(html: str) -> bytes:
    book = plutoprint.Book(plutoprint.PAGE_SIZE_A4, plutoprint.PAGE_MARGINS_NONE)
    book.custom_resource_fetcher = fetcher = _RefusingPlutoFetcher()
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


def _links(pdf: bytes, scale: float) -> Iterator[MarkBox]:
    """Yield where links are, in pixels.

    Cairo packs the objects of pages and links into streams (PDF 32000-1, 7.5.7: numbers and places of objects, then one
    after the other), which are read here: a PDF library takes ten times as long for hundreds of links.
    """
    for packed in _PACKED.finditer(pdf):
        objects = zlib.decompressobj().decompress(memoryview(pdf)[packed.end() :])
        first = int(packed[1])
        index = [int(number) for number in objects[:first].split()]
        number_at = {first + place: number for number, place in zip(index[::2], index[1::2], strict=True)}
        page_of: dict[int, int] = {}
        sizes = []
        for page, written in enumerate(_PAGE.finditer(objects)):
            sizes.append((float(written[1]), float(written[2])))
            if links := _LINKS_OF_PAGE.search(written[3]):
                page_of |= dict.fromkeys((int(number) for number in links[1].split()[::3]), page)
        for link in _LINK.finditer(objects):
            page = page_of[number_at[link.start()]]
            width, height = sizes[page]
            across, down = pixel_size(width, scale) / width, pixel_size(height, scale) / height
            left, top, right, bottom = (float(link[side]) for side in range(1, 5))
            box = Box(left * across, (height - top) * down, right * across, (height - bottom) * down)
            yield MarkBox(int(link[5]), page, box)
