"""Cut the surroundings of a value out of its page, with a frame around the value, as a small picture."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

from PIL import Image, ImageDraw

from finscribe_assets.rendering.pages import MarkType, RenderedDocument

EXCERPT_WIDTH, EXCERPT_HEIGHT = 360, 120  # pixels of the picture
EXCERPT_SCALE = 1.1  # pixels of the page for each pixel of the picture
FAILED_FIELD_COLOUR = "#c1121f"


@dataclass(frozen=True)
class PageIllustration:
    """An image of a page to embed in a report.

    Attributes:
        source: the image as a data URL.
        width: in pixels.
        height: in pixels.
        text: alternative text.
    """

    source: str
    width: int
    height: int
    text: str


def embedded(image: Image.Image, text: str, max_width: int, quality: int) -> PageIllustration:
    """Return a picture as WebP in a data URL, scaled down to a width.

    Args:
        image: The picture.
        text: Alternative text.
        max_width: In pixels.
        quality: Of WebP, from 0 to 100.
    """
    if image.width > max_width:
        size = max_width, round(image.height * max_width / image.width)
        image = image.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=4)
    data = base64.b64encode(buffer.getvalue()).decode()
    return PageIllustration(f"data:image/webp;base64,{data}", image.width, image.height, text)


def excerpt_of(rendered: RenderedDocument, path: str, text: str) -> PageIllustration | None:
    """Return the surroundings of a field with a frame around it; None if no page prints the field.

    Args:
        rendered: The document's pages.
        path: Of the field.
        text: Alternative text.
    """
    fragment = next(
        (fragment for mark in rendered.of_type(MarkType.FIELD) if mark.name == path for fragment in mark.fragments),
        None,
    )
    if fragment is None:
        return None
    image = rendered.pages[fragment.page].open().convert("RGB")
    box = fragment.box.padded(3)
    ImageDraw.Draw(image).rectangle(box, outline=FAILED_FIELD_COLOUR, width=3)
    return embedded(_around(image, box), text, EXCERPT_WIDTH, 60)


def _around(image: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """Cut a part with the picture's proportions around the middle of a box, wide enough for the box."""
    width = min(image.width, max(EXCERPT_WIDTH * EXCERPT_SCALE, 1.1 * (box[2] - box[0])))
    height = min(image.height, max(width * EXCERPT_HEIGHT / EXCERPT_WIDTH, min(1.2 * (box[3] - box[1]), width)))
    left = min(max(0, (box[0] + box[2] - width) / 2), image.width - width)
    top = min(max(0, (box[1] + box[3] - height) / 2), image.height - height)
    return image.crop((round(left), round(top), round(left + width), round(top + height)))
