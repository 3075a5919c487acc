"""Pages for people: boxes drawn on, several pages on a sheet with what they are below, small enough for the UI."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.rendering.pages import MarkType, RenderedDocument

COLOURS = {
    MarkType.FIELD: "#d62728",
    MarkType.CELL: "#9ecae1",
    MarkType.ROW: "#c7c7c7",
    MarkType.TABLE: "#1f77b4",
    MarkType.REGION: "#2ca02c",
}


CAPTION_LINES, CAPTION_SIZE, MARGIN = 2, 17, 6  # below a page; type and margins in pixels


def draw_boxes(rendered: RenderedDocument, page: int = 0, max_width: int = 900) -> Image.Image:
    """Return a page with its fields (red), cells and table (blue) and regions (green) drawn on."""
    image = rendered.pages[page].open().convert("RGB")
    canvas = ImageDraw.Draw(image)
    for kind in (MarkType.REGION, MarkType.TABLE, MarkType.CELL, MarkType.FIELD):
        for mark in rendered.of_type(kind):
            for part in mark.fragments:
                if part.page == page:
                    box = part.box
                    canvas.rectangle((box.x0, box.y0, box.x1 - 1, box.y1 - 1), outline=COLOURS[kind], width=2)
    return _at_most(image, max_width)


def _at_most(image: Image.Image, width: int) -> Image.Image:
    if image.width <= width:
        return image
    return image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)


def png_of(image: Image.Image, *, smallest: bool = True) -> bytes:
    """Return a picture as a PNG file: the smallest, or the quickest."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=smallest, compress_level=9 if smallest else 1)
    return buffer.getvalue()


def small_png(image: Image.Image, max_bytes: int, max_width: int = 900, colours: int = 24) -> bytes:
    """Return a picture as a PNG of at most ``max_bytes``, as wide as that and ``max_width`` allow."""
    width = min(max_width, image.width)
    while True:
        # Few colours: the file is a third of the size, and a preview needs no more.
        file = png_of(_at_most(image, width).quantize(colours))
        if len(file) <= max_bytes or width < 200:
            return file
        width = round(width * 0.85)


def preview_png(rendered: RenderedDocument, page: int = 0, max_bytes: int = 100_000) -> bytes:
    """Return a page with its boxes as a PNG of at most ``max_bytes``, as wide as that allows."""
    return small_png(draw_boxes(rendered, page, 2000), max_bytes)


def caption(drawn: DrawnDocument) -> str:
    """Return what stands below a page on a sheet: the document's id, layout, locale and font."""
    look = drawn.presentation
    return f"{drawn.id}\n{look.layout}, {drawn.document.locale}, {look.font}"


def contact_sheet(
    documents: Sequence[RenderedDocument],
    columns: int = 4,
    cell: int = 480,
    *,
    boxes: bool = True,
    captions: Sequence[str] = (),
) -> Image.Image:
    """Return the first pages of documents on one sheet, with or without their boxes.

    Args:
        documents: what to show, from left to right and down.
        columns: pages in a row, at the most.
        cell: width of a page's place in pixels; it is half as high again, a caption's place besides.
        boxes: draw the boxes on.
        captions: one for each document, of up to two lines.
    """
    columns = min(columns, max(1, len(documents)))
    tall = cell * 3 // 2
    below = CAPTION_LINES * (CAPTION_SIZE + 4) + MARGIN if captions else 0
    sheet = Image.new("RGB", (columns * cell, max(1, math.ceil(len(documents) / columns)) * (tall + below)), "#808080")
    canvas, font = ImageDraw.Draw(sheet), ImageFont.load_default(CAPTION_SIZE)
    for place, rendered in enumerate(documents):
        left, top = place % columns * cell, place // columns * (tall + below)
        # Drawn at full size: lines two pixels wide shrink with the page.
        picture = draw_boxes(rendered, 0, 2000) if boxes else rendered.pages[0].open().convert("RGB")
        picture.thumbnail((cell - 2 * MARGIN, tall - 2 * MARGIN), Image.Resampling.LANCZOS)
        sheet.paste(picture, (left + MARGIN, top + MARGIN))
        if captions:
            canvas.multiline_text((left + MARGIN, top + tall), captions[place], fill="#ffffff", font=font, spacing=4)
    return sheet
