"""Small pictures of the documents that wait for correction, for the user interface."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

from finscribe_assets.files import AnyPath
from finscribe_assets.rendering.pages import Page, pages_from_table
from finscribe_assets.rendering.preview import small_png
from finscribe_assets.review.correction_queue import QueuedDocument
from finscribe_assets.shards import read_shards

THUMBNAIL_WIDTH, THUMBNAIL_BYTES = 260, 15_000


def queue_thumbnails(documents: Sequence[QueuedDocument], images: AnyPath) -> str:
    """Return the first pages of documents with their reasons, as a table in Markdown.

    Args:
        documents: The head of the queue; for each a picture of at most ``THUMBNAIL_BYTES``.
        images: Folder of page shards.
    """
    wanted = {document.id for document in documents}
    pages: dict[str, Page] = {}
    for shard in read_shards(images) if documents else ():
        pages |= {found.id: found.pages[0] for found in pages_from_table(shard) if found.id in wanted}
    rows = [
        f"| {rank} | {_picture(pages[document.id], document.id)} | {document.id} | {_plain(document.why)} |"
        for rank, document in enumerate(documents, 1)
        if document.id in pages
    ]
    return "\n".join(["| | page | document | why |", "|---|---|---|---|", *rows]) if rows else ""


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is: field paths are keys that a model wrote."""
    return re.sub(r"([^\w\s.,:;])", lambda mark: f"&#{ord(mark[1])};", " ".join(text.split()))


def _picture(page: Page, name: str) -> str:
    png = small_png(page.open().convert("RGB"), THUMBNAIL_BYTES, THUMBNAIL_WIDTH)
    return f"![{name}](data:image/png;base64,{base64.b64encode(png).decode()})"
