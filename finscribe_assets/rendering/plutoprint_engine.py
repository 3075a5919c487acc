"""PlutoPrint, the fast engine: one PDF gives both the boxes, read from its link annotations, and the pixels.

A mark is a link whose address ends in the mark's number. Links are nested, which HTML forbids and XML allows, so the
HTML is parsed as XML. The canvas is enlarged because a PDF rounds the corners of links to whole points.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from typing import NoReturn

import plutoprint
import pypdfium2

from finscribe_assets.rendering.engine_output import EngineOutput, MarkBox, heights_of_content
from finscribe_assets.rendering.pages import Box
from finscribe_assets.rendering.rasterising import POINTS_PER_INCH, pixel_size, rasterise

CANVAS_SCALE = 16.0  # enlargement of the canvas
POINTS_PER_CSS_PIXEL = 0.75  # the engine lays out in CSS pixels
# PDF objects as cairo writes them. QuadPoints lists a link's corners: upper left, upper right, lower right, lower left.
_OBJECT_STREAM = re.compile(
    rb"/Type /ObjStm\s+/Length \d+ 0 R\s+/N \d+\s+/First (\d+)\s+/Filter /FlateDecode\s+>>\s+stream\n"
)
_PAGE_OBJECT = re.compile(rb"/Type /Page\s.*?/MediaBox \[ 0 0 (\S+) (\S+) \](.*?)\n>>", re.DOTALL)
_LINKS_OF_PAGE = re.compile(rb"/Annots \[ ([^]]*)\]")
_LINK = re.compile(
    rb"<< /Type /Annot\s+/Subtype /Link\s[^\[]*/QuadPoints \[ (\S+) (\S+) (\S+) \S+ \S+ (\S+) \S+ \S+ \]"
    rb"\s+/Rect [^(]*\(http://m/(\d+)\)"
)


class _RefusingPlutoFetcher(plutoprint.ResourceFetcher):
    """Refuses every request and records it: the engine carries on without a resource that it fails to fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []

    def fetch_url(self, url: str) -> NoReturn:
        self.refused.append(url)
        raise PermissionError(_refusal(url))


def _refusal(url: str) -> str:
    return f"the page's HTML requests {url!r}; rendering reads neither files nor the network"


def paint(html: str, dpi: int, content_mark: int | None, *, in_colour: bool) -> EngineOutput:
    """Lay out HTML once and return its pages and the boxes of its marks.

    Args:
        html: the document, well-formed as XML.
        dpi: resolution of the pages.
        content_mark: number of the mark below which pages are cut; None leaves them whole.
        in_colour: whether the pages are in colour.

    Raises:
        PermissionError: the HTML requests a file or an address; the message quotes it.
    """
    scale = dpi / POINTS_PER_INCH / CANVAS_SCALE
    pdf_bytes = _pdf_of(html)
    mark_boxes = list(_mark_boxes(pdf_bytes, scale))
    pdf = pypdfium2.PdfDocument(pdf_bytes)
    try:
        heights = heights_of_content(mark_boxes, content_mark, dpi)
        return EngineOutput(rasterise(pdf, scale, heights, in_colour=in_colour), mark_boxes)
    finally:
        pdf.close()


def _pdf_of(html: str) -> bytes:
    book = plutoprint.Book(plutoprint.PAGE_SIZE_A4, plutoprint.PAGE_MARGINS_NONE)
    book.custom_resource_fetcher = fetcher = _RefusingPlutoFetcher()
    book.load_xml(html)
    size, stream = book.get_page_size_at(0), io.BytesIO()
    canvas = plutoprint.PDFCanvas.create_for_stream(
        stream, plutoprint.PageSize(size.width * CANVAS_SCALE, size.height * CANVAS_SCALE)
    )
    for number in range(book.get_page_count()):
        canvas.save_state()
        canvas.scale(CANVAS_SCALE * POINTS_PER_CSS_PIXEL, CANVAS_SCALE * POINTS_PER_CSS_PIXEL)
        book.render_page(canvas, number)
        canvas.restore_state()
        canvas.show_page()
    canvas.finish()
    if fetcher.refused:
        raise PermissionError(_refusal(fetcher.refused[0]))
    return stream.getvalue()


def _mark_boxes(pdf: bytes, scale: float) -> Iterator[MarkBox]:
    """Yield the boxes of all links, in pixels; ``scale`` is in pixels per point.

    Cairo packs the objects of pages and links into object streams (PDF 32000-1, 7.5.7: first the numbers and offsets of
    the objects, then the objects). They are parsed here, since a PDF library takes ten times as long for hundreds of
    links.
    """
    for match in _OBJECT_STREAM.finditer(pdf):
        objects = zlib.decompressobj().decompress(memoryview(pdf)[match.end() :])
        first = int(match[1])
        header = [int(number) for number in objects[:first].split()]
        number_at = {first + offset: number for number, offset in zip(header[::2], header[1::2], strict=True)}
        page_of: dict[int, int] = {}
        sizes = []
        for page, page_object in enumerate(_PAGE_OBJECT.finditer(objects)):
            sizes.append((float(page_object[1]), float(page_object[2])))
            if links := _LINKS_OF_PAGE.search(page_object[3]):
                page_of |= dict.fromkeys((int(number) for number in links[1].split()[::3]), page)
        for link in _LINK.finditer(objects):
            page = page_of[number_at[link.start()]]
            width, height = sizes[page]
            across, down = pixel_size(width, scale) / width, pixel_size(height, scale) / height
            left, top, right, bottom = (float(link[side]) for side in range(1, 5))
            # PDF measures y upwards from the bottom of the page.
            box = Box(left * across, (height - top) * down, right * across, (height - bottom) * down)
            yield MarkBox(int(link[5]), page, box)
