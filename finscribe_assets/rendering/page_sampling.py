"""Sample documents of a batch, and get their pages: the stored ones, or undamaged ones rendered anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from finscribe_assets.documents.document_batch import read_documents
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath
from finscribe_assets.rendering.page_batch import pages_by_id, rejected_documents
from finscribe_assets.rendering.pages import RenderedDocument
from finscribe_assets.rendering.render import render
from finscribe_assets.rendering.system_packages import require_system
from finscribe_assets.shards import row_count, shard_files

DocumentsWithPages = Iterator[tuple[DrawnDocument, RenderedDocument]]


def sample_documents(folder: AnyPath, size: int, seed: int) -> list[DrawnDocument]:
    """Return a random sample of the documents in a folder of shards, in the batch's order.

    Args:
        folder: folder of document shards.
        size: number of documents; all are returned if there are no more.
        seed: the same seed gives the same sample.

    Raises:
        FileNotFoundError: the folder has no document shards.
    """
    count = sum(row_count(file) for file in shard_files(folder))
    indices = set(Random(seed).sample(range(count), min(size, count)))
    return [drawn for index, drawn in enumerate(read_documents(folder)) if index in indices]


def without_damage(drawn: DrawnDocument) -> DrawnDocument:
    """Return a copy of the document whose pages are rendered without any damage."""
    clean = drawn.presentation.model_copy(update={"degradation": 0.0, "damage": {}})
    return drawn.model_copy(update={"presentation": clean})


def clean_pages(documents: Iterable[DrawnDocument], dpi: int = 144) -> DocumentsWithPages:
    """Yield the documents, each with its pages rendered anew and undamaged.

    Raises:
        UserError: a font or system library is not installed; the message has the command that installs it.
        RenderError: a page does not show what its document contains.
    """
    require_system()
    for drawn in documents:
        yield drawn, render(without_damage(drawn), dpi)


def stored_pages(documents: Iterable[DrawnDocument], images: AnyPath) -> DocumentsWithPages:
    """Yield the documents with their stored pages, in the order of the image shards; without rejected documents.

    Raises:
        FileNotFoundError: the folder has no image shards.
        UserError: the folder has no pages of one of the documents.
    """
    rejects = rejected_documents(images)
    wanted = {drawn.id: drawn for drawn in documents if drawn.id not in rejects}
    for rendered in pages_by_id(images, wanted.keys()):
        yield wanted.pop(rendered.id), rendered
    if wanted:
        raise UserError(f"{images}: no pages of {next(iter(wanted))}; run `finscribe render` again")
