"""The layout engine: HTML → a PDF's pixels and the boxes of every mark, both from one layout.

Boxes are read from WeasyPrint's laid-out page (`page._page_box`, not public API, hence the pinned version): the border
boxes of elements that carry `data-mark`. An inline element that wraps gives a box a line.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

import numpy as np
import pypdfium2
from weasyprint import HTML
from weasyprint.formatting_structure import boxes
from weasyprint.text.fonts import FontConfiguration

from finscribe_assets.rendering.pages import Box, Fragment, Mark, MarkKind

CSS_DPI = 96  # a CSS pixel is 1/96 inch, whatever the device

logging.getLogger("weasyprint").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)


@dataclass(frozen=True)
class LaidOut:
    """Laid-out pages: grey pixels (height × width, uint8) and marks in pixels."""

    pages: list[np.ndarray]
    marks: list[Mark]


@dataclass
class _Found:
    fragments: list[Fragment] = field(default_factory=list)


def _refuse(url: str, *args: Any, **options: Any) -> NoReturn:
    raise PermissionError(f"rendering reads no file and no network; something asked for {url!r}")


@cache
def _fonts() -> FontConfiguration:
    return FontConfiguration()


def content_height_mm(html: str) -> float:
    """Return how far down the first page its content reaches, in millimetres."""
    page = _lay_out(html).pages[0]._page_box
    lowest = max(box.position_y + box.margin_height() for box in _descendants(page) if isinstance(box, boxes.BlockBox))
    return lowest / CSS_DPI * 25.4


def lay_out(html: str, dpi: int) -> LaidOut:
    """Lay a document out once; take its boxes from the layout and its pixels from the PDF of that same layout."""
    document = _lay_out(html)
    pdf = pypdfium2.PdfDocument(document.write_pdf(optimize_images=False))
    try:
        # pypdfium2 rounds a page's bitmap up to whole pixels, so the true scale is measured, not assumed.
        pages = [page.render(scale=dpi / 72, grayscale=True).to_numpy().squeeze() for page in pdf]
    finally:
        pdf.close()
    found: dict[tuple[MarkKind, str], _Found] = {}
    for number, page in enumerate(document.pages):
        scale_x, scale_y = pages[number].shape[1] / page.width, pages[number].shape[0] / page.height
        for box in _descendants(page._page_box):
            mark = _mark_of(box)
            if mark:
                x, y = box.border_box_x(), box.border_box_y()
                place = Box(x * scale_x, y * scale_y, (x + box.border_width()) * scale_x,
                            (y + box.border_height()) * scale_y)  # fmt: skip
                text = _text_of(box) if mark[0] in (MarkKind.FIELD, MarkKind.CELL) else ""
                found.setdefault(mark, _Found()).fragments.append(Fragment(number, place, text))
    return LaidOut(pages, [Mark(kind, name, tuple(at.fragments)) for (kind, name), at in found.items()])


def _lay_out(html: str) -> Any:
    return HTML(string=html, url_fetcher=_refuse, media_type="print").render(font_config=_fonts())


def _descendants(box: Any) -> Iterator[Any]:
    """Yield a box and all below it, in document order."""
    stack = [box]
    while stack:
        box = stack.pop()
        yield box
        if hasattr(box, "all_children"):
            stack.extend(reversed(list(box.all_children())))


def _mark_of(box: Any) -> tuple[MarkKind, str] | None:
    element = box.element
    # Line and text boxes, and anonymous wrappers, carry their parent's element; only the element's own box counts.
    if element is None or isinstance(box, boxes.TextBox | boxes.LineBox) or box.element_tag != element.tag:
        return None
    mark = element.get("data-mark")
    if not mark or (isinstance(box, boxes.BlockBox) and getattr(box, "is_table_wrapper", False)):
        return None
    kind, _, name = mark.partition(":")
    return MarkKind(kind), name


def _text_of(box: Any) -> str:
    lines = [[part.text for part in _descendants(line) if isinstance(part, boxes.TextBox)]
             for line in _descendants(box) if isinstance(line, boxes.LineBox)]  # fmt: skip
    if not lines:  # an inline box: it lies within one line
        lines = [[part.text for part in _descendants(box) if isinstance(part, boxes.TextBox)]]
    return " ".join("".join(line).strip() for line in lines).strip()
