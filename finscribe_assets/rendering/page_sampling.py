"""Which documents of a batch are looked at, and their pages: the stored ones, or clean ones rendered anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from finscribe_assets.documents.document_batch import read_documents
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath
from finscribe_assets.rendering.page_batch import pages_by_id
from finscribe_assets.rendering.pages import RenderedDocument
from finscribe_assets.rendering.render import render
from finscribe_assets.rendering.system_packages import require_system
from finscribe_assets.shards import row_count, shard_files

Rendered = Iterator[tuple[DrawnDocument, RenderedDocument]]


def sample_documents(folder: AnyPath, size: int, seed: int) -> list[DrawnDocument]:
    """Return so many documents of a folder of shards at random, in their order; all where there are no more.

    Raises:
        FileNotFoundError: the folder has no documents.
    """
    documents = sum(row_count(file) for file in shard_files(folder))
    places = set(Random(seed).sample(range(documents), min(size, documents)))
    return [drawn for place, drawn in enumerate(read_documents(folder)) if place in places]


def without_damage(drawn: DrawnDocument) -> DrawnDocument:
    """Return a document whose page comes as it leaves the printer: nothing on the paper, no scanner, no camera."""
    clean = drawn.presentation.model_copy(update={"degradation": 0.0, "damage": {}})
    return drawn.model_copy(update={"presentation": clean})


def clean_pages(documents: Iterable[DrawnDocument], dpi: int = 144) -> Rendered:
    """Yield documents with their pages rendered anew, undamaged.

    Raises:
        RuntimeError: a font or library is not installed; the message says what to run.
    """
    require_system()
    for drawn in documents:
        yield drawn, render(without_damage(drawn), dpi)


def stored_pages(documents: Iterable[DrawnDocument], images: AnyPath) -> Rendered:
    """Yield documents with their pages as a batch's folder of image shards has them, in its order.

    Raises:
        FileNotFoundError: the folder has no pages.
        UserError: it has none of one of the documents.
    """
    wanted = {drawn.id: drawn for drawn in documents}
    for rendered in pages_by_id(images, wanted.keys()):
        yield wanted.pop(rendered.id), rendered
    if wanted:
        raise UserError(f"{images}: no pages of {next(iter(wanted))}; run `finscribe render` again")
