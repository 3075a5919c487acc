"""Pictures of pages for people: boxes drawn on them, contact sheets, and PNG files small enough for the UI."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.rendering.pages import MarkType, RenderedDocument

MARK_COLOURS = {
    MarkType.FIELD: "#d62728",
    MarkType.CELL: "#9ecae1",
    MarkType.TABLE: "#1f77b4",
    MarkType.REGION: "#2ca02c",
}
DRAWN_WIDTH = 2000  # pixels; boxes are drawn on pages up to this width, and their 2-pixel lines shrink with the page

CAPTION_LINES, CAPTION_FONT_SIZE = 2, 17  # below a page on a contact sheet; font size in pixels
SHEET_MARGIN = 6  # pixels around a page on a contact sheet


def draw_boxes(rendered: RenderedDocument, page: int = 0, max_width: int = 900) -> Image.Image:
    """Return a page with its fields (red), cells and table (blue) and regions (green) drawn on it.

    Args:
        rendered: the document.
        page: index of the page.
        max_width: width in pixels to which a wider page is scaled down after drawing.
    """
    image = rendered.pages[page].open().convert("RGB")
    canvas = ImageDraw.Draw(image)
    for mark_type in (MarkType.REGION, MarkType.TABLE, MarkType.CELL, MarkType.FIELD):
        for mark in rendered.of_type(mark_type):
            for fragment in mark.fragments:
                if fragment.page == page:
                    x0, y0, x1, y1 = fragment.box
                    canvas.rectangle((x0, y0, x1 - 1, y1 - 1), outline=MARK_COLOURS[mark_type], width=2)
    return _at_most(image, max_width)


def _at_most(image: Image.Image, width: int) -> Image.Image:
    """Scale an image down to a width in pixels if it is wider."""
    if image.width <= width:
        return image
    return image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)


def png_of(image: Image.Image, *, smallest: bool = True) -> bytes:
    """Encode a picture as PNG: as small as possible, or else as fast as possible."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=smallest, compress_level=9 if smallest else 1)
    return buffer.getvalue()


def small_png(image: Image.Image, max_bytes: int, max_width: int = 900, colours: int = 24) -> bytes:
    """Encode a picture as a PNG of limited size, with few colours and as wide as the limits allow.

    Args:
        image: the picture.
        max_bytes: size limit of the file; below a width of 200 pixels it may be exceeded.
        max_width: width limit in pixels.
        colours: number of colours of the palette. A palette cuts the file to a third, and a preview needs no more.
    """
    width = min(max_width, image.width)
    while True:
        file = png_of(_at_most(image, width).quantize(colours))
        if len(file) <= max_bytes or width < 200:
            return file
        width = round(width * 0.85)


def preview_png(rendered: RenderedDocument, page: int = 0, max_bytes: int = 100_000) -> bytes:
    """Return a page with its boxes as a PNG of at most ``max_bytes``, as wide as that allows."""
    return small_png(draw_boxes(rendered, page, DRAWN_WIDTH), max_bytes)


def caption(drawn: DrawnDocument) -> str:
    """Return a document's caption on a contact sheet, in two lines: its id; its layout, locale and font."""
    look = drawn.presentation
    return f"{drawn.id}\n{look.layout}, {drawn.document.locale}, {look.font}"


def contact_sheet(
    documents: Sequence[RenderedDocument],
    columns: int = 4,
    page_width: int = 480,
    *,
    boxes: bool = True,
    captions: Sequence[str] = (),
) -> Image.Image:
    """Return one picture of the first pages of many documents.

    Args:
        documents: the documents, from left to right and from top to bottom.
        columns: maximum number of pages in a row.
        page_width: width in pixels of the area of one page, margins included; its height is half as much again.
        boxes: draw the boxes of fields, cells, tables and regions.
        captions: a caption of up to two lines for each document; none by default.
    """
    columns = min(columns, max(1, len(documents)))
    page_height = page_width * 3 // 2
    caption_height = CAPTION_LINES * (CAPTION_FONT_SIZE + 4) + SHEET_MARGIN if captions else 0
    row_height = page_height + caption_height
    rows = max(1, math.ceil(len(documents) / columns))
    sheet = Image.new("RGB", (columns * page_width, rows * row_height), "#808080")
    canvas, font = ImageDraw.Draw(sheet), ImageFont.load_default(CAPTION_FONT_SIZE)
    for index, rendered in enumerate(documents):
        left, top = index % columns * page_width, index // columns * row_height
        image = draw_boxes(rendered, 0, DRAWN_WIDTH) if boxes else rendered.pages[0].open().convert("RGB")
        image.thumbnail((page_width - 2 * SHEET_MARGIN, page_height - 2 * SHEET_MARGIN), Image.Resampling.LANCZOS)
        sheet.paste(image, (left + SHEET_MARGIN, top + SHEET_MARGIN))
        if captions:
            corner = (left + SHEET_MARGIN, top + page_height)
            canvas.multiline_text(corner, captions[index], fill="#ffffff", font=font, spacing=4)
    return sheet
