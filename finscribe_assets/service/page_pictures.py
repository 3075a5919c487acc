"""Pictures of pages for answers: what the page of the service draws boxes on."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

from PIL import Image

from finscribe_assets.rendering.pages import Page
from finscribe_assets.service.document_reading import PageSize

MAX_WIDTH = 1400  # pixels of a picture; print of 7 pt is legible on A4
_QUALITY = 80  # of JPEG


def page_sizes(pages: Sequence[Page], *, pictures: bool) -> list[PageSize]:
    """Return the sizes of pages and, where they are asked for, pictures of them."""
    return [
        PageSize(page=number, width=page.width, height=page.height, image=_data_url(page) if pictures else None)
        for number, page in enumerate(pages, 1)
    ]


def _data_url(page: Page) -> str:
    image = page.open()
    image.thumbnail((MAX_WIDTH, MAX_WIDTH * 4))
    return f"data:image/jpeg;base64,{base64.b64encode(_encoded(image, 'JPEG')).decode()}"


def blank_png() -> bytes:
    """Return a white image of 8 × 8 pixels."""
    return _encoded(Image.new("L", (8, 8), "white"), "PNG")


def _encoded(image: Image.Image, image_format: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, image_format, **({"quality": _QUALITY} if image_format == "JPEG" else {}))
    return stream.getvalue()
