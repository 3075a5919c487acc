"""A batch of pages as files: one image shard for each shard of documents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from finscribe_assets.documents.drawn_document import documents_from_table
from finscribe_assets.files import AnyPath, read_table, sha256_of
from finscribe_assets.rendering.page_checks import page_problems, require_sound
from finscribe_assets.rendering.pages import RenderedDocument, destroyed_in, pages_from_table, pages_to_table
from finscribe_assets.rendering.render import render
from finscribe_assets.rendering.system_packages import require_system
from finscribe_assets.shards import (
    ShardPool,
    read_fingerprint,
    read_shards,
    row_count,
    shard_files,
    write_missing_shards,
    write_shard,
)

RENDERER_VERSION = 4  # raise it with every change to what a document looks like


@dataclass(frozen=True)
class RenderSummary:
    """What rendering a batch did."""

    pages: int
    shards: int
    skipped: int  # shards that were there already, made from the same documents


@dataclass(frozen=True)
class _RenderJob:
    documents: AnyPath
    path: AnyPath
    dpi: int

    @property
    def rows(self) -> int:
        return row_count(self.documents)

    @property
    def fingerprint(self) -> str:
        return sha256_of(f"{RENDERER_VERSION}:{self.dpi}:{read_fingerprint(self.documents)}")


def _write(job: _RenderJob) -> int:
    documents = documents_from_table(read_table(job.documents))
    rendered = []
    for drawn in documents:
        pages = render(drawn, job.dpi)
        require_sound(drawn, page_problems(drawn, pages))
        rendered.append((drawn, pages))
    # Image bytes are compressed already.
    write_shard(job.path, pages_to_table(rendered), job.fingerprint, compress=False)
    return len(documents)


def render_batch(
    documents: AnyPath,
    folder: AnyPath,
    pool: ShardPool,
    *,
    dpi: int = 144,
    on_shard: Callable[[int], None] | None = None,
) -> RenderSummary:
    """Render a folder of document shards; shards that are whole and made from the same documents are kept.

    ``on_shard`` is told how many documents were done.

    Raises:
        RenderError: a page does not show what its document says; the message names the document and the field.
        RuntimeError: a font or library is not installed; the message says what to run.
    """
    require_system()
    jobs = [_RenderJob(file, folder / file.name, dpi) for file in shard_files(documents)]
    skipped = write_missing_shards(jobs, _write, pool, folder, on_shard)
    return RenderSummary(sum(row_count(job.path) for job in jobs), len(jobs), skipped)


def destroyed_fields(folder: AnyPath) -> dict[str, frozenset[str]]:
    """Return the fields that damage has left unreadable, by document; images are not read."""
    found: dict[str, set[str]] = {}
    for table in read_shards(folder, ["document_id", "marks"]):
        for row in table.to_pylist():
            marks = destroyed_in(row["marks"])
            if marks:
                found.setdefault(row["document_id"], set()).update(marks)
    return {name: frozenset(fields) for name, fields in found.items()}


def read_rendered(folder: AnyPath) -> Iterator[RenderedDocument]:
    """Yield a batch's rendered documents in order, holding one shard at a time."""
    for table in read_shards(folder):
        yield from pages_from_table(table)


def pages_by_id(folder: AnyPath, names: Collection[str]) -> Iterator[RenderedDocument]:
    """Yield some of a batch's rendered documents in order; images of shards that hold none of them are not read.

    Raises:
        FileNotFoundError: the folder has no pages.
    """
    wanted = set(names)
    for shard, ids in zip(shard_files(folder), read_shards(folder, ["document_id"]), strict=True):
        if wanted.intersection(ids["document_id"].to_pylist()):
            yield from (one for one in pages_from_table(read_table(shard)) if one.id in wanted)
