"""Pages for people: boxes drawn on, several pages on a sheet, small enough for the UI."""

from __future__ import annotations

import io
import math

from PIL import Image, ImageDraw

from finscribe_assets.rendering.pages import MarkKind, RenderedDocument

COLOURS = {MarkKind.FIELD: "#d62728", MarkKind.CELL: "#9ecae1", MarkKind.ROW: "#c7c7c7", MarkKind.TABLE: "#1f77b4",
           MarkKind.REGION: "#2ca02c"}  # fmt: skip


def draw_boxes(rendered: RenderedDocument, page: int = 0, max_width: int = 900) -> Image.Image:
    """Return a page with its fields (red), cells and table (blue) and regions (green) drawn on."""
    image = rendered.pages[page].open().convert("RGB")
    canvas = ImageDraw.Draw(image)
    for kind in (MarkKind.REGION, MarkKind.TABLE, MarkKind.CELL, MarkKind.FIELD):
        for mark in rendered.of_kind(kind):
            for part in mark.fragments:
                if part.page == page:
                    box = part.box
                    canvas.rectangle((box.x0, box.y0, box.x1 - 1, box.y1 - 1), outline=COLOURS[kind], width=2)
    if image.width > max_width:
        image = image.resize((max_width, round(image.height * max_width / image.width)), Image.Resampling.LANCZOS)
    return image


def preview_png(rendered: RenderedDocument, page: int = 0, max_bytes: int = 100_000) -> bytes:
    """Return a page with its boxes as a PNG of at most ``max_bytes``, as wide as that allows."""
    width = 900
    while True:
        buffer = io.BytesIO()
        # Few colours: the file is a third of the size, and a preview needs no more.
        draw_boxes(rendered, page, width).quantize(24).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= max_bytes or width < 200:
            return buffer.getvalue()
        width = round(width * 0.85)


def contact_sheet(documents: list[RenderedDocument], columns: int = 4, cell: int = 480) -> Image.Image:
    """Return the first pages of documents, with their boxes, on one sheet."""
    rows = max(1, math.ceil(len(documents) / columns))
    sheet = Image.new("RGB", (columns * cell, rows * cell * 3 // 2), "#808080")
    for place, rendered in enumerate(documents):
        picture = draw_boxes(rendered, 0, 2000)
        picture.thumbnail((cell - 12, cell * 3 // 2 - 12), Image.Resampling.LANCZOS)
        sheet.paste(picture, (place % columns * cell + 6, place // columns * (cell * 3 // 2) + 6))
    return sheet
