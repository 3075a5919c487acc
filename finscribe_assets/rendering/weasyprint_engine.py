"""WeasyPrint, the reference engine: boxes of its laid-out pages, and pixels from the PDF of the same layout.

Boxes are the border boxes of elements that carry `data-mark`, read from the laid-out page (`page._page_box`, which is
not public API; hence the pinned version). An inline element that wraps has one box for each line.
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

from finscribe_assets.rendering.engine_output import EngineOutput, MarkBox, heights_of_content
from finscribe_assets.rendering.pages import Box
from finscribe_assets.rendering.rasterising import POINTS_PER_INCH, pixel_size, rasterise

CSS_PIXELS_PER_INCH = 96  # by definition of CSS, whatever the device
ZERO_WIDTH_SPACE = "\u200b"  # stands for `<wbr>` in a laid-out text

logging.getLogger("weasyprint").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)


class _RefusingUrlFetcher(URLFetcher):
    def fetch(self, url: str, headers: object = None) -> NoReturn:
        raise PermissionError(f"the page's HTML requests {url!r}; rendering reads neither files nor the network")


@cache
def _fonts() -> FontConfiguration:
    return FontConfiguration()


def paint(html: str, dpi: int, content_mark: int | None, *, in_colour: bool) -> EngineOutput:
    """Lay out HTML once and return its pages and the boxes of its marks.

    Args:
        html: the document.
        dpi: resolution of the pages.
        content_mark: number of the mark below which pages are cut; None leaves them whole.
        in_colour: whether the pages are in colour.

    Raises:
        weasyprint.urls.FatalURLFetchingError: the HTML requests a file or an address; the message quotes it.
    """
    fetcher = _RefusingUrlFetcher(fail_on_errors=True)
    document = HTML(string=html, url_fetcher=fetcher, media_type="print").render(font_config=_fonts())
    scale, mark_boxes = dpi / POINTS_PER_INCH, []
    for number, page in enumerate(document.pages):
        points = POINTS_PER_INCH / CSS_PIXELS_PER_INCH
        across, down = (pixel_size(side * points, scale) / side for side in (page.width, page.height))
        for css_box in _descendants(page._page_box):
            mark = _mark_of(css_box)
            if mark is not None:
                x0, y0 = css_box.border_box_x(), css_box.border_box_y()
                x1, y1 = x0 + css_box.border_width(), y0 + css_box.border_height()
                text = _text_of(css_box) if isinstance(css_box, boxes.InlineBox) else None
                mark_boxes.append(MarkBox(mark, number, Box(x0 * across, y0 * down, x1 * across, y1 * down), text))
    pdf = pypdfium2.PdfDocument(document.write_pdf(optimize_images=False, uncompressed_pdf=True))
    try:
        heights = heights_of_content(mark_boxes, content_mark, dpi)
        return EngineOutput(rasterise(pdf, scale, heights, in_colour=in_colour), mark_boxes)
    finally:
        pdf.close()


def _descendants(box: Any) -> Iterator[Any]:
    """Yield a box and all boxes inside it, in document order."""
    stack = [box]
    while stack:
        box = stack.pop()
        yield box
        if hasattr(box, "all_children"):
            stack.extend(reversed(list(box.all_children())))


def _text_of(box: Any) -> str:
    """Return the text of an inline box, which lies within one line."""
    text = "".join(child.text for child in _descendants(box) if isinstance(child, boxes.TextBox))
    return text.replace(ZERO_WIDTH_SPACE, "").strip()


def _mark_of(box: Any) -> int | None:
    """Return the number of the mark whose box this is; None if it is no mark's box."""
    element = box.element
    # Line and text boxes, and anonymous wrappers, carry their parent's element; only the element's own box counts.
    if element is None or isinstance(box, boxes.TextBox | boxes.LineBox) or box.element_tag != element.tag:
        return None
    mark = element.get("data-mark")
    if mark is None or (isinstance(box, boxes.BlockBox) and getattr(box, "is_table_wrapper", False)):
        return None
    return int(mark)
