"""The reference engine, WeasyPrint: the boxes of its laid-out pages, and the pixels of the PDF of that same layout.

Boxes are read from WeasyPrint's laid-out page (`page._page_box`, not public API, hence the pinned version): the border
boxes of elements that carry `data-mark`. An inline element that wraps gives a box a line.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from typing import Any, NoReturn

import pypdfium2
from weasyprint import HTML
from weasyprint.formatting_structure import boxes
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

from finscribe_assets.rendering.engine_output import EngineOutput, MarkBox, cut_below
from finscribe_assets.rendering.pages import Box
from finscribe_assets.rendering.rasterising import POINTS_PER_INCH, pixel_size, rasterise

CSS_DPI = 96  # a CSS pixel is 1/96 inch, whatever the device
ZERO_WIDTH_SPACE = "\u200b"  # what `<wbr>` becomes

logging.getLogger("weasyprint").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)


class _RefusingUrlFetcher(URLFetcher):
    def fetch(self, url: str, headers: object = None) -> NoReturn:
        raise PermissionError(f"rendering reads no file and no network; something asked for {url!r}")


@cache
def _fonts() -> FontConfiguration:
    return FontConfiguration()


def paint(html: str, dpi: int, content: int | None) -> EngineOutput:
    """Lay HTML out once; return its pages' pixels and where its marks are.

    ``content`` is the number of the mark that pages are cut below, None where they stay whole.

    Raises:
        weasyprint.urls.FatalURLFetchingError: the HTML asks for a file or an address.
    """
    fetcher = _RefusingUrlFetcher(fail_on_errors=True)
    document = HTML(string=html, url_fetcher=fetcher, media_type="print").render(font_config=_fonts())
    scale, placed = dpi / POINTS_PER_INCH, []
    for number, page in enumerate(document.pages):
        points = POINTS_PER_INCH / CSS_DPI
        across, down = (pixel_size(side * points, scale) / side for side in (page.width, page.height))
        for box in _descendants(page._page_box):
            mark = _mark_of(box)
            if mark is not None:
                x, y = box.border_box_x(), box.border_box_y()
                place = Box(x * across, y * down, (x + box.border_width()) * across, (y + box.border_height()) * down)
                placed.append(MarkBox(mark, number, place, _text_of(box) if isinstance(box, boxes.InlineBox) else None))
    pdf = pypdfium2.PdfDocument(document.write_pdf(optimize_images=False, uncompressed_pdf=True))
    try:
        return EngineOutput(rasterise(pdf, scale, cut_below(placed, content, dpi)), placed)
    finally:
        pdf.close()


def _descendants(box: Any) -> Iterator[Any]:
    """Yield a box and all below it, in document order."""
    stack = [box]
    while stack:
        box = stack.pop()
        yield box
        if hasattr(box, "all_children"):
            stack.extend(reversed(list(box.all_children())))


def _text_of(box: Any) -> str:
    """Return the text of an inline box, which lies within one line."""
    text = "".join(part.text for part in _descendants(box) if isinstance(part, boxes.TextBox))
    return text.replace(ZERO_WIDTH_SPACE, "").strip()


def _mark_of(box: Any) -> int | None:
    element = box.element
    # Line and text boxes, and anonymous wrappers, carry their parent's element; only the element's own box counts.
    if element is None or isinstance(box, boxes.TextBox | boxes.LineBox) or box.element_tag != element.tag:
        return None
    mark = element.get("data-mark")
    if mark is None or (isinstance(box, boxes.BlockBox) and getattr(box, "is_table_wrapper", False)):
        return None
    return int(mark)
